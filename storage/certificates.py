"""People's certificates: who may guard, weld, climb."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from storage.models import Certificate, Person, SourceState
from storage.plain import look

TRIED = "tried_at"  # in SourceState.facts: when the last synchronisation was begun


_CARDS: Any = (
    select(Certificate.person_id, Certificate.kind, Certificate.number, Certificate.issued_on, Certificate.valid_until)
    .where(
        Certificate.person_id.in_(bindparam("people", expanding=True)),
        Certificate.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(Certificate.id.desc())
)


def _shortest(row: Row[Any]) -> tuple[bool, date]:
    return row.valid_until is None, row.valid_until or date.min


class Certificates:
    def __init__(self, db: Session) -> None:
        self.db = db

    def of(self, person_id: int) -> Sequence[Certificate]:
        """The person's certificates, the one that lasts longest first."""
        rows = self.db.scalars(select(Certificate).where(Certificate.person_id == person_id)).all()
        return sorted(rows, key=lambda row: (row.valid_until is not None, -(row.valid_until or date.max).toordinal()))

    def best_of(self, person_ids: Collection[int], kinds: Collection[str]) -> dict[int, Row[Any]]:
        """As `best` for several people at once: person id → (kind, number, issued_on, valid_until)."""
        asked = {"people": list(person_ids), "kinds": list(kinds)}
        rows = look(self.db, _CARDS, asked) if person_ids else []
        found: dict[int, Row[Any]] = {}
        for row in sorted(rows, key=_shortest):
            found[row.person_id] = row
        return found

    def best(self, person_id: int, kinds: Collection[str]) -> Certificate | None:
        """The certificate of one of these kinds that lasts longest, expired or not; without an end counts as longest."""
        return next((row for row in self.of(person_id) if row.kind in kinds), None)

    def holders(self, kinds: Collection[str], *, on: date) -> list[tuple[Person, Certificate]]:
        """Active people with an account who hold a certificate of these kinds on that day; one line a person."""
        rows = self.db.scalars(
            select(Certificate)
            .join(Person)
            .where(
                Certificate.kind.in_(list(kinds)),
                Person.active,
                Person.accounts.any(),
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

    def by_key(self) -> dict[tuple[int, str, str], Certificate]:
        """Every certificate by person id, kind and number."""
        rows = self.db.scalars(select(Certificate).order_by(Certificate.id))
        return {(row.person_id, row.kind, row.number): row for row in rows}

    # -- synchronisation with a training system

    def sync_state(self, name: str) -> SourceState | None:
        return self.db.get(SourceState, name)

    def sync_due(self, name: str, at: datetime, *, every: timedelta) -> bool:
        """Whether the last try is `every` ago or there was none."""
        state = self.sync_state(name)
        tried = state.facts.get(TRIED) if state is not None else None
        return tried is None or datetime.fromisoformat(tried) <= at - every

    def claim_sync(self, name: str, at: datetime, *, every: timedelta) -> bool:
        """Take the synchronisation that is due; False when it is not, or another process took it."""
        state = self.db.get(SourceState, name, with_for_update=True, populate_existing=True)
        if state is None:
            state = SourceState(name=name, facts={})
            self.db.add(state)
        elif not self.sync_due(name, at, every=every):
            return False
        state.facts = {**state.facts, TRIED: at.isoformat()}
        self.db.flush()
        return True
