"""An emulator of DingTalk (钉钉): both API hosts, pushes, cards, to-dos, Stream, and phones to control by HTTP."""

from __future__ import annotations

from .emulator import DingTalkEmulator

__all__ = ["DingTalkEmulator"]
