"""Was everything that came in handled, does everything that goes out arrive, is every card true?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select
from sqlalchemy.sql import TableClause

from auditor import permits
from auditor.cases import OPEN
from auditor.finding import Finding, Kind, Limits
from auditor.tables import card_post, case_card, delivery, hazard, inbox, permit

ALARM = "audit.alarm"
MUTED_AFTER = timedelta(minutes=2)
URGENT = 1
UNFINISHED = ("new", "taken", "fetching")
SLOW = 10  # times its limit a message may wait in a queue that moves
AT_MOST = 500  # rows of one kind looked at in one run; what is left is found by the next


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    yield from inbox_held(db, now, limits)
    yield from inbox_late(db, now, limits)
    yield from inbox_failed(db, now, limits)
    yield from sends_held(db, now, limits)
    yield from sends_late(db, now, limits)
    yield from sends_given_up(db, now, limits)
    yield from cards(db, now, limits)


def inbox_held(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Taken by a process that is gone; or put off so far that only a jump of the clock explains it."""
    lease = inbox.c.lease_until
    held = select(inbox.c.id, inbox.c.state).where(
        inbox.c.state.in_(("taken", "fetching")),
        or_(lease.is_(None), lease > now + limits.far_lease, and_(lease < now - limits.chat)),
    )
    for row in db.execute(held.limit(AT_MOST)):
        yield Finding(Kind.INBOX_HELD, f"inbox:{row.id}", {"state": row.state})
    far = select(inbox.c.id).where(inbox.c.state == "new", inbox.c.next_try_at > now + limits.far)
    yield from (Finding(Kind.INBOX_FAR, f"inbox:{row.id}") for row in db.execute(far.limit(AT_MOST)))


