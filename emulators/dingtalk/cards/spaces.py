"""Open spaces: parsing `dtv1.card//TYPE.id`, and delivering a card into one (protocol notes §3.1)."""

from __future__ import annotations

import re
from typing import Any

from ..core import Core
from ..errors import ApiError
from ..ids import new_query_key
from ..robot import Robot, Sent
from .store import Card, CardStore, Space

PREFIX = "dtv1.card//"
SPACE = re.compile(r"^(?:dtv1\.card//)?(IM_GROUP|IM_ROBOT|IM_SINGLE|ONE_BOX)\.(.+)$", re.IGNORECASE)
SPACE_MODELS = {"IM_GROUP": "imGroupOpenSpaceModel", "IM_ROBOT": "imRobotOpenSpaceModel"}
DELIVER_MODELS = {"IM_GROUP": "imGroupOpenDeliverModel", "IM_ROBOT": "imRobotOpenDeliverModel"}


def parse_spaces(text: Any) -> list[Space]:
    if not text:
        raise ApiError("param.openSpaceIdEmpty", "openSpaceId 不能为空")
    if not str(text).lower().startswith(PREFIX):  # once, in front of the whole list; samples also repeat it
        raise ApiError("param.openSpaceIdInvalid", f"openSpaceId 无效: {text}")
    spaces = []
    for part in str(text).split(";"):
        match = SPACE.match(part.strip())
        if match is None:
            raise ApiError("param.openSpaceIdInvalid", f"openSpaceId 无效: {part}")
        spaces.append(Space(match[1].upper(), match[2]))
    return spaces


def enabled_by(body: dict[str, Any]) -> set[str]:
    """The space types the call enables by bringing their space model."""
    enabled = set()
    for kind, name in SPACE_MODELS.items():
        model = body.get(name)
        if model is None:
            continue
        if not isinstance(model, dict) or not isinstance(model.get("supportForward"), bool):
            raise ApiError("param.openSpaceModelInvalid", f"{name}.supportForward 必填")
        enabled.add(kind)
    return enabled


class Delivery:
    def __init__(self, core: Core, store: CardStore, robot: Robot):
        self.core, self.store, self.robot = core, store, robot

    def check_models(self, spaces: list[Space], body: dict[str, Any], robot_code: str) -> None:
        """Each space needs its deliver model; a group's names the robot of this app, a 1:1 one its space type."""
        for space in spaces:
            name = DELIVER_MODELS.get(space.type)
            model = body.get(name) if name else None
            if not isinstance(model, dict):
                raise ApiError("param.openDeliverModelEmpty", f"{name or space.type} 不能为空")
            if space.type == "IM_GROUP" and model.get("robotCode") != robot_code:
                raise ApiError("param.openDeliverModelInvalid", "imGroupOpenDeliverModel.robotCode 无效")
            if space.type == "IM_ROBOT" and model.get("spaceType") != "IM_ROBOT":
                raise ApiError("param.openDeliverModelInvalid", "imRobotOpenDeliverModel.spaceType 无效")

    def deliver(self, card: Card, spaces: list[Space], body: dict[str, Any]) -> list[dict[str, Any]]:
        """One result per space; a failed space does not stop the others."""
        results = []
        for space in spaces:
            fault = self.core.faults.take("card_space_fails", space.type)
            error = str(fault) if fault is not None else self._place(card, space, body)
            results.append({
                "spaceType": space.type, "spaceId": space.id, "success": not error,
                "carrierId": card.carriers.get(space, "") if not error else "", "errorMsg": error,
            })  # fmt: skip
        return results

    def _place(self, card: Card, space: Space, body: dict[str, Any]) -> str:
        if space.type not in card.enabled:
            return "space is not supported by the card"
        if space.type == "IM_GROUP":
            group = self.core.directory.groups.get(space.id)
            if group is None:
                return "openConversationId is invalid"
            if not group.has_robot:
                return "robot is not in the group"
            wanted = (body.get("imGroupOpenDeliverModel") or {}).get("recipients") or []
            viewers = [user for user in group.members if not wanted or user in wanted]
            self._show(card, space, viewers, f"group:{group.id}", group.id)
            return ""
        person = self.core.directory.member(space.id) or self.core.directory.by_unionid(space.id)
        if person is None:
            return "userId is invalid"
        self._show(card, space, [person.userid], "app", None)
        return ""

    def _show(self, card: Card, space: Space, viewers: list[str], chat: str, group_id: str | None) -> None:
        sent = self.robot.sent.get(card.carriers.get(space, ""))
        if sent is None:
            sent = Sent(new_query_key(), self.core.own_app.robot_code, self.core.clock(), group_id, list(viewers))
            self.robot.sent[sent.key] = sent
            card.carriers[space] = sent.key
        dropped = self.core.faults.take("silent_drop", "card")
        for userid in viewers:
            if dropped is True or (isinstance(dropped, list) and userid in dropped):
                self.core.journal.note("card_dropped", user=userid)
                continue
            self.store.show(card, userid, chat)
            sent.items[userid] = card.items[f"{userid} {chat}"]
