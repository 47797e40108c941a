"""An account that the platform says is gone: nothing goes there, the open work is told of, and a return brings it back."""

from __future__ import annotations

import pytest

from emulators.dingtalk.events import Event
from storage.models import Person
from tests import permits as p
from tests.pictures import scene

ORANGE = "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险"
RED = "3号泵房着火了"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def person(plant, name) -> Person:
    with plant.work(read_only=True) as work:
        found = work.people.by_name(name)[0]
        assert found.accounts is not None
        return found


def accounts(plant, name):
    with plant.work(read_only=True) as work:
        return {a.platform: a for a in work.people.by_name(name)[0].accounts}


def happens(plant, event, user):
    plant.dingtalk.events.fire(event, {"userId": [user], "timeStamp": str(int(plant.now.timestamp() * 1000))})
    plant.settle()


def leaves(plant, name, platform="dingtalk"):
    phone = plant.phone(name, platform)
    if platform == "dingtalk":
        happens(plant, "user_leave_org", phone.user)
    else:
        phone._post("leave")


def report(plant, words=ORANGE):
    plant.phone("张伟").sends_photo(scene(1)).says(words)
    return plant.hazard("YH-0001").owner.name


def test_the_account_that_left_is_not_where_the_person_is_reached(plant):
    plant.phone("陈刚", "dingtalk").says("你好")
    plant.forward(minutes=5)
    leaves(plant, "陈刚")
    assert accounts(plant, "陈刚")["dingtalk"].left_at is not None
    plant.phone("王芳").sees("陈刚的钉钉账号已离开企业", "以后发到企业微信")
    plant.phone("周敏").sees("陈刚的钉钉账号已离开企业")
    assert report(plant) == "陈刚"
    plant.phone("陈刚", "wecom").sees("YH-0001")
    with plant.work(read_only=True) as work:
        assert "user003" not in {row.user_id for row in work.outbox.of_case("hazard", 1)}


def test_what_is_told_of_a_person_is_nothing_they_said(plant):
    for event in ("user_modify_org", "user_leave_org"):
        happens(plant, event, "user003")
        found = accounts(plant, "陈刚")["dingtalk"]
        assert found.last_seen_at is None, event
        assert (found.left_at is None) is (event == "user_modify_org")


def test_a_wecom_account_that_unsubscribes_and_comes_back(plant):
    leaves(plant, "陈刚", "wecom")
    assert accounts(plant, "陈刚")["wecom"].left_at is not None
    plant.phone("王芳").sees("陈刚的企业微信账号已取消关注", "以后发到钉钉")
    leaves(plant, "陈刚", "wecom")
    assert plant.phone("王芳").count("取消关注") == 1
    plant.phone("陈刚", "wecom")._post("join")
    assert accounts(plant, "陈刚")["wecom"].left_at is None


def test_without_any_account_left_what_nobody_confirmed_climbs_at_once_and_the_rest_is_named(plant):
    owner = report(plant)
    leaves(plant, owner, "dingtalk")
    leaves(plant, owner, "wecom")
    plant.tick()
    assert person(plant, owner).active  # whether somebody has left the plant is for people to say
    plant.phone("王芳").sees("已没有能收到消息的账号", "隐患 YH-0001", "请转派")
    plant.phone("王芳").sees("没有在岗的人,已直接通知下一级")
    with plant.work(read_only=True) as work:
        steps = [s for s in work.ladder.of("hazard", 1, generation=1) if s.ladder == "confirm"]
        assert steps[0].taken_at is not None
        assert any(line.action == "handed_over" for line in work.trail.of("hazard", 1))
    assert plant.problems() == []


def test_a_new_hazard_passes_over_whoever_has_no_account_left(plant):
    for platform in ("dingtalk", "wecom"):
        leaves(plant, "陈刚", platform)
    assert report(plant) != "陈刚"


def test_a_red_hazard_still_rings_the_phone_of_who_lost_the_chat_account(plant):
    leaves(plant, "赵建国", "wecom")
    plant.phone("张伟").says(RED)
    assert any("YH-0001" in text for text in plant.sms_of("赵建国"))
    plant.phone("王芳").sees("没有在岗的人")


def test_a_permit_that_waits_for_the_person_is_asked_of_who_is_there(plant):
    p.feed(plant)
    applicant = p.hand_in(plant)
    for name in ("王芳", "周敏"):
        applicant.does_not_see("现在没有人可签")
        leaves(plant, name, plant.phone(name).platform)
    applicant.sees("现在没有人可签", "赵建国")


def test_an_event_that_comes_late_does_not_silence_who_has_spoken_since(plant):
    old = Event("user_leave_org", {"userId": ["user001"]}, int(plant.now.timestamp() * 1000))
    plant.forward(minutes=30)
    plant.phone("李强").says("你好")
    assert plant.dingtalk.events._push(old)
    plant.settle()
    assert accounts(plant, "李强")["dingtalk"].left_at is None


def test_whoever_speaks_again_is_there_again(plant):
    leaves(plant, "李强")
    plant.forward(minutes=5)
    plant.phone("李强").says("你好")
    assert accounts(plant, "李强")["dingtalk"].left_at is None
    assert not person(plant, "李强").gone
