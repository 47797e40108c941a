"""Picking up what was left: lost kicks, dead workers' leases, sends of unknown outcome. Run by the scheduler."""

from __future__ import annotations

from datetime import timedelta

import structlog

from handlers import deliveries
from jobs import reconcile
from jobs.context import Services
from jobs.queue import CHAT, DELIVERY, MEDIA

log = structlog.get_logger()

MAX_DEATHS = 8  # a message whose sender died so often is given up: others must get through
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
            row = work.outbox.get(row_id)
            if row.attempts < MAX_DEATHS:
                reconcile.again(work, row, now)
                continue
            row.state, row.error = "refused", "unknown workers_die"  # whatever it is, it takes workers with it
            log.error("delivery.poison", id=row.id, what=row.what, platform=row.platform)
            if services.fall_back is not None:
                services.fall_back(work, row)
            deliveries.tell_admins(work, row, remedy="这条消息让发送进程反复中断,请把日志里的编号发给维护人员。")
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
