"""The phones' page: several people's phones side by side in the browser, on both platforms."""

from __future__ import annotations

from .server import phone_app

__all__ = ["phone_app"]
