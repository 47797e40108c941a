"""A WeCom that runs on this machine: the server API, the callbacks it sends, and the phones of its members."""

from __future__ import annotations

from .emulator import WeComEmulator

__all__ = ["WeComEmulator"]
