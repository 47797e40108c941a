"""What the robot sends through the API: 1:1 and group messages, and the quick entries (protocol notes §1.4, 2.3, 2.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .core import Core
from .errors import ApiError
from .ids import new_query_key
from .media import Media
from .outgoing import Content, read_robot
from .people import Group
from .routing import Call, Route

MAX_RECEIVERS = 20
MAX_PLUGINS = 10


@dataclass
class Sent:
    """A message that went out, found again by its processQueryKey. items: userid → item id on that phone."""

    key: str
    robot_code: str
    at: float
    group_id: str | None
    receivers: list[str]
    items: dict[str, str] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)
    recalled: bool = False


class Robot:
    def __init__(self, core: Core, media: Media):
        self.core, self.media = core, media
        self.sent: dict[str, Sent] = {}
        self.plugins: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1.0/robot/oToMessages/batchSend", self._send_to_people),
            Route("POST", "/v1.0/robot/groupMessages/send", self._send_to_group),
            Route("POST", "/v1.0/robot/plugins/set", self._set_plugins),
            Route("POST", "/v1.0/robot/plugins/query", self._query_plugins),
            Route("POST", "/v1.0/robot/plugins/clear", self._clear_plugins),
        ]

    def check_robot(self, call: Call, *, code: str | None = None) -> str:
        """The robotCode of the call, which must belong to the app of the token."""
        robot_code = code if code is not None else str(call.body.get("robotCode") or "")
        if not robot_code:
            raise ApiError("invalidParameter.robotCode.empty", "robotCode 不能为空")
        if robot_code not in {app.robot_code for app in self.core.directory.apps.values()}:
            raise ApiError("invalidParameter.robotCode.notExsit", "robotCode 不存在")
        if self.core.directory.apps[call.client_id].robot_code != robot_code:
            raise ApiError("invalidParameter.robotCode.auth", "应用没有该机器人的权限")
        return robot_code

    def group_of(self, group_id: str) -> Group:
        group = self.core.directory.groups.get(group_id)
        if group is None:
            raise ApiError("invalid.openConversationId", "openConversationId 无效")
        if not group.has_robot:
            raise ApiError("robot.notInGroup", "机器人不在群中")
        return group

    def show(self, receivers: list[str], content: Content, *, group_id: str | None, robot_code: str) -> Sent:
        """Puts a message on the phones and remembers it; people of a silent drop get nothing."""
        sent = Sent(new_query_key(), robot_code, self.core.clock(), group_id, receivers)
        dropped = self.core.faults.take("silent_drop", "group" if group_id else "oto")
        for userid in receivers:
            if dropped is True or (isinstance(dropped, list) and userid in dropped):
                self.core.journal.note("message_dropped", user=userid)
                continue
            chat = f"group:{group_id}" if group_id else "app"
            item = self.core.screens.add(userid, sender="bot", chat=chat, **content.as_item())
            item.source = {"kind": "sent", "key": sent.key, "text": content.text}
            sent.items[userid] = item.id
        self.sent[sent.key] = sent
        return sent

    def _send_to_people(self, call: Call) -> dict[str, Any]:
        robot_code = self.check_robot(call)
        users = call.body.get("userIds")
        if not isinstance(users, list) or not users:
            raise ApiError("invalidParameter.userIds.empty", "userIds 不能为空")
        if len(users) > MAX_RECEIVERS:
            raise ApiError("invalidParameter.userIds.overMax", "userIds 超过最大数量 20")
        content = read_robot(call.body, self.media)
        directory = self.core.directory
        invalid = [user for user in users if directory.member(str(user)) is None]
        slowed = self.core.faults.take("flow_controlled")
        held = [u for u in users if u not in invalid and (slowed is True or (isinstance(slowed, list) and u in slowed))]
        receivers = list(dict.fromkeys(user for user in users if user not in invalid and user not in held))
        sent = self.show(receivers, content, group_id=None, robot_code=robot_code)
        lists = {"invalidStaffIdList": invalid, "flowControlledStaffIdList": held}
        return {"processQueryKey": sent.key, **lists}

    def _send_to_group(self, call: Call) -> dict[str, Any]:
        robot_code = self.check_robot(call)
        group_id = str(call.body.get("openConversationId") or "")
        if not group_id:
            raise ApiError("miss.openConversationId", "缺少 openConversationId")
        group = self.group_of(group_id)
        content = read_robot(call.body, self.media)
        sent = self.show(list(group.members), content, group_id=group.id, robot_code=robot_code)
        return {"processQueryKey": sent.key}

    def _set_plugins(self, call: Call) -> dict[str, Any]:
        self._check_plugin_robot(call)
        plugins = call.body.get("pluginInfoList")
        if not isinstance(plugins, list) or not plugins:
            raise ApiError("invalidParameter.pluginInfoList.empty", "pluginInfoList 不能为空")
        if len(plugins) > MAX_PLUGINS:
            raise ApiError("invalidRequest.exceededMaximumLimit", "快捷入口超过最大数量")
        for plugin in plugins:
            for name in ("name", "icon", "mobileUrl", "pcUrl"):
                if not isinstance(plugin, dict) or not plugin.get(name):
                    raise ApiError("invalidParameter.pluginInfoList.invalid", f"缺少 {name}")
            if not self.media.knows(plugin["icon"]):
                self.core.journal.problem("a quick entry has an icon that was never uploaded")
        self.plugins = plugins
        return {"result": True}

    def _query_plugins(self, call: Call) -> dict[str, Any]:
        self._check_plugin_robot(call)
        return {"pluginInfoList": self.plugins}

    def _clear_plugins(self, call: Call) -> dict[str, Any]:
        self._check_plugin_robot(call)
        self.plugins = []
        return {"result": True}

    def _check_plugin_robot(self, call: Call) -> None:
        if self.core.directory.apps[call.client_id].robot_code != call.body.get("robotCode"):
            raise ApiError("invalidRequest.robotNotExist", "机器人不存在")
