"""Interactive cards of the new API, `/v1.0/card/*` (protocol notes §3)."""

from __future__ import annotations

from .api import CardApi
from .press import CardPresses
from .store import CardStore

__all__ = ["CardApi", "CardPresses", "CardStore"]
