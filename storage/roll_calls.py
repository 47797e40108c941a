"""Roll calls: open ones, one with its members, and who belongs on the list of an area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from storage.database import rows_changed
from storage.models import Counter, Permit, PermitParty, Person, RoleGrant, RollCall, RollCallMember

COUNTER = "roll_call"


def _with_all(query: Select[RollCall]) -> Select[RollCall]:
    people = selectinload(RollCall.members).joinedload(RollCallMember.person)
    return query.options(
        people.selectinload(Person.accounts),
        people.selectinload(Person.roles),
        joinedload(RollCall.area),
        joinedload(RollCall.started_by),
        joinedload(RollCall.ended_by),
    )


class Standing(NamedTuple):
    """How a call stands for one person: `confirmed_at` and `by_id` are theirs, None for who is not called."""

    ended_at: datetime | None
    all_confirmed_at: datetime | None
    missing: int
    confirmed_at: datetime | None
    by_id: int | None


class RollCalls:
    def __init__(self, db: Session) -> None:
        self.db = db

    def hold(self) -> None:
        """Whoever starts a call waits here for others who do: what they started is seen then, not started twice."""
        if rows_changed(self.db, update(Counter).where(Counter.name == COUNTER).values(value=Counter.value)) == 0:
            self.db.add(Counter(name=COUNTER, value=0))
            self.db.flush()

    def add(self, call: RollCall) -> RollCall:
        """Number and add a call: DM-0001, DM-0002, …"""
        self.hold()
        self.db.execute(update(Counter).where(Counter.name == COUNTER).values(value=Counter.value + 1))
        value = self.db.scalar(select(Counter.value).where(Counter.name == COUNTER))
        call.number = f"DM-{value:04d}"
        self.db.add(call)
        self.db.flush()
        return call

    def get(self, call_id: int, *, lock: bool = False) -> RollCall:
        """The call with its members. `lock` makes other writers of it wait (PostgreSQL)."""
        if lock:
            self.db.execute(select(RollCall.id).where(RollCall.id == call_id).with_for_update())
        return self.db.scalars(
            _with_all(select(RollCall).where(RollCall.id == call_id)).execution_options(populate_existing=lock)
        ).one()

    def find(self, call_id: int, *, lock: bool = False) -> RollCall | None:
        known = self.db.scalar(select(RollCall.id).where(RollCall.id == call_id))
        return self.get(call_id, lock=lock) if known is not None else None

    def by_number(self, number: str) -> RollCall | None:
        return self.db.scalar(select(RollCall).where(RollCall.number == number))

    def standing(self, call_id: int, person_id: int | None) -> Standing | None:
        """Asked for every message of a call: without its members, of whom there may be hundreds."""
        missing = (
            select(func.count())
            .select_from(RollCallMember)
            .where(RollCallMember.call_id == RollCall.id, RollCallMember.confirmed_at.is_(None))
            .correlate(RollCall)
            .scalar_subquery()
        )
        mine = and_(RollCallMember.call_id == RollCall.id, RollCallMember.person_id == person_id)
        row = self.db.execute(
            select(
                RollCall.ended_at,
                RollCall.all_confirmed_at,
                missing,
                RollCallMember.confirmed_at,
                RollCallMember.by_id,
            )
            .outerjoin(RollCallMember, mine)
            .where(RollCall.id == call_id)
        ).first()
        return Standing(*row) if row is not None else None

    def open(self) -> Sequence[RollCall]:
        """Calls that are not over, newest first."""
        return self.db.scalars(
            _with_all(select(RollCall).where(RollCall.ended_at.is_(None)).order_by(RollCall.id.desc()))
        ).all()

    def recent(self, *, limit: int = 20) -> Sequence[RollCall]:
        return self.db.scalars(_with_all(select(RollCall).order_by(RollCall.id.desc()).limit(limit))).all()

    def open_of(self, case_kind: str, case_id: int) -> RollCall | None:
        """The open call of a hazard, permit or detector."""
        return self.db.scalars(
            _with_all(
                select(RollCall)
                .where(RollCall.case_kind == case_kind, RollCall.case_id == case_id, RollCall.ended_at.is_(None))
                .order_by(RollCall.id.desc())
                .limit(1)
            )
        ).first()

    def any_of(self, case_kind: str, case_id: int) -> bool:
        """Whether the case ever had a call."""
        query = select(RollCall.id).where(RollCall.case_kind == case_kind, RollCall.case_id == case_id).limit(1)
        return self.db.scalar(query) is not None

    def open_at(self, area_id: int | None, kinds: Sequence[str]) -> RollCall | None:
        """An open call of these kinds for the area, or for the whole plant."""
        return self.db.scalars(
            _with_all(
                select(RollCall)
                .where(
                    RollCall.kind.in_(kinds),
                    or_(RollCall.area_id == area_id, RollCall.area_id.is_(None)),
                    RollCall.ended_at.is_(None),
                )
                .order_by(RollCall.id.desc())
                .limit(1)
            )
        ).first()

    def last_ended(self, case_kind: str, case_id: int) -> datetime | None:
        return self.db.scalar(
            select(func.max(RollCall.ended_at)).where(RollCall.case_kind == case_kind, RollCall.case_id == case_id)
        )

    def open_for(self, person_id: int) -> Sequence[RollCall]:
        """Open calls this person has not confirmed, newest first."""
        return self.db.scalars(
            _with_all(
                select(RollCall)
                .join(RollCallMember, RollCallMember.call_id == RollCall.id)
                .where(
                    RollCall.ended_at.is_(None),
                    RollCallMember.person_id == person_id,
                    RollCallMember.confirmed_at.is_(None),
                )
                .order_by(RollCall.id.desc())
            )
        ).all()

    def people_of(self, area_id: int | None) -> Sequence[Person]:
        """Active people with a role for this very area (for the whole plant: everybody), by id."""
        query = (
            select(Person)
            .where(Person.active)
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(Person.id)
        )
        if area_id is not None:
            query = query.where(Person.id.in_(select(RoleGrant.person_id).where(RoleGrant.area_id == area_id)))
        return self.db.scalars(query).all()

    def workers_of(self, area_id: int | None, states: Sequence[str]) -> Sequence[Person]:
        """People on permits of the area that are in one of these states."""
        on = (
            select(PermitParty.person_id)
            .join(Permit, Permit.id == PermitParty.permit_id)
            .where(Permit.state.in_(states), PermitParty.left_at.is_(None))
        )
        if area_id is not None:
            on = on.where(Permit.area_id == area_id)
        return self.db.scalars(
            select(Person)
            .where(Person.active, Person.id.in_(on))
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(Person.id)
        ).all()
