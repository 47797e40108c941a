"""SMS gateways of Aliyun and Tencent Cloud, and the phones that get the texts."""

from __future__ import annotations

from .emulator import SmsEmulator

__all__ = ["SmsEmulator"]
