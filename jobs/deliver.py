"""Sending: claim under a lease, call the platform outside any transaction, write down what happened.

Messages to one place go one after another in their order; different places overlap. An alarm waits for no card that goes
to the same people and to others. Who goes next is decided each time a sender is
free, most urgent first, and some senders take nothing but alarms: a platform that answers slowly holds up no alarm.
Some take anything but alarms, and what waits grows more urgent with its age: nothing is starved for ever. A card for
several people on one platform is one call. What a dead worker held becomes `unknown` (jobs/sweep.py).

One thread claims for all senders that are free and confirms what arrived, so that a moment's messages share two
transactions: a transaction for each would cost more than the call (`./anshao bench delivery`). What is more than «it
arrived» (a posting, a failure) the sender writes down itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

import structlog

from bot.outbox import REPLY, URGENT
from bot.platforms.base import Failure, PlatformError
from bot.platforms.rates import sending
from handlers import frugal
from jobs import redraw, settle
from jobs.context import Services
from jobs.leases import LEASE, Leases
from jobs.send import Outcome, send_card_batch, send_one
from storage.conflicts import AWAY
from storage.models import Delivery
from storage.outbox import DueRow
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

SENDERS = 20
FOR_ALARMS = 2  # more senders that take nothing but alarms and urgent messages
FOR_OTHERS = 2  # of all of them, so many take what is not urgent, however many alarms there are
FOR_CARDS = 4  # of SENDERS, at most so many redraw cards while messages wait
AGE_S = 20.0  # a step of urgency is worth so much waiting
LOOK_EVERY_S = 0.25  # what became due meanwhile is seen this soon
START_WITHIN_S = 15.0  # a round starts nothing after this; RQ ends jobs that last 120 s

Job = list[dict[str, Any]]
"""The messages of one call, with all that the send needs."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call: a message, all due rows of a card's batch, or a card to be redrawn. `lane` is used by one at a time, and
    so is each of `places` (platform, user or group)."""

    lane: Hashable
    urgent: bool
    places: frozenset[Hashable] = frozenset()
    rank: float = 0.0  # who goes first among those that are not urgent: when it was due, later for what can wait
    row_id: int = 0
    batch_key: str = ""
    post_id: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What a sender came back with: how many rows or posts it took, and the job that arrived and is to be confirmed."""

    count: int
    arrived: Job = field(default_factory=list)
    ref: str = ""


