"""What the WeCom platform must be told about one installation."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

Datum = Literal["gcj02", "wgs84"]

# Which code a used, late or foreign response_code gets is not documented; these are its known relatives.
SPENT_CODES = frozenset(range(42014, 42021))


@dataclass(frozen=True, slots=True)
class GroupRobot:
    """A group webhook robot (消息推送): `name` is what a Target.group says, `key` the secret part of its address."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class WeComConfig:
    """One self-built app (自建应用). Bases carry no trailing slash; `api_base` is without /cgi-bin.

    `bot_token` and `bot_aes_key` are of the 智能机器人 that answers in groups; both empty without one.

    `datum` is the coordinate system of positions that WeCom sends; its documents do not name it.
    """

    corp_id: str
    agent_id: int
    secret: str
    token: str
    aes_key: str
    api_base: str = "https://qyapi.weixin.qq.com"
    oauth_base: str = "https://open.weixin.qq.com"
    datum: Datum = "gcj02"
    plant_name: str = "安哨"
    group_robots: tuple[GroupRobot, ...] = ()
    max_skew_s: int = 3600  # a callback signed longer ago, or further ahead, is refused
    spent_codes: frozenset[int] = SPENT_CODES
    bot_token: str = ""
    bot_aes_key: str = ""
    accounts: int = 100  # 账号上限 of the corp: an app may send 200 messages a day for each

    def __post_init__(self) -> None:
        _check_key("aes_key", self.aes_key)
        if bool(self.bot_token) != bool(self.bot_aes_key):
            raise ValueError("bot_token and bot_aes_key are needed together")
        if self.bot_aes_key:
            _check_key("bot_aes_key", self.bot_aes_key)
        if not self.corp_id or not self.secret or not self.token or self.agent_id <= 0:
            raise ValueError("corp_id, agent_id, secret and token are all needed")


def _check_key(name: str, key: str) -> None:
    try:
        raw = base64.b64decode(key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{name} is not an EncodingAESKey; copy it again from the console") from error
    if len(key) != 43 or len(raw) != 32:
        raise ValueError(f"{name} must have 43 characters; copy it again from the console")
