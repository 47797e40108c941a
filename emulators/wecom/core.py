"""What every part of the emulator shares: the plant, the clock, the lock, the switches and the journal."""

from __future__ import annotations

import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from .switches import Switches


class Core:
    """Shared state. Hold `lock` while reading or changing anything; never while doing HTTP."""

    def __init__(self, plant: dict[str, Any], *, clock: Callable[[], float], public_url: str, background: bool) -> None:
        self.plant = plant
        self.settings: dict[str, Any] = plant["wecom"]
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.background = background
        self.lock = threading.RLock()
        self.switches = Switches()
        self.calls: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=2000)
        self.problems: list[str] = []
        self._seq = 0

    @property
    def corp_id(self) -> str:
        return str(self.settings["corp_id"])

    def next_seq(self) -> int:
        """A number that only grows; items carry it so that a phone can ask for what is new."""
        self._seq += 1
        return self._seq

    @property
    def last_seq(self) -> int:
        return self._seq

    def note(self, what: str, **facts: Any) -> None:
        """One line in the journal (`/_phone/log`)."""
        self.log.append({"at": self.clock(), "what": what, **facts})

    def problem(self, text: str, **facts: Any) -> None:
        """Something a correct client would not do; tests ask for these at their end."""
        self.problems.append(text)
        self.note("problem", text=text, **facts)

    @staticmethod
    def fresh(size: int = 32) -> str:
        """An unguessable opaque value."""
        return secrets.token_urlsafe(size)


class Window:
    """Counts events per key in sliding windows; prunes as it goes."""

    def __init__(self) -> None:
        self._times: dict[Any, deque[float]] = {}

    def count(self, key: Any, *, now: float, span_s: float) -> int:
        """How many events of `key` happened in the last `span_s` seconds."""
        times = self._times.get(key)
        if not times:
            return 0
        if times[0] > now - span_s:
            return len(times)
        return sum(1 for at in reversed(times) if at > now - span_s)

    def add(self, key: Any, *, now: float, keep_s: float = 86400.0) -> None:
        """Count one event; events older than `keep_s` are forgotten."""
        times = self._times.setdefault(key, deque())
        times.append(now)
        while times and times[0] <= now - keep_s:
            times.popleft()


def cut_bytes(text: str, limit: int) -> str:
    """At most `limit` UTF-8 bytes, never half a character."""
    return text.encode("utf-8")[:limit].decode("utf-8", "ignore")


def cut_chars(text: str, limit: int) -> str:
    """As a phone shows an over-long line: `limit` characters and an ellipsis."""
    return text if len(text) <= limit else text[:limit] + "…"