@dataclass(slots=True)
class Round:
    """What waits and what is under way. Only the thread that called send_ready touches it."""

    services: Services
    leases: Leases
    pool: ThreadPoolExecutor
    waiting: list[Parcel] = field(default_factory=list)
    running: dict[Future[Done], Parcel] = field(default_factory=dict)
    broken: set[Parcel] = field(
        default_factory=set
    )  # failed outside the send itself, or not ours: left to a later round
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

    def start(self) -> int:
        """Give every free sender the most urgent parcel whose lane is free; returns how many were handed out."""
        busy = {parcel.lane for parcel in self.running.values()}
        taken = {place for parcel in self.running.values() for place in parcel.places}
        drawing = sum(parcel.post_id > 0 for parcel in self.running.values())
        others = sum(not parcel.urgent for parcel in self.running.values())
        talking = any(not parcel.post_id for parcel in self.waiting)
        # drawings first up to their share: messages take whatever is left
        order = sorted(self.waiting, key=lambda p: (not p.urgent, not p.post_id, p.rank))
        kept = min(FOR_OTHERS, sum(not parcel.urgent for parcel in order))
        chosen: list[Parcel] = []
        for parcel in order:
            under_way = len(self.running) + len(chosen)
            if parcel.urgent:
                full = under_way + max(0, kept - others) >= SENDERS + FOR_ALARMS
            else:
                full = under_way >= SENDERS and others >= FOR_OTHERS
            if full or under_way >= SENDERS + FOR_ALARMS:
                continue
            waits_for_place = not parcel.urgent and not taken.isdisjoint(parcel.places)
            taken |= parcel.places  # also when it waits: what comes later to the same place must not overtake it
            if waits_for_place or parcel.lane in busy or (parcel.post_id and talking and drawing >= FOR_CARDS):
                continue
            busy.add(parcel.lane)
            drawing += parcel.post_id > 0
            others += not parcel.urgent
            chosen.append(parcel)
            self.waiting.remove(parcel)
        self._hand_out(chosen)
        return len(chosen)

    def _hand_out(self, chosen: Sequence[Parcel]) -> None:
        claimed = self._claim([parcel for parcel in chosen if not parcel.post_id])
        for parcel in chosen:
            if parcel.post_id:
                self.running[self.pool.submit(_redraw, self.services, parcel.post_id)] = parcel
                continue
            if parcel not in claimed:  # somebody else has it
                self.broken.add(parcel)
                continue
            count, job = claimed[parcel]
            if job:
                self.leases.hold(part["id"] for part in job)
                self.running[self.pool.submit(_send, self.services, job, self.leases)] = parcel
            else:
                self.done += count

    def _claim(self, parcels: Sequence[Parcel]) -> dict[Parcel, tuple[int, Job]]:
        """All in one transaction; one by one when that fails, so that only the one that cannot be read stays behind."""
        try:
            return _claim(self.services, parcels) if parcels else {}
        except Exception as error:
            if len(parcels) == 1 or isinstance(error, AWAY):  # the database is away: no use asking on
                self.broken.update(parcels)
                log.error("delivery.not_claimed", ids=[parcel.row_id for parcel in parcels], exc_info=error)
                return {}
        return {parcel: job for one in parcels for parcel, job in self._claim([one]).items()}

    def collect(self) -> None:
        ended, _ = wait(self.running, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        arrived = []
        for future in ended:
            parcel = self.running.pop(future)
            try:
                done = future.result()
            except Exception as error:  # the database is away: the row stays as it is and its lease runs out
                self._not_written(parcel, error)
                continue
            self.done += done.count
            if done.arrived:
                arrived.append((parcel, done))
        if arrived:
            self._confirm(arrived)
            self.leases.drop(part["id"] for _, done in arrived for part in done.arrived)

    def _confirm(self, arrived: Sequence[tuple[Parcel, Done]]) -> None:
        """All in one transaction; one by one when that fails."""
        try:
            settle.confirm(
                self.services, {part["id"]: (part, done.ref) for _, done in arrived for part in done.arrived}
            )
        except Exception as error:
            if len(arrived) == 1:
                self._not_written(arrived[0][0], error)
                return
            for one in arrived:
                self._confirm([one])

    def _not_written(self, parcel: Parcel, error: Exception) -> None:
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
            handed_out = now.start() if monotonic() - began < START_WITHIN_S else 0
            if now.running:
                now.collect()
            elif not handed_out:
                break
            if monotonic() - looked > LOOK_EVERY_S or not now.waiting:
                looked = monotonic()
                now.look()
        return now.done


def _parcels(work: UnitOfWork, now: datetime) -> list[Parcel]:
    """Due rows as parcels, the most urgent first."""
    together: dict[Hashable, list[DueRow]] = {}
    for row in work.outbox.due_rows(now):
        together.setdefault(row.batch_key or row.id, []).append(row)
    return [_parcel(rows) for rows in together.values()]


def _parcel(rows: Sequence[DueRow]) -> Parcel:
    """Of the rows of one call; the first, most urgent one says when it goes."""
    first, places = rows[0], frozenset(_place(row) for row in rows)
    urgent, rank = first.urgency <= URGENT, first.due_at.timestamp() + first.urgency * AGE_S
    if first.batch_key:
        return Parcel(("batch", first.batch_key), urgent, places, rank, batch_key=first.batch_key)
    return Parcel(_place(first), urgent, places, rank, row_id=first.id)


def _place(row: DueRow) -> tuple[str, str]:
    return row.platform, row.user_id or row.group_id


def _claim(services: Services, parcels: Sequence[Parcel]) -> dict[Parcel, tuple[int, Job]]:
    """Parcel → how many rows of it were still due, and the job of those that somebody still needs."""
    with services.new_work() as work:
        now = services.clock()
        parcel_of: dict[int, Parcel] = {}
        for parcel in parcels:
            ids = work.outbox.due_of_batch(parcel.batch_key, now) if parcel.batch_key else [parcel.row_id]
            parcel_of.update(dict.fromkeys(ids, parcel))
        taken: dict[Parcel, list[Delivery]] = {}
        for row in work.outbox.claim(list(parcel_of), now, lease=LEASE) if parcel_of else ():
            taken.setdefault(parcel_of[row.id], []).append(row)
        found = {}
        for parcel, rows in taken.items():
            needed = [row for row in rows if not _no_longer_needed(services, work, row)]
            found[parcel] = len(rows), _prepare(work, needed) if needed else []
        work.commit()
    return found


def _redraw(services: Services, post_id: int) -> Done:
    return Done(redraw.redraw(services, post_id))


def _send(services: Services, job: Job, leases: Leases) -> Done:
    held, arrived = [part["id"] for part in job], False
    try:
        outcome = _outcome(services, job)
        arrived = outcome.failed is None and outcome.post is None and not outcome.refused
        if arrived:
            return Done(len(job), job, outcome.ref)
        with services.new_work() as work:
            failed = settle.write_down(services, work, job, outcome)
            work.commit()
    finally:
        if not arrived:
            leases.drop(held)
    settle.tell_admins(services, failed)
    return Done(len(job))


def _outcome(services: Services, job: Job) -> Outcome:
    try:
        # a digest is one call for many messages: the last part of a budget is for it too
        with sending(min(REPLY if "digest" in part else part["urgency"] for part in job)):
            return send_card_batch(services, job) if job[0]["batch_key"] else send_one(services, job)
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
