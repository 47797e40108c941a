"""Frugal mode: yellow notices become a digest, red and orange stay as they are, and an admin has the last word."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cards.words import zone
from handlers import frugal
from jobs import budgets
from tests.pictures import scene
from tests.talks.test_budgets import spend

pytestmark = pytest.mark.sqlite_suffices

YELLOW, ORANGE = "装卸台照明不足,灯坏一片", "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险"


REPORTERS = ("张伟", "林雪", "郑凯")  # what one person says within minutes is one report


def report(plant, words):
    with plant.work(read_only=True) as work:
        before = len(work.hazards.page())
    person = plant.phone(REPORTERS[before])
    person.sends_photo(scene(before + 1)).says(words)
    with plant.work(read_only=True) as work:
        found = work.hazards.page()
    assert len(found) == before + 1, "nothing was filed"
    return found[0].number


def notices(plant, number, *, purpose="hazard.dispatch"):
    hazard = plant.hazard(number)
    with plant.work(read_only=True) as work:
        return [row for row in work.outbox.of_case("hazard", hazard.id) if row.purpose == purpose]


def test_it_switches_itself_on_and_off_and_the_admin_hears(plant):
    spend(plant, 4900)
    assert budgets.keep(plant.services) == 1
    assert budgets.keep(plant.services) == 0
    plant.settle()
    plant.phone("周敏").sees("钉钉进入节约模式", "照此会不够用")
    plant.now += timedelta(days=11)  # December, and ten quiet days
    assert budgets.keep(plant.services) == 1
    plant.settle()
    plant.phone("周敏").sees("钉钉已退出节约模式")


def test_yellow_notices_go_out_as_one_digest_and_orange_ones_at_once(plant):
    spend(plant, 4900)
    budgets.keep(plant.services)
    plant.settle()
    first, second = report(plant, YELLOW), report(plant, "装卸台过道堆物挡路")
    orange = report(plant, ORANGE)
    assert plant.hazard(first).grade == plant.hazard(second).grade == "yellow"
    assert plant.hazard(orange).grade == "orange"
    assert {row.state for row in notices(plant, orange)} == {"confirmed"}
    held = [*notices(plant, first), *notices(plant, second)]
    assert {(row.platform, row.state, row.wait_reason) for row in held} == {("dingtalk", "due", "frugal")}
    calls = plant.dingtalk.core.meters.month()["api"]
    plant.forward(hours=3, minutes=20)  # 12:10
    plant.phone("李强").sees("三级隐患汇总", "2条", first, second, "新派单")
    assert {row.state for row in (*notices(plant, first), *notices(plant, second))} == {"confirmed"}
    assert plant.dingtalk.core.meters.month()["api"] - calls <= 2
    plant.phone("李强").says(first).taps("开始整改", on=first)  # a number brings the card
    assert plant.hazard(first).state == "rectifying"


def test_what_is_settled_meanwhile_is_not_in_the_digest(plant):
    spend(plant, 4900)
    budgets.keep(plant.services)
    first, second = report(plant, YELLOW), report(plant, "装卸台过道堆物挡路")
    plant.phone("张伟").taps("撤回", on=first)
    assert plant.hazard(first).state == "withdrawn"
    plant.forward(hours=3, minutes=20)
    plant.phone("李强").sees("三级隐患汇总", "1条", second)
    assert [row.state for row in notices(plant, first)] == ["expired"]


def test_an_admin_switches_it_in_chat_and_nobody_else(plant):
    budgets.keep(plant.services)
    plant.phone("张伟").says("节约模式 开").sees("由管理员切换")
    plant.phone("张伟").says("额度").sees("只给管理员和安全员看")
    plant.phone("周敏").says("节约模式 开").sees("节约模式已设为“开”", "钉钉")
    number = report(plant, YELLOW)
    assert [row.wait_reason for row in notices(plant, number)] == ["frugal"]
    plant.phone("周敏").says("额度").sees("钉钉 接口调用", "/5000", "节约模式:开", "并入下一次汇总")
    plant.phone("周敏").says("节约模式 关").sees("节约模式已设为“关”", "没有平台在节约")
    plant.phone("李强").sees("三级隐患汇总", number)  # what was held goes at once
    spend(plant, 4900)
    assert budgets.keep(plant.services) == 0  # an admin's «off» stays off
    plant.phone("周敏").says("节约模式").sees("现在是“关”")


@pytest.mark.parametrize(
    ("at", "then"),
    [("2026-11-24 07:00", "24 08:10"), ("2026-11-24 08:10", "24 12:10"), ("2026-11-24 20:11", "25 08:10")],
)
def test_digests_go_out_four_times_a_day(at, then):
    local = datetime.fromisoformat(at).replace(tzinfo=zone())
    assert frugal.next_digest(local).astimezone(zone()).strftime("%d %H:%M") == then


def test_a_digest_of_unknown_outcome_is_repeated_with_a_mark(plant):
    with plant.work() as work:
        work.budgets.write_note(frugal.STATE, {"dingtalk": {"on": True}}, at=plant.now)
        work.commit()
    number = report(plant, YELLOW)
    plant.dingtalk.core.faults.set(
        {"reset_but_delivered": True, "times": 1, "path": "/v1.0/robot/oToMessages/batchSend"}
    )
    plant.forward(hours=3, minutes=25)
    phone = plant.phone("李强")
    shown = [item["text"] for item in phone.screen() if "三级隐患汇总" in (item["text"] or "")]
    assert len(shown) == 2 and "可能重复" not in shown[0] and "可能重复" in shown[1]
    assert [row.state for row in notices(plant, number)] == ["confirmed"]
