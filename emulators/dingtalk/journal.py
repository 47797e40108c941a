"""What happened: call counters, a log of the last events, and problems (things nobody expected)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import structlog

LOG_LENGTH = 2000
log = structlog.get_logger("emulators.dingtalk")


class Journal:
    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self.calls: Counter[str] = Counter()
        self.pushes: Counter[str] = Counter()
        self.problems: list[str] = []
        self._events: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def note(self, event: str, **facts: Any) -> None:
        self._events.append({"at": self._clock(), "event": event, **facts})

    def problem(self, text: str) -> None:
        """Something no correct bot does, or the emulator cannot explain; the run that caused it should fail."""
        self.problems.append(text)
        self.note("problem", text=text)
        log.warning("dingtalk.problem_seen", number=len(self.problems))

    def events(self, limit: int = 200) -> list[dict[str, Any]]:
        return list(self._events)[-limit:]

    def reset_counters(self) -> None:
        self.calls.clear()
        self.pushes.clear()
