"""Stream mode: the gateway, frames, acknowledgements, redelivery (protocol notes §1.2). Sockets: stream_server.py."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .core import Core
from .errors import ApiError
from .ids import new_hex
from .routing import Call, Meter, Route

EVENT_ATTEMPTS = 5
AnswerTo = Callable[[dict[str, Any] | None], None]


class Socket(Protocol):
    def send(self, text: str) -> None: ...
    def close(self, code: int = 1000) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Connection:
    id: str
    socket: Socket
    topics: set[tuple[str, str]]
    half_open: bool = False
    leaving: bool = False
    received: int = 0

    def takes(self, kind: str, topic: str) -> bool:
        return not self.leaving and (kind, topic) in self.topics


@dataclass
class Ticket:
    topics: set[tuple[str, str]]
    expires_at: float


@dataclass
class Pending:
    """A frame waiting for its acknowledgement. again() pushes it once more."""

    on_ack: Callable[[dict[str, Any]], None]
    on_silence: Callable[[], None]


@dataclass
class Frame:
    kind: str
    topic: str
    data: str
    headers: dict[str, str] = field(default_factory=dict)

    def text(self, message_id: str, now_ms: int, connection: Connection | None = None) -> str:
        headers = {
            "topic": self.topic, "messageId": message_id, "contentType": "application/json", "time": str(now_ms),
            **self.headers,
        }  # fmt: skip
        if connection is not None and self.kind == "CALLBACK":
            headers |= {"connectionId": connection.id}
        return json.dumps({"specVersion": "1.0", "type": self.kind, "headers": headers, "data": self.data})


class Stream:
    def __init__(self, core: Core):
        self.core = core
        self.endpoint = ""
        self.connections: dict[str, Connection] = {}
        self._tickets: dict[str, Ticket] = {}
        self._pending: dict[str, Pending] = {}
        self._random = random.Random()

    def routes(self) -> list[Route]:
        rule = "/v1.0/gateway/connections/open"
        return [Route("POST", rule, self._open_gateway, auth=False, meter=Meter.FREE)]

    def _open_gateway(self, call: Call) -> dict[str, Any]:
        core, body = self.core, call.body
        app = core.directory.apps.get(str(body.get("clientId")))
        refused = core.faults.take("gateway_refuses") is not None
        if app is None or app.client_secret != body.get("clientSecret") or refused:
            raise ApiError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        wanted = body.get("subscriptions")
        if not isinstance(wanted, list) or not wanted:
            raise ApiError("param.subscriptionsEmpty", "subscriptions 不能为空")
        topics = {(str(row.get("type")), str(row.get("topic"))) for row in wanted}
        for kind, topic in topics:
            if kind not in ("EVENT", "CALLBACK") or (kind == "EVENT" and topic != "*"):
                raise ApiError("param.subscriptionInvalid", f"{kind} {topic}")
        if not self.endpoint:
            raise ApiError("system.busy", "stream server not started", status=500)
        ticket = new_hex(16)
        self._tickets[ticket] = Ticket(topics, core.clock() + core.limits.stream_ticket_s)
        return {"endpoint": self.endpoint, "ticket": ticket}

    def use_ticket(self, value: str) -> set[tuple[str, str]] | None:
        """The subscriptions of a live ticket, which is used up by this; None when it is not valid."""
        with self.core.lock:
            ticket = self._tickets.pop(value, None)
            if ticket is None or ticket.expires_at <= self.core.clock():
                self.core.journal.note("stream_ticket_refused")
                return None
            return ticket.topics

    def joined(self, socket: Socket, topics: set[tuple[str, str]]) -> Connection | None:
        """Registers a new socket; None when the close loop fault wants it closed at once."""
        with self.core.lock:
            if self.core.faults.take("stream_close_loop") is not None:
                self.core.journal.note("stream_closed_at_once")
                return None
            half_open = self.core.faults.take("stream_half_open") is not None
            connection = Connection(new_hex(16), socket, topics, half_open)
            self.connections[connection.id] = connection
            self.core.journal.note("stream_connected", id=connection.id, half_open=half_open)
            self._plan_ping(connection)
            return connection

    def left(self, connection: Connection) -> None:
        with self.core.lock:
            self.connections.pop(connection.id, None)
            self.core.journal.note("stream_left", id=connection.id)

    def received(self, connection: Connection, text: str) -> None:
        """An acknowledgement came in: with or without status, with `message:""`; unknown ones are noted only."""
        try:
            ack = json.loads(text)
            message_id, code = ack["headers"]["messageId"], int(ack["code"])
        except (ValueError, KeyError, TypeError):
            self.core.problem("a stream client sent something that is no acknowledgement")
            return
        with self.core.lock:
            connection.received += 1
            self.core.journal.note("stream_ack", message_id=message_id, code=code)
            if self.core.faults.take("stream_mute_acks") is not None:
                return
            pending = self._pending.pop(message_id, None)
        if pending is not None:
            pending.on_ack(ack)

    def push_event(self, event_id: str, event_type: str, data: dict[str, Any], attempt: int = 1) -> None:
        """Reliable: pushed again while it is not acknowledged in time, or answered LATER, or with a code other than 200."""
        headers = {
            "eventId": event_id, "eventType": event_type, "eventCorpId": self.core.conf["corp_id"],
            "eventBornTime": str(self.core.now_ms()), "eventUnifiedAppId": self.core.conf["client_id"],
        }  # fmt: skip
        frame = Frame("EVENT", "*", json.dumps(data, ensure_ascii=False), headers)

        def again() -> None:
            if attempt < EVENT_ATTEMPTS:
                self.push_event(event_id, event_type, data, attempt + 1)

        def judge(ack: dict[str, Any]) -> None:
            if ack["code"] != 200 or _ack_data(ack).get("status") == "LATER":
                self.core.agenda.at(self.core.clock() + self.core.limits.stream_event_s, again, lane="events")

        self._push(frame, Pending(judge, again), wait_s=self.core.limits.stream_event_s)

    def push_callback(
        self, topic: str, body: dict[str, Any], *, redeliver: bool, on_answer: AnswerTo | None = None
    ) -> None:
        """A robot message or card press. on_answer gets the `response` of the ack, or None after silence."""
        with self.core.lock:
            again_s = self.core.faults.number("stream_redeliver", topic, default=60.0) if redeliver else None
        frame = Frame("CALLBACK", topic, json.dumps(body, ensure_ascii=False), {"appId": self.core.conf["client_id"]})

        def judge(ack: dict[str, Any]) -> None:
            if on_answer is not None:
                response = _ack_data(ack).get("response")
                on_answer(response if ack["code"] == 200 and isinstance(response, dict) else {})

        def silence() -> None:
            if on_answer is not None:
                on_answer(None)
            if again_s is not None:
                self.push_callback(topic, body, redeliver=True)

        wait_s = self.core.limits.card_push_s if on_answer is not None else again_s
        self._push(frame, Pending(judge, silence), wait_s=wait_s)

    def _push(self, frame: Frame, pending: Pending, *, wait_s: float | None) -> None:
        core = self.core
        with core.lock:
            takers = [c for c in self.connections.values() if c.takes(frame.kind, frame.topic)]
            connection = self._random.choice(takers) if takers else None
            message_id = self._message_id(frame)
            self._pending[message_id] = pending
            text = frame.text(message_id, core.now_ms(), connection)
            core.journal.note("stream_pushed", topic=frame.topic, message_id=message_id, sent=connection is not None)
            if wait_s is not None:
                core.agenda.at(core.clock() + wait_s, lambda: self._silent(message_id), lane="stream deadlines")
        if connection is not None and not connection.half_open:
            connection.socket.send(text)

    def _message_id(self, frame: Frame) -> str:
        """A delivery id; the same for the same payload when the switch says so."""
        if self.core.faults.take("stream_same_message_id") is not None:
            return "fixed_" + hashlib.sha256(frame.data.encode()).hexdigest()[:16]
        return f"{new_hex(4)}_972_{new_hex(6)}_{new_hex(2)}"

    def _silent(self, message_id: str) -> None:
        with self.core.lock:
            pending = self._pending.pop(message_id, None)
        if pending is not None:
            pending.on_silence()

    def ping(self, connection: Connection) -> None:
        self._system(connection, "ping", {"opaque": new_hex(8)})

    def disconnect(self, connection: Connection, reason: str = "connection is expired") -> None:
        """Announces the end, is silent for ten seconds, then closes."""
        self._system(connection, "disconnect", {"reason": reason})
        with self.core.lock:
            connection.leaving = True
            when = self.core.clock() + self.core.limits.stream_goodbye_s
            self.core.agenda.at(when, lambda: connection.socket.close(1000), lane=f"stream {connection.id}")

    def _system(self, connection: Connection, topic: str, data: dict[str, str]) -> None:
        text = Frame("SYSTEM", topic, json.dumps(data)).text(new_hex(8), self.core.now_ms())
        if not connection.half_open:
            connection.socket.send(text)

    def _plan_ping(self, connection: Connection) -> None:
        def ping() -> None:
            with self.core.lock:
                alive = connection.id in self.connections and not connection.leaving
                if alive:
                    self._plan_ping(connection)
            if alive:
                self.ping(connection)

        when = self.core.clock() + self.core.limits.stream_ping_s
        self.core.agenda.at(when, ping, lane=f"stream {connection.id}")


def _ack_data(ack: dict[str, Any]) -> dict[str, Any]:
    """`data` of an ack is a JSON text; anything else counts as empty."""
    try:
        data = json.loads(ack.get("data") or "{}")
    except (ValueError, TypeError):
        return {}
    return data if isinstance(data, dict) else {}
