"""What the DingTalk platform must be told about one installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GroupRobot:
    """A custom group webhook robot (自定义机器人): `url` carries its access_token, `secret` («SEC…») signs, may be ""."""

    name: str
    url: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class DingTalkConfig:
    """One enterprise-internal app with a robot. Bases carry no trailing slash and may have a path of their own."""

    corp_id: str
    client_id: str
    client_secret: str
    agent_id: int = 0
    robot_code: str = ""  # the client id when empty: that is what an internal app's robot has
    event_token: str = ""
    event_aes_key: str = ""
    api_base: str = "https://api.dingtalk.com"
    oapi_base: str = "https://oapi.dingtalk.com"
    card_template_id: str = ""
    js_signature: Literal["sha256", "sha1"] = "sha256"
    mode: Literal["http", "stream"] = "http"
    place_page: str = "/h5/place"
    tasks_page: str = "/h5/tasks"
    todo_creator: str = ""  # user id in whose name to-dos are made; a to-do of one's own rings nobody (§4)
    group_robots: tuple[GroupRobot, ...] = ()
    month_calls: int = 5000  # of the standard edition
    month_messages: int = 3000

    @property
    def robot(self) -> str:
        return self.robot_code or self.client_id