def inbox_late(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Could be handled and is not: the queue stands still, or this one is passed over, or it takes far too long.

    Of each sender only the earliest counts: the later ones wait for it.
    """
    for needs_media, limit in ((False, limits.chat), (True, limits.fetch)):
        moved, newest = db.execute(
            select(func.max(inbox.c.handled_at, type_=inbox.c.handled_at.type),
                   func.max(inbox.c.received_at, type_=inbox.c.received_at.type))
            .where(inbox.c.state == "done", inbox.c.handled_at > now - limit)
        ).one()  # fmt: skip
        before = inbox.alias("before")
        query = select(inbox.c.id, inbox.c.received_at).where(
            inbox.c.state == "new",
            inbox.c.needs_media.is_(needs_media),
            inbox.c.received_at < now - limit,
            or_(inbox.c.next_try_at.is_(None), inbox.c.next_try_at < now - limit),
            or_(
                inbox.c.sender == "",
                ~exists().where(
                    before.c.sender == inbox.c.sender,
                    before.c.platform == inbox.c.platform,
                    before.c.state.in_(UNFINISHED),
                    before.c.id < inbox.c.id,
                ),
            ),
        )
        for row in db.execute(query.order_by(inbox.c.id).limit(AT_MOST)):
            passed_over = newest is not None and newest > row.received_at + limit
            if moved is None or passed_over or row.received_at < now - limit * SLOW:
                yield Finding(Kind.INBOX_LATE, f"inbox:{row.id}", {"media": needs_media})


def inbox_failed(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Given up after the last try."""
    query = select(inbox.c.id, inbox.c.error).where(
        inbox.c.state == "failed", inbox.c.handled_at > now - limits.look_back
    )
    for row in db.execute(query.order_by(inbox.c.id.desc()).limit(AT_MOST)):
        yield Finding(Kind.INBOX_FAILED, f"inbox:{row.id}", {"error": row.error})


def sends_held(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Held by a dead process past its lease; of unknown outcome and not reconciled; urgent and put off too far."""
    lease = delivery.c.lease_until
    held = select(delivery.c.id).where(
        delivery.c.state == "claimed",
        or_(
            and_(lease.is_(None), or_(delivery.c.claimed_at.is_(None), delivery.c.claimed_at < now - limits.lease)),
            lease < now - limits.lease,
            lease > now + limits.far_lease,
        ),
    )
    yield from (Finding(Kind.SEND_HELD, f"delivery:{row.id}") for row in db.execute(held.limit(AT_MOST)))
    unknown = select(delivery.c.id).where(
        delivery.c.state == "unknown",
        func.coalesce(delivery.c.claimed_at, delivery.c.created_at) < now - limits.step * 2,
    )
    yield from (Finding(Kind.SEND_UNKNOWN, f"delivery:{row.id}") for row in db.execute(unknown.limit(AT_MOST)))
    far = select(delivery.c.id, delivery.c.wait_reason).where(
        delivery.c.state == "due",
        delivery.c.urgency <= URGENT,
        delivery.c.due_at > now + limits.far,
        delivery.c.wait_reason.in_(("retry", "unknown", "reconcile")),
    )
    for row in db.execute(far.limit(AT_MOST)):
        yield Finding(Kind.SEND_FAR, f"delivery:{row.id}", {"reason": row.wait_reason})


def sends_late(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Due and not tried: an urgent one at once, another one when nothing goes out or when it waits far too long."""
    moved = db.scalar(select(delivery.c.id).where(delivery.c.confirmed_at > now - limits.normal).limit(1))
    patience = limits.normal * SLOW if moved is not None else limits.normal
    query = select(delivery.c.id, delivery.c.platform, delivery.c.case_kind, delivery.c.case_id).where(
        delivery.c.state == "due",
        delivery.c.purpose != ALARM,  # an alarm about each alarm would never end: see `muted`
        or_(
            and_(delivery.c.urgency <= URGENT, delivery.c.due_at < now - limits.urgent),
            delivery.c.due_at < now - patience,
        ),
        or_(delivery.c.expires_at.is_(None), delivery.c.expires_at > now - timedelta(hours=1)),
    )
    for row in db.execute(query.order_by(delivery.c.urgency, delivery.c.id).limit(AT_MOST)):
        yield Finding(Kind.SEND_LATE, f"delivery:{row.id}", {"platform": row.platform, **_case(row)})


def _case(row: Any) -> dict[str, Any]:
    """The case it belongs to, under the name of its kind."""
    return {row.case_kind: row.case_id} if row.case_kind and row.case_id else {}


def sends_given_up(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Notices of open cases that ended without arriving, with nothing in their place."""
    for kind, case, is_open in (("hazard", hazard, OPEN), ("permit", permit, permits.OPEN)):
        yield from _given_up(db, now, limits, kind=kind, case=case, is_open=is_open)


def _given_up(
    db: Connection, now: datetime, limits: Limits, *, kind: str, case: TableClause, is_open: tuple[str, ...]
) -> Iterator[Finding]:
    instead = delivery.alias("instead")
    query = (
        select(delivery.c.id, delivery.c.state, delivery.c.platform, delivery.c.error, delivery.c.case_id, delivery.c.person_id)
        .join_from(delivery, case, and_(delivery.c.case_kind == kind, case.c.id == delivery.c.case_id))
        .where(
            case.c.state.in_(is_open),
            delivery.c.purpose.like(f"{kind}.%"),
            delivery.c.created_at > now - limits.look_back,
            or_(
                # an SMS that the operator dropped was told of in the transaction that says so (jobs/sms_receipts.py)
                and_(delivery.c.state == "refused", delivery.c.receipt != "failed"),
                and_(delivery.c.state == "expired", delivery.c.error == "too late", delivery.c.confirmed_at.is_(None)),
            ),
            ~exists().where(
                or_(
                    instead.c.fallback_of_id == delivery.c.id,
                    and_(instead.c.dedupe_key.like("instead:%"), instead.c.what == "sms",
                         instead.c.case_kind == kind, instead.c.case_id == delivery.c.case_id, instead.c.person_id == delivery.c.person_id),
                )
            ),
        )
    )  # fmt: skip
    for row in db.execute(query.order_by(delivery.c.id).limit(AT_MOST)):
        what = Kind.SEND_REFUSED if row.state == "refused" else Kind.SEND_EXPIRED
        facts = {"platform": row.platform, "error": row.error, kind: row.case_id, "person": row.person_id}
        yield Finding(what, f"delivery:{row.id}", facts)


def cards(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Posted cards that show an older state; held ones; open cases without a card anybody could press."""
    joined = select(
        card_post.c.id, card_post.c.lease_until, card_post.c.next_try_at, case_card.c.case_kind, case_card.c.case_id
    ).join_from(card_post, case_card, case_card.c.id == card_post.c.card_id)
    stale = joined.where(
        card_post.c.state == "live",
        card_post.c.shown_revision < case_card.c.revision,
        case_card.c.updated_at < now - limits.card,
    )
    for row in db.execute(stale.order_by(case_card.c.updated_at).limit(AT_MOST)):
        lease, wait = row.lease_until, row.next_try_at
        if (lease and lease > now + limits.far_lease) or (wait and wait > now + limits.far):
            yield Finding(Kind.CARD_HELD, f"post:{row.id}", _case(row))
        elif (lease is None or lease < now - limits.lease) and (wait is None or wait < now - limits.card):
            yield Finding(Kind.CARD_STALE, f"post:{row.id}", _case(row))
    live = exists().where(card_post.c.card_id == case_card.c.id, card_post.c.state == "live")
    posted = exists().where(card_post.c.card_id == case_card.c.id)
    coming = exists().where(delivery.c.card_id == case_card.c.id, delivery.c.state.in_(("due", "claimed", "unknown")))
    dead = (
        select(case_card.c.id, case_card.c.case_id)
        .join_from(case_card, hazard, and_(case_card.c.case_kind == "hazard", hazard.c.id == case_card.c.case_id))
        .where(hazard.c.state.in_(OPEN), case_card.c.card_key.like("%:duty"), posted, ~live, ~coming)
        .limit(AT_MOST)
    )
    yield from (Finding(Kind.CARD_DEAD, f"card:{row.id}", {"hazard": row.case_id}) for row in db.execute(dead))


def muted(db: Connection, now: datetime) -> bool:
    """Whether the auditor's own alarms do not get out: then the outside heartbeat must stop, so that somebody looks."""
    return (
        db.scalar(
            select(delivery.c.id)
            .where(
                delivery.c.purpose == ALARM,
                delivery.c.created_at < now - MUTED_AFTER,
                delivery.c.created_at > now - timedelta(days=1),
                delivery.c.state.in_(("due", "claimed", "unknown", "refused")),
                ~exists().where(_alarm.c.purpose == ALARM, _alarm.c.confirmed_at >= delivery.c.created_at),
            )
            .limit(1)
        )
        is not None
    )


_alarm = delivery.alias("alarm")
