"""A permit that lives among others: neighbours, pauses, the end and its fire watch, calls that nobody confirms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.permit import facts, guarding, judge, surroundings
from rules import escalation
from rules.geo import Point
from rules.permit import Stage, facts_from_json, load
from storage.models import Detector, Duty, Permit, Person
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, LEADER, WORKER
from tests.pictures import scene

NUMBER = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def permit(plant, number=NUMBER):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(number)


def set_rules(plant, **permit_rules) -> None:
    """The plant's own settings for permits, put in force."""
    with plant.work() as work:
        work.policies.publish({**escalation.DEFAULT, "permit": permit_rules}, at=work.at, by_id=None)
        work.commit()


def other_permit(plant, **values) -> str:
    """Another permit straight into the database, where the talk itself is not what is tested."""
    with plant.work() as work:
        lat, lon = p.spot(plant, "P-102B")
        made = work.permits.add(
            Permit(
                created_at=work.at,
                suspend_why=[],
                next_due=[],
                parties=[],
                approvals=[],
                gas_tests=[],
                generation=1,
                area_id=work.plant.area_by_code("BF").id,
                lat=lat,
                lon=lon,
                **{"number": "ZY-0900", "facts": {}, **values},
            )
        )
        work.commit()
        return made.number


# -- neighbours


def test_painting_that_begins_beside_a_fire_stops_the_fire_at_once(plant):
    p.at_work(plant)
    other_permit(plant, work="work_at_height", level="I", state="approved", content="P-102A管架刷漆防腐")
    p.one(plant, 2)
    assert permit(plant).state == "active"  # approved only: nobody paints yet
    with plant.work() as work:
        from handlers.permit import running

        other = work.permits.by_number("ZY-0900")
        other.state = "active"
        running.tell_neighbours(work, other)
        work.commit()
    plant.settle()
    found = permit(plant)
    assert found.state == "suspended"
    assert "HW-C04" in {why["rule"] for why in found.suspend_why}
    plant.phone(WORKER).sees("立即停止作业", NUMBER)


def test_a_coordinator_named_by_the_neighbour_serves_both(plant):
    other_permit(plant, work="temp_power", state="approved", content="焊机接临时电", facts={"coordinator_id": "周敏"})
    p.feed(plant)
    p.ask_for(plant).sees("一级动火 · 通过")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        asked = facts_from_json(work.permit_verdicts.get(draft.verdict_id).facts)
        assert asked["coordinator_id"] == "周敏"


@pytest.mark.parametrize(
    ("state", "below_m", "stacked"),
    [("active", 1.0, True), ("active", None, True), ("active", 11.0, False), ("approved", 1.0, False)],
)
def test_work_that_goes_on_below_running_work_at_height_is_stacked(plant, state, below_m, stacked):
    told = {"stacked_work": False}  # true when it was asked for
    number = other_permit(plant, work="work_at_height", state="active", content="管架检修", height_m=12.0, facts=told)
    other_permit(plant, number="ZY-0901", work="hot_work", state=state, content="法兰电焊", height_m=below_m)
    with plant.work(read_only=True) as work:
        upper = work.permits.by_number(number)
        verdict = judge.judge(work, upper, stage=Stage.RUN)
    assert verdict.gathered.facts.get("stacked_work", False) is stacked
    assert ("WH-007" in {row.id for row in verdict.verdict.failing()}) is stacked


def test_a_handover_to_somebody_who_guards_elsewhere_is_refused(plant):
    guardian = p.at_work(plant)
    with plant.work(read_only=True) as work:
        busy = work.people.by_name("高峰")[0].id
    other_permit(plant, work="lifting", level="3", state="active", content="吊转子", guardian_id=busy)
    guardian.taps("监护交接", on=NUMBER).says("高峰").sees("正在监护另一处作业")
    assert permit(plant).guardian.name == GUARDIAN


# -- other gases


