"""The process that fetches and receives readings (`python worker.py --readings`): sources in, checked rows out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from connectors.readings import Feed, IngestAway, ReadingsConfig, SourceHealth, Spool, sources
from handlers import readings
from handlers.readings import Taken
from jobs.context import Services
from storage.away import AWAY
from storage.conflicts import CONFLICTS

log = structlog.get_logger()

ATTEMPTS = 4
STOP_LOOK_S = 0.2


def ingest(services: Services, rows: Sequence[Mapping[str, Any]]) -> Taken:
    """Write one batch in one transaction and wake who must judge. Raises IngestAway while the database is away."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with services.new_work() as work:
                taken = readings.take(work, rows)
                work.commit()
                wake = set(work.wake)
        except CONFLICTS:
            if attempt == ATTEMPTS:
                raise
            continue
        except AWAY as error:
            if attempt == ATTEMPTS:
                raise IngestAway from error
            continue
        for queue in sorted(wake):
            services.kick(queue)
        return taken
    raise AssertionError("unreachable")


def note(services: Services, health: SourceHealth) -> None:
    """Write where a source stands. Raises IngestAway."""
    try:
        with services.new_work() as work:
            row = work.readings.source(health.name)
            row.last_ok_at = health.last_ok_at or row.last_ok_at
            if health.last_error_at is not None:
                row.last_error, row.last_error_at = health.last_error, health.last_error_at
            row.facts = dict(health.facts)
            work.commit()
    except (*AWAY, *CONFLICTS) as error:
        raise IngestAway from error


def run(services: Services, config: ReadingsConfig, stop: threading.Event) -> None:
    """Until `stop` is set. Raises BadConfig when the file cannot be used."""
    found = sources(config, clock=services.clock)
    spool = Spool(config.spool_dir, max_bytes=config.spool_max_bytes)
    feed = Feed(
        found,
        ingest=lambda rows: ingest(services, rows),
        note=lambda health: note(services, health),
        spool=spool,
        clock=services.clock,
    )
    log.info("readings.started", sources=len(found), kept_batches=len(spool))

    async def until_told() -> None:
        told = asyncio.Event()
        running = asyncio.create_task(feed.run(told))
        while not stop.is_set() and not running.done():
            await asyncio.wait([running], timeout=STOP_LOOK_S)
        told.set()
        await running

    asyncio.run(until_told())
    log.info("readings.stopped", kept_batches=len(spool))
