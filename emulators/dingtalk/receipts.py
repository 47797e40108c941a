"""Read state and recall of robot messages (protocol notes §2.5)."""

from __future__ import annotations

from typing import Any

from .core import Core
from .errors import ApiError
from .events import Events
from .robot import Robot, Sent
from .routing import Call, Route

MAX_KEYS = 20
MAX_PAGE = 200


class Receipts:
    def __init__(self, core: Core, robot: Robot, events: Events):
        self.core, self.robot, self.events = core, robot, events

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1.0/robot/oToMessages/readStatus", self._read_status),
            Route("POST", "/v1.0/robot/groupMessages/query", self._query_group),
            Route("POST", "/v1.0/robot/otoMessages/batchRecall", self._recall_private),
            Route("POST", "/v1.0/robot/groupMessages/recall", self._recall_group),
        ]

    def mark_read(self, userid: str, key: str) -> None:
        """The person saw the message: remembered once, and robot_msg_read goes out."""
        sent = self.robot.sent.get(key)
        if sent is None or sent.recalled or userid in sent.read_at or userid not in sent.items:
            return
        sent.read_at[userid] = self.core.clock()
        self._fire("robot_msg_read", sent, userid)

    def _read_status(self, call: Call) -> dict[str, Any]:
        self.robot.check_robot(call, code=call.query.get("robotCode", ""))
        sent = self._find(call.query.get("processQueryKey", ""), group=False)
        people = self.core.directory.people
        rows = []
        for userid in sent.receivers:
            row: dict[str, Any] = {"name": people[userid].name, "userId": userid, "readStatus": "UNREAD"}
            if userid in sent.read_at:
                row.update(readStatus="READ", readTimestamp=int(sent.read_at[userid] * 1000))
            rows.append(row)
        return {"sendStatus": self._status(sent), "messageReadInfoList": rows}

    def _query_group(self, call: Call) -> dict[str, Any]:
        sent = self._find(str(call.body.get("processQueryKey") or ""), group=True)
        limit = int(call.body.get("maxResults") or MAX_PAGE)
        if not 1 <= limit <= MAX_PAGE:
            raise ApiError("invalidParameter.maxResults", "maxResults 1-200")
        start = int(call.body.get("nextToken") or 0)
        readers = list(sent.read_at)
        has_more = start + limit < len(readers)
        page = {"readUserIds": readers[start : start + limit], "hasMore": has_more}
        return {"sendStatus": self._status(sent), **page, "nextToken": str(start + limit) if has_more else ""}

    def _recall_private(self, call: Call) -> dict[str, Any]:
        return self._recall(call, group_id=None)

    def _recall_group(self, call: Call) -> dict[str, Any]:
        group_id = str(call.body.get("openConversationId") or "")
        if not group_id:
            raise ApiError("miss.openConversationId", "缺少 openConversationId")
        return self._recall(call, group_id=group_id)

    def _recall(self, call: Call, *, group_id: str | None) -> dict[str, Any]:
        self.robot.check_robot(call)
        keys = call.body.get("processQueryKeys")
        if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
            raise ApiError("invalidParameter.processQueryKeys", "processQueryKeys 1-20")
        done, failed = [], {}
        for key in keys:
            sent = self.robot.sent.get(key)
            if sent is None or sent.group_id != group_id:
                failed[key] = "processQueryKey.invalid"
            elif self._too_old(sent):
                failed[key] = "robot.processQueryKey.expired"
            else:
                self._take_back(sent)
                done.append(key)
        return {"successResult": done, "failedResult": failed}

    def _take_back(self, sent: Sent) -> None:
        if sent.recalled:
            return
        sent.recalled = True
        for userid, item_id in sent.items.items():
            item = self.core.screens.get(userid, item_id)
            if item is not None:
                item.recalled = True
                self.core.screens.touch(item)
            if sent.group_id is None:
                self._fire("robot_msg_recall", sent, userid)

    def _find(self, key: str, *, group: bool) -> Sent:
        sent = self.robot.sent.get(key)
        if sent is None or (sent.group_id is not None) != group:
            raise ApiError("invalidParameter.processQueryKey", "processQueryKey 无效")
        if self._too_old(sent):
            raise ApiError("processQueryKey.expireTime", "processQueryKey 已过期")
        return sent

    def _too_old(self, sent: Sent) -> bool:
        return self.core.clock() - sent.at > self.core.limits.receipts_ttl_s

    def _status(self, sent: Sent) -> str:
        if self.core.faults.take("stay_processing"):
            return "PROCESSING"
        return "RECALLED" if sent.recalled else "SUCCESS"

    def _fire(self, event_type: str, sent: Sent, userid: str) -> None:
        data = {
            "processQueryKey": sent.key, "robotCode": sent.robot_code, "userId": userid,
            "unionId": self.core.directory.people[userid].unionid, "operatTime": self.core.now_ms(),
        }  # fmt: skip
        if sent.group_id is not None:
            data["openConversationId"] = sent.group_id
        self.events.fire(event_type, data)
