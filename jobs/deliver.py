"""Sending: claim under a lease, call the platform outside any transaction, write down what happened.

Messages to one place go one after another; different places overlap. Who goes next is decided each time a sender is
free, most urgent first, and some senders take nothing but alarms: a platform that answers slowly holds up no alarm.
Some take anything but alarms, and what waits grows more urgent with its age: nothing is starved for ever. A card for
several people on one platform is one call. What a dead worker held becomes `unknown` (jobs/sweep.py).
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

from bot.outbox import REPLY, URGENT
from bot.platforms.base import Failure, PlatformError
from bot.platforms.rates import sending
from handlers import deliveries, frugal
from jobs import reconcile, redraw
from jobs.context import Services
from jobs.leases import LEASE, Leases
from jobs.send import Outcome, send_card_batch, send_one
from storage.conflicts import CONFLICTS
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

SENDERS = 10
FOR_ALARMS = 2  # more senders that take nothing but alarms and urgent messages
FOR_OTHERS = 2  # of all of them, so many take what is not urgent, however many alarms there are
FOR_CARDS = 4  # of SENDERS, at most so many redraw cards while messages wait
AGE_S = 20.0  # a step of urgency is worth so much waiting
LOOK_EVERY_S = 0.25  # what became due meanwhile is seen this soon
START_WITHIN_S = 15.0  # a round starts nothing after this; RQ ends jobs that last 120 s
# Seconds before the next try, by what went wrong: longer each time, spread so that many do not come back at once.
BACK_OFF_S: dict[Failure, tuple[float, ...]] = {
    Failure.RETRY: (2, 5, 15, 60, 300),
    Failure.UNKNOWN: (2, 5, 15, 60),
    Failure.THROTTLED: (2, 4),  # a limit frees itself again and says when: what is held back keeps asking soon
    Failure.CONFIG: (5, 30, 120, 300),  # somebody must act
    Failure.QUOTA: (60, 600, 3600),
}
MAX_ATTEMPTS = {Failure.RETRY: 12, Failure.THROTTLED: 2000, Failure.UNKNOWN: 4, Failure.CONFIG: 600, Failure.QUOTA: 400}
LONGEST_S = 3600.0  # even a month's end is looked at once an hour: the limit may have been raised
URGENT_WAITS_S = 10.0  # a red or orange notice that a limit holds up for longer also goes through the next channel
URGENT_TRIES_S = 60.0  # … and one that fails for so long


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call: a message, all due rows of a card's batch, or a card to be redrawn. `lane` is used by one at a time."""

    lane: Hashable
    urgent: bool
    rank: float = 0.0  # who goes first among those that are not urgent: when it was due, later for what can wait
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
            to_hold = frugal.to_hold(work, now)
            parcels, stale = _parcels(work, now), work.cards.stale_ids(now)
        if to_hold:
            with self.services.new_work() as work:
                frugal.hold(work)
                work.commit()
                parcels = _parcels(work, now)
        drawings = [Parcel(("post", post_id), False, post_id=post_id) for post_id in stale]
        self.waiting = [parcel for parcel in (*parcels, *drawings) if parcel not in self.broken]

    def start(self) -> None:
        """Give every free sender the most urgent parcel whose lane is free."""
        busy = {parcel.lane for parcel in self.running.values()}
        drawing = sum(parcel.post_id > 0 for parcel in self.running.values())
        others = sum(not parcel.urgent for parcel in self.running.values())
        talking = any(not parcel.post_id for parcel in self.waiting)
        # drawings first up to their share: messages take whatever is left
        order = sorted(self.waiting, key=lambda p: (not p.urgent, not p.post_id, p.rank))
        kept = min(FOR_OTHERS, sum(not parcel.urgent for parcel in order))
        for parcel in order:
            if parcel.urgent:
                full = len(self.running) + max(0, kept - others) >= SENDERS + FOR_ALARMS
            else:
                full = len(self.running) >= SENDERS and others >= FOR_OTHERS
            if full or len(self.running) >= SENDERS + FOR_ALARMS:
                continue
            if parcel.lane in busy or (parcel.post_id and talking and drawing >= FOR_CARDS):
                continue
            busy.add(parcel.lane)
            drawing += parcel.post_id > 0
            others += not parcel.urgent
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
    """Due rows as parcels, the most urgent first."""
    parcels: dict[Hashable, Parcel] = {}
    for row in work.outbox.due_rows(now):
        urgent = row.urgency <= URGENT
        rank = row.due_at.timestamp() + row.urgency * AGE_S
        if row.batch_key:
            parcels.setdefault(row.batch_key, Parcel(("batch", row.batch_key), urgent, rank, batch_key=row.batch_key))
        else:
            place = (row.platform, row.user_id or row.group_id)
            parcels[row.id] = Parcel(place, urgent, rank, row_id=row.id)
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
        rows = [row for row in claimed if not _no_longer_needed(services, work, row)]
        job = _prepare(work, rows) if rows else None
        work.commit()
    if job is None:
        return len(claimed)
    held = [row.id for row in rows]
    leases.hold(held)
    try:
        outcome = _outcome(services, job, batch=bool(parcel.batch_key))
        with services.new_work() as work:
            failed = _write_down(services, work, job, outcome)
            work.commit()
    finally:
        leases.drop(held)
    _tell_admins(services, failed)
    return len(rows)


