"""The policy is frozen, the facts are live: hour of the day, who is on duty, who stands in, who has nobody."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from rules import escalation
from storage.models import Duty, LadderStep
from tests.pictures import scene

ORANGE = "V-201 旁边地沟盖板缺失,踩空危险"
LIGHT = "装卸台照明不足,灯坏一片"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def report(plant, words=ORANGE, *, who="张伟", seed=1):
    plant.phone(who).sends_photo(scene(seed)).says(words)


def publish(plant, change):
    content = copy.deepcopy(escalation.DEFAULT)
    change(content)
    escalation.validate(content)
    with plant.work() as work:
        version = work.policies.publish(content, at=plant.now, by_id=None).version
        work.commit()
    return version


def on_roster(plant, role, *names, hours=8, start=None):
    start = start or plant.now
    with plant.work() as work:
        for name in names:
            person = work.people.by_name(name)[0]
            work.roster.add(
                Duty(role=role, person_id=person.id, starts_at=start, ends_at=start + timedelta(hours=hours))
            )
        work.commit()


def night(plant):
    """22:00 in the plant."""
    plant.now = plant.now.replace(hour=14, minute=0)


# -- time of day


def night_plan(content):
    entry = copy.deepcopy(content["plans"][1]) | {"when": {"grade": "orange", "time": "夜班"}, "confirm_minutes": 30}
    entry["first"] = [{"to": "executive", "channels": ["app"]}]
    content["plans"].insert(0, entry)
    content["shifts"] = {"夜班": "20:00-08:00"}


def test_a_night_plan_holds_at_night_only(plant):
    publish(plant, night_plan)
    report(plant)
    assert plant.hazard("YH-0001").plan["confirm_minutes"] == 120
    night(plant)
    report(plant, "V-204 旁边护栏缺损,栏杆断了", who="林雪", seed=8)
    assert plant.hazard("YH-0002").plan["confirm_minutes"] == 30
    plant.phone("赵建国").sees("YH-0002").does_not_see("YH-0001")


def test_a_notice_for_the_night_is_left_out_by_day(plant):
    def change(content):
        content["plans"][1]["ladders"]["confirm"][0]["notices"].append(
            {"to": "executive", "channels": ["sms"], "time": ["off"]}
        )

    publish(plant, change)
    report(plant)
    plant.forward(hours=2, minutes=2)
    plant.phone("陈刚").sees("还没有人确认")
    assert plant.sms_of("赵建国") == []
    night(plant)
    report(plant, "V-204 旁边护栏缺损,栏杆断了", who="林雪", seed=8)
    plant.forward(hours=2, minutes=2)
    assert any("YH-0002" in text for text in plant.sms_of("赵建国"))


def test_a_new_grade_goes_by_the_version_of_the_opening(plant):
    report(plant)
    publish(plant, lambda content: content["plans"][0].update(confirm_minutes=3))
    plant.phone("王芳").says("YH-0001 改为红 孔洞贯通")
    hazard = plant.hazard("YH-0001")
    assert (hazard.policy_version, hazard.plan["confirm_minutes"]) == (0, 15)


def test_a_raised_grade_never_gives_more_time(plant):
    report(plant)
    plant.phone("陈刚", "dingtalk").taps("开始整改", on="YH-0001")
    plant.phone("王芳").says("YH-0001 改为红 孔洞贯通")
    assert plant.hazard("YH-0001").due_at <= plant.now + timedelta(hours=4)


# -- people


def test_the_substitute_may_do_what_the_owner_may(plant):
    report(plant)
    plant.phone("陈刚", "dingtalk").says("请假3天 李强代班")
    plant.forward(hours=2, minutes=2)
    plant.phone("李强").sees("还没有人确认", "YH-0001").taps("开始整改", on="YH-0001")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_the_substitute_of_the_acceptor_accepts_but_never_his_own_work(plant):
    for officer in ("王芳", "周敏"):
        plant.phone(officer).says("请假3天 何静代班")
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    plant.phone("何静").sees("YH-0001", "待验收").taps("验收通过", on="YH-0001")
    assert plant.hazard("YH-0001").state == "closed"


def test_who_is_on_the_roster_gets_it_and_may_confirm(plant):
    on_roster(plant, "workshop_director", "何静")
    report(plant)
    assert plant.hazard("YH-0001").owner.name == "何静"
    plant.phone("何静").says("YH-0001").taps("确认收到", on="YH-0001")
    assert plant.hazard("YH-0001").confirmed_at is not None


def test_a_kept_roster_that_names_nobody_now_is_a_hole(plant):
    on_roster(plant, "workshop_director", "陈刚", hours=1)
    report(plant)
    assert plant.hazard("YH-0001").owner.name == "陈刚"
    plant.forward(hours=1, minutes=5)
    report(plant, "V-204 旁边护栏缺损,栏杆断了", who="林雪", seed=8)
    assert plant.hazard("YH-0002").owner.name in ("王芳", "周敏")
    plant.phone("王芳").sees("YH-0002", "车间主任没有在岗的人")


def test_a_first_notice_that_reaches_nobody_climbs_at_once(plant):
    def change(content):
        content["plans"][1]["first"] = [{"to": "executive", "channels": ["app"]}]

    publish(plant, change)
    plant.phone("赵建国").says("请假3天")
    report(plant)
    plant.tick()
    plant.phone("王芳").sees("YH-0001", "分管领导没有在岗的人", "已直接通知下一级")
    plant.phone("陈刚").sees("还没有人确认", "YH-0001")


def test_one_hole_in_a_step_is_told_and_the_others_are_called(plant):
    plant.phone("赵建国").says("请假3天")
    report(plant, "3号泵房着火了")
    plant.forward(minutes=16)
    plant.phone("王芳").sees("YH-0001", "分管领导没有在岗的人", "同一级的其他人已通知")
    plant.phone("王芳").sees("还没有人确认", "YH-0001")


def test_an_empty_step_is_stepped_over_in_the_same_tick(plant):
    publish(plant, lambda content: content["plans"][1]["ladders"]["confirm"][0].update(notices=[]))
    report(plant)
    plant.forward(hours=2, minutes=2)
    plant.phone("王芳").sees("YH-0001", "这一级没有安排人")
    plant.phone("陈刚").sees("还没有人确认", "YH-0001")


def test_a_person_without_a_mobile_gets_the_card_instead_of_the_sms(plant):
    with plant.work() as work:
        work.people.by_name("赵建国")[0].mobile = ""
        work.commit()
    publish(plant, lambda c: c["plans"][1].update(first=[{"to": "executive", "channels": ["sms"]}]))
    report(plant)
    plant.phone("赵建国").sees("YH-0001")


# -- a confirmation that goes stale


def test_a_stale_confirmation_asks_again_and_its_clock_restarts(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("确认收到", on="YH-0001")
    chen.cannot_tap("确认收到", on="YH-0001")
    plant.forward(hours=25)
    chen.sees("还没有开始整改", "YH-0001").taps("确认收到", on="YH-0001")
    chen.cannot_tap("确认收到", on="YH-0001")
    plant.forward(hours=20)
    plant.phone("王芳").does_not_see("还没有开始整改")  # the clock runs from the second confirmation
    plant.forward(hours=14)
    plant.phone("王芳").sees("还没有开始整改", "YH-0001")


def test_a_confirmation_given_again_is_not_late(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("确认收到", on="YH-0001")
    first = plant.hazard("YH-0001").confirmed_at
    plant.forward(hours=25)
    chen.taps("确认收到", on="YH-0001")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    hazard = plant.hazard("YH-0001")
    assert (hazard.state, hazard.confirmed_at) == ("to_accept", first)
    assert "FC-07" not in {signal["id"] for signal in hazard.signals}


# -- low grades wait, high grades never


@pytest.mark.parametrize(("words", "waits"), [(LIGHT, True), (ORANGE, False)])
def test_low_grades_wait_for_working_hours_and_high_grades_never(plant, words, waits):
    plant.now = datetime.fromisoformat("2026-11-27T09:00:00+00:00")  # Friday 17:00
    report(plant, words)
    plant.forward(hours=12)  # Saturday 05:00
    with plant.work(read_only=True) as work:
        taken = work.db.scalars(select(LadderStep).where(LadderStep.taken_at.is_not(None))).all()
    assert (not taken) is waits


def test_the_policy_names_the_working_hours(plant):
    publish(plant, lambda content: content.update(working_hours="08:30-12:00"))
    report(plant, LIGHT)
    steps = [s for s in _steps(plant) if s.ladder == "confirm"]
    local = {s.due_at.astimezone(plant.services.zone).strftime("%H:%M") for s in steps}
    assert all("08:30" <= at < "12:00" for at in local), local


def _steps(plant):
    with plant.work(read_only=True) as work:
        return work.db.scalars(select(LadderStep).order_by(LadderStep.id)).all()


# -- the reporter's veto


def test_the_veto_reaches_others_when_the_executive_closed_it(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    plant.phone("赵建国").says("YH-0001").taps("验收通过", on="YH-0001")
    plant.phone("张伟").taps("还在", on="YH-0001")
    plant.phone("王芳").sees("问题还在", "YH-0001")


def test_executives_get_an_sms_when_nobody_confirms_an_orange_one(plant):
    report(plant)
    plant.forward(hours=7, minutes=50)
    assert plant.sms_of("赵建国") == []
    plant.forward(minutes=20)
    assert any("YH-0001" in text for text in plant.sms_of("赵建国"))
