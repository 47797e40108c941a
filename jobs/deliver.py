"""Sending: claim under a lease, call the platform outside any transaction, write down what happened.

Messages to one place go one after another; different places overlap. Who goes next is decided each time a sender is
free, most urgent first, and some senders take nothing but alarms: a platform that answers slowly holds up no alarm. A
card for several people on one platform is one call. What a dead worker held becomes `unknown` (jobs/sweep.py).
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog

from bot.outbox import URGENT
from bot.platforms.base import Failure, PlatformError
from jobs import reconcile, redraw
from jobs.context import Services
from jobs.leases import LEASE, Leases
from jobs.send import Outcome, send_card_batch, send_one
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

SENDERS = 10
FOR_ALARMS = 2  # more senders that take nothing but alarms and urgent messages
FOR_CARDS = 4  # of SENDERS, at most so many redraw cards while messages wait
LOOK_EVERY_S = 0.25  # what became due meanwhile is seen this soon
START_WITHIN_S = 15.0  # a round starts nothing after this; RQ ends jobs that last 120 s
BACK_OFF_S = (2, 5, 15, 60, 300)
THROTTLED_S = 4.0
MAX_ATTEMPTS = {Failure.RETRY: 8, Failure.THROTTLED: 2000, Failure.UNKNOWN: 4, Failure.CONFIG: 200, Failure.QUOTA: 200}


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call: a message, all due rows of a card's batch, or a card to be redrawn. `lane` is used by one at a time."""

    lane: Hashable
    urgent: bool
    row_id: int = 0
    batch_key: str = ""
    post_id: int = 0


