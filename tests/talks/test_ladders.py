"""Ladders: they climb until a person answers, step over holes, wait for working hours, ask again when nothing happens."""

from __future__ import annotations

from datetime import UTC, datetime

import chinese_calendar
import pytest

from handlers.hazard import hours
from rules import escalation
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices

ORANGE = "V-201 旁边地沟盖板缺失,踩空危险"


def report(plant, words=ORANGE):
    plant.phone("张伟").sends_photo(scene(1)).says(words)


def test_a_substitute_gets_what_would_have_gone_to_the_person_away(plant):
    chen = plant.phone("陈刚", "dingtalk")
    chen.says("请假3天 李强代班").sees("由李强代班")
    plant.phone("李强").sees("陈刚请您代班")
    report(plant)
    assert plant.hazard("YH-0001").owner.name == "李强"
    chen.says("销假").sees("已销假")
    plant.phone("林雪").sends_photo(scene(8)).says("V-204 旁边护栏缺损,栏杆断了")
    assert plant.hazard("YH-0002").owner.name == "陈刚"


def test_a_rung_with_nobody_on_it_is_stepped_over_in_the_same_tick(plant):
    report(plant)
    plant.phone("陈刚", "dingtalk").says("请假3天").sees("没有代班人")
    plant.forward(hours=2, minutes=2)
    plant.phone("王芳").sees("升级阶梯有空档", "YH-0001")
    plant.phone("王芳").sees("还没有人确认", "YH-0001")


def test_a_confirmation_goes_stale(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("确认收到", on="YH-0001")
    plant.forward(hours=25)
    chen.sees("还没有开始整改", "YH-0001")


def test_red_goes_by_sms_when_nobody_confirms(plant):
    report(plant, "3号泵房着火了")
    before = len(plant.sms_of("赵建国"))
    plant.forward(minutes=16)
    assert len(plant.sms_of("赵建国")) > before
    assert any("YH-0001" in text for text in plant.sms_of("陈刚"))


def test_confirmed_in_time_stops_the_ladder(plant):
    report(plant)
    plant.phone("陈刚", "dingtalk").taps("开始整改", on="YH-0001")
    plant.forward(hours=24)
    plant.phone("王芳").does_not_see("还没有人确认")
    plant.phone("赵建国").does_not_see("YH-0001")


def test_the_plan_in_force_when_it_opened_stays(plant):
    report(plant)
    changed = {"plans": [dict(entry, confirm_minutes=1) for entry in escalation.DEFAULT["plans"]]}
    with plant.work() as work:
        work.policies.publish(changed, at=plant.now, by_id=None)
        work.commit()
    assert plant.hazard("YH-0001").plan["confirm_minutes"] == 120
    plant.phone("林雪").sends_photo(scene(8)).says("V-204 旁边护栏缺损,栏杆断了")
    assert plant.hazard("YH-0002").plan["confirm_minutes"] == 1


def test_overdue_is_said_to_the_owner_and_up(plant):
    report(plant)
    plant.phone("陈刚", "dingtalk").taps("开始整改", on="YH-0001")
    plant.forward(days=3, hours=1)
    plant.phone("陈刚", "dingtalk").sees("已逾期", "YH-0001")
    plant.phone("王芳").sees("已逾期", "YH-0001")


def test_the_reporters_veto_goes_past_the_closers_boss(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    plant.phone("张伟").taps("还在", on="YH-0001")
    plant.phone("赵建国").sees("问题还在", "YH-0001")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-24T01:00", "2026-11-24T01:00"),  # Tuesday 09:00
        ("2026-11-24T09:29", "2026-11-24T09:29"),  # 17:29
        ("2026-11-24T09:30", "2026-11-25T00:00"),  # 17:30: tomorrow 08:00
        ("2026-11-23T23:59", "2026-11-24T00:00"),  # 07:59
        ("2026-11-27T10:00", "2026-11-30T00:00"),  # Friday evening: Monday
        ("2026-10-01T02:00", "2026-10-08T00:00"),  # National Day holiday
    ],
)
def test_low_grades_wait_for_working_hours(at, expected):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert hours.next_working(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_make_up_workdays_count():
    made_up = next(day for day in chinese_calendar.constants.workdays if day.year == 2026 and day.weekday() >= 5)
    morning = datetime(made_up.year, made_up.month, made_up.day, 2, 0, tzinfo=UTC)
    assert hours.next_working(morning) == morning


def test_an_extension_before_anybody_confirmed_keeps_the_confirm_ladder(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("申请延期", on="YH-0001").taps("3天").says("等备件到厂").says("已拉警戒线并盖板临时遮挡")
    plant.phone("王芳").taps("同意延期", on="YH-0001")
    plant.forward(hours=5)
    plant.phone("王芳").sees("还没有人确认", "YH-0001")


def test_a_new_grade_while_waiting_for_acceptance_keeps_the_accept_ladder(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    plant.phone("王芳").says("YH-0001 改为红 孔洞贯通")
    plant.forward(hours=9)
    plant.phone("王芳").sees("整改已提交", "YH-0001")
