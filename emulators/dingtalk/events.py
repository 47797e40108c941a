"""Event subscription: encrypted HTTP push with retries, or Stream (protocol notes §6.1, 6.2)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from .core import Core
from .ids import new_hex
from .push import delays, post, push_timestamp, spoil
from .routing import Call, Meter, Route, Style
from .signing import BadCipher, EventCrypto
from .stream import Stream

RETRY_AFTER_S = (10.0, 30.0)
MAX_FAILED = 200
EXEMPT_PREFIXES = ("user_", "org_", "label_", "check_url")
DEFAULT_EVENTS = (
    "robot_msg_read", "robot_msg_recall", "todo_task_create", "todo_task_update", "todo_task_delete",
    "user_add_org", "user_leave_org", "user_modify_org", "org_dept_create", "org_dept_modify", "org_dept_remove",
    "chat_add_member", "chat_remove_member", "chat_update_title", "chat_disband",
)  # fmt: skip
HTTP_NAMES = {"userId": "UserId", "unionIdList": "UnionIdList", "timeStamp": "TimeStamp", "deptId": "DeptId"}


@dataclass
class Event:
    type: str
    data: dict[str, Any]
    born_ms: int
    id: str = field(default_factory=lambda: new_hex(16))
    attempts: int = 0


class Events:
    def __init__(self, core: Core, stream: Stream):
        self.core, self.stream = core, stream
        self.subscribed: set[str] = set(core.conf.get("events", DEFAULT_EVENTS))
        self.failed: list[Event] = []
        self.check_results: list[bool] = []
        self._crypto = EventCrypto(core.conf["event_token"], core.conf["event_aes_key"], core.conf["client_id"])

    def routes(self) -> list[Route]:
        rule = "/call_back/get_call_back_failed_result"
        return [Route("GET", rule, self._read_failed, Style.OLD, meter=Meter.FREE)]

    def fire(self, event_type: str, data: dict[str, Any]) -> None:
        """Pushes an event if it is ticked in the console. The lock is held; delivery comes later."""
        if event_type not in self.subscribed:
            return
        if not event_type.startswith(EXEMPT_PREFIXES):
            self.core.meters.month()["webhook_stream"] += 1
        event = Event(event_type, data, self.core.now_ms())
        self.core.journal.pushes[f"event {event_type}"] += 1
        if self.core.modes["events"] == "stream":
            self.core.agenda.soon(lambda: self.stream.push_event(event.id, event.type, event.data), lane="events")
            return
        for wait in delays(self.core, "event"):
            self.core.agenda.at(self.core.clock() + wait, lambda: self._deliver(event), lane="events")

    def check_url(self) -> None:
        """What saving the address in the console does: one check_url event that must be answered."""
        event = Event("check_url", {}, self.core.now_ms())
        self.core.agenda.soon(lambda: self._check(event), lane="events")

    def _check(self, event: Event) -> None:
        good = self._push(event)
        with self.core.lock:
            self.check_results.append(good)
            self.core.journal.note("event_url_checked", ok=good)

    def _deliver(self, event: Event) -> None:
        if self._push(event):
            return
        with self.core.lock:
            event.attempts += 1
            if event.attempts <= len(RETRY_AFTER_S):
                again = self.core.clock() + RETRY_AFTER_S[event.attempts - 1]
                self.core.agenda.at(again, lambda: self._deliver(event), lane="events")
            else:
                self.failed = [*self.failed, event]
                self.core.journal.note("event_failed", type=event.type, id=event.id)

    def _push(self, event: Event) -> bool:
        url = self.core.conf.get("event_url")
        if not url:
            return False
        with self.core.lock:
            query, body = self._sealed(event)
        outcome = post(
            self.core, f"{url}{'&' if '?' in url else '?'}{query}", body=body,
            headers={"Content-Type": "application/json; charset=utf-8"}, limit_s=self.core.limits.event_push_s,
        )  # fmt: skip
        reason = outcome.reason or self._fault_in_answer(outcome.text)
        with self.core.lock:
            self.core.journal.note("event_pushed", type=event.type, id=event.id, ok=not reason, reason=reason)
        return not reason

    def _sealed(self, event: Event) -> tuple[str, bytes]:
        faults, crypto = self.core.faults, self._crypto
        wrong = faults.take("wrong_receiver", "event") is not None
        encrypt = crypto.encrypt(
            json.dumps(self._plain(event), ensure_ascii=False), owner="dingsomebodyelse" if wrong else None
        )
        if faults.take("corrupt_cipher", "event") is not None:
            encrypt = spoil(encrypt[:-8]) + encrypt[-8:]
        timestamp, nonce = push_timestamp(self.core, "event"), secrets.token_hex(4)
        signature = crypto.sign(timestamp, nonce, encrypt)
        if faults.take("bad_signature", "event") is not None:
            signature = spoil(signature)
        query = f"timestamp={timestamp}&nonce={nonce}"
        if faults.take("no_signature", "event") is None:
            query = f"signature={signature}&msg_signature={signature}&{query}"
        return query, json.dumps({"encrypt": encrypt}).encode()

    def _plain(self, event: Event) -> dict[str, Any]:
        if event.type == "check_url":
            return {"EventType": "check_url"}
        head = {
            "EventType": event.type, "EventTime": event.born_ms, "CorpId": self.core.conf["corp_id"],
            "BizId": event.id, "eventId": event.id,
        }  # fmt: skip
        names = HTTP_NAMES if not event.type.startswith("robot_") else {}
        return {**head, **{names.get(name, name): value for name, value in event.data.items()}}

    def _fault_in_answer(self, text: str) -> str:
        """What is wrong with the encrypted `success`; empty when nothing is. Anything wrong is also a problem."""
        try:
            answer = json.loads(text)
            encrypt, nonce, timestamp = answer["encrypt"], str(answer["nonce"]), str(answer["timeStamp"])
            if answer["msg_signature"] != self._crypto.sign(timestamp, nonce, encrypt):
                fault = "the signature does not match"
            else:
                said = self._crypto.decrypt(encrypt)
                fault = "" if said == "success" else "it does not say success"
        except (ValueError, KeyError, TypeError, BadCipher) as error:
            fault = f"{type(error).__name__}"
        if fault:
            self.core.problem(f"answer to an event push is wrong: {fault}")
        return fault

    def _read_failed(self, _call: Call) -> dict[str, Any]:
        """At most 200; what is read is gone."""
        part, self.failed = self.failed[:MAX_FAILED], self.failed[MAX_FAILED:]
        rows = [{"event_time": e.born_ms, "call_back_tag": e.type, e.type: self._plain(e)} for e in part]
        return {"has_more": bool(self.failed), "failed_list": rows}

    def contact_event(self, event_type: str, userid: str, **more: Any) -> None:
        """user_add_org, user_leave_org, user_modify_org."""
        self.fire(event_type, {"userId": [userid], "timeStamp": str(self.core.now_ms()), **more})
