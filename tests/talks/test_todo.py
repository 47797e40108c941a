"""«待办»: everything that waits for one person is told, and nothing that waits for others."""

from __future__ import annotations

import pytest

from tests import permits as p
from tests.pictures import scene
from tests.plant import walked

ZY = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def todo(plant, name):
    """What the bot answers."""
    phone = plant.phone(name)
    before = {item["id"] for item in phone.screen()}
    new = [item["text"] for item in phone.says("待办").screen() if item["from"] != "me" and item["id"] not in before]
    assert len(new) == 1, new
    return new[0]


@walked
def handed_in(plant):
    p.feed(plant)
    p.hand_in(plant)


def test_a_permit_is_told_to_whom_it_waits_for_until_it_is_done(plant):
    handed_in(plant)
    told = todo(plant, p.APPROVER)
    assert ZY in told and "请签字:" in told
    for other in (p.APPLICANT, p.GUARDIAN, p.WORKER, p.LEADER):
        assert todo(plant, other) == "没有待办,辛苦了。"
    p.approve(plant)
    assert todo(plant, p.APPROVER) == "没有待办,辛苦了。"
    assert "请验票" in todo(plant, p.LEADER)
    assert "请接受交底" in todo(plant, p.WORKER)
    assert "请交底(说“我来交底”)" in todo(plant, p.APPLICANT)
    plant.phone(p.APPLICANT).says("我来交底")
    assert todo(plant, p.APPLICANT) == "没有待办,辛苦了。"
    told = todo(plant, p.GUARDIAN)
    assert all(words in told for words in ("请接受交底", "请到现场打卡", "条没确认"))
    p.prepare(plant)
    for done in (p.LEADER, p.WORKER, p.GUARDIAN):
        assert todo(plant, done) == "没有待办,辛苦了。"
    plant.forward(minutes=1)
    p.start(plant).taps("收工", on=ZY).sends_photo(scene(78))
    assert "请验收" in todo(plant, p.LEADER)
    assert todo(plant, p.WORKER) == "没有待办,辛苦了。"
    plant.phone(p.LEADER).taps("验收关闭", on=ZY)
    assert todo(plant, p.LEADER) == "没有待办,辛苦了。"


def test_a_request_sent_back_waits_for_its_applicant(plant):
    handed_in(plant)
    plant.phone(p.APPROVER).taps("退回补充", on=ZY).says("写清楚部位")
    assert "请补充" in todo(plant, p.APPLICANT)
    assert todo(plant, p.APPROVER) == "没有待办,辛苦了。"


def test_a_relief_is_told_to_come_and_a_stop_waits_for_who_has_not_confirmed_it(plant):
    guardian = p.at_work(plant)
    assert "您在监护" in todo(plant, p.GUARDIAN)
    guardian.taps("监护交接", on=ZY).says("高峰")
    assert "请到现场打卡接班" in todo(plant, "高峰")
    plant.forward(minutes=1)  # a platform takes only so many messages for one person a minute
    guardian.taps("叫停", on=ZY).says("有异味")
    assert "请确认停工" in todo(plant, p.WORKER)
    plant.phone(p.WORKER).taps("确认停工", on=ZY)
    assert ZY not in todo(plant, p.WORKER)
    assert "恢复或收工" in todo(plant, p.GUARDIAN)  # who called the stop has stopped


def test_a_hazard_nobody_is_responsible_for_waits_for_the_safety_officers(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("3号泵房护栏松动")
    with plant.work() as work:
        hazard = work.hazards.by_number("YH-0001")
        hazard.owner, hazard.state = None, "reported"
        work.commit()
    assert "没有责任人的(1)" in todo(plant, "王芳")
    assert "没有责任人的" not in todo(plant, "李强")


def test_an_unanswered_roll_call_comes_first(plant):
    plant.phone("陈刚").says("撤离 甲醇罐区 氨泄漏").taps("发出撤离")
    with plant.work(read_only=True) as work:
        missing = work.roll_calls.open()[0].members[0].person.name
    assert todo(plant, missing).startswith("点名没确认:DM-0001")
