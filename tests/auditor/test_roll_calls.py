"""A roll call whose next step is lost: found within a minute, written again, and people are asked once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from auditor.finding import Kind
from storage.models import Delivery, LadderStep

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


def test_whom_no_call_reached_is_told_to_who_can_look_for_them(plant, auditor, fire):
    assert Kind.CALL_UNHEARD not in {f.kind for f in auditor.look().found}
    with plant.work() as work:
        chen = work.people.by_name("陈刚")[0].id
        mine = (Delivery.person_id == chen, Delivery.purpose == "roll_call.evacuation")
        work.db.execute(update(Delivery).where(*mine).values(state="refused", error="nobody 60111"))
        work.commit()
    report = auditor.look()
    assert [f.facts["person"] for f in report.found if f.kind is Kind.CALL_UNHEARD] == [chen]
    plant.settle()
    plant.phone("王芳").sees("【巡检】", "DM-0001 点名通知没有一条能送到这些人")
    plant.phone("王芳").says("DM-0001 陈刚 安全")
    assert Kind.CALL_UNHEARD not in {f.kind for f in auditor.look().found}
