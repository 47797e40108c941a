"""No way round: what was asked for before the work, after a pause and after a stop is asked for however one goes about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.models import Certificate
from tests import permits as p
from tests.pictures import scene
from tests.plant import walked

ZY = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def state(plant):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(ZY).state


def finish(phone, seed=78):
    return phone.taps("收工", on=ZY).sends_photo(scene(seed))


# -- the end is the end


def test_work_that_is_over_is_not_resumed(plant):
    guardian = p.at_work(plant)
    guardian.taps("中断", on=ZY)
    finish(guardian)
    guardian.says(f"恢复作业 {ZY}").sees("已经收工", "还没完,继续")
    assert state(plant) == "interrupted"


def test_work_that_was_not_over_goes_on_from_a_pause_that_began_with_its_end(plant):
    guardian = p.at_work(plant)
    finish(guardian)
    p.running(plant, minutes=40, guardian="")
    plant.phone(p.WORKER).taps("还没完,继续", on=ZY).sees("从收工起按中断算")
    assert state(plant) == "interrupted"
    guardian.taps("监护打卡", on=ZY).taps("恢复作业", on=ZY).sees("还不能恢复", "重新取样")
    guardian.taps("报气体", on=ZY).says("动火点可燃0.1%LEL").taps("BX-01").taps("恢复作业", on=ZY).sees("已恢复作业")
    assert state(plant) == "active"


def test_a_sample_of_the_pauses_beginning_does_not_end_it_hours_later(plant):
    guardian = p.at_work(plant)
    guardian.taps("中断", on=ZY).taps("报气体", on=ZY).says("动火点可燃0.1%LEL").taps("BX-01")
    p.running(plant, minutes=90)
    guardian.taps("监护打卡", on=ZY).taps("恢复作业", on=ZY).sees("还不能恢复", "重新取样")
    assert state(plant) == "interrupted"


# -- a stop is no way to the start


@walked
def approved(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    return plant.phone(p.GUARDIAN)


def test_a_stop_before_the_start_leads_back_to_the_steps_before_the_start(plant):
    guardian = approved(plant)
    p.running(plant, minutes=5, guardian="")
    guardian.says(f"叫停 {ZY} 有异味")
    for name in (p.APPLICANT, p.WORKER, p.APPROVER):
        plant.phone(name).taps("确认停工", on=ZY)
    guardian.taps("监护打卡", on=ZY).taps("恢复作业", on=ZY).sees("还不能解除叫停", "重新取样")
    guardian.taps("报气体", on=ZY).says("动火点可燃0.1%LEL").taps("BX-01").taps("恢复作业", on=ZY)
    guardian.sees("已解除叫停")
    assert state(plant) == "approved"
    guardian.taps("开始作业", on=ZY).sees("还不能开始", "待班长验票")
    plant.forward(minutes=1)  # a platform takes only so many messages for one person a minute
    p.prepare(plant)
    plant.forward(minutes=1)
    p.start(plant).sees("已开始")
    assert state(plant) == "active"


# -- nobody is forgotten


@walked
def stopped(plant):
    guardian = p.at_work(plant)
    guardian.taps("叫停", on=ZY).says("有异味")
    return guardian


def test_work_is_not_closed_while_somebody_did_not_answer_the_stop(plant):
    guardian = stopped(plant)
    finish(guardian)
    leader = plant.phone(p.LEADER)
    leader.taps("验收关闭", on=ZY).sees("还有人没有确认停工")
    assert state(plant) == "suspended"
    plant.phone(p.WORKER).says("确认停工")
    for name in (p.APPLICANT, p.APPROVER, p.LEADER):
        plant.phone(name).taps("确认停工", on=ZY)
    leader.taps("验收关闭", on=ZY)
    assert state(plant) == "closed"


def test_the_stop_can_still_be_answered_when_the_time_is_over(plant):
    stopped(plant)
    plant.forward(hours=9)
    assert state(plant) == "expired"
    plant.phone(p.WORKER).taps("确认停工", on=ZY)
    with plant.work(read_only=True) as work:
        permit = work.permits.by_number(ZY)
        worker = next(party for party in permit.parties if party.person.name == p.WORKER)
        assert worker.confirmed_at is not None
        assert work.roll_calls.open_of("permit", permit.id) is not None  # the others are still looked for


def test_a_guardian_who_is_relieved_during_a_stop_is_still_looked_for(plant):
    guardian = p.at_work(plant)
    plant.phone(p.LEADER).says(f"叫停 {ZY} 有异味")
    for name in (p.APPLICANT, p.APPROVER, p.WORKER):
        plant.phone(name).taps("确认停工", on=ZY)
    plant.phone(p.LEADER).says(f"监护交接 {ZY}").says("高峰")
    p.relieve(plant, "高峰")
    relief = plant.phone("高峰")
    relief.taps("报气体", on=ZY).says("动火点可燃0.1%LEL").taps("BX-01").taps("恢复作业", on=ZY)
    relief.sees("还不能恢复", "没有确认叫停")
    guardian.taps("确认停工", on=ZY)
    plant.forward(minutes=1)  # a platform takes only so many messages for one person a minute
    relief.taps("恢复作业", on=ZY).sees("已恢复作业")


# -- who may guard


def test_who_signed_and_whose_certificate_ends_before_the_work_do_not_guard(plant):
    guardian = p.at_work(plant)
    with plant.work() as work:
        boss, relief = work.people.by_name(p.APPROVER)[0], work.people.by_name("高峰")[0]
        work.db.add(Certificate(person_id=boss.id, kind="guardian", number="JH-9"))
        for card in work.certificates.of(relief.id):
            card.valid_until = (plant.now - timedelta(days=1)).date()
        work.commit()
    guardian.taps("监护交接", on=ZY).says(p.APPROVER).sees("在这张票上签过字")
    guardian.says("高峰").sees("都有效的监护人培训合格证")


# -- what is proposed is not done by a tap


def test_what_the_proposal_asks_for_is_asked_of_people(plant):
    p.feed(plant)
    phone = p.ask_for(plant)
    with plant.work() as work:
        permit = work.permits.of_person(work.people.by_name(p.APPLICANT)[0].id)[0]
        permit.facts = {**permit.facts, "drains_nearby": True, "drains_covered": False}
        work.commit()
    phone.taps("重新判定").sees("不通过", "HW-C07").taps("按建议办理")
    with plant.work(read_only=True) as work:
        permit = work.permits.of_person(work.people.by_name(p.APPLICANT)[0].id)[0]
        assert permit.facts.get("drains_covered") is not True