@pytest.mark.parametrize(
    ("kind", "unit", "good", "bad"),
    [("h2s", "mg/m3", 10, 10.1), ("o2", "%vol", 19.5, 19.4), ("nh3", "ppm", 30, 60), ("o2", "%vol", 23.5, 23.6)],
)
def test_a_detector_of_another_gas_is_felt_too(plant, kind, unit, good, bad):
    with plant.work() as work:
        lat, lon = p.spot(plant, "P-102B")
        area = work.plant.area_by_code("BF").id
        made = Detector(code="TX-1", kind=kind, unit=unit, lat=lat, lon=lon, area_id=area, max_age_s=300)
        work.db.add(made)
        work.commit()
        table = load()
        for value, words in ((good, ""), (bad, "TX-1")):
            made.last_at, made.last_value, made.last_status = plant.now, value, "ok"
            work.flush()
            here = Point(lat=lat, lon=lon)
            seen = surroundings.watch(work, table, here, area, at=plant.now, lel_vol=5.5, limit_vol=0.5)
            assert seen.over_limit == words
        old = plant.now + timedelta(seconds=301)
        assert surroundings.watch(work, table, here, area, at=old, lel_vol=5.5, limit_vol=0.5).over_limit == ""


# -- shifts


def on_shift(plant, name: str, *, until: timedelta) -> None:
    with plant.work() as work:
        person = work.people.by_name(name)[0]
        work.db.add(
            Duty(
                role="worker", person_id=person.id, starts_at=plant.now - timedelta(hours=6), ends_at=plant.now + until
            )
        )
        work.commit()


def test_the_end_of_the_guardians_shift_asks_for_a_handover_and_then_stops(plant):
    on_shift(plant, GUARDIAN, until=timedelta(minutes=50))
    guardian = p.at_work(plant)
    p.running(plant, minutes=40)
    assert permit(plant).state == "active"
    guardian.sees("郑凯 09:50 下班", "监护交接")
    plant.phone(LEADER).sees("郑凯 09:50 下班")
    p.running(plant, minutes=15)
    found = permit(plant)
    assert found.state == "suspended"
    assert {why["rule"] for why in found.suspend_why} == {"G-006"}
    assert "不当班" in found.suspend_why[0]["message"]


def test_a_handover_in_time_goes_on_without_a_stop(plant):
    on_shift(plant, GUARDIAN, until=timedelta(minutes=30))
    p.at_work(plant).taps("监护交接", on=NUMBER).says("高峰").sees("已请高峰接班")
    p.relieve(plant, "高峰")
    p.running(plant, minutes=40, guardian="高峰")
    assert permit(plant).state == "active"


def test_a_guardian_on_leave_stops_the_work_and_is_not_offered(plant):
    guardian = p.at_work(plant)
    guardian.says("请假1天").sees("已登记")
    assert permit(plant).state == "suspended"
    with plant.work() as work:
        found = work.permits.by_number(NUMBER)
        assert GUARDIAN not in [row.name for row in guarding.for_permit(work, found, plant.now)]


# -- pauses and the end


def test_a_pause_into_the_night_is_no_suspension_but_going_on_is_refused(plant):
    plant.now += timedelta(hours=9)  # 18:00 at the plant
    guardian = p.at_work(plant, when="现在干4小时")
    p.running(plant, minutes=100)
    guardian.taps("中断", on=NUMBER)
    p.running(plant, minutes=30, guardian="")
    assert permit(plant).state == "interrupted"
    plant.phone(WORKER).does_not_see("立即停止作业")
    guardian.taps("监护打卡", on=NUMBER).taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    guardian.taps("恢复作业", on=NUMBER).sees("还不能恢复", "HW-G06")


def test_gas_in_a_pause_still_calls_people_away(plant):
    guardian = p.at_work(plant)
    p.running(plant, minutes=5)
    guardian.taps("中断", on=NUMBER).sees("已中断", "09:35前不恢复动火,须重新取样")
    plant.phone(WORKER).sees(NUMBER, "已中断", "09:35前不恢复动火")
    p.one(plant, 10)
    assert permit(plant).state == "suspended"


def test_finished_work_that_waits_for_acceptance_is_left_in_peace(plant):
    guardian = p.at_work(plant, when="现在干1小时")
    guardian.taps("收工", on=NUMBER).sends_photo(scene(90))
    plant.forward(minutes=95)  # silent detector, silent guardian, validity over
    assert permit(plant).state == "active"
    worker = plant.phone(WORKER)
    worker.does_not_see("立即停止作业").does_not_see("已到期")
    plant.phone(LEADER).taps("验收关闭", on=NUMBER)
    assert permit(plant).state == "closed"


