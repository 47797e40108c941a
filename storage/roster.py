"""The duty roster, leave and substitutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from rules.terms import Role
from storage.models import Duty, Leave, Person

MAX_CHAIN = 3  # a substitute may be away too; longer chains are a mistake in the roster


class Roster:
    def __init__(self, db: Session) -> None:
        self.db = db

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
                return person
            if leave.substitute_id is None:
                return None
            person = self.db.get_one(
                Person, leave.substitute_id, options=[selectinload(Person.accounts), selectinload(Person.roles)]
            )
        return None

    def on_duty(self, role: Role, area_id: int | None, at: datetime) -> Sequence[Person]:
        """Who the roster names for the role and area now; empty when the roster says nothing."""
        rows = self.db.scalars(
            select(Person)
            .join(Duty, Duty.person_id == Person.id)
            .where(
                Duty.role == role.value,
                or_(Duty.area_id == area_id, Duty.area_id.is_(None)),
                Duty.starts_at <= at,
                Duty.ends_at > at,
                Person.active,
            )
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(Duty.area_id.is_(None), Duty.id)
        ).all()
        return list(dict.fromkeys(rows))

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
        return leave

    def end_leave(self, person: Person, *, at: datetime) -> int:
        """Back at work: every leave that runs or lies ahead ends now. Returns how many."""
        rows = self.db.scalars(select(Leave).where(Leave.person_id == person.id, Leave.ends_at > at)).all()
        for row in rows:
            row.ends_at = max(at, min(row.starts_at, at))
        return len(rows)
