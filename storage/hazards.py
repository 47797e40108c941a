"""Hazards: find, list, number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from rules.terms import OPEN_STATES, HazardState
from storage.database import rows_changed
from storage.models import Area, Counter, Hazard, HazardExtension, HazardPhoto, Joiner
from storage.plain import Asked, look, one_of

OPEN = [state.value for state in OPEN_STATES]
FILED = [state.value for state in HazardState if state is not HazardState.DRAFT]

# built once: making this statement costs more than running it
_BESIDE: Any = (
    select(Hazard.number, Hazard.lat, Hazard.lon, Hazard.emergency, Hazard.description, Hazard.reported_at)
    .where(one_of(Hazard.state, OPEN), Hazard.reported_at >= bindparam("since"), Hazard.area_id == bindparam("area"))
    .order_by(Hazard.id.desc())
    .limit(50)
)


def _with_all(query: Select[Hazard]) -> Select[Hazard]:
    return query.options(
        joinedload(Hazard.area),
        joinedload(Hazard.equipment),
        joinedload(Hazard.reporter),
        joinedload(Hazard.owner),
        joinedload(Hazard.rectified_by),
        joinedload(Hazard.accepted_by),
        selectinload(Hazard.photos),
        selectinload(Hazard.extensions),
        selectinload(Hazard.joiners),
    )


_WHOLE = _with_all(select(Hazard).where(Hazard.id == bindparam("hazard")))


class Hazards:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, hazard: Hazard) -> Hazard:
        self.db.add(hazard)
        self.db.flush()
        return hazard

    def get(self, hazard_id: int, *, lock: bool = False) -> Hazard:
        """The hazard with all that is shown of it. `lock` makes other writers of the same hazard wait (PostgreSQL)."""
        if lock:
            self.db.execute(select(Hazard.id).where(Hazard.id == hazard_id).with_for_update())
        options = {"populate_existing": lock}
        return self.db.scalars(_WHOLE, {"hazard": hazard_id}, execution_options=options).one()

    def find(self, hazard_id: int) -> Hazard | None:
        return self.db.scalars(_WHOLE, {"hazard": hazard_id}).one_or_none()

    def by_number(self, number: str) -> Hazard | None:
        return self.db.scalars(_with_all(select(Hazard).where(Hazard.number == number.upper()))).one_or_none()

    def next_number(self) -> str:
        """YH-0001, YH-0002, …: without gaps, because the row's lock is held until the commit."""
        name = "hazard"
        taken = rows_changed(self.db, update(Counter).where(Counter.name == name).values(value=Counter.value + 1))
        if taken == 0:
            self.db.add(Counter(name=name, value=1))
            self.db.flush()
        value = self.db.scalar(select(Counter.value).where(Counter.name == name)) or 0
        return f"YH-{value:04d}"

    def draft_of(self, person_id: int, *, since: datetime) -> Hazard | None:
        """The person's draft that is still being told, newest first."""
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(
                    Hazard.reporter_id == person_id,
                    Hazard.state == HazardState.DRAFT.value,
                    Hazard.created_at >= since,
                )
                .order_by(Hazard.id.desc())
                .limit(1)
            )
        ).first()

    def open_near(self, area_id: int | None, *, since: datetime, limit: int = 50) -> Sequence[Hazard]:
        """Open hazards of the area, newest first: candidates for a duplicate."""
        query = select(Hazard).where(Hazard.state.in_(OPEN), Hazard.reported_at >= since)
        if area_id is not None:
            query = query.where(Hazard.area_id == area_id)
        return self.db.scalars(_with_all(query.order_by(Hazard.id.desc()).limit(limit))).all()

    def open_beside(self, area_id: int, *, since: datetime) -> Sequence[Row[Any]]:
        """(number, lat, lon, emergency, description, reported_at) of the area's open hazards, newest first."""
        return look(self.db, *self.asked_beside(area_id, since=since))

    def asked_beside(self, area_id: int, *, since: datetime) -> Asked:
        """What `open_beside` asks, for `UnitOfWork.ahead`."""
        return _BESIDE, {"area": area_id, "since": since}

    def closed_like(self, hazard: Hazard, *, since: datetime) -> Sequence[Hazard]:
        """Hazards of the same place and category closed since then (FC-11)."""
        if hazard.area_id is None:
            return []
        query = select(Hazard).where(
            Hazard.state == HazardState.CLOSED.value,
            Hazard.closed_at >= since,
            Hazard.area_id == hazard.area_id,
            Hazard.category == hazard.category,
            Hazard.id != hazard.id,
        )
        if hazard.equipment_id is not None:
            query = query.where(Hazard.equipment_id == hazard.equipment_id)
        return self.db.scalars(query.order_by(Hazard.id.desc()).limit(100)).all()

    def closed_by_since(self, person_id: int, *, since: datetime) -> int:
        """How many hazards this person accepted since then (FC-09)."""
        query = (
            select(func.count()).select_from(Hazard).where(Hazard.accepted_by_id == person_id, Hazard.closed_at > since)
        )
        return self.db.scalar(query) or 0

    def evidence_due(self, *, limit: int = 20) -> list[int]:
        """Hazards whose before/after picture is to be made."""
        return list(
            self.db.scalars(select(Hazard.id).where(Hazard.evidence_state == "due").order_by(Hazard.id).limit(limit))
        )

    def reported_by(self, person_id: int, *, limit: int = 10) -> Sequence[Hazard]:
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(
                    or_(
                        Hazard.reporter_id == person_id,
                        Hazard.id.in_(select(Joiner.hazard_id).where(Joiner.person_id == person_id)),
                    ),
                    Hazard.state.in_(FILED),
                )
                .order_by(Hazard.id.desc())
                .limit(limit)
            )
        ).all()

    def owned_by(self, person_id: int, *, limit: int = 20) -> Sequence[Hazard]:
        """Open hazards the person must rectify, nearest deadline first."""
        states = [HazardState.REPORTED.value, HazardState.ASSIGNED.value, HazardState.RECTIFYING.value]
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(Hazard.owner_id == person_id, Hazard.state.in_(states))
                .order_by(Hazard.due_at, Hazard.id)
                .limit(limit)
            )
        ).all()

    def open_of(
        self,
        *,
        area_id: int | None = None,
        equipment_id: int | None = None,
        late_at: datetime | None = None,
        limit: int = 10,
    ) -> tuple[int, Sequence[Hazard]]:
        """(how many are open, the first of them by their deadline): of the plant, an area or a piece of equipment.

        With `late_at` only those due before it.
        """
        which: list[ColumnElement[bool]] = [Hazard.state.in_(OPEN)]
        if equipment_id is not None:
            which.append(Hazard.equipment_id == equipment_id)
        if area_id is not None:
            which.append(Hazard.area_id == area_id)
        if late_at is not None:
            which.append(Hazard.due_at < late_at)
        count = self.db.scalar(select(func.count()).select_from(Hazard).where(*which)) or 0
        some = select(Hazard).where(*which).order_by(Hazard.due_at.is_(None), Hazard.due_at, Hazard.id).limit(limit)
        return count, self.db.scalars(_with_all(some)).all()

    def to_accept(self, *, limit: int = 50) -> Sequence[Hazard]:
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(Hazard.state == HazardState.TO_ACCEPT.value)
                .order_by(Hazard.submitted_at)
                .limit(limit)
            )
        ).all()

    def asking_extension(self, *, limit: int = 50) -> Sequence[Hazard]:
        """Open hazards with an extension request that nobody has decided, longest waiting first."""
        waiting = select(HazardExtension.hazard_id).where(HazardExtension.decided_at.is_(None))
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(Hazard.state.in_(OPEN), Hazard.id.in_(waiting))
                .order_by(Hazard.due_at)
                .limit(limit)
            )
        ).all()

    def without_owner(self, *, limit: int = 50) -> Sequence[Hazard]:
        """Reported hazards nobody is responsible for, longest waiting first."""
        return self.db.scalars(
            _with_all(
                select(Hazard)
                .where(Hazard.state == HazardState.REPORTED.value, Hazard.owner_id.is_(None))
                .order_by(Hazard.reported_at, Hazard.id)
                .limit(limit)
            )
        ).all()

    def waiting_on(self, owners: Collection[int], *, limit: int = 2000) -> list[int]:
        """Ids of hazards these people are to rectify, and of all that wait for an acceptance or an extension."""
        asked = select(HazardExtension.hazard_id).where(HazardExtension.decided_at.is_(None))
        fixing = Hazard.state.in_([state for state in OPEN if state != HazardState.TO_ACCEPT.value])
        return list(
            self.db.scalars(
                select(Hazard.id)
                .where(
                    Hazard.state.in_(OPEN),
                    or_(
                        Hazard.state == HazardState.TO_ACCEPT.value,
                        Hazard.id.in_(asked),
                        and_(fixing, Hazard.owner_id.in_(owners)),
                    ),
                )
                .order_by(Hazard.id)
                .limit(limit)
            )
        )

    def page(
        self,
        *,
        state: str | None = None,
        grade: str | None = None,
        area_code: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[Hazard]:
        """Filed hazards, newest first, `after_id` being the last id of the page before."""
        query = select(Hazard).where(Hazard.state.in_(FILED))
        if state:
            query = query.where(Hazard.state == state)
        if grade:
            query = query.where(Hazard.grade == grade)
        if area_code:
            query = query.where(Hazard.area_id.in_(select(Area.id).where(Area.code == area_code)))
        if since:
            query = query.where(Hazard.reported_at >= since)
        if until:
            query = query.where(Hazard.reported_at < until)
        if after_id:
            query = query.where(Hazard.id < after_id)
        return self.db.scalars(_with_all(query.order_by(Hazard.id.desc()).limit(limit))).all()

    def reported_between(self, start: datetime, end: datetime) -> Sequence[Hazard]:
        return self.db.scalars(
            select(Hazard)
            .where(Hazard.reported_at >= start, Hazard.reported_at < end, Hazard.state.in_(FILED))
            .order_by(Hazard.id)
        ).all()

    def with_photo(self, sha256: str) -> Sequence[Hazard]:
        return self.db.scalars(select(Hazard).join(HazardPhoto).where(HazardPhoto.sha256 == sha256)).all()
