"""Callbacks: one envelope per attempt, a deadline, redelivery with the same content, and what comes back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from . import crypto
from .core import Core
from .xmlform import document

CHECK_BUDGET_S = 1.0
READ_CHUNK = 64 * 1024


@dataclass
class Delivery:
    """One callback. `text` never changes between attempts; `fields` is what it was made of."""

    number: int
    user: str
    fields: dict[str, Any]
    text: str
    due_at: float
    order: int
    item_id: str | None = None
    response_code: str | None = None
    bot: bool = False  # to the 智能机器人's address, as JSON
    attempts: int = 0
    outcome: str = "waiting"
    statuses: list[str] = field(default_factory=list)


class Courier:
    """Queues callbacks and sends those that are due; in the background one lane per member keeps their order."""

    def __init__(
        self,
        core: Core,
        http: requests.Session,
        *,
        on_reply: Callable[[Delivery, bytes], None],
        workers: int = 16,
    ) -> None:
        self.core, self.http, self.on_reply = core, http, on_reply
        self.waiting: list[Delivery] = []
        self.finished: list[Delivery] = []
        self._busy: set[str] = set()
        self._pool = ThreadPoolExecutor(workers, "wecom-callback") if core.background else None

    @property
    def keys(self) -> crypto.Keys:
        settings = self.core.settings
        return crypto.Keys(settings["token"], settings["aes_key"], settings["corp_id"])

    @property
    def bot_keys(self) -> crypto.Keys:
        """Of the 智能机器人: its callbacks name no receiver."""
        bot = self.core.settings["bot"]
        return crypto.Keys(bot["token"], bot["aes_key"], "")

    # --- queue ---------------------------------------------------------------------------------------------------
    def enqueue(
        self,
        user: str,
        fields: dict[str, Any],
        *,
        item_id: str | None = None,
        response_code: str | None = None,
        bot: bool = False,
    ) -> Delivery:
        """Take one callback for delivery; faults that concern the whole delivery strike here."""
        switches, now = self.core.switches, self.core.clock()
        number = self.core.next_seq()
        order, due_at = number, now
        if switches.strike("reorder"):
            order, due_at = -number, now + (0.5 if self.core.background else 0.0)
        due_at += float(switches.strike("late_callbacks_s") or 0)
        text = json.dumps(fields, ensure_ascii=False) if bot else document(fields)
        first = Delivery(number, user, fields, text, due_at, order, item_id, response_code, bot)
        if switches.strike("drop_callbacks"):
            first.outcome = "dropped"
            self.finished.append(first)
            return first
        self.waiting.append(first)
        for _ in range(int(switches.strike("duplicate_callbacks") or 1) - 1):
            again = Delivery(self.core.next_seq(), user, fields, text, due_at, order, item_id, response_code, bot)
            self.waiting.append(again)
        if self._pool and due_at <= now:
            self._start_lane(user)
        return first

    def _take_due(self, user: str | None = None) -> Delivery | None:
        now = self.core.clock()
        due = [d for d in self.waiting if d.due_at <= now and (user is None or d.user == user)]
        if not due:
            return None
        chosen = min(due, key=lambda d: (d.order, d.number))
        self.waiting.remove(chosen)
        return chosen

    def tick(self) -> int:
        """Send what is due. Inline without background, else by starting the lanes; returns how many."""
        if self._pool:
            with self.core.lock:
                now = self.core.clock()
                due = [d for d in self.waiting if d.due_at <= now]
                for user in {d.user for d in due}:
                    self._start_lane(user)
                return len(due)
        done = 0
        while True:
            with self.core.lock:
                delivery = self._take_due()
            if delivery is None:
                return done
            self._attempt(delivery)
            done += 1

    def _start_lane(self, user: str) -> None:
        if self._pool and user not in self._busy:
            self._busy.add(user)
            self._pool.submit(self._run_lane, user)

    def _run_lane(self, user: str) -> None:
        while True:
            with self.core.lock:
                delivery = self._take_due(user)
                if delivery is None:
                    self._busy.discard(user)
                    return
            try:
                self._attempt(delivery)
            except Exception as error:
                with self.core.lock:
                    self._busy.discard(user)
                    self.core.problem(f"callback lane failed: {error!r}")
                raise

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)

    # --- one attempt ---------------------------------------------------------------------------------------------
    def _attempt(self, delivery: Delivery) -> None:
        with self.core.lock:
            url, body = self._envelope(delivery)
            deadline = float(self.core.switches["deadline_s"])
        kind = "application/json" if delivery.bot else "text/xml"
        delivery.attempts += 1
        started = self.core.clock()
        try:
            response = self.http.post(
                url, data=body, headers={"Content-Type": kind}, timeout=deadline, allow_redirects=False
            )
            status, content = response.status_code, response.content
        except requests.RequestException as error:
            self._failed(delivery, type(error).__name__)
            return
        if self.core.clock() - started > deadline:
            self._failed(delivery, "too late")
            return
        delivery.statuses.append(str(status))
        if status != 200:
            with self.core.lock:
                retry = bool(self.core.switches["retry_non_200"])
            self._failed(delivery, f"HTTP {status}", retry=retry)
            return
        delivery.outcome = "answered"
        with self.core.lock:
            self.finished.append(delivery)
            self.core.note("callback.answered", user=delivery.user, attempts=delivery.attempts, bytes=len(content))
            if content and content.strip() != b"success":
                self.on_reply(delivery, content)

    def _failed(self, delivery: Delivery, why: str, *, retry: bool = True) -> None:
        with self.core.lock:
            delivery.statuses.append(why)
            self.core.note("callback.failed", user=delivery.user, why=why, attempts=delivery.attempts)
            if retry and delivery.attempts <= int(self.core.switches["max_retries"]):
                delivery.due_at = self.core.clock() + float(self.core.switches["retry_spacing_s"])
                self.waiting.append(delivery)
                return
            delivery.outcome = "lost"
            self.finished.append(delivery)

    def _envelope(self, delivery: Delivery) -> tuple[str, bytes]:
        """URL and body of one attempt: new random, nonce and timestamp; the decrypted text stays the same."""
        switches, keys = self.core.switches, self.bot_keys if delivery.bot else self.keys
        wrong = switches.strike("wrong_receiver")
        receiver = None if not wrong else (wrong if isinstance(wrong, str) else "ww0000000000000000")
        encrypted = crypto.encrypt(keys, delivery.text, receive_id=receiver)
        if switches.strike("corrupt_cipher"):
            middle = len(encrypted) // 2
            encrypted = encrypted[:middle] + ("A" if encrypted[middle] != "A" else "B") + encrypted[middle + 1 :]
        timestamp = str(int(self.core.clock() + float(switches.strike("clock_skew_s") or 0)))
        nonce = str(secrets.randbelow(10**10))
        signed = crypto.signature(keys.token, timestamp, nonce, encrypted)
        if switches.strike("bad_signature"):
            signed = signed[::-1] if signed != signed[::-1] else "0" * 40
        query = urlencode({"msg_signature": signed, "timestamp": timestamp, "nonce": nonce})
        if delivery.bot:
            url, body = self.core.settings["bot"]["callback_url"], json.dumps({"encrypt": encrypted})
        else:
            url, agent = self.core.settings["callback_url"], str(self.core.settings["agent_id"])
            body = document({"ToUserName": self.core.corp_id, "AgentID": agent, "Encrypt": encrypted})
        return f"{url}{'&' if '?' in url else '?'}{query}", body.encode("utf-8")

    # --- the URL check --------------------------------------------------------------------------------------------
    def save_callback(self, url: str, *, bot: bool = False) -> tuple[bool, str]:
        """The admin's 「保存」: the GET check within one second; (accepted, reason)."""
        keys = self.bot_keys if bot else self.keys
        echo = str(secrets.randbelow(9 * 10**18) + 10**18)
        encrypted = crypto.encrypt(keys, echo)
        timestamp, nonce = str(int(self.core.clock())), str(secrets.randbelow(10**10))
        query = {
            "msg_signature": crypto.signature(keys.token, timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
            "echostr": encrypted,
        }
        started = self.core.clock()
        try:
            answer = self.http.get(url, params=query, timeout=CHECK_BUDGET_S, allow_redirects=False)
        except requests.RequestException as error:
            return False, f"openapi回调地址请求不通过: {type(error).__name__}"
        if self.core.clock() - started > CHECK_BUDGET_S:
            return False, "openapi回调地址请求不通过: no answer within 1 s"
        if answer.status_code != 200:
            return False, f"openapi回调地址请求不通过: HTTP {answer.status_code}"
        if answer.content != echo.encode():
            return False, "openapi回调地址请求不通过: the body is not the bare plaintext"
        with self.core.lock:
            (self.core.settings["bot"] if bot else self.core.settings)["callback_url"] = url
        return True, "ok"
