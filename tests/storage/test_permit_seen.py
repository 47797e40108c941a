"""A permit as rows: field by field what the entity holds, and the same verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import NoResultFound

from handlers.permit import judge
from rules.permit import Stage
from storage import permit_seen
from storage.models import Area, Certificate, Equipment, GasTest, Permit, PermitApproval, PermitParty, Person
from storage.permit_seen import SeenPermit
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PARTS = {"parties": PermitParty, "approvals": PermitApproval, "gas_tests": GasTest}


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, NOW) as work:
        yield work


def full(work: UnitOfWork) -> Permit:
    """A permit with every field at a value of its own."""
    people = [Person(code=f"p{n}", name=f"人{n}", created_at=NOW, active=n != 1) for n in range(3)]
    area = Area(code="A1", name="罐区", zone="dike", kind="tank_farm", media=["甲醇"], polygon=[])
    work.db.add_all([*people, area])
    work.flush()
    pump = Equipment(code="P-1", code_key="p1", name="泵", area_id=area.id, medium="苯", state="stopped")
    work.db.add_all([pump, Certificate(person_id=people[1].id, kind="guardian", number="C1")])
    work.flush()
    times = [name for name, column in Permit.__table__.columns.items() if name.endswith(("_at", "_from", "_until"))]
    times += ["planned_start", "planned_end"]
    moments = {name: NOW + timedelta(minutes=7 * n, microseconds=n) for n, name in enumerate(times)}
    permit = Permit(
        number="ZY-1", work="hot_work", level="l1", state="active", content="电焊", method="焊", area_id=area.id,
        equipment_id=pump.id, lat=37.45, lon=118.55, height_m=6.0, applicant_id=people[0].id, guardian_id=people[1].id,
        facts={"jsa_done": True, "风": [1, None]}, suspend_why=[], next_due=[], verdict_id=None,
        parties=[
            PermitParty(person_id=people[n].id, role=role, joined_at=NOW, briefed_at=NOW, checked_in_at=NOW if n else None)
            for n, role in enumerate(("worker", "guardian", "analyst"))
        ],
        approvals=[
            PermitApproval(kind=kind, step="s", words="w", granted=granted, decided_at=NOW, lat=37.4)
            for kind, granted in (("approve", True), ("start", None), ("countersign", False))
        ],
        gas_tests=[GasTest(at=NOW, meter="M", values=[{"gas": "o2", "value": 20.9, "unit": "%vol"}])],
        **moments,
    )  # fmt: skip
    return work.permits.add(permit)


@pytest.mark.parametrize("bare", [False, True])
def test_every_field_is_that_of_the_entity(work, bare):
    permit = full(work)
    if bare:
        permit.area_id = permit.equipment_id = permit.guardian_id = permit.lat = permit.valid_until = None
        for name in PARTS:
            for row in list(getattr(permit, name)):
                work.db.delete(row)
    work.commit()
    work.db.expunge_all()
    seen, entity = work.permits.seen(permit.id, lock=True), work.permits.to_judge(permit.id)
    own = list(SeenPermit._fields[: len(permit_seen._OWN)])
    assert own == [column.key for column in permit_seen._OWN]
    assert {name: getattr(seen, name) for name in own} == {name: getattr(entity, name) for name in own}
    for name in ("area", "equipment", "guardian"):
        one, other = getattr(seen, name), getattr(entity, name)
        assert (one is None) is (other is None) is bare
        if one is not None:
            assert one._asdict() == {key: getattr(other, key) for key in one._fields}
    for name, model in PARTS.items():
        rows = work.db.scalars(select(model).where(model.permit_id == permit.id).order_by(model.id)).all()
        assert [row._asdict() for row in getattr(seen, name)] == [
            {key: getattr(row, key) for key in seen_row._fields}
            for row, seen_row in zip(rows, getattr(seen, name), strict=True)
        ]


@pytest.mark.parametrize("stage", [None, *Stage])
def test_the_verdict_is_the_same(work, stage):
    number = full(work).id
    seen, entity = work.permits.seen(number), work.permits.to_judge(number)
    one, other = (judge.judge(work, permit, stage=stage, with_fix=True) for permit in (seen, entity))
    assert one.verdict == other.verdict
    assert one.gathered == other.gathered
    assert judge.next_judgement(one.table, seen, one, NOW) == judge.next_judgement(other.table, entity, other, NOW)


def test_a_request_is_judged_as_what_can_be_written(work):
    permit = full(work)
    permit.state = "draft"
    with pytest.raises(TypeError, match="level of a request"):
        judge.judge(work, work.permits.seen(permit.id))


def test_no_such_permit(work):
    with pytest.raises(NoResultFound, match="404"):
        work.permits.seen(404)
