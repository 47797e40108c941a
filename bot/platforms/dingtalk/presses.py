"""A pressed card button as an Inbound, from either of the two callback shapes the documentation shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot.message import Inbound, Kind, Press
from bot.platforms.dingtalk.parse import PLATFORM
from bot.platforms.dingtalk.values import as_dict, as_id, as_list, as_text, instant

_UNIQUE = ("eventId", "callbackId", "messageId", "msgId", "bizId", "requestId")
BY_UNION_ID = "2"
DOUBLE_S = 2

log = structlog.get_logger(__name__)


def card_press(body: dict[str, Any], *, delivery: str, now: datetime) -> Inbound:
    """The Inbound of one press. `delivery`: signature timestamp header (HTTP) or the frame's messageId (stream).

    The platform gives a press no id of its own. So the key is the body's hash where the body carries an id, else what
    was pressed together with `delivery`: a redelivery is dropped, a second press of the same button minutes later is
    a new one and gets its answer.
    """
    content = as_dict(body.get("content")) or as_dict(body.get("value"))
    private = as_dict(content.get("cardPrivateData"))
    params = as_dict(private.get("params")) or as_dict(content.get("params")) or as_dict(body.get("params"))
    action, choice = as_text(params.get("action")).strip()[:200], _choice(params.get("choice"))
    card, user = as_id(body.get("outTrackId")), as_id(body.get("userId"))
    by_union_id = as_text(body.get("userIdType")) == BY_UNION_ID
    in_group = "GROUP" in as_text(body.get("spaceType")).upper()
    return Inbound(
        platform=PLATFORM,
        key=_key(body, f"{card}|{user}|{action}|{choice}|{delivery}"),
        sender="" if by_union_id else user,
        sender_union_id=user if by_union_id else "",
        kind=Kind.PRESS,
        sent_at=instant(delivery, now),
        group=as_id(as_text(body.get("spaceId")).rpartition("IM_GROUP.")[2]) if in_group else "",
        press=Press(action=action, choice=choice, card_ref=card),
    )


def _key(body: dict[str, Any], pressed: str) -> str:
    has_id = any(as_text(body.get(name)) for name in _UNIQUE)
    said = json.dumps(body, sort_keys=True) if has_id else pressed
    return "card:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _choice(value: Any) -> str:
    """The picked option's id, which a component may hand over bare, in an object or in a list."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return as_text(value).strip()[:200]
    if as_list(value):
        value = value[0]
    if isinstance(value, dict):
        value = value.get("id") or value.get("value")
    return as_text(value).strip()[:200]


class PressReader:
    """Reads presses, and takes a press that comes again within moments for what it is: a double tap or a redelivery.

    A redelivery may be signed anew, with another timestamp. So the first `delivery` of the same press counts for
    DOUBLE_S; a later press of the same button is a new one. Without Redis only what is exactly repeated is noticed.
    """

    def __init__(self, redis: Any, *, clock: Callable[[], datetime]) -> None:
        self._redis, self._clock = redis, clock

    def read(self, body: dict[str, Any], *, delivery: str) -> Inbound:
        press = card_press(body, delivery="", now=self._clock())
        at_ms = int(instant(delivery, self._clock()).timestamp() * 1000)
        first = self._first(f"dingtalk:press:{press.key}", delivery, at_ms)
        return card_press(body, delivery=first, now=self._clock())

    def _first(self, key: str, delivery: str, at_ms: int) -> str:
        """The `delivery` under which this press was first seen; this one when it is new."""
        said = json.dumps([at_ms, delivery])
        try:
            if self._redis.set(key, said, nx=True, ex=DOUBLE_S):
                return delivery
            seen_ms, seen = json.loads(self._redis.get(key) or said)
            if abs(at_ms - seen_ms) < DOUBLE_S * 1000:
                return str(seen)
            self._redis.set(key, said, ex=DOUBLE_S)
        except RedisError as error:
            log.warning("dingtalk.double_taps_unknown", error=type(error).__name__)
        return delivery
