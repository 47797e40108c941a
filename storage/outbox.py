"""The outbox: every outgoing message is a row first, claimed under a lease, and ends in a state a person can read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from rules.terms import Grade, HazardState
from storage.database import UtcTime, rows_changed
from storage.models import Delivery, Hazard
from storage.plain import one_of

WAITING = ("due", "claimed", "unknown")
URGENT, NORMAL = 1, 5  # as in bot/outbox.py


class DueRow(NamedTuple):
    """What is needed to decide who goes next."""

    id: int
    platform: str
    user_id: str
    group_id: str
    batch_key: str
    urgency: int
    due_at: datetime


class WaitingGroup(NamedTuple):
    """Messages that wait for one reason: `urgent` are alarms and urgent ones, `oldest` when the first wanted to go."""

    platform: str
    urgent: bool
    reason: str
    how_many: int
    oldest: datetime


wanted = func.coalesce(Delivery.wanted_at, Delivery.created_at, type_=Delivery.created_at.type)
OLDEST_TOO = 50  # of the longest waiting that are not urgent: a stream of alarms hides nobody for ever


# built once: two for every few messages that go out, and making a statement costs more than running it. Rows are locked
# in the order of their ids: two workers that take or confirm some of the same never wait for each other in a circle
_THESE = Delivery.id.in_(bindparam("ids", expanding=True))
_FREE = select(Delivery.id).where(_THESE, Delivery.state == "due").order_by(Delivery.id)
_CLAIM: Any = (
    update(Delivery)
    .values(
        state="claimed",
        claimed_at=bindparam("now"),
        lease_until=bindparam("until"),
        attempts=Delivery.attempts + 1,
        first_tried_at=func.coalesce(Delivery.first_tried_at, bindparam("now", type_=UtcTime)),
        wait_reason="",
    )
    .where(Delivery.id.in_(_FREE.with_for_update(skip_locked=True)), Delivery.state == "due")
    .returning(Delivery)
    .execution_options(populate_existing=True, synchronize_session=False)
)
_OPEN = select(Delivery.id).where(_THESE, one_of(Delivery.state, WAITING)).order_by(Delivery.id)


class Outbox:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, row: Delivery) -> Delivery | None:
        """Add unless a row with the same dedupe_key exists; None then."""
        known = self.db.scalar(select(Delivery.id).where(Delivery.dedupe_key == row.dedupe_key))
        if known is not None:
            return None
        self.db.add(row)
        self.db.flush()
        return row

    def due(self, at: datetime, *, limit: int = 200) -> Sequence[Delivery]:
        """Rows to send now, most urgent first. Rows of one batch are due together."""
        return self.db.scalars(
            select(Delivery)
            .where(Delivery.state == "due", Delivery.due_at <= at)
            .order_by(Delivery.urgency, Delivery.due_at, Delivery.id)
            .limit(limit)
        ).all()

    def due_rows(self, at: datetime, *, limit: int = 200) -> Sequence[DueRow]:
        """As `due`, without the contents, and with the longest waiting of those that are not urgent."""
        columns = [getattr(Delivery, name) for name in DueRow._fields]
        due = select(*columns).where(Delivery.state == "due", Delivery.due_at <= at)
        rows = list(self.db.execute(due.order_by(Delivery.urgency, Delivery.due_at, Delivery.id).limit(limit)))
        if len(rows) == limit:
            known = {row.id for row in rows}
            oldest = self.db.execute(
                due.where(Delivery.urgency > URGENT).order_by(Delivery.due_at, Delivery.id).limit(OLDEST_TOO)
            )
            rows += [row for row in oldest if row.id not in known]
        return [DueRow(*row) for row in rows]

    def due_of_batch(self, batch_key: str, at: datetime) -> Sequence[int]:
        """All due rows of a batch: one that is sent in parts would be posted twice under one name."""
        return self.db.scalars(
            select(Delivery.id)
            .where(Delivery.batch_key == batch_key, Delivery.state == "due", Delivery.due_at <= at)
            .order_by(Delivery.id)
        ).all()

    def renew(self, ids: Sequence[int], until: datetime) -> int:
        """Prolong the lease of those of the rows that are still claimed."""
        return rows_changed(
            self.db, update(Delivery).values(lease_until=until).where(Delivery.id.in_(ids), Delivery.state == "claimed")
        )

    def claim(self, ids: Sequence[int], at: datetime, *, lease: timedelta) -> list[Delivery]:
        """Claim those of the rows that are still due; the caller commits, sends, and reports back."""
        won = self.db.scalars(_CLAIM, {"ids": list(ids), "now": at, "until": at + lease})
        return sorted(won, key=lambda row: row.id)

    def forget_contents(self, ids: Sequence[int]) -> None:
        """Cards that arrived need no copy of what was sent: the card itself is kept."""
        self.db.execute(update(Delivery).values(payload={}).where(Delivery.id.in_(ids), Delivery.card_id.is_not(None)))

    def bundled(
        self, platforms: Collection[str], at: datetime, *, row_id: int | None = None, limit: int = 200
    ) -> Sequence[Delivery]:
        """Due notices of yellow hazards on these platforms that go into the next digest (frugal mode).

        Neither answers to people (their urgency is higher) nor what was written in another message's place.
        """
        one = [Delivery.id == row_id] if row_id is not None else []
        return self.db.scalars(
            select(Delivery)
            .join(Hazard, Hazard.id == Delivery.case_id)
            .where(
                *one,
                Delivery.state == "due",
                Delivery.due_at <= at,
                Delivery.platform.in_(platforms),
                Delivery.case_kind == "hazard",
                Delivery.urgency >= NORMAL,
                Delivery.what.in_(["card", "text", "image", "todo"]),
                Delivery.purpose.like("hazard.%"),
                Delivery.purpose != "hazard.receipt",
                Delivery.fallback_of_id.is_(None),
                Delivery.batch_key.not_like("digest:%"),
                Hazard.grade == Grade.YELLOW.value,
            )
            .order_by(Delivery.id)
            .limit(limit)
        ).all()

    def unanswered(
        self, platforms: Collection[str], at: datetime, *, limit: int = 50
    ) -> Sequence[tuple[Delivery, str]]:
        """(message, grade) of first notices to people that the platform took and to which the case shows no answer, not
        yet asked about, of the last hours."""
        rows = self.db.execute(
            select(Delivery, Hazard.grade)
            .join(Hazard, Hazard.id == Delivery.case_id)
            .where(
                Delivery.state == "confirmed",
                Delivery.checked_at.is_(None),
                Delivery.confirmed_at > at - timedelta(hours=3),
                Delivery.platform.in_(platforms),
                Delivery.urgency <= URGENT,
                Delivery.person_id.is_not(None),
                Delivery.case_kind == "hazard",
                Delivery.purpose == "hazard.dispatch",
                Delivery.what.in_(["card", "text"]),
                Hazard.confirmed_at.is_(None),
                Hazard.state.in_([HazardState.REPORTED.value, HazardState.ASSIGNED.value]),
            )
            .order_by(Delivery.id)
            .limit(limit)
        )
        return [(row, grade) for row, grade in rows]

    def hold(self, row_id: int, *, batch_key: str, until: datetime, reason: str) -> bool:
        """Put a row that nobody took yet into a batch for later; False when somebody did."""
        done = rows_changed(
            self.db,
            update(Delivery)
            .values(batch_key=batch_key, due_at=until, wait_reason=reason)
            .where(Delivery.id == row_id, Delivery.state == "due"),
        )
        return done == 1

    def release(self, reason: str, at: datetime, *, platform: str = "") -> int:
        """What is held for this reason may go now."""
        wanted = [Delivery.state == "due", Delivery.wait_reason == reason, Delivery.due_at > at]
        if platform:
            wanted.append(Delivery.platform == platform)
        return rows_changed(self.db, update(Delivery).values(due_at=at).where(*wanted))

    def refused_like(self, row: Delivery, *, since: datetime) -> int:
        """How many messages failed on the same platform with the same error since then."""
        query = select(func.count()).where(
            Delivery.platform == row.platform, Delivery.error == row.error, Delivery.created_at >= since
        )
        return self.db.scalar(query.select_from(Delivery)) or 0

    def confirm(self, refs: Mapping[int, str], at: datetime) -> list[int]:
        """The platform took them, and calls each by its ref; returns those for which this was news."""
        statement = (
            update(Delivery)
            .values(
                state="confirmed",
                confirmed_at=at,
                ref=case(dict(refs), value=Delivery.id, else_=""),
                error="",
                wait_reason="",
                lease_until=None,
            )
            .where(Delivery.id.in_(_OPEN.with_for_update()), one_of(Delivery.state, WAITING))
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        return sorted(self.db.scalars(statement, {"ids": list(refs)}))

    def get(self, row_id: int) -> Delivery:
        return self.db.get_one(Delivery, row_id, populate_existing=True)

    def return_expired_leases(self, at: datetime) -> int:
        """What a dead worker held may have arrived: it becomes `unknown`, and is reconciled, never dropped."""
        return rows_changed(
            self.db,
            update(Delivery)
            .values(state="unknown", lease_until=None)
            .where(Delivery.state == "claimed", Delivery.lease_until <= at),
        )

    def said_before(self, row: Delivery, *, within: timedelta) -> bool:
        """Whether another text to the same place has the same words, and was written that close to this one."""
        others = self.db.scalars(
            select(Delivery.payload).where(
                Delivery.what == "text",
                Delivery.platform == row.platform,
                Delivery.user_id == row.user_id,
                Delivery.group_id == row.group_id,
                Delivery.id != row.id,
                Delivery.created_at.between(row.created_at - within, row.created_at + within),
            )
        )
        return any(payload.get("text") == row.payload.get("text") for payload in others)

    def unknown_ids(self, *, limit: int = 100) -> list[int]:
        return list(
            self.db.scalars(select(Delivery.id).where(Delivery.state == "unknown").order_by(Delivery.id).limit(limit))
        )

    def waiting_groups(self, at: datetime) -> list[WaitingGroup]:
        """What should have gone out by now and has not, by platform, urgency and reason, oldest first."""
        urgent = Delivery.urgency <= URGENT
        rows = self.db.execute(
            select(Delivery.platform, urgent, Delivery.wait_reason, func.count(), func.min(wanted, type_=wanted.type))
            .where(Delivery.state.in_(WAITING), wanted <= at)
            .group_by(Delivery.platform, urgent, Delivery.wait_reason)
        )
        groups = [WaitingGroup(row[0], bool(row[1]), row[2], row[3], row[4]) for row in rows]
        return sorted(groups, key=lambda group: group.oldest)

    def longest_waiting(self, at: datetime, *, limit: int = 50) -> Sequence[Delivery]:
        return self.db.scalars(
            select(Delivery).where(Delivery.state.in_(WAITING), wanted <= at).order_by(wanted, Delivery.id).limit(limit)
        ).all()

    def failed_since(self, since: datetime, *, limit: int = 50) -> Sequence[Delivery]:
        """Messages that failed for good, newest first."""
        return self.db.scalars(
            select(Delivery)
            .where(Delivery.state == "refused", Delivery.created_at >= since)
            .order_by(Delivery.id.desc())
            .limit(limit)
        ).all()

    def of_case(self, case_kind: str, case_id: int) -> Sequence[Delivery]:
        return self.db.scalars(
            select(Delivery).where(Delivery.case_kind == case_kind, Delivery.case_id == case_id).order_by(Delivery.id)
        ).all()

    def sends_of_card(self, card_id: int) -> int:
        """How many messages were ever written for the card."""
        return self.db.scalar(select(func.count()).select_from(Delivery).where(Delivery.card_id == card_id)) or 0

    def waiting_for_card(self, card_id: int) -> Sequence[Delivery]:
        return self.db.scalars(select(Delivery).where(Delivery.card_id == card_id, Delivery.state.in_(WAITING))).all()

    def cancel_case(self, case_kind: str, case_id: int, *, purposes: Sequence[str]) -> int:
        """Expire messages of the case that are no longer needed and were not yet taken."""
        return rows_changed(
            self.db,
            update(Delivery)
            .values(state="expired", error="no longer needed")
            .where(
                Delivery.case_kind == case_kind,
                Delivery.case_id == case_id,
                Delivery.state == "due",
                Delivery.purpose.in_(list(purposes)),
            ),
        )

    def waiting(self) -> int:
        return self.db.scalar(select(func.count()).select_from(Delivery).where(Delivery.state.in_(WAITING))) or 0

    def oldest_due(self, at: datetime) -> datetime | None:
        return self.db.scalar(
            select(func.min(Delivery.due_at)).where(
                or_(Delivery.state == "due", Delivery.state == "claimed"), Delivery.due_at <= at
            )
        )

    def counts(self) -> dict[tuple[str, str], int]:
        """(platform, state) → rows."""
        rows = self.db.execute(
            select(Delivery.platform, Delivery.state, func.count()).group_by(Delivery.platform, Delivery.state)
        )
        return {(platform, state): count for platform, state, count in rows}
