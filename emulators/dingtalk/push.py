"""HTTP pushes to the bot: one POST, its outcome, and the faults every kind of push can suffer."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from .core import Core

OLD_TIMESTAMP_S = 7200


@dataclass(frozen=True)
class Outcome:
    """How the bot answered. ok = a 2xx in time; reason says why not."""

    ok: bool
    status: int
    text: str
    reason: str = ""


def post(core: Core, url: str, *, body: bytes, headers: dict[str, str], limit_s: float) -> Outcome:
    """POSTs without redirects. Called without the lock. Late by the emulator's clock counts as failed."""
    started = core.clock()
    try:
        answer = core.http.post(url, data=body, headers=headers, timeout=limit_s, allow_redirects=False)
    except requests.RequestException as error:
        return Outcome(False, 0, "", type(error).__name__)
    if core.clock() - started > limit_s:
        return Outcome(False, answer.status_code, "", "late")
    if not 200 <= answer.status_code < 300:
        return Outcome(False, answer.status_code, answer.text, f"HTTP {answer.status_code}")
    return Outcome(True, answer.status_code, answer.text)


def delays(core: Core, channel: str) -> list[float]:
    """After how many seconds each copy of a push goes out; empty when it is lost. The lock is held."""
    faults = core.faults
    if faults.take("drop_callbacks", channel) is not None:
        core.journal.note("push_dropped", channel=channel)
        return []
    wait = faults.number("delay_callbacks_s", channel, default=60.0) or 0.0
    wait += faults.number("reorder", channel, default=1.0) or 0.0
    copies = faults.number("duplicate_callbacks", channel, default=2.0) or 1
    return [wait] * int(copies)


def push_timestamp(core: Core, channel: str) -> str:
    """The millisecond timestamp a push is signed with, off when a fault says so. The lock is held."""
    skew = core.faults.number("clock_skew_s", channel, default=60.0) or 0.0
    if core.faults.take("old_timestamp", channel) is not None:
        skew -= OLD_TIMESTAMP_S
    return str(int((core.clock() + skew) * 1000))


def spoil(signature: str) -> str:
    """Another text of the same form."""
    return ("B" if signature[:1] == "A" else "A") + signature[1:]