def _outcome(services: Services, job: list[dict[str, Any]], *, batch: bool) -> Outcome:
    try:
        # a digest is one call for many messages: the last part of a budget is for it too
        with sending(min(REPLY if "digest" in part else part["urgency"] for part in job)):
            return send_card_batch(services, job) if batch else send_one(services, job)
    except PlatformError as error:
        return Outcome(failed=error)
    except Exception as error:  # a bug of ours: nobody knows how far it came. Tried again, and seen
        log.error("delivery.crashed", ids=[part["id"] for part in job], exc_info=error)
        return Outcome(failed=PlatformError(Failure.UNKNOWN, f"crash:{type(error).__name__}"))


def _no_longer_needed(services: Services, work: UnitOfWork, row: Delivery) -> bool:
    """Whether nobody needs the message any more, now that it would be sent; it is written down then."""
    reason = ""
    if row.expires_at is not None and row.expires_at <= work.at:
        reason = "too late"
    elif services.no_longer is not None and not (row.what in ("card", "todo") and row.payload.get("maybe_repeat")):
        # a card or to-do that may be there already must be known, so that it can be put right
        reason = services.no_longer(work, row)
    if reason:
        row.state, row.error, row.lease_until = "expired", reason[:100], None
        log.info("delivery.not_needed", id=row.id, what=row.what, reason=reason)
    return bool(reason)


def _prepare(work: UnitOfWork, rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    """What the send needs, read inside the transaction so that none is open during the call."""
    out = []
    is_digest = rows[0].batch_key.startswith(frugal.DIGEST)
    if is_digest and "digest" not in rows[0].payload:
        rows[0].payload = {**rows[0].payload, "digest": frugal.digest_text(work, rows)}
    for row in rows:
        content = _content(work, row) if row.card_id is not None and not is_digest else None
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
                "urgency": row.urgency,
                "dedupe_key": row.dedupe_key,
                "batch_key": row.batch_key,
                "card": content,
                "todo_ref": todo_of.ref if todo_of is not None else "",
                **({"digest": rows[0].payload["digest"]} if is_digest else {}),
            }
        )
    return out


def _content(work: UnitOfWork, row: Delivery) -> tuple[int, dict[str, Any], int]:
    """(card, content, revision) to post: of a repeat exactly what was sent first, else a platform that recognises the
    repeat would go on showing the older one, and we would believe that it shows the newer one."""
    card = work.cards.get(row.card_id or 0)
    sent = row.payload.get("sent")
    if sent is None:
        sent = {"content": card.content, "revision": card.revision}
        row.payload = {**row.payload, "sent": sent}
    return card.id, sent["content"], sent["revision"]


def _tell_admins(services: Services, failed: Sequence[tuple[int, str]]) -> None:
    """Put (row, remedy) on the admins' card, in a transaction of its own: many senders fail at once, and all write to
    one card. What the sends came to must not depend on who is first."""
    for row_id, remedy in failed:
        try:
            with services.new_work() as work:
                deliveries.tell_admins(work, work.outbox.get(row_id), remedy=remedy)
                work.commit()
        except CONFLICTS:
            log.info("delivery.admins_told_by_another", id=row_id)


