"""A permit as a judgement sees it: plain rows in place of entities, read in four statements and one journey.

A live permit is judged on every new fact near it and mostly comes out as before: then nobody needs the entity with all
that can be shown, told and changed of it. Fields are those of `Permit` by their names; nothing can be written here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from storage.models import Area, Equipment, GasTest, Permit, PermitApproval, PermitParty, Person
from storage.plain import looks


class SeenArea(NamedTuple):
    id: int
    zone: str
    kind: str
    media: list[Any]


class SeenEquipment(NamedTuple):
    id: int
    state: str
    medium: str


class SeenPerson(NamedTuple):
    id: int
    name: str
    active: bool


class SeenParty(NamedTuple):
    person_id: int
    role: str
    left_at: datetime | None
    briefed_at: datetime | None
    checked_in_at: datetime | None


class SeenApproval(NamedTuple):
    kind: str
    step: str
    words: str
    granted: bool | None
    decided_at: datetime | None
    lat: float | None


class SeenTest(NamedTuple):
    id: int
    at: datetime
    meter: str
    values: list[Any]


class SeenPermit(NamedTuple):
    """The first fields are the columns of `_PERMIT` in their order."""

    id: int
    work: str
    level: str
    state: str
    content: str
    method: str
    area_id: int | None
    equipment_id: int | None
    lat: float | None
    lon: float | None
    height_m: float | None
    guardian_id: int | None
    planned_start: datetime | None
    planned_end: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    submitted_at: datetime | None
    started_at: datetime | None
    interrupted_at: datetime | None
    suspended_at: datetime | None
    ended_at: datetime | None
    facts: dict[str, Any]
    verdict_id: int | None
    judge_at: datetime | None
    area: SeenArea | None
    equipment: SeenEquipment | None
    guardian: SeenPerson | None
    parties: list[SeenParty]
    approvals: list[SeenApproval]
    gas_tests: list[SeenTest]


JudgedPermit = Permit | SeenPermit
"""What a judgement can be made of."""

_OWN = (
    Permit.id, Permit.work, Permit.level, Permit.state, Permit.content, Permit.method, Permit.area_id, Permit.equipment_id,
    Permit.lat, Permit.lon, Permit.height_m, Permit.guardian_id, Permit.planned_start, Permit.planned_end, Permit.valid_from,
    Permit.valid_until, Permit.submitted_at, Permit.started_at, Permit.interrupted_at, Permit.suspended_at, Permit.ended_at,
    Permit.facts, Permit.verdict_id, Permit.judge_at,
)  # fmt: skip
_BESIDE = (
    Area.id, Area.zone, Area.kind, Area.media, Equipment.id, Equipment.state, Equipment.medium, Person.id, Person.name,
    Person.active,
)  # fmt: skip
_ID: Any = bindparam("permit")
_PERMIT: Any = (
    select(*_OWN, *_BESIDE)
    .select_from(Permit)
    .outerjoin(Area, Area.id == Permit.area_id)
    .outerjoin(Equipment, Equipment.id == Permit.equipment_id)
    .outerjoin(Person, Person.id == Permit.guardian_id)
    .where(Permit.id == _ID)
)
_PARTIES: Any = (
    select(
        PermitParty.person_id, PermitParty.role, PermitParty.left_at, PermitParty.briefed_at, PermitParty.checked_in_at
    )
    .where(PermitParty.permit_id == _ID)
    .order_by(PermitParty.id)
)
_APPROVALS: Any = (
    select(
        PermitApproval.kind,
        PermitApproval.step,
        PermitApproval.words,
        PermitApproval.granted,
        PermitApproval.decided_at,
        PermitApproval.lat,
    )
    .where(PermitApproval.permit_id == _ID)
    .order_by(PermitApproval.id)
)
_TESTS: Any = (
    select(GasTest.id, GasTest.at, GasTest.meter, GasTest.values).where(GasTest.permit_id == _ID).order_by(GasTest.id)
)


def read(db: Session, permit_id: int) -> SeenPermit:
    """Raises NoResultFound when there is no such permit."""
    asked = {"permit": permit_id}
    found, *parts = looks(db, *((statement, asked) for statement in (_PERMIT, _PARTIES, _APPROVALS, _TESTS)))
    if not found:
        raise NoResultFound(f"no permit {permit_id}")
    row: tuple[Any, ...] = found[0]
    own, area, equipment, guardian = row[:24], row[24:28], row[28:31], row[31:]
    beside = (
        SeenArea(*area) if area[0] is not None else None,
        SeenEquipment(*equipment) if equipment[0] is not None else None,
        SeenPerson(*guardian) if guardian[0] is not None else None,
    )
    rows = [
        [kind(*line) for line in lines] for kind, lines in zip((SeenParty, SeenApproval, SeenTest), parts, strict=True)
    ]
    return SeenPermit._make([*own, *beside, *rows])
