"""Whatever happens to the steps of a ladder: after one look every open case has a step to come, and none is doubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from auditor.cases import NEEDED, needed_ladders
from auditor.service import Auditor
from rules import escalation
from storage.database import Base
from storage.models import AuditFinding, AuditRun, Delivery, Hazard, LadderStep, Person

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
OPEN = ("reported", "assigned", "rectifying", "to_accept")
fate = st.sampled_from(["live", "taken", "called off", "lost"])
minutes = st.integers(-5000, 5000)

case = st.fixed_dictionaries(
    {
        "state": st.sampled_from([*OPEN, "closed", "withdrawn", "merged"]),
        "grade": st.sampled_from(["red", "orange", "yellow"]),
        "confirmed": st.booleans(),
        "due": minutes,
        "assigned": st.integers(-5000, -1),
        "fates": st.lists(fate, min_size=9, max_size=9),
        "old_generation": st.booleans(),
        "planned": st.booleans(),
    }
)


def write(db, wish) -> None:
    for model in (AuditRun, AuditFinding, Delivery, LadderStep, Hazard, Person):
        db.execute(delete(model))
    plan = escalation.entry_for(escalation.DEFAULT, grade=wish["grade"]) if wish["planned"] else {}
    db.execute(insert(Person).values(id=1, code="1", name="x", created_at=NOW))
    assigned, due = NOW + timedelta(minutes=wish["assigned"]), NOW + timedelta(minutes=wish["due"])
    db.execute(
        insert(Hazard).values(
            id=1, number="YH-0001", state=wish["state"], grade=wish["grade"], owner_id=1, created_at=assigned,
            reported_at=assigned, assigned_at=assigned, confirmed_at=assigned if wish["confirmed"] else None,
            submitted_at=assigned if wish["state"] == "to_accept" else None, due_at=due, confirm_due_at=due, plan=plan,
            generation=2,
        )
    )  # fmt: skip
    db.execute(
        insert(Delivery).values(
            dedupe_key="d", case_kind="hazard", case_id=1, purpose="hazard.dispatch", what="text", platform="wecom",
            state="confirmed", due_at=assigned, created_at=assigned, confirmed_at=assigned, payload={},
        )
    )  # fmt: skip
    fates = iter(wish["fates"])
    for ladder, steps in plan.get("ladders", {}).items():
        for position, step in enumerate(steps):
            fated = next(fates, "lost")
            if fated == "lost":
                continue
            db.execute(
                insert(LadderStep).values(
                    case_kind="hazard", case_id=1, generation=1 if wish["old_generation"] else 2, ladder=ladder,
                    position=position, step={"notices": step["notices"]}, due_at=NOW + timedelta(minutes=5),
                    taken_at=NOW if fated == "taken" else None, called_off_at=NOW if fated == "called off" else None,
                )
            )  # fmt: skip


AN_OLD_LADDER_GOES_ON = {
    "state": "to_accept", "grade": "yellow", "confirmed": False, "due": 0, "assigned": -1,
    "fates": ["live"] * 6 + ["taken"] * 3, "old_generation": False, "planned": True,
}  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wish=case)
@example(wish=AN_OLD_LADDER_GOES_ON)
def test_after_one_look_every_open_case_has_a_step_to_come(engine, wish):
    Base.metadata.create_all(engine)
    with engine.begin() as db:
        write(db, wish)
        before = db.execute(select(LadderStep.__table__)).all()
    auditor = Auditor(engine=engine, clock=lambda: NOW)
    first = auditor.look()
    with engine.connect() as db:
        steps = db.execute(select(LadderStep.__table__).order_by(LadderStep.id)).all()
    live = [s for s in steps if s.generation == 2 and s.taken_at is None and s.called_off_at is None]
    if wish["state"] in OPEN:
        confirmed_at = NOW if wish["confirmed"] else None
        wanted = set(needed_ladders(wish["state"], confirmed_at))
        assert any(s.ladder in wanted for s in live)
        assert sum(s.due_at <= NOW for s in live) <= len(NEEDED)  # nobody is told three things at once
    else:
        assert steps == before and first.found == ()
    taken = [s for s in steps if s.taken_at is not None]
    assert [s.id for s in taken] == [s.id for s in before if s.taken_at is not None]  # what was done stays done
    assert auditor.look().found == ()