@dataclass(slots=True)
class Round:
    """What waits and what is under way. Only the thread that called send_ready touches it."""

    services: Services
    leases: Leases
    pool: ThreadPoolExecutor
    waiting: list[Parcel] = field(default_factory=list)
    running: dict[Future[int], Parcel] = field(default_factory=dict)
    broken: set[Parcel] = field(default_factory=set)  # failed outside the send itself: left to a later round
    done: int = 0

    def look(self) -> None:
        now = self.services.clock()
        with self.services.new_work(read_only=True) as work:
            parcels, stale = _parcels(work, now), work.cards.stale_ids(now)
        drawings = [Parcel(("post", post_id), False, post_id=post_id) for post_id in stale]
        self.waiting = [parcel for parcel in (*parcels, *drawings) if parcel not in self.broken]

    def start(self) -> None:
        """Give every free sender the most urgent parcel whose lane is free."""
        busy = {parcel.lane for parcel in self.running.values()}
        drawing = sum(parcel.post_id > 0 for parcel in self.running.values())
        talking = any(not parcel.post_id for parcel in self.waiting)
        # drawings first up to their share: messages take whatever is left
        order = sorted(self.waiting, key=lambda p: (not p.urgent, not p.post_id))
        for parcel in order:
            room = SENDERS + (FOR_ALARMS if parcel.urgent else 0)
            if len(self.running) >= room:
                break
            if parcel.lane in busy or (parcel.post_id and talking and drawing >= FOR_CARDS):
                continue
            busy.add(parcel.lane)
            drawing += parcel.post_id > 0
            self.waiting.remove(parcel)
            self.running[self.pool.submit(_send, self.services, parcel, self.leases)] = parcel

    def collect(self) -> None:
        ended, _ = wait(self.running, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        for job in ended:
            parcel = self.running.pop(job)
            try:
                self.done += job.result()
            except Exception as error:  # the database is away: the row stays as it is and its lease runs out
                self.broken.add(parcel)
                log.error("delivery.not_written_down", id=parcel.row_id, post=parcel.post_id, exc_info=error)


def send_ready(services: Services) -> int:
    """Send what is due and redraw what is stale, for a while; returns how many rows and posts were taken."""
    began = looked = monotonic()
    with (
        Leases(services, lambda work, ids, until: work.outbox.renew(ids, until)) as leases,
        ThreadPoolExecutor(SENDERS + FOR_ALARMS, thread_name_prefix="send") as pool,
    ):
        now = Round(services, leases, pool)
        now.look()
        while now.waiting or now.running:
            if monotonic() - began < START_WITHIN_S:
                now.start()
            if not now.running:
                break
            now.collect()
            if monotonic() - looked > LOOK_EVERY_S or not now.waiting:
                looked = monotonic()
                now.look()
        return now.done


def _parcels(work: UnitOfWork, now: datetime) -> list[Parcel]:
    """Due rows as parcels, most urgent first."""
    parcels: dict[Hashable, Parcel] = {}
    for row in work.outbox.due_rows(now):
        urgent = row.urgency <= URGENT
        if row.batch_key:
            parcels.setdefault(row.batch_key, Parcel(("batch", row.batch_key), urgent, batch_key=row.batch_key))
        else:
            place = (row.platform, row.user_id or row.group_id)
            parcels[row.id] = Parcel(place, urgent, row_id=row.id)
    return list(parcels.values())


def _send(services: Services, parcel: Parcel, leases: Leases) -> int:
    if parcel.post_id:
        return redraw.redraw(services, parcel.post_id)
    return _send_rows(services, parcel, leases)


def _send_rows(services: Services, parcel: Parcel, leases: Leases) -> int:
    with services.new_work() as work:
        now = services.clock()
        ids = work.outbox.due_of_batch(parcel.batch_key, now) if parcel.batch_key else [parcel.row_id]
        claimed = work.outbox.claim(ids, now, lease=LEASE)
        rows = [row for row in claimed if not _no_longer_needed(work, row)]
        job = _prepare(work, rows) if rows else None
        work.commit()
    if job is None:
        return len(claimed)
    held = [row.id for row in rows]
    leases.hold(held)
    try:
        outcome = _outcome(services, job, batch=bool(parcel.batch_key))
        with services.new_work() as work:
            _write_down(services, work, job, outcome)
            work.commit()
    finally:
        leases.drop(held)
    return len(rows)


def _outcome(services: Services, job: list[dict[str, Any]], *, batch: bool) -> Outcome:
    try:
        return send_card_batch(services, job) if batch else send_one(services, job)
    except PlatformError as error:
        return Outcome(failed=error)
    except Exception as error:  # a bug of ours: nobody knows how far it came. Tried again, and seen
        log.error("delivery.crashed", ids=[part["id"] for part in job], exc_info=error)
        return Outcome(failed=PlatformError(Failure.UNKNOWN, f"crash:{type(error).__name__}"))


def _no_longer_needed(work: UnitOfWork, row: Delivery) -> bool:
    if row.expires_at is not None and row.expires_at <= work.at:
        row.state, row.error = "expired", "too late"
        return True
    return False


def _prepare(work: UnitOfWork, rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    """What the send needs, read inside the transaction so that none is open during the call."""
    out = []
    for row in rows:
        content = work.cards.get(row.card_id) if row.card_id is not None else None
        named = row.user_id and row.platform == "dingtalk"  # its to-dos want the union id
        account = work.people.account(row.platform, row.user_id) if named else None
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


def _write_down(services: Services, work: UnitOfWork, job: list[dict[str, Any]], outcome: Outcome) -> None:
    """Note the end of one call for every row of it, and its posting. A batch stays together: one time to wait for all."""
    arrived = [part for part in job if outcome.failed is None and _place(part) not in outcome.refused]
    # also when our lease was lost meanwhile: it did arrive, whoever holds the row now
    for row_id in work.outbox.confirm([part["id"] for part in arrived], work.at, ref=outcome.ref) if arrived else ():
        log.info("delivery.confirmed", id=row_id, what=job[0]["what"], platform=job[0]["platform"])
    spread = random.uniform(1.0, 1.4)
    for part in job:
        if part in arrived:
            continue
        row = work.outbox.get(part["id"])
        # somebody else took it over while our lease was lost: a failure of ours says nothing about their send
        if row.state == "claimed" and row.attempts == part["attempts"]:
            error = outcome.failed or PlatformError(Failure.NOBODY, outcome.refused[_place(part)])
            _failed(services, work, row, error, spread=spread)
    if outcome.post is not None and outcome.failed is None:
        outcome.post(work)


def _place(part: dict[str, Any]) -> str:
    return f"group:{part['group_id']}" if part["group_id"] else f"user:{part['user_id']}"


def _back_off(failure: Failure, attempts: int) -> float:
    """Longer each time; a limit frees itself again and says when, so what is throttled keeps asking soon."""
    longest = THROTTLED_S if failure is Failure.THROTTLED else BACK_OFF_S[-1]
    return min(longest, BACK_OFF_S[min(attempts, len(BACK_OFF_S)) - 1])


def _failed(services: Services, work: UnitOfWork, row: Delivery, error: PlatformError, *, spread: float) -> None:
    """Write down why a send failed; decide what comes next."""
    row.error, row.lease_until = f"{error.failure.value} {error.code}"[:100], None
    if error.failure in MAX_ATTEMPTS and row.attempts < MAX_ATTEMPTS[error.failure]:
        wait_s = max(error.wait_s, _back_off(error.failure, row.attempts)) * spread
        due_at = work.at + timedelta(seconds=wait_s)
        if error.failure is Failure.UNKNOWN:
            reconcile.again(work, row, due_at)
        else:
            row.state, row.due_at, row.wait_reason = "due", due_at, error.failure.value
        log.warning(
            "delivery.waits", id=row.id, what=row.what, platform=row.platform, code=error.code, wait_s=round(wait_s)
        )
        return
    row.state = "refused"
    log.error("delivery.refused", id=row.id, what=row.what, platform=row.platform, code=error.code)
    if services.fall_back is not None:
        services.fall_back(work, row)
