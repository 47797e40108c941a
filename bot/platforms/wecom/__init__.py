"""The WeCom platform. `WeCom` is all the rest of the code needs; vendor XML and JSON stay in this folder."""

from __future__ import annotations

from bot.platforms.wecom.config import GroupRobot, WeComConfig
from bot.platforms.wecom.platform import WeCom

__all__ = ["GroupRobot", "WeCom", "WeComConfig"]
