"""Video duty of special-grade hot work: the plant's video system is asked on a worker, outside any transaction."""

from __future__ import annotations

from datetime import timedelta

import structlog

from cards.permit import place
from connectors.errors import OutsideError
from connectors.video import VideoDuty, VideoOrder
from handlers.permit.video import PREFIX, is_wanted, source_of
from jobs.context import Services
from jobs.queue import CHAT
from rules.permit.life import PermitState

log = structlog.get_logger()

EVERY = timedelta(seconds=15)
WATCHED = (PermitState.APPROVED.value, PermitState.ACTIVE.value, PermitState.INTERRUPTED.value)


def is_due(services: Services) -> bool:
    """Whether it is time (scheduler)."""
    if services.video is None:
        return False
    with services.new_work(read_only=True) as work:
        return work.certificates.sync_due("video", work.at, every=EVERY)


def look_due(services: Services) -> int:
    """Ask about every permit that has to be filmed when it is time; returns how many were asked about."""
    if services.video is None:
        return 0
    with services.new_work() as work:
        if not work.certificates.claim_sync("video", work.at, every=EVERY):
            return 0
        permits = [permit for permit in work.permits.live(states=WATCHED) if is_wanted(permit)]
        orders = {
            permit.id: VideoOrder(
                number=permit.number or "",
                place=place(permit),
                lat=permit.lat,
                lon=permit.lon,
                begun=permit.started_at is not None,
            )
            for permit in permits
        }
        open_rows = {row.name: str(row.facts.get("number", "")) for row in work.readings.sources(PREFIX)}
        work.commit()
    for permit_id, order in orders.items():
        _look(services, services.video, permit_id, order)
    for name in open_rows.keys() - {source_of(permit_id) for permit_id in orders}:
        _release(services, services.video, name, open_rows[name])
    return len(orders)


def _look(services: Services, hook: VideoDuty, permit_id: int, order: VideoOrder) -> None:
    """A system that does not answer leaves the last word to grow old: then the recording is unknown."""
    try:
        seen = hook.look(order)
    except OutsideError as error:
        log.warning("video.failed", permit=permit_id, error=error.code)
        return
    with services.new_work() as work:
        row = work.readings.source(source_of(permit_id))
        found = {"number": order.number, "recording": seen.recording, "ex_proof": seen.ex_proof, "camera": seen.camera}
        changed = any(row.facts.get(name) != value for name, value in found.items())
        row.facts, row.last_ok_at = {**found, "at": min(seen.at, work.at).isoformat()}, work.at
        if changed and work.permit_queue.touch_one(permit_id, at=work.at):
            work.wake.add(CHAT)
        work.commit()
        wake = set(work.wake)
    for queue in sorted(wake):
        services.kick(queue)


def _release(services: Services, hook: VideoDuty, name: str, number: str) -> None:
    try:
        hook.release(number)
    except OutsideError as error:
        log.warning("video.release_failed", source=name, error=error.code)
        return
    with services.new_work() as work:
        work.readings.forget(name)
        work.commit()
