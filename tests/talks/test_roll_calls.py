"""Everyone must confirm: gas alarm, evacuation, permits called off. Who has not is shown, asked again, looked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.models import Duty, Person
from tests import permits
from tests.pictures import scene
from tests.web.conftest import Browser

NUMBER = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def fire(plant, words="3号泵房着火了"):
    plant.phone("张伟").says(words)


def call(plant, number=1):
    with plant.work(read_only=True) as work:
        return work.roll_calls.get(number)


def missing(plant, number=1):
    return {m.person.name for m in call(plant, number).members if m.confirmed_at is None}


def test_a_fire_calls_everybody_of_the_area_and_shows_who_has_not_confirmed(plant):
    fire(plant)
    assert missing(plant) == {"李强", "陈刚", "张伟"}
    li = plant.phone("李强")
    li.sees("⚠ 撤离 · 3号泵房", "YH-0001 有人报", buttons=["我已撤到安全处", "需要救援"])
    plant.phone("王芳").sees("DM-0001 撤离点名", "未确认(3)")
    li.taps("我已撤到安全处").sees("您安全", "还有2人没有确认")
    plant.forward(minutes=1)
    li.taps("我已撤到安全处").sees("您已在", "确认过了")
    plant.phone("王芳").sees("DM-0001 撤离点名", "未确认(2)", "张伟")
    plant.phone("王芳").says("点名").sees("DM-0001", "已确认1/3,未确认")
    for name in ("陈刚", "张伟"):
        plant.phone(name).taps("我已撤到安全处")
    plant.phone("王芳").sees("全员3人已确认").sees("DM-0001 撤离点名", "全员已确认")
    assert plant.problems() == []


def test_who_does_not_confirm_is_asked_again_and_looked_for(plant):
    fire(plant)
    plant.phone("李强").taps("我已撤到安全处")
    sms = len(plant.sms_of("陈刚"))
    plant.forward(minutes=3)
    assert plant.phone("陈刚").count("⚠ 撤离 · 3号泵房") == 2
    assert any("DM-0001" in text for text in plant.sms_of("陈刚")[sms:])
    assert not any("DM-0001" in text for text in plant.sms_of("李强"))
    assert plant.phone("李强").count("⚠ 撤离 · 3号泵房") == 1
    plant.forward(minutes=3)
    plant.phone("王芳").sees("DM-0001", "还有2人没有确认", "陈刚", "张伟")
    plant.phone("赵建国").does_not_see("还有2人没有确认")
    plant.forward(minutes=5)
    plant.phone("赵建国").sees("DM-0001", "还有2人没有确认")
    told = plant.phone("赵建国").count("没有确认", "马上联系")
    plant.forward(minutes=11)
    assert plant.phone("赵建国").count("没有确认", "马上联系") > told  # while somebody is missing it never falls silent


def test_the_last_step_comes_every_ten_minutes_and_hourly_after_the_first_hour(plant):
    fire(plant)
    times = []
    for _ in range(4):
        plant.forward(minutes=60)
        with plant.work(read_only=True) as work:
            times.append(sum(step.taken_at is not None for step in work.ladder.of("roll_call", 1)))
    first, *later = (after - before for before, after in zip([0, *times], times, strict=False))
    assert first >= 7 and all(1 <= count <= 2 for count in later), times


def test_all_confirmed_and_ended_calls_wake_nobody(plant):
    fire(plant)
    for name in ("李强", "陈刚", "张伟"):
        plant.phone(name).taps("我已撤到安全处")
    before = plant.phone("王芳").count("没有确认")
    plant.forward(minutes=30)
    assert plant.phone("王芳").count("没有确认") == before
    plant.phone("王芳").taps("解除", on="DM-0001").sees("DM-0001 已解除")
    plant.phone("李强").sees("撤离(3号泵房)已解除")
    plant.phone("李强").cannot_tap("我已撤到安全处")


def test_a_second_fire_of_the_area_calls_nobody_twice_and_numbers_go_on(plant):
    fire(plant)
    plant.phone("李强").says("3号泵房又着火了,第二台泵")
    plant.phone("王芳").says("撤离 合成车间 防患未然").taps("发出撤离")
    with plant.work(read_only=True) as work:
        assert [(c.number, c.area.code) for c in work.roll_calls.open()] == [("DM-0002", "HC"), ("DM-0001", "BF")]


def test_an_ended_call_is_quiet_though_somebody_never_confirmed(plant):
    fire(plant)
    plant.phone("王芳").taps("解除", on="DM-0001")
    count = plant.phone("陈刚").count("DM-0001")
    plant.forward(hours=1)
    assert plant.phone("陈刚").count("DM-0001") == count
    with plant.work(read_only=True) as work:
        assert [line.action for line in work.trail.of("roll_call", 1)] == ["started", "ended"]
        assert list(work.trail.broken()) == []


def test_help_is_told_at_once_and_the_call_cannot_end_before_they_are_safe(plant):
    fire(plant)
    plant.phone("张伟").taps("需要救援").sees("来救援")
    wang = plant.phone("王芳")
    wang.sees("张伟需要救援", "3号泵房").sees("需要救援:张伟")
    assert any("DM-0001" in text for text in plant.sms_of("王芳"))
    wang.taps("解除", on="DM-0001").sees("还有人需要救援:张伟")
    assert call(plant).ended_at is None
    wang.says("DM-0001 张伟 安全").sees("已确认张伟安全")
    plant.forward(minutes=1)
    wang.taps("解除", on="DM-0001").sees("DM-0001 已解除")


def test_help_after_all_had_confirmed_wakes_the_ladder_again(plant):
    fire(plant)
    for name in ("李强", "陈刚", "张伟"):
        plant.phone(name).taps("我已撤到安全处")
    plant.forward(minutes=1)
    plant.phone("张伟").taps("需要救援")
    plant.forward(minutes=3)
    plant.phone("赵建国").sees("DM-0001", "还有1人没有确认", "张伟")


def test_only_those_who_lead_end_it_or_confirm_for_others(plant):
    fire(plant)
    sun = plant.phone("孙丽")
    sun.says("DM-0001 张伟 安全").sees("替别人确认只能由")
    other = Browser(plant, "孙丽")
    assert other.get("/h5/roll-calls/1").status_code == 403
    answer = other.post("/h5/roll-calls/1/end", data={"csrf": other.csrf("/h5/place")})
    assert answer.status_code == 303 and call(plant).ended_at is None


def test_an_evacuation_by_hand_asks_once_and_calls_the_area(plant):
    chen = plant.phone("陈刚")
    chen.says("撤离 月球 演习").sees("没有找到区域“月球”")
    plant.phone("孙丽").says("撤离 合成车间").sees("由班组长、车间主任、安全员或分管领导发起")
    chen.says("撤离 甲醇罐区 液位计泄漏").sees("甲醇罐区", "人发出撤离点名").taps("发出撤离")
    chen.sees("DM-0001 已向")
    assert "陈刚" not in missing(plant) and {"张伟", "李强"} <= missing(plant)
    plant.phone("张伟").sees("⚠ 撤离 · 甲醇罐区", "液位计泄漏")
    chen.says("撤离 甲醇罐区").says("取消").sees("没有发出")
    chen.says("撤离 甲醇罐区").says("发出撤离").sees("这次点名还在进行")


def test_the_whole_plant_means_everybody_but_those_on_leave(plant):
    plant.phone("孙丽").says("请假3天 吴涛代班")
    plant.phone("王芳").says("撤离 全厂 大面积泄漏").taps("发出撤离")
    with plant.work(read_only=True) as work:
        everybody = {p.name for p in work.people.all_active()}
    assert {m.person.name for m in call(plant).members} == everybody - {"孙丽"}


def test_who_is_on_the_roster_of_the_area_is_called_too(plant):
    with plant.work() as work:
        area = work.plant.area_by_code("BF")
        person = work.people.by_name("徐军")[0]
        work.roster.add(
            Duty(
                role="team_leader",
                area_id=area.id,
                person_id=person.id,
                starts_at=plant.now,
                ends_at=plant.now + timedelta(hours=8),
            )
        )
        work.commit()
    fire(plant)
    assert "徐军" in missing(plant)


def test_an_anonymous_reporter_is_not_named_by_the_call(plant):
    plant.phone("孙丽").says("匿名 3号泵房着火了")
    assert "孙丽" not in {m.person.name for m in call(plant).members}


def test_the_page_shows_names_and_confirms(plant):
    fire(plant)
    wang = Browser(plant, "王芳")
    page = wang.get("/h5/roll-calls/1").text
    assert "没有确认" in page and "陈刚" in page and "tel:" in page
    with plant.work(read_only=True) as work:
        chen = work.people.by_name("陈刚")[0].id
    form = {"csrf": wang.csrf("/h5/place"), "person": str(chen)}
    assert "已确认陈刚安全" in wang.get(wang.post("/h5/roll-calls/1/seen", data=form).location).text
    zhang = Browser(plant, "张伟")
    page = zhang.get("/h5/roll-calls/1").text
    assert "我已撤到安全处" in page and "tel:" not in page
    zhang.post("/h5/roll-calls/1/safe", data={"csrf": zhang.csrf("/h5/place")})
    assert missing(plant) == {"李强"}
    assert "DM-0001" in zhang.get("/h5/roll-calls").text
    found = plant.api().get("/api/v1/roll-calls?state=open").get_json()["items"][0]
    assert (found["called"], found["confirmed"]) == (3, 2)
    assert [m["person"]["name"] for m in found["missing"]] == ["李强"]


# -- gas alarm


def reads(plant, value, code="GT-301", unit="%LEL", ago=timedelta()):
    row = {
        "detector": code,
        "kind": "combustible",
        "value": value,
        "unit": unit,
        "status": "ok",
        "at": (plant.now - ago).isoformat(),
    }
    answer = plant.api().post("/api/v1/readings", json=[row])
    assert answer.status_code == 200, answer.get_json()
    plant.settle()


def test_a_gas_alarm_calls_everybody_of_the_detectors_area_once(plant):
    reads(plant, 30)
    plant.forward(minutes=1)
    with plant.work(read_only=True) as work:
        assert not work.roll_calls.open()
    reads(plant, 62)
    plant.phone("李强").sees("⚠ 气体报警 · 3号泵房", "GT-301 62%LEL", "往上风向")
    plant.forward(minutes=1)
    reads(plant, 65)
    with plant.work(read_only=True) as work:
        assert len(work.roll_calls.open()) == 1
    plant.forward(minutes=6)
    plant.phone("王芳").sees("气体报警已", "没有确认", "李强")
    plant.phone("王芳").taps("解除", on="DM-0001")
    reads(plant, 66)
    with plant.work(read_only=True) as work:
        assert not work.roll_calls.open()  # people ended it knowingly
    plant.forward(minutes=12)
    reads(plant, 67)
    with plant.work(read_only=True) as work:
        assert len(work.roll_calls.open()) == 1


def test_a_late_value_calls_nobody_it_only_fills_history(plant):
    reads(plant, 3)
    reads(plant, 62, ago=timedelta(minutes=4))
    with plant.work(read_only=True) as work:
        assert not work.roll_calls.open()
        assert work.readings.detector("GT-301").last_value == 3
    reads(plant, 61)
    with plant.work(read_only=True) as work:
        assert len(work.roll_calls.open()) == 1


def test_an_area_without_people_is_a_hole_that_is_told(plant):
    with plant.work() as work:
        area = work.plant.area_by_code("BF")
        for person in work.db.query(Person):
            person.roles = [g for g in person.roles if g.area_id != area.id]
        work.commit()
    reads(plant, 80)
    plant.phone("王芳").sees("3号泵房", "GT-301", "没有属于该区域的人")


# -- the reporter's own report


def test_a_hazard_that_is_no_fire_calls_nobody(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    plant.phone("张伟").says("3号泵房有人触电了")
    with plant.work(read_only=True) as work:
        assert not work.roll_calls.open()


# -- permits


def test_a_permit_called_off_shows_who_has_not_confirmed_and_looks_for_them(plant):
    permits.at_work(plant)
    plant.phone(permits.WORKER, "dingtalk").taps("叫停", on=NUMBER)
    assert call(plant).kind == "permit_recall"
    assert permits.GUARDIAN in missing(plant) and permits.WORKER not in missing(plant)
    plant.phone(permits.GUARDIAN).taps("确认停工", on=NUMBER)
    assert permits.GUARDIAN not in missing(plant)
    left = missing(plant)
    assert left
    plant.forward(minutes=6)
    plant.phone("王芳").sees("DM-0001 作业票叫停", "没有确认", next(iter(left)))
    for name in left:
        plant.phone("王芳").says(f"DM-0001 {name} 安全")
    assert not missing(plant)
    with plant.work(read_only=True) as work:
        permit = work.permits.get(call(plant).case_id)
        assert not [p for p in permit.parties if p.left_at is None and p.called_at and not p.confirmed_at]
        assert not list(work.trail.broken())
