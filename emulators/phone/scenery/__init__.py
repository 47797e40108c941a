"""Drawn places of a plant, in pairs: something is wrong, and the same place after it was put right."""

from __future__ import annotations

from .cable import cable
from .canvas import Canvas
from .exit import fire_exit
from .flange import flange
from .guard import guard
from .label import label

__all__ = ["Canvas", "cable", "fire_exit", "flange", "guard", "label"]