def test_work_that_goes_on_after_all_expires_with_its_time(plant):
    guardian = p.at_work(plant, when="现在干1小时")
    guardian.taps("收工", on=NUMBER).sends_photo(scene(90))
    plant.forward(minutes=70)
    guardian.taps("还没完,继续", on=NUMBER)
    assert permit(plant).state == "expired"


def test_a_fire_watch_comes_before_acceptance(plant):
    set_rules(plant, settings={"fire_watch_minutes": 30})
    guardian = p.at_work(plant)
    guardian.taps("收工", on=NUMBER).sends_photo(scene(90))
    guardian.sees("监火到09:30", buttons=["监火结束", "还没完,继续"])
    guardian.taps("监火结束", on=NUMBER).sees("还没到时间")
    plant.phone(LEADER).cannot_tap("验收关闭")
    plant.forward(minutes=31)
    guardian.sees("监火时间到").taps("监火结束", on=NUMBER).sees("拍一张").says("好了").sees("动火点的照片")
    guardian.sends_photo(scene(92)).sees("监火结束", "等验收")
    plant.phone(LEADER).taps("验收关闭", on=NUMBER)
    found = permit(plant)
    assert found.state == "closed"
    assert [row.photo_sha for row in found.approvals if row.kind == "fire_watch"] != [""]
    assert plant.problems() == []


# -- a call that nobody confirms


def test_who_does_not_confirm_is_called_again_and_then_looked_for(plant):
    guardian = p.at_work(plant)
    p.one(plant, 10)
    guardian.taps("确认停工", on=NUMBER)
    plant.forward(minutes=6)
    plant.phone("王芳").sees("没有确认", "吴涛", "请马上联系")
    plant.phone("王芳").does_not_see("没有确认", "郑凯")
    for name in (APPLICANT, WORKER, "周敏", LEADER):
        plant.phone(name).taps("确认停工", on=NUMBER)
    plant.forward(minutes=6)
    plant.phone("赵建国").does_not_see("没有确认")  # all are safe: the ladder ends


# -- the calendar


def test_a_permit_that_crosses_midnight_into_a_rest_day_stops_there(plant, monkeypatch):
    set_rules(plant, settings={"night_start": "21:59"})  # a table of its own: verdicts are remembered by table
    monkeypatch.setattr("rules.permit.hours.is_night", lambda *_: False)  # only the day counts here
    plant.now += timedelta(days=3, hours=13)  # Friday 22:00 at the plant
    p.at_work(plant, when="现在干4小时")
    words = [due["message"] for due in permit(plant).next_due]
    assert "11月28日00:00起为节假日或公休日,继续动火须升级管理" in words
    p.running(plant, minutes=115)
    assert permit(plant).state == "active"
    plant.phone(GUARDIAN).sees(NUMBER, "起为节假日或公休日")
    p.running(plant, minutes=10)
    found = permit(plant)
    assert found.state == "suspended"
    assert "HW-G06" in {why["rule"] for why in found.suspend_why}


@pytest.mark.parametrize(
    ("start", "hours", "midnight"),
    [
        ("2026-11-27T22:00", 4, "2026-11-28T00:00"),  # Friday into Saturday
        ("2026-11-26T22:00", 4, None),  # Thursday into Friday
        ("2026-11-26T22:00", 48, "2026-11-28T00:00"),
        ("2026-11-28T10:00", 72, None),  # a rest day already
        ("2026-09-30T22:00", 4, "2026-10-01T00:00"),  # into the national holiday
    ],
)
def test_the_next_rest_day_within_a_permit(start, hours, midnight):
    table = load()
    at = datetime.fromisoformat(start).replace(tzinfo=table.settings.zone)
    found = facts.calendar(table, at.astimezone(UTC), at.astimezone(UTC) + timedelta(hours=hours))["rest_day_from"]
    wanted = datetime.fromisoformat(midnight).replace(tzinfo=table.settings.zone) if midnight else None
    assert (datetime.fromisoformat(found) if found else None) == wanted


# -- names


def test_two_people_of_one_name_are_told_apart_by_their_number(plant):
    with plant.work() as work:
        work.db.add(Person(code="zk2", name=GUARDIAN, created_at=plant.now))
        work.commit()
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("P-102B出口法兰电焊").says("现在干4小时")
    phone.says(GUARDIAN).sees("有2位", "工号", "zhengkai")
    phone.says("zhengkai").sees("谁来干")
