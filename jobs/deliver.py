"""Sending: claim under a lease, call the platform outside any transaction, write down what happened.

Messages to one place go one after another; different places overlap. A card for several people on one platform is one
call. What a dead worker held becomes `unknown` and is repeated in a way that cannot be shown twice (jobs/sweep.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.platforms.base import Failure, PlatformError
from jobs import redraw
from jobs.context import Services
from jobs.send import Outcome, send_card_batch, send_one
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

THREADS = 10
LEASE = timedelta(seconds=30)
BACK_OFF_S = (2, 5, 15, 60, 300)
MAX_ATTEMPTS = {Failure.RETRY: 8, Failure.THROTTLED: 50, Failure.UNKNOWN: 4, Failure.CONFIG: 200, Failure.QUOTA: 200}


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows that go out in one call (`batch`), or one after another to one place."""

    ids: tuple[int, ...]
    batch: bool


def send_ready(services: Services) -> int:
    """Send what is due and redraw what is stale; returns how many rows and posts were taken."""
    now = services.clock()
    with services.new_work(read_only=True) as work:
        parcels = _parcels(work, now)
        stale = work.cards.stale_ids(now)
    if not parcels and not stale:
        return 0
    if len(parcels) + len(stale) == 1:
        return (_send(services, parcels[0]) if parcels else 0) + (redraw.redraw(services, stale[0]) if stale else 0)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="send") as pool:
        sent = [pool.submit(_send, services, parcel) for parcel in parcels]
        drawn = [pool.submit(redraw.redraw, services, post_id) for post_id in stale]
        return sum(job.result() for job in (*sent, *drawn))


def _parcels(work: UnitOfWork, now: datetime) -> list[Parcel]:
    """Due rows as parcels, most urgent first."""
    by_place: dict[str, list[int]] = {}
    batches: dict[str, list[int]] = {}
    for row in work.outbox.due(now):
        if row.batch_key:
            batches.setdefault(row.batch_key, []).append(row.id)
        else:
            by_place.setdefault(f"{row.platform}:{row.user_id or row.group_id}", []).append(row.id)
    parcels = [Parcel(tuple(ids), True) for ids in batches.values()]
    parcels += [Parcel(tuple(ids), False) for ids in by_place.values()]
    return parcels


def _send(services: Services, parcel: Parcel) -> int:
    if parcel.batch:
        return _send_rows(services, parcel.ids, batch=True)
    return sum(_send_rows(services, [row_id], batch=False) for row_id in parcel.ids)


def _send_rows(services: Services, ids: Sequence[int], *, batch: bool) -> int:
    with services.new_work() as work:
        rows = work.outbox.claim(ids, services.clock(), lease=LEASE)
        rows = [row for row in rows if not _no_longer_needed(work, row)]
        job = _prepare(work, rows, batch=batch) if rows else None
        work.commit()
    if job is None:
        return 0
    try:
        outcome = send_card_batch(services, job) if batch else send_one(services, job)
    except PlatformError as error:
        outcome = Outcome(failed=error)
    except Exception as error:  # a bug of ours must not leave the row claimed: it is tried again, and seen
        log.error("delivery.crashed", ids=[row.id for row in rows], exc_info=error)
        outcome = Outcome(failed=PlatformError(Failure.RETRY, f"crash:{type(error).__name__}"))
    with services.new_work() as work:
        for row_id in [row.id for row in rows]:
            _note(services, work, work.outbox.get(row_id), outcome)
        if outcome.post is not None and outcome.failed is None:
            outcome.post(work)
        work.commit()
    return len(rows)


def _no_longer_needed(work: UnitOfWork, row: Delivery) -> bool:
    if row.expires_at is not None and row.expires_at <= work.at:
        row.state, row.error = "expired", "too late"
        return True
    return False


def _prepare(work: UnitOfWork, rows: Sequence[Delivery], *, batch: bool) -> list[dict[str, Any]]:
    """What the send needs, read inside the transaction so that none is open during the call."""
    out = []
    for row in rows:
        content = work.cards.get(row.card_id) if row.card_id is not None else None
        account = work.people.account(row.platform, row.user_id) if row.user_id and row.platform != "sms" else None
        todo_of = work.outbox.get(row.payload["todo_of"]) if row.what == "todo_done" else None
        out.append(
            {
                "id": row.id,
                "what": row.what,
                "platform": row.platform,
                "user_id": row.user_id,
                "group_id": row.group_id,
                "person_id": row.person_id,
                "union_id": account.union_id if account else "",
                "payload": row.payload,
                "attempts": row.attempts,
                "dedupe_key": row.dedupe_key,
                "batch_key": row.batch_key,
                "card": (content.id, content.content, content.revision) if content is not None else None,
                "todo_ref": todo_of.ref if todo_of is not None else "",
            }
        )
    return out


def _note(services: Services, work: UnitOfWork, row: Delivery, outcome: Outcome) -> None:
    """Write down how a send ended; decide what comes next."""
    place = f"group:{row.group_id}" if row.group_id else f"user:{row.user_id}"
    error = outcome.failed
    if error is None and place in outcome.refused:
        error = PlatformError(Failure.NOBODY, outcome.refused[place])
    if error is None:
        row.state, row.confirmed_at, row.ref, row.error, row.wait_reason = "confirmed", work.at, outcome.ref, "", ""
        row.lease_until = None
        log.info("delivery.confirmed", id=row.id, what=row.what, platform=row.platform, attempts=row.attempts)
        return
    row.error, row.lease_until = f"{error.failure.value} {error.code}"[:100], None
    if error.failure in MAX_ATTEMPTS and row.attempts < MAX_ATTEMPTS[error.failure]:
        base = BACK_OFF_S[min(row.attempts, len(BACK_OFF_S)) - 1]
        wait = max(error.wait_s, base * random.uniform(0.8, 1.2))
        row.state, row.due_at, row.wait_reason = "due", work.at + timedelta(seconds=wait), error.failure.value
        log.warning(
            "delivery.waits", id=row.id, what=row.what, platform=row.platform, code=error.code, wait_s=round(wait)
        )
        return
    row.state = "refused"
    log.error("delivery.refused", id=row.id, what=row.what, platform=row.platform, code=error.code)
    if services.fall_back is not None:
        services.fall_back(work, row)
