"""Permits: find, list, number, neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select, union_all, update
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from rules.permit.life import PermitState
from storage import permit_seen
from storage.database import rows_changed
from storage.models import (
    Area,
    Counter,
    GasTest,
    Permit,
    PermitApproval,
    PermitParty,
    Person,
)
from storage.permit_seen import SeenPermit
from storage.plain import Asked, look, one_of

RUNNING = (PermitState.ACTIVE.value, PermitState.INTERRUPTED.value, PermitState.SUSPENDED.value)
REQUESTS = (PermitState.DRAFT.value, PermitState.PENDING_FACTS.value)
LIVE = (PermitState.APPROVED.value, *RUNNING)
OPEN_AFTER_SIGNING = (*LIVE, PermitState.EXPIRED.value)
FILED = tuple(state.value for state in PermitState if state is not PermitState.DRAFT)
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in WGS84 degrees: a cheap first cut before distances are computed."""

    south: float
    west: float
    north: float
    east: float

    def edges(self) -> dict[str, float]:
        """As parameters of a statement."""
        return {"south": self.south, "west": self.west, "north": self.north, "east": self.east}


def _with_all(query: Select[Permit]) -> Select[Permit]:
    person = [Person.accounts, Person.roles]
    return query.options(
        joinedload(Permit.area),
        joinedload(Permit.equipment),
        joinedload(Permit.applicant).options(*(selectinload(part) for part in person)),
        joinedload(Permit.guardian).options(*(selectinload(part) for part in person)),
        selectinload(Permit.parties).joinedload(PermitParty.person).selectinload(Person.accounts),
        selectinload(Permit.approvals).joinedload(PermitApproval.person).selectinload(Person.accounts),
        selectinload(Permit.gas_tests),
    )


_WHOLE = _with_all(select(Permit).where(Permit.id == bindparam("permit")))
# what a judgement looks at; accounts and roles are read when somebody has to be told.
# built once: making a statement costs more than running it
_TO_JUDGE = (
    select(Permit)
    .where(Permit.id == bindparam("permit"))
    .options(joinedload(Permit.area), joinedload(Permit.equipment), joinedload(Permit.guardian))
)
_PARTS: Mapping[str, Any] = {
    "parties": select(PermitParty).where(PermitParty.permit_id == bindparam("permit")).order_by(PermitParty.id),
    "approvals": select(PermitApproval)
    .where(PermitApproval.permit_id == bindparam("permit"))
    .order_by(PermitApproval.id),
    "gas_tests": select(GasTest).where(GasTest.permit_id == bindparam("permit")).order_by(GasTest.id),
}
_GUARDED = (
    select(func.count())
    .select_from(Permit)
    .where(Permit.guardian_id == bindparam("person"), one_of(Permit.state, LIVE), Permit.id != bindparam("but"))
)
_LOCK: Any = select(Permit.id).where(Permit.id == bindparam("permit")).with_for_update()
Neighbour = Row[Any]  # columns of a live permit, see Permits.near
_TOLD: Any = select(Permit.id, Permit.facts).where(Permit.id.in_(bindparam("permits", expanding=True)))
_BESIDE: Any = select(
    Permit.id,
    Permit.number,
    Permit.work,
    Permit.state,
    Permit.content,
    Permit.equipment_id,
    Permit.lat,
    Permit.lon,
    Permit.height_m,
    Permit.valid_until,
    Permit.ended_at,
)
_COORDINATORS: Any = select(Permit.id, Permit.facts["coordinator_id"].as_string().label("coordinator_id")).where(
    Permit.id.in_(bindparam("permits", expanding=True))
)


@cache
def _beside(in_box: bool, in_area: bool) -> Any:
    """The statement of `near` for a place with a position, an area, or both."""
    live = _BESIDE.where(one_of(Permit.state, LIVE), Permit.id != bindparam("but"))
    area = Permit.area_id == bindparam("area")
    if not in_box:
        return live.where(area)
    lat = Permit.lat.between(bindparam("south"), bindparam("north"))
    lon = Permit.lon.between(bindparam("west"), bindparam("east"))
    if not in_area:
        return live.where(lat, lon)
    # two selects where an OR would have all permits of the area looked at, ended ones too; a sum keeps SQLite from it as well
    placeless = live.where(Permit.lat.is_(None), Permit.area_id + 0 == bindparam("area"))
    return union_all(live.where(lat, lon), placeless)


