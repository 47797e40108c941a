"""People's certificates: who may guard, weld, climb."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from storage.database import BigId
from storage.models import Certificate, Permit, Person, RoleGrant, SourceState
from storage.permits import LIVE
from storage.plain import Asked, look, one_of

TRIED = "tried_at"  # in SourceState.facts: when the last synchronisation was begun


_CARDS: Any = (
    select(Certificate.person_id, Certificate.kind, Certificate.number, Certificate.issued_on, Certificate.valid_until)
    .where(Certificate.person_id.in_(bindparam("people", expanding=True)))
    .order_by(Certificate.id.desc())
)


_FREE: Any = (
    select(
        Certificate.person_id,
        Person.name,
        Certificate.number,
        Certificate.valid_until,
        exists()
        .where(
            RoleGrant.person_id == Person.id,
            RoleGrant.area_id.is_not_distinct_from(bindparam("area", type_=BigId)),
        )
        .label("belongs"),
    )
    .join(Person)
    .where(
        Certificate.kind.in_(bindparam("kinds", expanding=True)),
        or_(Certificate.valid_until.is_(None), Certificate.valid_until >= bindparam("on")),
        Person.active,
        Person.accounts.any(),
        ~exists().where(
            Permit.guardian_id == Person.id, one_of(Permit.state, LIVE), Permit.id != bindparam("but", type_=BigId)
        ),
    )
    .order_by(Certificate.valid_until.is_(None).desc(), Certificate.valid_until.desc(), Certificate.id)
)


def best(cards: Iterable[Row[Any]], kinds: Collection[str]) -> dict[int, Row[Any]]:
    """Person id → of these kinds the card that lives longest."""
    return {row.person_id: row for row in sorted((card for card in cards if card.kind in kinds), key=_shortest)}


def _shortest(row: Row[Any]) -> tuple[bool, date]:
    return row.valid_until is None, row.valid_until or date.min


class Certificates:
    def __init__(self, db: Session) -> None:
        self.db = db

    def of(self, person_id: int) -> Sequence[Certificate]:
        """The person's certificates, the one that lasts longest first."""
        rows = self.db.scalars(select(Certificate).where(Certificate.person_id == person_id)).all()
        return sorted(rows, key=lambda row: (row.valid_until is not None, -(row.valid_until or date.max).toordinal()))

    def cards(self, person_ids: Collection[int]) -> Sequence[Row[Any]]:
        """What these people hold, for `best`: of every kind, for they hold few, and each kind would be looked up by itself."""
        return look(self.db, *self.asked_cards(person_ids)) if person_ids else []

    def asked_cards(self, person_ids: Collection[int]) -> Asked:
        """What `cards` asks, for `UnitOfWork.ahead`."""
        return _CARDS, {"people": list(person_ids)}

    def best(self, person_id: int, kinds: Collection[str]) -> Certificate | None:
        """The certificate of one of these kinds that lasts longest, expired or not; without an end counts as longest."""
        return next((row for row in self.of(person_id) if row.kind in kinds), None)

    def free_holders(self, kinds: Collection[str], *, on: date, area_id: int | None, but: int | None) -> list[Row[Any]]:
        """Who holds a certificate of these kinds on that day and guards no live permit, as rows, one a person.

        (person_id, name, number, valid_until, belongs: has a role for just this area); the longest valid first. Only
        active people with an account; whoever guards permit `but` counts as free for it.
        """
        asked = {"kinds": list(kinds), "on": on, "area": area_id, "but": but or 0}
        found: dict[int, Row[Any]] = {}
        for row in look(self.db, _FREE, asked):
            found.setdefault(row.person_id, row)
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
