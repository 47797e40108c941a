"""To-dos (待办). All people here are union ids; with a page behind it a to-do is ticked off only by us."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from bot.platforms.dingtalk.client import ApiClient
from bot.platforms.dingtalk.errors import DingTalkError
from bot.platforms.dingtalk.render import cut

SUBJECT_BYTES = 1024
HIGH = 30
_TASK_ID = re.compile(r"taskId\W{0,4}(\w+)", re.ASCII)


class Todos:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def create(self, union_id: str, *, subject: str, due_ms: int | None, url: str, key: str, creator: str = "") -> str:
        """The to-do's id. `key` is its sourceId: made once however often it is asked for.

        Without another `creator` (union id) it is the person's own, and rings nobody.
        """
        creator = creator or union_id
        body: dict[str, Any] = {
            "subject": cut(subject, SUBJECT_BYTES),
            "sourceId": key,
            "creatorId": creator,
            "executorIds": [union_id],
            "detailUrl": {"appUrl": url, "pcUrl": url},
            "isOnlyShowExecutor": True,
            "priority": HIGH,
            "notifyConfigs": {"dingNotify": "1"},
        }
        if due_ms is not None:
            body["dueTime"] = due_ms
        try:
            made = self._api.call("POST", _path(creator), body, query={"operatorId": creator}, repeatable=True)
        except DingTalkError as error:
            if error.code != "todo.taskCreate.paramError" or "task exist" not in error.detail:
                raise
            told = _TASK_ID.search(error.detail)  # said to be in the text; costs no further call
            made = {"id": told[1]} if told else self._by_source(creator, key)
        return str(made.get("id") or made.get("taskId") or "")

    def _by_source(self, union_id: str, key: str) -> dict[str, Any]:
        return self._api.call("GET", f"{_path(union_id)}/sources/{quote(key, safe='')}")

    def finish(self, union_id: str, todo_id: str) -> None:
        """Tick it off. One that was deleted meanwhile is as good as done."""
        path = f"{_path(union_id)}/{quote(todo_id, safe='')}"
        try:
            self._api.call("PUT", path, {"done": True}, query={"operatorId": union_id}, repeatable=True)
        except DingTalkError as error:
            if error.code != "todo.taskUpdate.paramError" or "task not exist" not in error.detail:
                raise


def _path(union_id: str) -> str:
    return f"/v1.0/todo/users/{quote(union_id, safe='')}/tasks"