class Permits:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, permit: Permit) -> Permit:
        self.db.add(permit)
        self.db.flush()
        return permit

    def get(self, permit_id: int, *, lock: bool = False) -> Permit:
        """The permit with all that is shown of it. `lock` makes other writers of the same permit wait (PostgreSQL)."""
        if lock:
            self.db.execute(select(Permit.id).where(Permit.id == permit_id).with_for_update())
        options = {"populate_existing": lock}
        return self.db.scalars(_WHOLE, {"permit": permit_id}, execution_options=options).one()

    def to_judge(self, permit_id: int, *, lock: bool = False) -> Permit:
        """The permit with what a judgement looks at, in fewer statements than `get`."""
        if lock:
            self.db.execute(select(Permit.id).where(Permit.id == permit_id).with_for_update())
        options = {"populate_existing": lock}
        permit = self.db.scalars(_TO_JUDGE, {"permit": permit_id}, execution_options=options).one()
        for name, query in _PARTS.items():
            if lock or name not in permit.__dict__:
                rows = self.db.scalars(query, {"permit": permit_id}, execution_options=options).all()
                set_committed_value(permit, name, list(rows))
        return permit

    def seen(self, permit_id: int, *, lock: bool = False) -> SeenPermit:
        """The permit as a judgement sees it, as rows. `lock` as in `get`."""
        if lock:
            look(self.db, _LOCK, {"permit": permit_id})
        return permit_seen.read(self.db, permit_id)

    def find(self, permit_id: int) -> Permit | None:
        if not 0 < permit_id <= MAX_ID:
            return None
        return self.db.scalars(_WHOLE, {"permit": permit_id}).one_or_none()

    def by_number(self, number: str) -> Permit | None:
        return self.db.scalars(_with_all(select(Permit).where(Permit.number == number.upper()))).one_or_none()

    def next_number(self) -> str:
        """ZY-0001, ZY-0002, …: without gaps, because the row's lock is held until the commit."""
        name = "permit"
        taken = rows_changed(self.db, update(Counter).where(Counter.name == name).values(value=Counter.value + 1))
        if taken == 0:
            self.db.add(Counter(name=name, value=1))
            self.db.flush()
        value = self.db.scalar(select(Counter.value).where(Counter.name == name)) or 0
        return f"ZY-{value:04d}"

    def drop_approvals(self, permit: Permit, *kinds: str) -> None:
        """Take away the signatures of these kinds: the permit is asked for anew. The trail keeps who had signed."""
        for row in [row for row in permit.approvals if row.kind in kinds]:
            permit.approvals.remove(row)
            self.db.delete(row)
        self.db.flush()

    # -- lists

    def draft_of(self, person_id: int, *, since: datetime) -> Permit | None:
        """The application the person is still filling in, newest first."""
        return self.db.scalars(
            _with_all(
                select(Permit)
                .where(Permit.applicant_id == person_id, Permit.state.in_(REQUESTS), Permit.created_at >= since)
                .order_by(Permit.id.desc())
                .limit(1)
            )
        ).first()

    def of_person(self, person_id: int, *, limit: int = 20) -> Sequence[Permit]:
        """Open permits the person applied for, takes part in or was called away from without an answer, newest first."""
        ended = [state.value for state in PermitState if state.is_final]
        unanswered = and_(PermitParty.called_at.is_not(None), PermitParty.confirmed_at.is_(None))
        taking_part = select(PermitParty.permit_id).where(
            PermitParty.person_id == person_id, or_(PermitParty.left_at.is_(None), unanswered)
        )
        return self.db.scalars(
            _with_all(
                select(Permit)
                .where(Permit.state.not_in(ended), or_(Permit.applicant_id == person_id, Permit.id.in_(taking_part)))
                .order_by(Permit.id.desc())
                .limit(limit)
            )
        ).all()

    def waiting_for_approval(self, *, limit: int = 50) -> Sequence[Permit]:
        """Submitted permits, longest waiting first."""
        return self.db.scalars(
            _with_all(
                select(Permit)
                .where(Permit.state == PermitState.SUBMITTED.value)
                .order_by(Permit.submitted_at, Permit.id)
                .limit(limit)
            )
        ).all()

    def waiting_for_leader(self, *, limit: int = 50) -> Sequence[Permit]:
        """Permits whose work is over and not accepted, and approved hot work no shift leader has looked at; oldest first."""
        looked_at = (
            select(PermitApproval.id)
            .where(
                PermitApproval.permit_id == Permit.id,
                PermitApproval.kind == "shift_leader",
                PermitApproval.granted.is_(True),
            )
            .exists()
        )
        over = and_(Permit.ended_at.is_not(None), Permit.state.in_(OPEN_AFTER_SIGNING))
        unseen = and_(Permit.state == PermitState.APPROVED.value, Permit.work == "hot_work", ~looked_at)
        return self.db.scalars(
            _with_all(select(Permit).where(or_(over, unseen)).order_by(Permit.id).limit(limit))
        ).all()

    def with_fact(self, name: str, value: int) -> Sequence[Permit]:
        """Permits at work of which this fact has this value, oldest first."""
        return self.db.scalars(
            _with_all(
                select(Permit)
                .where(Permit.state.in_(RUNNING), Permit.facts[name].as_integer() == value)
                .order_by(Permit.id)
            )
        ).all()

    def between(self, start: datetime, end: datetime, *, work: str = "", limit: int = 100) -> Sequence[Permit]:
        """Permits whose time touches the span and that were submitted, earliest first."""
        query = select(Permit).where(
            Permit.number.is_not(None), Permit.planned_start < end, Permit.planned_end > start, Permit.state.in_(FILED)
        )
        if work:
            query = query.where(Permit.work == work)
        return self.db.scalars(_with_all(query.order_by(Permit.planned_start, Permit.id).limit(limit))).all()

    def live(self, *, states: Collection[str] = LIVE, limit: int = 5000) -> Sequence[Permit]:
        """Permits that allow or have begun work, oldest first."""
        return self.db.scalars(
            _with_all(select(Permit).where(Permit.state.in_(states)).order_by(Permit.id).limit(limit))
        ).all()

    def page(
        self,
        *,
        state: str | None = None,
        work: str | None = None,
        area_code: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[Permit]:
        """Permits with a number, newest first, `after_id` being the last id of the page before."""
        query = select(Permit).where(Permit.number.is_not(None))
        if state:
            query = query.where(Permit.state == state)
        if work:
            query = query.where(Permit.work == work)
        if area_code:
            query = query.where(Permit.area_id.in_(select(Area.id).where(Area.code == area_code)))
        if since:
            query = query.where(Permit.submitted_at >= since)
        if until:
            query = query.where(Permit.submitted_at < until)
        if after_id:
            query = query.where(Permit.id < after_id)
        return self.db.scalars(_with_all(query.order_by(Permit.id.desc()).limit(limit))).all()

    def near(self, box: Box | None, *, area_id: int | None, but: int | None = None) -> Sequence[Neighbour]:
        """Live permits in the box or, when they have no position, in the area: what a neighbour must know (SIMOPS).

        (id, number, work, state, content, equipment_id, lat, lon, height_m, valid_until, ended_at)
        """
        if box is None and area_id is None:
            return []
        return sorted(look(self.db, *self.asked_near(box, area_id=area_id, but=but)), key=itemgetter(0))

    def asked_near(self, box: Box | None, *, area_id: int | None, but: int | None = None) -> Asked:
        """What `near` asks, for `UnitOfWork.ahead`; one of box and area is there."""
        asked: dict[str, Any] = {**(box.edges() if box is not None else {}), "but": but or 0}
        if area_id is not None:
            asked["area"] = area_id
        return _beside(box is not None, area_id is not None), asked

    def told(self, permit_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """What people answered for these permits, by permit id."""
        return {row.id: row.facts for row in look(self.db, _TOLD, {"permits": list(permit_ids)})}

    def coordinators(self, permit_ids: Collection[int]) -> dict[int, str | None]:
        """Who coordinates each of these permits with its neighbours, as its people answered."""
        return {row.id: row.coordinator_id for row in look(self.db, _COORDINATORS, {"permits": list(permit_ids)})}

    def guarded_by(self, person_id: int, *, but: int | None = None) -> int:
        """How many live permits this person guards."""
        return int(look(self.db, *self.asked_guarded(person_id, but=but))[0][0])

    def asked_guarded(self, person_id: int, *, but: int | None = None) -> Asked:
        """What `guarded_by` asks, for `UnitOfWork.ahead`."""
        return _GUARDED, {"person": person_id, "but": but or 0}
