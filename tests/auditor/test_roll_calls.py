"""A roll call whose next step is lost: found within a minute, written again, and people are asked once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from auditor.finding import Kind
from storage.models import LadderStep

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def fire(plant, auditor):
    plant.phone("张伟").says("3号泵房着火了")
    plant.forward(minutes=1)
    assert [f for f in auditor.look().found if f.kind in (Kind.CALL_NO_STEP, Kind.STEP_LATE)] == []


def test_a_call_without_a_next_step_is_found_and_healed(plant, auditor, fire):
    with plant.work() as work:
        work.db.execute(delete(LadderStep).where(LadderStep.case_kind == "roll_call"))
        work.commit()
    plant.now += timedelta(seconds=30)
    report = auditor.look()
    assert [f.kind for f in report.healed] == [Kind.CALL_NO_STEP]
    plant.tick()
    plant.phone("赵建国").sees("DM-0001", "没有确认")
    assert not [f for f in auditor.look().found if f.kind is Kind.CALL_NO_STEP]


def test_a_late_step_of_a_call_is_found(plant, auditor, fire):
    plant.now += timedelta(minutes=5)
    assert any(f.kind is Kind.STEP_LATE and "roll_call" in f.facts for f in auditor.look().found)


def test_a_call_that_is_over_or_complete_needs_no_step(plant, auditor, fire):
    for name in ("李强", "陈刚", "张伟"):
        plant.phone(name).taps("我已撤到安全处")
    plant.now += timedelta(minutes=2)
    assert not [f for f in auditor.look().found if f.kind is Kind.CALL_NO_STEP]
    with plant.work() as work:
        work.db.execute(update(LadderStep).values(called_off_at=plant.now))
        work.commit()
    plant.phone("王芳").taps("解除", on="DM-0001")
    assert not [f for f in auditor.look().found if f.kind is Kind.CALL_NO_STEP]
