"""Policies: every mistake is named with its place, in Chinese; time of day; what a new version changes."""

from __future__ import annotations

import copy
import json
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import escalation
from rules.escalation import Moment, PolicyError

DAY, NIGHT, SUNDAY = Moment(time(10, 0), True), Moment(time(23, 0), True), Moment(time(10, 0), False)


def changed(change):
    content = copy.deepcopy(escalation.DEFAULT)
    change(content)
    return content


def test_the_built_in_policy_is_sound():
    escalation.validate(escalation.DEFAULT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update(plan=[]), "策略.plan:不认识这个键,是不是 plans?"),
        (lambda p: p.update(plans={}), "plans:应是一个列表"),
        (lambda p: p["plans"][0].pop("owner"), "plans[0]:缺少 owner"),
        (lambda p: p["plans"][0].update(confim_minutes=5), "是不是 confirm_minutes?"),
        (lambda p: p["plans"][0].update(confirm_minutes="15"), "plans[0].confirm_minutes:“15”应是整数"),
        (lambda p: p["plans"][0].update(confirm_minutes=True), "应是整数"),
        (lambda p: p["plans"][0].update(rectify_hours=float("nan")), "应是数字"),
        (lambda p: p["plans"][0].update(rectify_hours=0), "超出范围"),
        (lambda p: p["plans"][0].update(acceptor="boss"), "plans[0].acceptor:“boss”不是角色"),
        (lambda p: p["plans"][0].update(waits_for_working_hours=True), "只有三级(黄)可以等上班时间"),
        (lambda p: p["plans"][1]["first"].append({"to": "owner"}), "plans[1].first[1]:缺少 channels"),
        (lambda p: p["plans"][1]["first"].append({"to": "ower", "channels": ["app"]}), "是不是 owner?"),
        (lambda p: p["plans"][1]["first"][0].update(channels=["fax"]), "channels[0]:“fax”不是通道"),
        (lambda p: p["plans"][1]["ladders"].pop("accept"), "缺少 accept(验收)阶梯"),
        (lambda p: p["plans"][1]["ladders"]["confirm"][1].update(after_minutes=1), "应大于上一级的 120"),
        (lambda p: p["plans"][1]["ladders"]["confirm"][0].update(after_minutes=-1), "超出范围"),
        (lambda p: p["plans"][1]["when"].update(time="夜班"), "“夜班”不是时段"),
        (lambda p: p["plans"][1]["when"].update(category="火"), "不是类别"),
        (lambda p: p["plans"][1]["when"].update(garde="red"), "是不是 grade?"),
        (lambda p: p["plans"].append(copy.deepcopy(p["plans"][0])), "plans[3]:永远轮不到,前面的 plans[0] 条件更宽"),
        (lambda p: p["plans"].pop(0), "没有一级(红)的兜底方案"),
        (lambda p: p["plans"][2].update(when={"grade": "yellow", "time": "off"}), "没有三级(黄)的兜底方案"),
        (lambda p: p.update(shifts={"夜班": "20:00"}), "shifts.夜班:“20:00”不是时段"),
        (lambda p: p.update(working_hours="20:00-08:00"), "上班时间不能跨过零点"),
        (lambda p: p.update(roll_calls={"evacuation": [{"after_minutes": 1, "notices": [{"to": "owner", "channels": ["app"]}]}]}), "不是通知对象"),
        (lambda p: p.update(evacuate=["flood"]), "evacuate[0]:“flood”不是险情"),
        (lambda p: p.update(gas_alarm={"lel": 3}), "gas_alarm.lel:不认识这个键"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(change, said):
    with pytest.raises(PolicyError) as caught:
        escalation.validate(changed(change))
    assert said in str(caught.value)


def test_all_mistakes_are_said_at_once():
    def change(policy):
        policy["plans"][0]["owner"] = "x"
        policy["plans"][1]["acceptor"] = "y"

    assert len(escalation.problems_of(changed(change), escalation.DEFAULT)) == 2


def test_the_first_plan_that_fits_is_taken_by_grade_area_category_and_hour():
    def change(policy):
        for when in ({"time": "夜班", "area": "JC"}, {"time": "off"}, {"category": ["act"]}):
            policy["plans"].insert(0, copy.deepcopy(policy["plans"][-2]) | {"when": {"grade": "orange", **when}})
        policy["shifts"] = {"夜班": "20:00-08:00"}

    policy = changed(change)
    policy["plans"] = [
        *sorted(policy["plans"][:3], key=lambda p: "time" in p["when"] and "area" not in p["when"]),
        *policy["plans"][3:],
    ]
    escalation.validate(policy)

    def when(**facts):
        return escalation.entry_for(policy, grade="orange", **facts)["when"]

    assert when(area="JC", at=DAY) == {"grade": "orange"}
    assert when(area="JC", at=NIGHT)["area"] == "JC"
    assert when(area="BF", at=NIGHT) == {"grade": "orange", "time": "off"}
    assert when(area="BF", at=SUNDAY) == {"grade": "orange", "time": "off"}
    assert when(area="BF", at=SUNDAY, category="act")["category"] == ["act"]
    assert when(area="JC") == {"grade": "orange"}


def test_the_example_of_the_docs_can_be_published():
    text = (Path(__file__).parents[2] / "docs" / "escalation.md").read_text(encoding="utf-8")
    policy = json.loads(text.split("```json")[1].split("```")[0])
    policy["plans"] += escalation.DEFAULT["plans"]
    escalation.validate(policy)
    assert escalation.entry_for(policy, grade="orange", area="JC", at=NIGHT)["confirm_minutes"] == 60


def test_a_span_over_midnight():
    span = escalation.read_hours({"shifts": {"夜班": "20:00-08:00"}}).span("夜班")
    assert [span.holds(time(h)) for h in (19, 20, 23, 0, 7, 8)] == [False, True, True, True, True, False]


def test_what_a_new_version_changes_is_said_in_words():
    old = escalation.entry_for(escalation.DEFAULT, grade="orange")
    assert escalation.differences(old, old) == []
    new = copy.deepcopy(old) | {"confirm_minutes": 60}
    new["ladders"]["accept"] = [{"after_minutes": 0, "notices": [{"to": "executive", "channels": ["sms"]}]}]
    assert escalation.differences(old, new) == [
        "确认时限:2小时 ⇒ 1小时",
        "验收阶梯:当时→验收人,1天→分管领导 ⇒ 当时→分管领导(短信)",
    ]


@pytest.mark.parametrize(
    ("grade", "ladder", "said"),
    [
        ("orange", "confirm", "没人确认时:2小时后催陈刚,4小时后告知安全员,8小时后告知分管领导"),
        ("orange", "stale", "确认后没动作时:1天后催陈刚,1天8小时后告知安全员"),
        ("orange", "rectify", "没改完时:到期前1天提醒陈刚,到期时告知安全员,过期1天告知分管领导"),
        ("orange", "accept", "没人验收时:1天后催验收人,2天后告知分管领导"),
        ("red", "confirm", "没人确认时:5分钟后催陈刚,15分钟后告知分管领导、安全员,30分钟后告知分管领导、管理员"),
    ],
)
def test_a_ladder_in_the_words_of_a_worker(grade, ladder, said):
    plan = escalation.read_plan(escalation.entry_for(escalation.DEFAULT, grade=grade))
    assert escalation.reminders_zh(plan, ladder, owner="陈刚") == said


def test_a_ladder_in_words_names_hours_and_is_silent_without_steps():
    entry = copy.deepcopy(escalation.entry_for(escalation.DEFAULT, grade="orange"))
    entry["ladders"]["confirm"] = [
        {"after_minutes": 0, "notices": [{"to": "executive", "channels": ["sms"], "time": ["off", "20:00-08:00"]}]}
    ]
    entry["ladders"]["accept"] = []
    plan = escalation.read_plan(entry)
    assert (
        escalation.reminders_zh(plan, "confirm", owner="陈刚") == "没人确认时:马上告知分管领导(非上班时间、20:00-08:00)"
    )
    assert escalation.reminders_zh(plan, "accept", owner="陈刚") == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.floats() | st.sampled_from(["red", "owner", "app", "20:00-08:00", "", "夜"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["plans", "when", "grade", "first", "to", "channels", "ladders", "confirm", "time", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(where=st.lists(st.integers(0, 40), max_size=6), value=JSON)
def test_a_policy_with_anything_anywhere_is_published_or_told(where, value):
    """Whatever stands wherever in a policy: it is refused in words, or a plan is found for every grade."""
    policy = json.loads(json.dumps(escalation.DEFAULT))
    spot, parent, key = policy, None, None
    for step in where:
        if isinstance(spot, dict) and spot:
            parent, key = spot, sorted(spot)[step % len(spot)]
        elif isinstance(spot, list) and spot:
            parent, key = spot, step % len(spot)
        else:
            break
        spot = parent[key]
    if parent is None:
        policy = value
    else:
        parent[key] = value
    problems = escalation.problems_of(policy, escalation.DEFAULT)
    if problems:
        assert all(":" in line for line in problems)
        return
    for grade in ("red", "orange", "yellow"):
        for at in (None, DAY, NIGHT):
            plan = escalation.read_plan(escalation.entry_for(policy, grade=grade, at=at))
            assert plan.ladders["confirm"] and plan.ladders["rectify"] and plan.ladders["accept"]
