"""Messages that cannot arrive: the next channel, the admins' card, and what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot import outbox
from bot.platforms.dingtalk.config import GroupRobot
from handlers.hazard import dispatch
from jobs import receipts
from storage.models import GroupChat
from tests.pictures import scene
from tests.plant import DING

pytestmark = pytest.mark.sqlite_suffices

RED, ORANGE, YELLOW = (
    "3号泵房甲醇泵泄漏,有人头晕",
    "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险",
    "装卸台照明不足,灯坏一片",
)
CARDS, TEXTS = "/v1.0/card/instances/createAndDeliver", "/v1.0/robot/"


def report(plant, words, who="张伟"):
    plant.phone(who).sends_photo(scene(1)).says(words)
    with plant.work(read_only=True) as work:
        return work.hazards.page()[0].number


def rows(plant, number, *, purpose="hazard.dispatch"):
    with plant.work(read_only=True) as work:
        return [r for r in work.outbox.of_case("hazard", plant.hazard(number).id) if r.purpose == purpose]


def ding_fails(plant, code, *, status=400, path=""):
    plant.dingtalk.core.faults.set({"answer_with": {"status": status, "code": code, "message": "x"}, "path": path})


def test_a_refused_card_comes_as_a_text_and_the_admin_sees_a_card(plant):
    ding_fails(plant, "param.templateBroken", path=CARDS)
    number = report(plant, YELLOW)
    plant.phone("李强").sees(number, "发编号可以办理")
    plant.phone("周敏").sees("有消息送不到 · 钉钉", "1条", "param.templateBroken", number, buttons=["知道了"])
    plant.phone("周敏").taps("知道了", on="有消息送不到")
    plant.phone("周敏").sees("有消息送不到", "周敏", "已知悉", buttons=[])


def test_the_admins_get_one_card_for_many_failures(plant):
    ding_fails(plant, "param.templateBroken", path=CARDS)
    for who, words in (("张伟", YELLOW), ("林雪", "装卸台过道堆物挡路"), ("郑凯", "装卸台警示牌掉了")):
        plant.phone(who).sends_photo(scene(len(who) + len(words))).says(words)
        plant.now += timedelta(minutes=1)
    plant.settle()
    assert plant.phone("周敏").count("有消息送不到") <= 2  # redrawn, or posted anew when the right to redraw is spent
    plant.phone("周敏").sees("有消息送不到", "2条起")


def test_a_setting_that_is_wrong_is_told_at_once_and_red_goes_another_way(plant):
    ding_fails(plant, "Forbidden.AccessDenied.IpNotInWhiteList", status=403)
    number = report(plant, ORANGE)
    plant.phone("周敏").sees("有消息发不出去 · 钉钉", "白名单")
    instead = [r for r in rows(plant, number) if r.fallback_of_id is not None]
    assert instead and {r.platform for r in instead} <= {"wecom", "sms"}
    plant.phone("陈刚", "wecom").sees(number)
    assert "due" in {r.state for r in rows(plant, number) if r.platform == "dingtalk"}  # and is still tried
    plant.dingtalk.core.faults.set({"clear": True})
    plant.forward(minutes=10)
    assert {r.state for r in rows(plant, number)} == {"confirmed"}


def test_a_used_up_month_does_not_hold_up_orange(plant):
    ding_fails(plant, "Forbidden.AccessDenied.ApiCountLimitForOrg", status=403)
    number = report(plant, ORANGE)
    plant.phone("陈刚", "wecom").sees(number)


def test_a_group_that_is_gone_is_replaced_by_the_owner(plant):
    ding_fails(plant, "group.disbanded", path=CARDS)
    number = report(plant, ORANGE)
    group = [r for r in rows(plant, number) if r.group_id]
    assert [r.state for r in group] == ["refused"]
    assert [r for r in rows(plant, number) if r.fallback_of_id == group[0].id and r.state == "confirmed"]


def test_a_wecom_group_gets_a_notice_where_no_card_can_go(plant):
    chat = plant.services.platforms["wecom"].groups.create("装卸安全群", ["ZhangWei", "ChenGang"], chat_id="zxq1")
    with plant.work() as work:
        work.db.add(
            GroupChat(platform="wecom", conversation_id=chat, title="装卸安全群", workshop="", bound_at=plant.now)
        )
        work.commit()
    number = report(plant, YELLOW)
    with plant.work() as work:
        hazard = work.hazards.by_number(number)
        to = [outbox.Address("wecom", group_id=chat)]
        dispatch.post_duty_card(work, hazard, to, purpose="hazard.dispatch")
        work.commit()
    plant.settle()
    mine = [r for r in rows(plant, number) if r.group_id]
    assert [(r.what, r.state) for r in mine] == [("card", "refused"), ("notice", "confirmed")]
    plant.phone("陈刚", "wecom").sees(number)


def test_a_reminder_is_called_off_at_the_moment_of_sending(plant):
    number = report(plant, ORANGE)
    plant.now += timedelta(minutes=1)
    with plant.work() as work:
        hazard = work.hazards.by_number(number)
        for name in ("陈刚",):
            to = outbox.address_of(work.people.by_name(name)[0], prefer="wecom")
            assert to is not None
            for purpose in ("hazard.confirm", "hazard.rectify"):
                outbox.say(work, to, f"催 {purpose}", purpose=purpose, dedupe_key=purpose, case=("hazard", hazard.id),
                           due_at=plant.now + timedelta(minutes=5))  # fmt: skip
        work.commit()
    plant.phone("陈刚", "dingtalk").taps("确认收到", on=number)
    plant.now += timedelta(minutes=5)
    plant.settle()
    assert {(r.purpose, r.state, r.error) for p in ("hazard.confirm", "hazard.rectify") for r in rows(plant, number, purpose=p)} == {
        ("hazard.confirm", "expired", "settled meanwhile"), ("hazard.rectify", "confirmed", ""),
    }  # fmt: skip
    plant.phone("陈刚", "wecom").does_not_see("催 hazard.confirm").sees("催 hazard.rectify")


def test_a_first_notice_of_a_case_that_was_withdrawn_is_not_sent(plant):
    ding_fails(plant, "system.busy", status=500)
    number = report(plant, YELLOW)
    plant.phone("张伟").taps("撤回", on=number)
    plant.dingtalk.core.faults.set({"clear": True})
    plant.forward(minutes=2)
    assert [(r.state, r.error) for r in rows(plant, number)] == [("expired", "case is over")]
    plant.phone("李强").does_not_see(number)


def test_success_that_nobody_saw_is_noticed_and_said_another_way(plant):
    plant.dingtalk.core.faults.set({"silent_drop": True})
    number = report(plant, ORANGE)
    plant.dingtalk.core.faults.set({"clear": True})
    first = [r for r in rows(plant, number) if r.person_id is not None and r.what == "card"]
    with plant.work() as work:  # the policy sends orange to a group: let it be a card to a person, of which one can ask
        hazard = work.hazards.by_number(number)
        to = outbox.address_of(work.people.by_name("陈刚")[0], prefer="dingtalk")
        assert to is not None
        if not first:
            dispatch.post_duty_card(work, hazard, [to], purpose="hazard.dispatch", again=True)
        work.commit()
    plant.dingtalk.core.faults.set({"silent_drop": True})
    plant.settle()
    plant.dingtalk.core.faults.set({"clear": True})
    calls = plant.dingtalk.core.meters.month()["api"]
    assert receipts.is_due(plant.services) == receipts.ask(plant.services) == 0  # not yet
    plant.now += timedelta(minutes=20)
    assert receipts.is_due(plant.services) == 1
    assert receipts.ask(plant.services) == 1
    assert receipts.ask(plant.services) == 0  # asked once
    assert plant.dingtalk.core.meters.month()["api"] - calls == 1
    plant.settle()
    plant.phone("陈刚", "wecom").sees(number)


def test_what_was_read_or_answered_costs_nothing_more(plant):
    number = report(plant, RED)
    plant.phone("陈刚").taps("确认收到", on=number)
    plant.now += timedelta(minutes=20)
    calls = plant.dingtalk.core.meters.month()["api"]
    assert receipts.ask(plant.services) == 0
    assert plant.dingtalk.core.meters.month()["api"] == calls


@pytest.mark.parametrize("gone", ["robot_disabled", "robot_removed"])
def test_what_a_group_robot_that_is_gone_should_say_goes_to_people_and_the_admins_hear(plant, gone):
    wecom = plant.services.platforms["wecom"]
    wecom.robots._keys = {"合成安全群": plant.data["wecom"]["webhook_key"]}
    number = report(plant, YELLOW)
    plant.wecom.core.switches.set({gone: True})
    with plant.work() as work:
        to = [outbox.Address("wecom", group_id="合成安全群")]
        dispatch.post_duty_card(work, work.hazards.by_number(number), to, purpose="hazard.dispatch")
        work.commit()
    plant.settle()
    mine = [r for r in rows(plant, number) if r.group_id]
    assert [(r.what, r.state) for r in mine] == [("card", "refused"), ("notice", "refused")]
    assert [r.state for r in rows(plant, number) if r.fallback_of_id == mine[1].id] == ["confirmed"]
    plant.phone("周敏").sees("有消息送不到 · 企业微信", "群机器人已被移除或停用")


def test_what_a_group_cannot_hear_of_a_case_without_owner_goes_to_the_safety_officers(plant):
    plant.services.platforms["wecom"].robots._keys = {"合成安全群": plant.data["wecom"]["webhook_key"]}
    number = report(plant, YELLOW)
    plant.wecom.core.switches.set({"robot_removed": True})
    with plant.work() as work:
        hazard = work.hazards.by_number(number)
        hazard.owner = None
        to = [outbox.Address("wecom", group_id="合成安全群")]
        dispatch.post_duty_card(work, hazard, to, purpose="hazard.dispatch")
        work.commit()
    plant.phone("周敏").does_not_see(number)
    plant.settle()
    plant.phone("周敏").sees(number, "装卸台照明不足")


def test_an_unchanged_card_reaches_more_people_as_a_card(plant):
    """Postings of one revision have names of their own: the platforms take each name once."""
    number = report(plant, YELLOW)
    with plant.work() as work:
        hazard = work.hazards.by_number(number)
        for name in ("高峰", "徐军"):
            to = outbox.address_of(work.people.by_name(name)[0], prefer="dingtalk")
            assert to is not None
            dispatch.post_duty_card(work, hazard, [to], purpose="hazard.dispatch")
            work.commit()
            plant.settle()
    plant.phone("高峰").sees(number, "待整改", buttons=["确认收到", "开始整改", "转派", "申请延期"])
    assert {(r.what, r.state) for r in rows(plant, number)} == {("card", "confirmed")}


def test_a_group_behind_a_webhook_robot_gets_a_notice(plant):
    group = next(g["id"] for g in plant.data["groups"] if g["platform"] == "dingtalk")
    with plant.dingtalk.core.lock:
        hook = plant.dingtalk.sessions.add_webhook(group, "SECx", [])
    robot = GroupRobot("合成安全群", f"{DING}/robot/send?access_token={hook.token}", "SECx")
    platform = plant.services.platforms["dingtalk"]
    platform.group_robots._robots = {robot.name: robot}
    number = report(plant, YELLOW)
    with plant.work() as work:
        to = [outbox.Address("dingtalk", group_id="合成安全群")]
        dispatch.post_duty_card(work, work.hazards.by_number(number), to, purpose="hazard.dispatch")
        work.commit()
    plant.settle()
    mine = [r for r in rows(plant, number) if r.group_id]
    assert [(r.what, r.state) for r in mine] == [("card", "refused"), ("notice", "confirmed")]
