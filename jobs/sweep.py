"""Picking up what was left: lost kicks, dead workers' leases, sends of unknown outcome. Run by the scheduler."""

from __future__ import annotations

from datetime import timedelta

import structlog

from jobs import reconcile
from jobs.context import Services
from jobs.queue import CHAT, DELIVERY, MEDIA

log = structlog.get_logger()

KEEP_PAYLOADS = timedelta(days=30)


def wake(services: Services) -> int:
    """Kick every queue that has rows to do now; returns how many kinds of work were found."""
    now = services.clock()
    with services.new_work(read_only=True) as work:
        found = {
            MEDIA: bool(work.inbox.to_fetch(now, limit=1)) or bool(work.hazards.evidence_due(limit=1)),
            CHAT: bool(work.inbox.ready_ids(now, limit=1)),
            DELIVERY: bool(work.outbox.due(now, limit=1)) or bool(work.cards.stale_ids(now, limit=1)),
        }
    for queue, waiting in found.items():
        if waiting:
            services.kick(queue)
    return sum(found.values())


def leases(services: Services) -> int:
    """Take back what a dead worker held; repeat what may or may not have arrived in a way that is not shown twice."""
    with services.new_work() as work:
        now = services.clock()
        returned = work.outbox.return_expired_leases(now)
        for row_id in work.outbox.unknown_ids():
            reconcile.again(work, work.outbox.get(row_id), now)
        work.commit()
    if returned:
        log.warning("delivery.leases_returned", count=returned)
    return returned


def tidy(services: Services) -> int:
    """Drop the payloads of messages handled long ago; their keys stay, so a late repeat is still recognised."""
    with services.new_work() as work:
        count = work.inbox.forget_before(services.clock() - KEEP_PAYLOADS)
        work.commit()
    return count
