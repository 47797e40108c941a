"""Sources on real sockets: what arrives, and a clock the test moves. No sleeps: everything waits for a condition."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.readings import Feed, ReadingSource, Sample, SourceHealth, Spool
from connectors.readings.config import parse
from connectors.readings.feed import Waits

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DEADLINE_S = 10.0


def run(test: Callable[[], Awaitable[None]]) -> None:
    """The test's coroutine under a deadline."""

    async def limited() -> None:
        await asyncio.wait_for(test(), 3 * DEADLINE_S)

    asyncio.run(limited())


async def until(condition: Callable[[], Any], why: str = "") -> None:
    async def looked() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    try:
        await asyncio.wait_for(looked(), DEADLINE_S)
    except TimeoutError:
        pytest.fail(f"did not happen within {DEADLINE_S:g} s: {why}")


@dataclass
class Inbox:
    """Where samples arrive."""

    samples: list[Sample] = field(default_factory=list)

    async def emit(self, samples: Sequence[Sample]) -> None:
        self.samples += samples

    def last(self, detector: str) -> Sample:
        return [s for s in self.samples if s.detector == detector][-1]


@asynccontextmanager
async def serving(source: ReadingSource, inbox: Inbox) -> AsyncIterator[None]:
    task = asyncio.create_task(source.serve(inbox.emit))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def source_of(table: Mapping[str, Any], clock: Clock) -> Any:
    """The source of one [[source]] table, as the file would make it."""
    from connectors.readings.build import sources

    return sources(parse({"source": [table]}, data_dir=Path("unused")), clock=clock)[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


QUICK = Waits(first_s=0.01, longest_s=0.02, note_s=0.01)


@dataclass
class Taken:
    errors: tuple[Any, ...] = ()


@dataclass
class Plant:
    """A database that can be away, behind a feed."""

    rows: list[Mapping[str, Any]] = field(default_factory=list)
    calls: int = 0
    away: bool = False
    breaks_on: str = ""
    health: dict[str, SourceHealth] = field(default_factory=dict)

    def ingest(self, rows: Sequence[Mapping[str, Any]]) -> Taken:
        from connectors.readings import IngestAway

        self.calls += 1
        if self.away:
            raise IngestAway
        if self.breaks_on and any(row["detector"] == self.breaks_on for row in rows):
            raise RuntimeError("a row nobody foresaw")
        self.rows += rows
        return Taken()

    def note(self, health: SourceHealth) -> None:
        self.health[health.name] = health

    def feed(self, sources: Sequence[ReadingSource], spool: Spool, clock: Clock) -> Feed:
        return Feed(sources, ingest=self.ingest, note=self.note, spool=spool, clock=clock, waits=QUICK)


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(feed.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
