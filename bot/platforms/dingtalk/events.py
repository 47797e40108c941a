"""Pushed events: opening the encrypted envelope, and what the few events that concern us mean."""

from __future__ import annotations

import hashlib
import json
import struct
from datetime import datetime
from functools import cached_property
from typing import Any

from bot.message import Inbound, Kind
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.parse import PLATFORM
from bot.platforms.dingtalk.signatures import event_sign, same
from bot.platforms.dingtalk.values import as_id, as_list, as_text, instant, json_object

CHECK = "check_url"

_PERSON_EVENTS = {
    "user_add_org": Kind.JOINED,
    "user_active_org": Kind.JOINED,
    "user_leave_org": Kind.LEFT,
    "user_modify_org": Kind.ORG_CHANGED,
}
_FREE = ("user_", "org_", "label_")
_ORG_EVENTS = ("org_dept_create", "org_dept_modify", "org_dept_remove", "org_change", "label_user_change")


class WrongEnvelope(Exception):
    """Wrong signature, or not encrypted for us. The text is a reason for the log."""


class EventEnvelope:
    """AES envelope of event pushes. The owner is the client id; dingtalk-sdk's own client would take the corp id."""

    def __init__(self, config: DingTalkConfig) -> None:
        self._config = config

    @cached_property
    def _crypto(self) -> Any:
        from dingtalk.crypto import DingTalkCrypto

        return DingTalkCrypto(self._config.event_token, self._config.event_aes_key, self._config.client_id)

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> dict[str, Any]:
        """The event inside; raises WrongEnvelope, or Malformed when the plain text is no JSON object."""
        if not same(signature, event_sign(self._config.event_token, timestamp, nonce, encrypted)):
            raise WrongEnvelope("signature")
        from dingtalk.core.exceptions import DingTalkException

        try:
            plain = self._crypto.decrypt_encrypt_str(signature, timestamp, nonce, encrypted)
        except DingTalkException:
            raise WrongEnvelope("receiver") from None
        except (ValueError, IndexError, struct.error):
            raise WrongEnvelope("cipher") from None
        return json_object(plain)

    def success(self, *, timestamp: str, nonce: str) -> dict[str, str]:
        """The answer that stops the platform from pushing again."""
        return dict(self._crypto.encrypt_message("success", nonce, timestamp))


def event_inbounds(event: dict[str, Any], *, now: datetime) -> tuple[Inbound, ...]:
    """One Inbound a person for arrivals and departures, one without sender for a changed directory; else nothing.

    Takes the flat event of an HTTP push, whose names are spelled in capitals, and the stream's: its headers
    (eventType, eventId, eventBornTime) merged with its data.
    """
    kind_name = as_text(event.get("EventType") or event.get("eventType"))
    at = instant(event.get("EventTime") or event.get("eventBornTime") or event.get("TimeStamp"), now)
    key = "event:" + (as_id(event.get("eventId") or event.get("EventId")) or _digest(event))
    if kind_name in _ORG_EVENTS:
        return (Inbound(PLATFORM, key, "", Kind.ORG_CHANGED, at),)
    kind = _PERSON_EVENTS.get(kind_name)
    if kind is None:
        return ()
    users = event.get("UserId", event.get("userId"))
    people = [u for u in (as_id(user) for user in (as_list(users) or [users])) if u]
    if not people:
        return (Inbound(PLATFORM, key, "", Kind.ORG_CHANGED, at),)
    return tuple(Inbound(PLATFORM, f"{key}:{user}", user, kind, at) for user in people)


def is_paid(event: dict[str, Any]) -> bool:
    """Whether the push counts against the month's messages: all do but those about contacts (protocol notes §7.1)."""
    name = as_text(event.get("EventType") or event.get("eventType"))
    return bool(name) and name != CHECK and not name.startswith(_FREE)


def _digest(event: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
