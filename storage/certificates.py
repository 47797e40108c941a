"""People's certificates: who may guard, weld, climb."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from storage.models import Certificate, Person


class Certificates:
    def __init__(self, db: Session) -> None:
        self.db = db

    def of(self, person_id: int) -> Sequence[Certificate]:
        """The person's certificates, the one that lasts longest first."""
        rows = self.db.scalars(select(Certificate).where(Certificate.person_id == person_id)).all()
        return sorted(rows, key=lambda row: (row.valid_until is not None, -(row.valid_until or date.max).toordinal()))

    def best(self, person_id: int, kinds: Collection[str]) -> Certificate | None:
        """The certificate of one of these kinds that lasts longest, expired or not; without an end counts as longest."""
        return next((row for row in self.of(person_id) if row.kind in kinds), None)

    def holders(self, kinds: Collection[str], *, on: date) -> list[tuple[Person, Certificate]]:
        """Active people who hold a certificate of these kinds on that day; one line a person."""
        rows = self.db.scalars(
            select(Certificate)
            .join(Person)
            .where(
                Certificate.kind.in_(list(kinds)),
                Person.active,
                or_(Certificate.valid_until.is_(None), Certificate.valid_until >= on),
            )
            .options(joinedload(Certificate.person).options(selectinload(Person.accounts), selectinload(Person.roles)))
            .order_by(Certificate.valid_until.is_(None).desc(), Certificate.valid_until.desc(), Certificate.id)
        ).all()
        found: dict[int, tuple[Person, Certificate]] = {}
        for row in rows:
            found.setdefault(row.person_id, (row.person, row))
        return list(found.values())

    def named(self, person_id: int, kind: str, number: str) -> Certificate | None:
        return self.db.scalar(
            select(Certificate).where(
                Certificate.person_id == person_id, Certificate.kind == kind, Certificate.number == number
            )
        )
