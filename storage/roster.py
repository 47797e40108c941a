"""The duty roster, leave and substitutes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, literal_column, or_, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from rules.terms import Role
from storage.database import rows_changed
from storage.models import Duty, Leave, Person
from storage.plain import Asked, look

MAX_CHAIN = 3  # a substitute may be away too; longer chains are a mistake in the roster
KEPT_FOR = timedelta(days=7)  # a roster with a line within a week, before or after, is being kept


def _for_area(area_id: int | None) -> ColumnElement[bool]:
    return or_(Duty.area_id == area_id, Duty.area_id.is_(None))


# built once: making a statement costs more than running it
_SHIFTS: Any = union_all(
    select(Duty.person_id, Duty.starts_at, Duty.ends_at, literal_column("0").label("away")).where(
        Duty.person_id.in_(bindparam("people", expanding=True)),
        Duty.role.in_((Role.WORKER.value, Role.TEAM_LEADER.value)),
        Duty.starts_at <= bindparam("to"),
        Duty.ends_at > bindparam("from"),
    ),
    select(Leave.person_id, Leave.starts_at, Leave.ends_at, literal_column("1")).where(
        Leave.person_id.in_(bindparam("people", expanding=True)),
        Leave.starts_at <= bindparam("at"),
        Leave.ends_at > bindparam("at"),
    ),
)
"""Shifts and leaves in one statement: each costs more than its answer."""


def _shift(spans: Sequence[tuple[datetime, datetime]], at: datetime) -> tuple[bool | None, datetime | None]:
    """As `Roster.shift_of`, by the person's shifts in the order of their beginning."""
    if not spans:
        return None, None
    end = at
    for starts, ends in spans:
        if starts <= end < ends:  # the next shift begins where this one ends
            end = ends
    return (True, end) if end > at else (False, None)


