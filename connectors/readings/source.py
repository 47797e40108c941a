"""What every feed of readings has in common: the sample, the source, and where samples go."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    """What a value is worth. Only OK ever counts in a verdict; the words are those of the readings API."""

    OK = "ok"
    FAULT = "fault"
    CALIBRATING = "calibrating"
    OFFLINE = "offline"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one detector; `value` is None when the status says that there is none. `at` is aware."""

    detector: str
    value: float | None
    unit: str
    status: Status
    at: datetime
    kind: str = ""  # "" = what the ledger says

    def as_row(self) -> dict[str, Any]:
        """The row as `/api/v1/readings` takes it."""
        return {
            "detector": self.detector,
            "kind": self.kind,
            "value": self.value,
            "unit": self.unit,
            "status": self.status.value,
            "at": self.at.isoformat(),
        }


class SourceLost(Exception):
    """The other side is gone or speaks nonsense; the feed waits and tries again. The text is for the operator."""


class IngestAway(Exception):
    """The database cannot take readings now; they are kept on the disk and offered again."""


class Refusal(Protocol):
    @property
    def index(self) -> int: ...

    @property
    def field(self) -> str: ...

    @property
    def why(self) -> str: ...


class Refused(Protocol):
    """What became of a batch: `errors` are the rows left out."""

    @property
    def errors(self) -> Sequence[Refusal]: ...


Ingest = Callable[[Sequence[Mapping[str, Any]]], Refused]
"""Writes rows in one transaction. Raises IngestAway while the database is away; good rows never wait for bad ones."""

Emit = Callable[[Sequence[Sample]], Awaitable[None]]
"""Hands samples over; returns when they are safe in the database or on the disk."""


@dataclass(slots=True)
class SourceHealth:
    """Where a source stands; written to the row `source_state` of its name."""

    name: str
    last_ok_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def count(self, what: str, by: int = 1) -> None:
        self.facts[what] = int(self.facts.get(what, 0)) + by


class ReadingSource(ABC):
    """One gateway, controller or listener. A polled one writes `poll`, one that is told writes `serve`."""

    interval_s: float = 5.0

    def __init__(self, name: str, clock: Callable[[], datetime]) -> None:
        self.name, self.clock = name, clock
        self.health = SourceHealth(name)

    async def open(self) -> None:  # noqa: B027  (most sources need nothing)
        """Reach the other side. Raises SourceLost."""

    async def close(self) -> None:  # noqa: B027
        """Let go of the other side; never raises."""

    @abstractmethod
    async def poll(self) -> Sequence[Sample]:
        """One look at every point. Raises SourceLost."""

    async def serve(self, emit: Emit) -> None:
        """Bring samples until cancelled. Raises SourceLost when the other side is gone."""
        await self.open()
        loop = asyncio.get_running_loop()
        try:
            due = loop.time()
            while True:
                await emit(await self.poll())
                due = max(due + self.interval_s, loop.time())  # no catching up after a slow answer
                await asyncio.sleep(due - loop.time())
        finally:
            await self.close()


FUTURE = timedelta(minutes=2)  # as the ingest tolerates it


def settled(sample: Sample, *, now: datetime, health: SourceHealth) -> Sample:
    """The sample as it may be stored: no NaN, no time from the future, no ok without a value.

    A clock that runs ahead by more than two minutes makes the value suspect, dated now: a reading that lies ahead
    would look fresh for too long. A late one keeps its own time, so it fills history and refreshes nothing.
    """
    value, status, at = sample.value, sample.status, sample.at
    if value is not None and not math.isfinite(value):
        value = None
        status = Status.FAULT if status is Status.OK else status
    if value is None and status is Status.OK:
        status = Status.FAULT
    if abs(at - now) > timedelta(seconds=1):
        health.facts["clock_ahead_s"] = round((at - now).total_seconds())
    if at > now + FUTURE:
        health.count("from_future")
        at, status = now, Status.SUSPECT if status is Status.OK else status
    return Sample(sample.detector, value, sample.unit, status, at, sample.kind)