def _write_down(
    services: Services, work: UnitOfWork, job: list[dict[str, Any]], outcome: Outcome
) -> list[tuple[int, str]]:
    """Note the end of one call for every row of it, and its posting. A batch stays together: one time to wait for all.

    Returns (row, remedy) of what the admins must hear of.
    """
    arrived = [part for part in job if outcome.failed is None and _place(part) not in outcome.refused]
    # also when our lease was lost meanwhile: it did arrive, whoever holds the row now
    for row_id in work.outbox.confirm([part["id"] for part in arrived], work.at, ref=outcome.ref) if arrived else ():
        log.info("delivery.confirmed", id=row_id, what=job[0]["what"], platform=job[0]["platform"])
    spread = random.uniform(1.0, 1.4)
    failed = []
    for part in job:
        if part in arrived:
            continue
        row = work.outbox.get(part["id"])
        # somebody else took it over while our lease was lost: a failure of ours says nothing about their send
        if row.state == "claimed" and row.attempts == part["attempts"]:
            error = outcome.failed or PlatformError(Failure.NOBODY, outcome.refused[_place(part)])
            failed.append((row, error))
    told = [(row.id, error.remedy) for row, error in failed if _failed(services, work, row, error, spread=spread)]
    if outcome.post is not None and outcome.failed is None:
        outcome.post(work)
    return told


def _place(part: dict[str, Any]) -> str:
    return f"group:{part['group_id']}" if part["group_id"] else f"user:{part['user_id']}"


def _back_off(failure: Failure, attempts: int) -> float:
    steps = BACK_OFF_S[failure]
    return steps[min(attempts, len(steps)) - 1]


def _failed(services: Services, work: UnitOfWork, row: Delivery, error: PlatformError, *, spread: float) -> bool:
    """Write down why a send failed; decide what comes next. True when the admins must hear of it."""
    row.error, row.lease_until = f"{error.failure.value} {error.code}"[:100], None
    if error.failure is not Failure.UNKNOWN and not row.payload.get("maybe_repeat"):
        row.payload = {name: value for name, value in row.payload.items() if name != "sent"}  # nothing of it arrived
    again = error.failure in MAX_ATTEMPTS and row.attempts < MAX_ATTEMPTS[error.failure]
    if again and not _goes_elsewhere(services, work, row, error):
        wait_s = min(LONGEST_S, max(error.wait_s, _back_off(error.failure, row.attempts))) * spread
        due_at = work.at + timedelta(seconds=wait_s)
        if error.failure is Failure.UNKNOWN:
            reconcile.again(work, row, due_at)
        else:
            row.state, row.due_at, row.wait_reason = "due", due_at, _reason(error)
            if error.failure is Failure.QUOTA:
                frugal.into_digest(work, row)
        log.warning(
            "delivery.waits", id=row.id, what=row.what, platform=row.platform, code=error.code, wait_s=round(wait_s)
        )
        return error.failure is Failure.CONFIG
    row.state, row.wait_reason = "refused", ""
    log.error("delivery.refused", id=row.id, what=row.what, platform=row.platform, code=error.code)
    replaced = services.fall_back is not None and services.fall_back(work, row)
    # of a used-up budget they hear once (jobs/budgets.py); a right to answer that ran out is nobody's to mend
    return not (replaced and error.failure in (Failure.QUOTA, Failure.EXPIRED))


def _reason(error: PlatformError) -> str:
    """What the message waits for, as cards/deliveries.py words it. Limits by their name."""
    if error.failure in (Failure.THROTTLED, Failure.QUOTA):
        return f"{error.failure.value}:{error.code}"[:48]
    return error.failure.value


def _goes_elsewhere(services: Services, work: UnitOfWork, row: Delivery, error: PlatformError) -> bool:
    """Take the next channel before this one is given up. True when that is in the place of this message.

    A red or orange notice does not wait: it is said elsewhere as well, and still tried here. Of the others only what a
    used-up budget holds back goes to a platform with a budget of its own.
    """
    if services.fall_back is None:
        return False
    waited = (work.at - (row.wanted_at or row.created_at)).total_seconds()
    if row.urgency <= URGENT:
        stuck = (
            error.failure in (Failure.QUOTA, Failure.CONFIG)
            or (error.failure is Failure.THROTTLED and error.wait_s > URGENT_WAITS_S)
            or waited > URGENT_TRIES_S
        )
        if stuck and services.fall_back(work, row, ahead=True):
            log.warning("delivery.said_elsewhere", id=row.id, what=row.what, platform=row.platform, code=error.code)
        return False
    return error.failure is Failure.QUOTA and services.fall_back(work, row, ahead=True)