class Roster:
    def __init__(self, db: Session) -> None:
        self.db = db
        self._principals: dict[tuple[int, datetime], list[Person]] = {}  # asked often within one transaction

    # -- leave

    def leave_of(self, person_id: int, at: datetime) -> Leave | None:
        """The leave the person is on, the one entered last when several overlap."""
        return self.db.scalar(
            select(Leave)
            .where(Leave.person_id == person_id, Leave.starts_at <= at, Leave.ends_at > at)
            .order_by(Leave.id.desc())
            .limit(1)
        )

    def stand_in(self, person: Person, at: datetime) -> Person | None:
        """The person, or who stands in for them; None when nobody does."""
        for _ in range(MAX_CHAIN + 1):
            if not person.active:
                return None
            leave = self.leave_of(person.id, at)
            if leave is None:
                return None if person.gone else person
            if leave.substitute_id is None:
                return None
            person = self.db.get_one(
                Person, leave.substitute_id, options=[selectinload(Person.accounts), selectinload(Person.roles)]
            )
        return None

    def principals(self, person: Person, at: datetime) -> list[Person]:
        """The people this person stands in for now, also through others who are away themselves."""
        known = self._principals.get((person.id, at))
        if known is None:
            known = self._principals[(person.id, at)] = self._find_principals(person, at)
        return known

    def _find_principals(self, person: Person, at: datetime) -> list[Person]:
        found: dict[int, Person] = {}
        ask = [person.id]
        for _ in range(MAX_CHAIN):
            rows = self.db.scalars(
                select(Person)
                .join(Leave, Leave.person_id == Person.id)
                .where(Leave.substitute_id.in_(ask), Leave.starts_at <= at, Leave.ends_at > at, Person.active)
                .options(selectinload(Person.accounts), selectinload(Person.roles))
                .order_by(Person.id)
            ).all()
            new = {p.id: p for p in rows if p.id not in found and p.id != person.id}
            if not new:
                break
            found |= new
            ask = list(new)
        return [p for p in found.values() if (sub := self.stand_in(p, at)) is not None and sub.id == person.id]

    def away(self, at: datetime) -> Sequence[Leave]:
        """Leaves that run now or lie ahead, soonest first."""
        return self.db.scalars(
            select(Leave)
            .where(Leave.ends_at > at)
            .options(joinedload(Leave.person), joinedload(Leave.substitute))
            .order_by(Leave.starts_at, Leave.id)
            .limit(100)
        ).all()

    def leave(self, leave_id: int) -> Leave:
        return self.db.get_one(Leave, leave_id, options=[joinedload(Leave.person), joinedload(Leave.substitute)])

    def to_feel(self, at: datetime, *, limit: int = 20) -> Sequence[Leave]:
        """Leaves that have begun, or are over, and what waits for the person was not seen to since; earliest first."""
        felt = Leave.felt_at
        return self.db.scalars(
            select(Leave)
            .where(
                Leave.starts_at <= at,
                or_(felt.is_(None), felt < Leave.starts_at, and_(Leave.ends_at <= at, felt < Leave.ends_at)),
            )
            .order_by(Leave.starts_at, Leave.id)
            .limit(limit)
        ).all()

    def felt(self, leave_id: int, at: datetime) -> None:
        self.db.get_one(Leave, leave_id).felt_at = at

    def behind(self, person_id: int, at: datetime) -> set[int]:
        """The person, and whoever is away and has them as a substitute, also through others."""
        found = ask = {person_id}
        for _ in range(MAX_CHAIN):
            rows = self.db.scalars(
                select(Leave.person_id).where(Leave.substitute_id.in_(ask), Leave.starts_at <= at, Leave.ends_at > at)
            )
            ask = set(rows) - found
            found = found | ask
        return found

    def add_leave(
        self, person: Person, *, starts_at: datetime, ends_at: datetime, substitute: Person | None, at: datetime
    ) -> Leave:
        leave = Leave(
            person_id=person.id,
            substitute_id=substitute.id if substitute else None,
            starts_at=starts_at,
            ends_at=ends_at,
            entered_at=at,
        )
        self.db.add(leave)
        self.db.flush()
        self._principals.clear()
        return leave

    def end_leave(self, person: Person, *, at: datetime) -> int:
        """Back at work: every leave that runs or lies ahead ends now. Returns how many."""
        rows = self.db.scalars(select(Leave).where(Leave.person_id == person.id, Leave.ends_at > at)).all()
        for row in rows:
            row.ends_at = max(at, min(row.starts_at, at))
        self._principals.clear()
        return len(rows)

    # -- the duty roster

    def changed_between(self, since: datetime, until: datetime) -> bool:
        """Whether anybody's duty began or ended after `since`, up to `until`."""
        began = and_(Duty.starts_at > since, Duty.starts_at <= until)
        ended = and_(Duty.ends_at > since, Duty.ends_at <= until)
        return self.db.scalar(select(Duty.id).where(or_(began, ended)).limit(1)) is not None

    def on_duty(self, role: Role, area_id: int | None, at: datetime) -> Sequence[Person]:
        """Who the roster names for the role and area now; empty when the roster says nothing."""
        rows = self.db.scalars(
            select(Person)
            .join(Duty, Duty.person_id == Person.id)
            .where(
                Duty.role == role.value,
                _for_area(area_id),
                Duty.starts_at <= at,
                Duty.ends_at > at,
                Person.active,
            )
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(Duty.area_id.is_(None), Duty.id)
        ).all()
        return list(dict.fromkeys(rows))

    def kept(self, role: Role, area_id: int | None, at: datetime) -> bool:
        """Whether a roster is kept for this role and area: then who is not on it now is off duty."""
        line = (
            select(Duty.id)
            .where(
                Duty.role == role.value,
                _for_area(area_id),
                Duty.starts_at <= at + KEPT_FOR,
                Duty.ends_at > at - KEPT_FOR,
            )
            .limit(1)
        )
        return self.db.scalar(line) is not None

    def duties_of(self, person_id: int, area_id: int | None, at: datetime) -> set[Role]:
        """The roles the roster gives this person for the area now."""
        rows = self.db.scalars(
            select(Duty.role).where(
                Duty.person_id == person_id, _for_area(area_id), Duty.starts_at <= at, Duty.ends_at > at
            )
        )
        return {Role(role) for role in rows}

    def shift_of(self, person_id: int, at: datetime) -> tuple[bool | None, datetime | None]:
        """(at work by the shift roster, until when); (None, None) when no shifts are kept for this person.

        Only lines of workers and team leaders are shifts that one works through; officers and directors are on call.
        """
        return self.shifts_of([person_id], at)[person_id]

    def shifts_of(self, person_ids: Collection[int], at: datetime) -> dict[int, tuple[bool | None, datetime | None]]:
        """`shift_of` for each of these people, in one journey."""
        people = list(person_ids)
        if not people:
            return {}
        away: set[int] = set()
        spans: dict[int, list[tuple[datetime, datetime]]] = {}
        for person_id, starts, ends, absent in look(self.db, *self.asked_shifts(people, at)):
            if absent:
                away.add(person_id)
            else:
                spans.setdefault(person_id, []).append((starts, ends))
        return {one: (False, None) if one in away else _shift(sorted(spans.get(one, ())), at) for one in people}

    def asked_shifts(self, people: list[int], at: datetime) -> Asked:
        """What `shifts_of` asks, for `UnitOfWork.ahead`."""
        return _SHIFTS, {"people": people, "at": at, "from": at - KEPT_FOR, "to": at + KEPT_FOR}

    def between(self, start: datetime, end: datetime, *, limit: int = 500) -> Sequence[Duty]:
        """Lines that reach into the span, by their beginning."""
        return self.db.scalars(
            select(Duty)
            .where(Duty.starts_at < end, Duty.ends_at > start)
            .options(joinedload(Duty.person), joinedload(Duty.area))
            .order_by(Duty.starts_at, Duty.role, Duty.area_id.is_(None), Duty.id)
            .limit(limit)
        ).all()

    def add(self, duty: Duty) -> None:
        self.db.add(duty)

    def clear(self, role: str, area_id: int | None, start: datetime, end: datetime) -> int:
        """Drop the lines of this role and area that begin within the span; returns how many."""
        return rows_changed(
            self.db,
            delete(Duty).where(
                Duty.role == role,
                Duty.area_id.is_(None) if area_id is None else Duty.area_id == area_id,
                Duty.starts_at >= start,
                Duty.starts_at < end,
            ),
        )
