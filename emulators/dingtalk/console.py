"""Control API, part two: switches, counters, the log, and what an admin does in the developer console."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, jsonify, request

from .core import Core
from .events import Events
from .faults import KNOWN
from .limits import Meters
from .sessions import Sessions
from .stream import Connection, Stream
from .tokens import Tokens


class Console:
    def __init__(self, core: Core, *, events: Events, sessions: Sessions, stream: Stream, tokens: Tokens):
        self.core, self.events, self.sessions, self.stream, self.tokens = core, events, sessions, stream, tokens

    def bind(self, app: Flask) -> None:
        reads: dict[str, Callable[[], Any]] = {
            "faults": self._faults, "calls": self._calls, "log": self._log, "limits": self.core.limits.as_json,
            "problems": lambda: list(self.core.journal.problems), "stream": self._stream_state,
            "groups": self._groups, "modes": lambda: dict(self.core.modes),
            "subscriptions": lambda: sorted(self.events.subscribed), "check_url": lambda: self.events.check_results,
        }  # fmt: skip
        writes: dict[str, Callable[[dict[str, Any]], Any]] = {
            "faults": self._set_faults, "calls/reset": self._reset, "limits": self._set_limits,
            "modes": self._set_modes, "subscriptions": self._subscribe, "check_url": self._check_url,
            "webhooks": self._add_webhook, "stream": self._stream_do, "groups": self._change_group,
            "people": self._change_person, "events": self._fire, "jsapi/check": self.tokens.check_jsapi,
        }  # fmt: skip
        for name, read in reads.items():
            app.add_url_rule(f"/_phone/{name}", endpoint=f"_get_{name}", view_func=self._reader(read))
        for name, write in writes.items():
            view = self._writer(write)
            app.add_url_rule(f"/_phone/{name}", endpoint=f"_set_{name}", view_func=view, methods=["POST"])

    def _reader(self, read: Callable[[], Any]) -> Callable[[], Response]:
        def view() -> Response:
            with self.core.lock:
                return jsonify(read())

        return view

    def _writer(self, write: Callable[[dict[str, Any]], Any]) -> Callable[[], Response]:
        def view() -> Response:
            body = request.get_json(silent=True) or {}
            try:
                with self.core.lock:
                    return jsonify(write(body))
            except (KeyError, ValueError, TypeError) as error:
                answer = jsonify({"accepted": False, "reason": f"{type(error).__name__}: {error}"})
                answer.status_code = 400
                return answer

        return view

    def _faults(self) -> dict[str, Any]:
        return {"active": self.core.faults.as_json(), "known": KNOWN}

    def _set_faults(self, body: dict[str, Any]) -> dict[str, Any]:
        self.core.faults.set(body)
        return {"accepted": True, "active": self.core.faults.as_json()}

    def _calls(self) -> dict[str, Any]:
        """calls: "METHOD /path/rule" → count since the reset; month: what counts against the monthly quotas."""
        journal, meters = self.core.journal, self.core.meters
        month = {"api": meters.month()["api"], "webhook_stream": meters.month()["webhook_stream"]}
        calls = dict(journal.calls)
        return {"calls": calls, "total": sum(calls.values()), "pushes": dict(journal.pushes), "month": month}

    def _reset(self, body: dict[str, Any]) -> dict[str, Any]:
        """Also empties the monthly meters when {"month": true}."""
        self.core.journal.reset_counters()
        if body.get("month"):
            self.core.meters = Meters(self.core.limits, self.core.clock)
        return {"accepted": True}

    def _log(self) -> list[dict[str, Any]]:
        return self.core.journal.events(int(request.args.get("limit", 200)))

    def _set_limits(self, body: dict[str, Any]) -> dict[str, Any]:
        self.core.limits.change(body)
        return {"accepted": True, **self.core.limits.as_json()}

    def _set_modes(self, body: dict[str, Any]) -> dict[str, Any]:
        for channel, mode in body.items():
            if channel not in self.core.modes or mode not in ("http", "stream"):
                raise ValueError(f"{channel} {mode}")
        self.core.modes.update(body)
        return {"accepted": True, **self.core.modes}

    def _subscribe(self, body: dict[str, Any]) -> dict[str, Any]:
        self.events.subscribed = {str(name) for name in body["events"]}
        return {"accepted": True}

    def _check_url(self, _body: dict[str, Any]) -> dict[str, Any]:
        self.events.check_url()
        return {"accepted": True}

    def _fire(self, body: dict[str, Any]) -> dict[str, Any]:
        self.events.fire(str(body["event_type"]), dict(body.get("data") or {}))
        return {"accepted": True}

    def _add_webhook(self, body: dict[str, Any]) -> dict[str, Any]:
        group = self.core.directory.groups[body["group"]]
        hook = self.sessions.add_webhook(group.id, str(body.get("secret") or ""), body.get("keywords") or [])
        url = f"{self.core.public_url}/robot/send?access_token={hook.token}"
        return {"accepted": True, "token": hook.token, "url": url, "secret": hook.secret}

    def _groups(self) -> list[dict[str, Any]]:
        groups = self.core.directory.groups.values()
        return [{"id": g.id, "title": g.title, "members": g.members, "has_robot": g.has_robot} for g in groups]

    def _change_group(self, body: dict[str, Any]) -> dict[str, Any]:
        """{"group": id, "members"?: […], "has_robot"?: bool, "title"?: …}; member changes fire chat events."""
        group, people = self.core.directory.groups[body["group"]], self.core.directory.people
        before = set(group.members)
        group.members = list(body.get("members", group.members))
        group.has_robot = bool(body.get("has_robot", group.has_robot))
        group.title = str(body.get("title", group.title))
        changes = {"chat_add_member": set(group.members) - before, "chat_remove_member": before - set(group.members)}
        for event_type, users in changes.items():
            if users:
                data = {"openConversationId": group.id, "userId": sorted(users), "timeStamp": self.core.now_ms()}
                self.events.fire(event_type, {**data, "unionId": [people[u].unionid for u in sorted(users)]})
        return {"accepted": True}

    def _change_person(self, body: dict[str, Any]) -> dict[str, Any]:
        """{"user": id, "active"?: bool, "name"?, "mobile"?, "title"?}: joins, leaves or changes, with the event."""
        person = self.core.directory.people[body["user"]]
        before = {"name": person.name, "mobile": person.mobile, "title": person.title}
        after = {name: str(body.get(name, value)) for name, value in before.items()}
        person.name, person.mobile, person.title = after["name"], after["mobile"], after["title"]
        active = bool(body.get("active", person.active))
        if active != person.active:
            person.active = active
            self.events.contact_event("user_add_org" if active else "user_leave_org", person.userid)
        elif before != after:
            diff = {"prev": before, "curr": after}
            self.events.contact_event("user_modify_org", person.userid, diffInfo=diff)
        return {"accepted": True}

    def _stream_state(self) -> dict[str, Any]:
        rows = [
            {"id": c.id, "half_open": c.half_open, "leaving": c.leaving, "received": c.received}
            for c in self.stream.connections.values()
        ]
        return {"endpoint": self.stream.endpoint, "connections": rows}

    def _stream_do(self, body: dict[str, Any]) -> dict[str, Any]:
        """{"do": "ping"|"disconnect"|"close"|"kill", "id"?: one connection, else all}."""
        do = _STREAM_DOINGS[body["do"]]
        chosen = [c for c in self.stream.connections.values() if body.get("id") in (None, c.id)]
        for connection in chosen:
            self.core.agenda.soon(partial(do, self.stream, connection), lane=f"stream {connection.id}")
        return {"accepted": True, "connections": [c.id for c in chosen]}


_STREAM_DOINGS: dict[str, Callable[[Stream, Connection], None]] = {
    "ping": lambda stream, connection: stream.ping(connection),
    "disconnect": lambda stream, connection: stream.disconnect(connection),
    "close": lambda _stream, connection: connection.socket.close(1000),
    "kill": lambda _stream, connection: connection.socket.kill(),
}
