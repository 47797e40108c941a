"""To-dos of the new API (protocol notes §4). Everybody is a unionId here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .core import Core
from .errors import ApiError
from .events import Events
from .ids import new_hex
from .routing import Call, Route
from .screen import blank_card

CREATE_FAULT, UPDATE_FAULT = "todo.taskCreate.paramError", "todo.taskUpdate.paramError"
PRIORITIES = (10, 20, 30, 40)
BIZ_TAG = "custom_third_party"


@dataclass
class Task:
    id: str
    creator: str
    subject: str
    source_id: str
    detail_url: dict[str, str]
    created_ms: int
    modified_ms: int
    executors: list[str] = field(default_factory=list)
    participants: list[str] = field(default_factory=list)
    description: str = ""
    due_ms: int | None = None
    priority: int = 20
    only_executors: bool = False
    fields: list[dict[str, str]] = field(default_factory=list)
    done: bool = False
    done_by: set[str] = field(default_factory=set)
    finished_ms: int | None = None
    items: dict[str, str] = field(default_factory=dict)

    def people(self) -> list[str]:
        return list(dict.fromkeys([self.creator, *self.executors, *self.participants]))


class Todo:
    def __init__(self, core: Core, events: Events):
        self.core, self.events = core, events
        self.tasks: dict[str, Task] = {}

    def routes(self) -> list[Route]:
        base = "/v1.0/todo/users/<union_id>/tasks"
        return [
            Route("POST", base, self._create),
            Route("GET", f"{base}/<task_id>", self._get),
            Route("GET", f"{base}/sources/<source_id>", self._get_by_source),
            Route("PUT", f"{base}/<task_id>", self._update),
            Route("PUT", f"{base}/<task_id>/executorStatus", self._executor_status),
            Route("DELETE", f"{base}/<task_id>", self._delete),
            Route("POST", "/v1.0/todo/users/<union_id>/org/tasks/query", self._query),
        ]

    def _create(self, call: Call) -> dict[str, Any]:
        body, now = call.body, self.core.now_ms()
        owner = self._union(call.args["union_id"], CREATE_FAULT)
        self._operator(call, CREATE_FAULT)
        subject = _text(body, "subject", 1024, CREATE_FAULT)
        if not subject:
            raise ApiError(CREATE_FAULT, "subject is empty")
        source_id = _text(body, "sourceId", 256, CREATE_FAULT)
        known = self._by_source(source_id) if source_id else None
        if known is not None:
            raise ApiError(CREATE_FAULT, f"task exist, taskId:{known.id}")
        task = Task(
            "task" + new_hex(12), self._union(str(body.get("creatorId") or owner), CREATE_FAULT), subject, source_id,
            _detail_url(body), now, now, executors=self._unions(body, "executorIds", CREATE_FAULT),
            participants=self._unions(body, "participantIds", CREATE_FAULT), due_ms=_millis(body, CREATE_FAULT),
            description=_text(body, "description", 4096, CREATE_FAULT), priority=_priority(body),
            only_executors=bool(body.get("isOnlyShowExecutor")), fields=list(body.get("contentFieldList") or []),
        )  # fmt: skip
        self.tasks[task.id] = task
        self._show(task)
        self._ding(task, call.body)
        self._fire("todo_task_create", task)
        return self._as_json(task)

    def _get(self, call: Call) -> dict[str, Any]:
        return self._as_json(self._find(call))

    def _get_by_source(self, call: Call) -> dict[str, Any]:
        self._union(call.args["union_id"], UPDATE_FAULT)
        task = self._by_source(call.args["source_id"])
        if task is None:
            raise ApiError(UPDATE_FAULT, "task not exist")
        return self._as_json(task)

    def _update(self, call: Call) -> dict[str, Any]:
        task, body = self._find(call), call.body
        self._operator(call, UPDATE_FAULT)
        before = (task.done, list(task.executors), list(task.participants))
        if "subject" in body:
            task.subject = _text(body, "subject", 1024, UPDATE_FAULT)
        if "description" in body:
            task.description = _text(body, "description", 4096, UPDATE_FAULT)
        if "dueTime" in body:
            task.due_ms = _millis(body, UPDATE_FAULT)
        if "executorIds" in body:
            task.executors = self._unions(body, "executorIds", UPDATE_FAULT)
        if "participantIds" in body:
            task.participants = self._unions(body, "participantIds", UPDATE_FAULT)
        if "contentFieldList" in body:
            task.fields = list(body["contentFieldList"] or [])
        if isinstance(body.get("done"), bool):
            self._set_done(task, body["done"])
        self._changed(task, tell=before != (task.done, task.executors, task.participants))
        return {"result": True}

    def _executor_status(self, call: Call) -> dict[str, Any]:
        task = self._find(call)
        self._operator(call, UPDATE_FAULT)
        rows = call.body.get("executorStatusList")
        if not isinstance(rows, list) or not rows:
            raise ApiError(UPDATE_FAULT, "executorStatusList is empty")
        for row in rows:
            unionid = self._union(str(row.get("id", "")), UPDATE_FAULT)
            if unionid not in task.executors or not isinstance(row.get("isDone"), bool):
                raise ApiError(UPDATE_FAULT, "not an executor")
            (task.done_by.add if row["isDone"] else task.done_by.discard)(unionid)
        self._set_done(task, set(task.executors) <= task.done_by, keep=True)
        self._changed(task, tell=True)
        return {"result": True}

    def _delete(self, call: Call) -> dict[str, Any]:
        task = self._find(call)
        self._operator(call, UPDATE_FAULT)
        del self.tasks[task.id]
        for userid, item_id in task.items.items():
            item = self.core.screens.get(userid, item_id)
            if item is not None:
                item.recalled = True
                self.core.screens.touch(item)
        self._fire("todo_task_delete", task)
        return {"result": True, "requestId": new_hex(8)}

    def _query(self, call: Call) -> dict[str, Any]:
        unionid = self._union(call.args["union_id"], UPDATE_FAULT)
        wanted = call.body.get("isDone")
        cards = [
            {
                "taskId": t.id, "subject": t.subject, "dueTime": t.due_ms, "detailUrl": t.detail_url,
                "priority": t.priority, "createdTime": t.created_ms, "modifiedTime": t.modified_ms,
                "creatorId": t.creator, "sourceId": t.source_id, "bizTag": BIZ_TAG,
                "isDone": t.done or unionid in t.done_by, "todoType": "TODO",
            }
            for t in self.tasks.values()
            if unionid in t.people()
        ]  # fmt: skip
        return {"nextToken": "", "todoCards": [c for c in cards if wanted is None or c["isDone"] == wanted]}

    def _find(self, call: Call) -> Task:
        self._union(call.args["union_id"], UPDATE_FAULT)
        task = self.tasks.get(call.args["task_id"])
        if task is None:
            raise ApiError(UPDATE_FAULT, "task not exist")
        return task

    def _by_source(self, source_id: str) -> Task | None:
        return next((task for task in self.tasks.values() if task.source_id == source_id), None)

    def _union(self, unionid: str, fault: str) -> str:
        if self.core.directory.by_unionid(unionid) is None:
            raise ApiError(fault, "unionId is invalid")
        return unionid

    def _unions(self, body: dict[str, Any], name: str, fault: str) -> list[str]:
        return [self._union(str(unionid), fault) for unionid in body.get(name) or []]

    def _operator(self, call: Call, fault: str) -> None:
        if not call.query.get("operatorId"):
            raise ApiError(fault, "operatorId is empty")
        self._union(call.query["operatorId"], fault)

    def _set_done(self, task: Task, done: bool, *, keep: bool = False) -> None:
        if task.done != done:
            task.finished_ms = self.core.now_ms() if done else None
        task.done = done
        if not keep:
            task.done_by = set(task.executors) if done else set()

    def _changed(self, task: Task, *, tell: bool) -> None:
        task.modified_ms = self.core.now_ms()
        self._show(task)
        if tell:
            self._fire("todo_task_update", task)

    def _show(self, task: Task) -> None:
        """Executors see it; creator and participants too unless isOnlyShowExecutor. Leavers' copies disappear."""
        viewers = task.executors if task.only_executors else task.people()
        seen_by = {p.userid: p for u in viewers if (p := self.core.directory.by_unionid(u)) is not None}
        screens = self.core.screens
        for userid, item_id in task.items.items():
            item = screens.get(userid, item_id)
            if item is not None and (userid not in seen_by) != item.recalled:
                item.recalled = userid not in seen_by
                screens.touch(item)
        for userid, person in seen_by.items():
            done = task.done or person.unionid in task.done_by
            card = self._card(task, done=done)
            item = screens.get(userid, task.items.get(userid, ""))
            if item is None:
                item = screens.add(userid, sender="bot", chat="todo", kind="todo", text=task.subject, card=card)
                item.source = {"kind": "todo", "task": task.id}
                task.items[userid] = item.id
            elif item.card != card:
                item.text, item.card = task.subject, card
                screens.touch(item)

    def _ding(self, task: Task, body: dict[str, Any]) -> None:
        """A DING to every executor when it is asked for; nobody is rung by a to-do of their own (§4)."""
        if str((body.get("notifyConfigs") or {}).get("dingNotify", "")) != "1":
            return
        for unionid in task.executors:
            person = self.core.directory.by_unionid(unionid)
            if person is not None and unionid != task.creator:
                item = self.core.screens.add(
                    person.userid, sender="bot", chat="notice", kind="text", text=f"DING 待办:{task.subject}"
                )
                item.source = {"kind": "notice", "task": task.id}

    @staticmethod
    def _card(task: Task, *, done: bool) -> dict[str, Any]:
        facts = [[row.get("fieldKey", ""), row.get("fieldValue", "")] for row in task.fields]
        links = [{"title": "打开", "url": task.detail_url["appUrl"]}]
        colour = {10: "grey", 20: "", 30: "orange", 40: "red"}[task.priority]
        note = "已完成" if done else "未完成"
        return blank_card(title=task.subject, source="待办", facts=facts, links=links, colour=colour, note=note)

    def _fire(self, event_type: str, task: Task) -> None:
        self.events.fire(event_type, {"taskId": task.id, "unionIdList": task.people(), "bizTag": BIZ_TAG})

    def _as_json(self, t: Task) -> dict[str, Any]:
        return {
            "id": t.id, "subject": t.subject, "description": t.description, "startTime": t.created_ms,
            "dueTime": t.due_ms, "finishTime": t.finished_ms, "done": t.done, "executorIds": t.executors,
            "participantIds": t.participants, "detailUrl": t.detail_url, "source": "custom", "sourceId": t.source_id,
            "createdTime": t.created_ms, "modifiedTime": t.modified_ms, "creatorId": t.creator, "modifierId": t.creator,
            "bizTag": BIZ_TAG, "requestId": new_hex(8), "contentFieldList": t.fields,
            "isOnlyShowExecutor": t.only_executors, "priority": t.priority,
        }  # fmt: skip


def _text(body: dict[str, Any], name: str, limit: int, fault: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > limit:
        raise ApiError(fault, f"{name} is invalid")
    return value


def _detail_url(body: dict[str, Any]) -> dict[str, str]:
    """Optional in the table, mandatory in fact since 2024-02-01."""
    urls = body.get("detailUrl") or {}
    if not isinstance(urls, dict) or not urls.get("appUrl") or not urls.get("pcUrl"):
        raise ApiError(CREATE_FAULT, "detailUrl is empty")
    if any(len(str(url).encode()) > 1024 for url in urls.values()):
        raise ApiError(CREATE_FAULT, "detailUrl is too long")
    return {"appUrl": str(urls["appUrl"]), "pcUrl": str(urls["pcUrl"])}


def _millis(body: dict[str, Any], fault: str) -> int | None:
    value = body.get("dueTime")
    if value is None:
        return None
    if not isinstance(value, int) or value < 10**12:
        raise ApiError(fault, "dueTime must be milliseconds")
    return value


def _priority(body: dict[str, Any]) -> int:
    value = body.get("priority", 20)
    if value not in PRIORITIES:
        raise ApiError(CREATE_FAULT, "priority is invalid")
    return int(value)
