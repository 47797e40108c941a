"""Weather of the plant, on a worker: fetched outside any transaction, kept with its own time, felt by running permits.

The scheduler only asks whether it is time. Without a configured service people are asked in chat.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from connectors.errors import OutsideError
from connectors.weather import Observation
from handlers.permit.surroundings import WEATHER
from jobs.context import Services
from jobs.queue import CHAT

log = structlog.get_logger()

EVERY = timedelta(minutes=5)
FUTURE = timedelta(minutes=2)  # clocks may differ by this much


def is_due(services: Services) -> bool:
    """Whether it is time (scheduler)."""
    if services.weather is None:
        return False
    with services.new_work(read_only=True) as work:
        return work.certificates.sync_due(WEATHER, work.at, every=EVERY)


def look_due(services: Services) -> int:
    """Ask the service when it is time and nobody else does; returns how often it was asked."""
    if services.weather is None:
        return 0
    with services.new_work() as work:
        mine = work.certificates.claim_sync(WEATHER, work.at, every=EVERY)
        points = [point for area in work.plant.areas() for point in area.polygon]
        work.commit()
    if not mine or not points:
        return 0
    lon, lat = (sum(point[axis] for point in points) / len(points) for axis in (0, 1))
    try:
        _keep(services, services.weather.now(lon=lon, lat=lat))
    except OutsideError as error:
        log.warning("weather.failed", error=error.code, permanent=error.permanent)
        with services.new_work() as work:
            state = work.readings.source(WEATHER)
            state.last_error, state.last_error_at = error.code[:200], work.at
            work.commit()
    return 1


def _keep(services: Services, seen: Observation) -> None:
    """Keep the observation unless it is older than the kept one or from the future; permits feel what changed."""
    with services.new_work() as work:
        state = work.readings.source(WEATHER)
        before = state.facts.get("seen") or {}
        state.last_ok_at, state.last_error = work.at, ""
        at = min(seen.at, work.at) if seen.at <= work.at + FUTURE else None
        if at is None:
            state.last_error, state.last_error_at = "from_future", work.at
        elif at.isoformat() >= str(before.get("at", "")):
            facts = seen.facts()
            state.facts = {**state.facts, "seen": {"at": at.isoformat(), "facts": facts, "words": seen.words}}
            if facts != before.get("facts") and work.permit_queue.touch_all(at=work.at):
                work.wake.add(CHAT)
        work.commit()
        wake = set(work.wake)
    for queue in sorted(wake):
        services.kick(queue)
