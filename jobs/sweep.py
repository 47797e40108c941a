"""Picking up what was left: lost kicks, dead workers' leases, sends of unknown outcome. Run by the scheduler."""

from __future__ import annotations

from datetime import timedelta

import structlog

from jobs.context import Services
from jobs.queue import CHAT, DELIVERY, MEDIA
from storage.models import Delivery

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
        returned = work.outbox.return_expired_leases(services.clock())
        ids = work.outbox.unknown_ids()
        for row_id in ids:
            _reconcile(work.outbox.get(row_id), services)
        work.commit()
    if returned:
        log.warning("delivery.leases_returned", count=returned)
    return returned


def _reconcile(row: Delivery, services: Services) -> None:
    # Every send carries a key made from the row (WeCom duplicate check, DingTalk outTrackId and sourceId), so the
    # platform recognises the repeat. DingTalk robot texts have no such key: they say that they may be a repeat.
    if row.what == "text" and row.platform == "dingtalk" and not row.payload.get("maybe_repeat"):
        row.payload = {**row.payload, "text": row.payload["text"] + "\n(可能重复)", "maybe_repeat": True}
    row.state, row.due_at, row.wait_reason = "due", services.clock(), "reconcile"


def tidy(services: Services) -> int:
    """Drop the payloads of messages handled long ago; their keys stay, so a late repeat is still recognised."""
    with services.new_work() as work:
        count = work.inbox.forget_before(services.clock() - KEEP_PAYLOADS)
        work.commit()
    return count
