"""The DingTalk platform. `DingTalk` is all the rest of the code needs; vendor JSON stays in this folder."""

from __future__ import annotations

from bot.platforms.dingtalk.config import DingTalkConfig, GroupRobot
from bot.platforms.dingtalk.platform import DingTalk

__all__ = ["DingTalk", "DingTalkConfig", "GroupRobot"]
