"""Runs the sources and hands what they bring to the ingest: live rows first, then what waited on the disk.

A source that is lost comes back with back-off. What is handed over is safe when `_emit` returns: in the database, or in
the spool while the database is away. Only then does an HJ 212 logger get its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from connectors.readings.source import Ingest, IngestAway, ReadingSource, Refused, Sample, SourceHealth, SourceLost
from connectors.readings.spool import Spool

log = structlog.get_logger()

MAX_ROWS = 5000
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
NOTE_EVERY_S = 15.0

Note = Callable[[SourceHealth], None]
"""Writes a source's health; raises IngestAway while the database is away."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Back-off in seconds: doubled each time up to the longest, shortened at random by up to a quarter."""

    first_s: float = FIRST_WAIT_S
    longest_s: float = LONGEST_WAIT_S
    note_s: float = NOTE_EVERY_S

    def after(self, failures: int) -> float:
        return min(self.longest_s, self.first_s * 2 ** min(failures - 1, 16)) * random.uniform(0.75, 1.0)


class Feed:
    def __init__(
        self,
        sources: Sequence[ReadingSource],
        *,
        ingest: Ingest,
        note: Note,
        spool: Spool,
        clock: Callable[[], datetime],
        waits: Waits | None = None,
    ) -> None:
        self.sources, self.ingest, self.note, self.spool, self.clock = sources, ingest, note, spool, clock
        self.waits = waits or Waits()
        self._pending: list[tuple[list[Mapping[str, Any]], asyncio.Future[None]]] = []
        self._something = asyncio.Event()
        self._away_since: datetime | None = None
        self._failures, self._rest_until = 0, 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. What was handed over is delivered or spooled before this returns."""
        drain = asyncio.create_task(self._drain())
        others = [asyncio.create_task(self._keep(source)) for source in self.sources]
        others += [asyncio.create_task(self._notes())]
        watched = [drain, *others, waiting := asyncio.create_task(stop.wait())]
        try:
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()  # only a fault of our own ends one of these
        finally:
            for task in (*others, drain, waiting):
                task.cancel()
            await asyncio.gather(*others, drain, waiting, return_exceptions=True)
            self.spool.put([row for rows, _ in self._pending for row in rows])

    # -- sources

    async def _keep(self, source: ReadingSource) -> None:
        failures = 0

        async def emit(samples: Sequence[Sample]) -> None:
            nonlocal failures
            failures = 0
            source.health.last_ok_at = self.clock()
            await self._emit(source, samples)

        while True:
            try:
                await source.serve(emit)
                reason = "ended"
            except SourceLost as lost:
                reason = str(lost)
            except Exception as error:
                # one source's bug must not silence the others
                log.error("readings.source_failed", source=source.name, exc_info=error)
                reason = type(error).__name__
            failures += 1
            source.health.last_error, source.health.last_error_at = reason[:200], self.clock()
            wait = self.waits.after(failures)
            log.warning("readings.source_lost", source=source.name, reason=reason, wait_s=round(wait, 1))
            await asyncio.sleep(wait)

    async def _emit(self, source: ReadingSource, samples: Sequence[Sample]) -> None:
        if not samples:
            return
        source.health.count("samples", len(samples))
        rows = [sample.as_row() for sample in samples]
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((list(rows), safe))
        self._something.set()
        await safe

    # -- delivery

    async def _drain(self) -> None:
        while True:
            await self._work_to_do()
            if self._pending:
                await self._deliver_live()
            if len(self.spool) and not self._rests():
                await self._deliver_kept()

    async def _work_to_do(self) -> None:
        """Return when there are live rows, or kept ones that may be offered again."""
        if self._pending or (len(self.spool) and not self._rests()):
            return
        wait = max(0.0, self._rest_until - asyncio.get_running_loop().time()) if len(self.spool) else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), wait)
        self._something.clear()

    def _rests(self) -> bool:
        """The database was away a moment ago: it is not asked again yet."""
        return asyncio.get_running_loop().time() < self._rest_until

    async def _deliver_live(self) -> None:
        """Everything that waits, in one transaction as far as it fits."""
        taken, rows = 0, list[Mapping[str, Any]]()
        while taken < len(self._pending) and (not rows or len(rows) + len(self._pending[taken][0]) <= MAX_ROWS):
            rows += self._pending[taken][0]
            taken += 1
        try:
            if self._rests():
                raise IngestAway
            for start in range(0, len(rows), MAX_ROWS):
                await self._hand_over(rows[start : start + MAX_ROWS])
        except IngestAway:
            self.spool.put(rows)
        for _, safe in self._pending[:taken]:
            if not safe.done():
                safe.set_result(None)
        del self._pending[:taken]

    async def _deliver_kept(self) -> None:
        """One batch from the disk, so that live rows never wait behind a long backlog."""
        kept = self.spool.oldest()
        if kept is None:
            return
        name, rows = kept
        with contextlib.suppress(IngestAway):
            await self._hand_over(rows)
            self.spool.remove(name)

    async def _hand_over(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raises IngestAway; nothing to do for no rows. A row that breaks the ingest is found by halving and left out, the others go in."""
        if not rows:
            return
        try:
            result: Refused = await asyncio.to_thread(self.ingest, rows)
        except IngestAway:
            self._failures += 1
            self._rest_until = asyncio.get_running_loop().time() + self.waits.after(self._failures)
            if self._away_since is None:
                self._away_since = self.clock()
                log.error("readings.database_away")
            raise
        except Exception as error:
            if len(rows) == 1:
                log.error("readings.row_broke_ingest", detector=str(rows[0].get("detector"))[:64], exc_info=error)
                return
            half = len(rows) // 2
            await self._hand_over(rows[:half])
            await self._hand_over(rows[half:])
            return
        if self._away_since is not None:
            log.info("readings.database_back", kept=len(self.spool))
        self._away_since, self._failures, self._rest_until = None, 0, 0.0
        for name in sorted({error.field for error in result.errors}):
            count = sum(1 for error in result.errors if error.field == name)
            log.warning("readings.rows_refused", field=name, count=count)

    # -- health

    async def _notes(self) -> None:
        while True:
            for source in self.sources:
                source.health.facts["spooled_batches"] = len(self.spool)
                source.health.facts["spool_lost_rows"] = self.spool.dropped_rows
                with contextlib.suppress(IngestAway):
                    await asyncio.to_thread(self.note, source.health)
            await asyncio.sleep(self.waits.note_s)
