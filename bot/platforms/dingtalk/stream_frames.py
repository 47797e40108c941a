"""Frames of Stream mode: what each one asks for, stored durably before it is acknowledged (protocol notes §1.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import structlog

from bot.message import Inbound
from bot.platforms.base import Accept
from bot.platforms.dingtalk.values import Malformed, as_dict, as_text, json_object

log = structlog.get_logger(__name__)

ROBOT = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
SUBSCRIPTIONS = (
    {"type": "EVENT", "topic": "*"},
    {"type": "CALLBACK", "topic": ROBOT},
    {"type": "CALLBACK", "topic": CARDS},
)


class Asks(StrEnum):
    """What a frame means for the connection it came on."""

    NOTHING = "nothing"
    LEAVE = "leave"  # the server will close this connection soon


@dataclass(frozen=True, slots=True)
class Answered:
    """`ack` is the text to send back, "" for none; `first_aid` are lines to say at once, each with its message."""

    ack: str = ""
    asks: Asks = Asks.NOTHING
    not_stored: bool = False
    first_aid: tuple[tuple[Inbound, str], ...] = ()


class Reader(Protocol):
    """The part of the platform that understands the data of frames (bot/platforms/dingtalk/platform.py)."""

    def handle_robot(self, data: dict[str, Any]) -> Inbound: ...
    def handle_card(self, data: dict[str, Any], *, delivery: str = "") -> Inbound: ...
    def handle_event(self, data: dict[str, Any]) -> tuple[Inbound, ...]: ...


class Frames:
    """Answers frames one after another: messages of one person must reach the inbox in the order they were sent."""

    def __init__(self, reader: Reader, accept: Accept) -> None:
        self._reader, self._accept = reader, accept

    def answer(self, text: str) -> Answered:
        """Never raises: what cannot be stored is answered so that the platform pushes it again where it does that."""
        try:
            frame = json_object(text.encode())
        except Malformed:
            log.warning("dingtalk.stream_frame_malformed", size=len(text))
            return Answered()
        headers = as_dict(frame.get("headers"))
        kind, topic, message_id = as_text(frame.get("type")), as_text(headers.get("topic")), headers.get("messageId")
        try:
            data = json_object(as_text(frame.get("data")).encode() or b"{}")
        except Malformed:
            log.warning("dingtalk.stream_data_malformed", type=kind, topic=topic)
            return Answered(ack(message_id, {}, code=400, message="data is no JSON object"))
        if kind == "SYSTEM":
            return self._system(topic, message_id, data)
        if kind == "EVENT":
            return self._event(message_id, {**headers, **data})
        if kind == "CALLBACK" and topic == ROBOT:
            return self._callback(message_id, lambda: self._reader.handle_robot(data), {"response": None})
        if kind == "CALLBACK" and topic == CARDS:
            read = lambda: self._reader.handle_card(data, delivery=as_text(message_id))  # noqa: E731
            return self._callback(message_id, read, {"response": {}})
        log.warning("dingtalk.stream_topic_unknown", type=kind, topic=topic)
        return Answered(ack(message_id, {}, code=404, message="topic not handled"))

    def _system(self, topic: str, message_id: Any, data: dict[str, Any]) -> Answered:
        if topic == "disconnect":
            log.info("dingtalk.stream_told_to_leave", reason=as_text(data.get("reason"))[:80])
            return Answered(asks=Asks.LEAVE)
        if topic != "ping":
            log.warning("dingtalk.stream_topic_unknown", type="SYSTEM", topic=topic)
            return Answered(ack(message_id, {}, code=404, message="topic not handled"))
        return Answered(ack(message_id, data))

    def _event(self, message_id: Any, event: dict[str, Any]) -> Answered:
        try:
            found = self._reader.handle_event(event)
            if found:
                self._accept(found)
        except Exception as error:
            log.error("dingtalk.stream_not_stored", type="EVENT", error=type(error).__name__)
            return Answered(ack(message_id, {"status": "LATER", "message": "not stored"}), not_stored=True)
        return Answered(ack(message_id, {"status": "SUCCESS", "message": ""}))

    def _callback(self, message_id: Any, read: Callable[[], Inbound], answer: dict[str, Any]) -> Answered:
        key = ""
        try:
            message = read()
            key = message.key
            lines: Sequence[str] = self._accept((message,))
        except Exception as error:
            log.error("dingtalk.stream_not_stored", type="CALLBACK", key=key, error=type(error).__name__)
            return Answered(ack(message_id, {}, code=500, message="not stored"), not_stored=True)
        aid = ((message, lines[0]),) if lines and lines[0] else ()
        return Answered(ack(message_id, answer), first_aid=aid)


def ack(message_id: Any, data: dict[str, Any], *, code: int = 200, message: str = "OK") -> str:
    """The acknowledgement of one frame; "" for a frame without id, which cannot be acknowledged."""
    if not message_id:
        return ""
    head = {"messageId": as_text(message_id), "contentType": "application/json"}
    return json.dumps({"code": code, "message": message, "headers": head, "data": json.dumps(data)})
