"""What was judged before never changes what is judged now: a table with a past says the same as a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permit import Stage, evaluate, load
from rules.permit.facts import fact_dictionary
from rules.permit.model import LEVELS, Work, plain
from rules.permit.remembered import ROWS, frozen, remembered
from tests.rules.permit.helpers import AT, good_facts, low_level

WORN = load()  # judges all that this file judges
NEW = load()  # has its memory taken away before each judgement
ODD = (
    None,
    True,
    False,
    0,
    1,
    1.0,
    0.5,
    -1,
    30,
    "",
    "none",
    "甲醇",
    "xx",
    [],
    ["a"],
    ["hot_work"],
    {"value": 1},
    "NaN",
)
NAMES = sorted(fact_dictionary())


def judged(table, facts: dict[str, Any], *, work: str, level: str | None, stage: Stage | None = None, at=AT):
    return evaluate(table, work=work, level=level, at=at, facts=facts, stage=stage, with_fix=False).as_dict()


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A good permit with some facts taken away, odd, or moved in time; judged at one of three moments."""
    work = draw(st.sampled_from([one.value for one in Work]))
    facts = good_facts(work)
    for name in draw(st.lists(st.sampled_from(sorted(facts)), max_size=4)):
        facts.pop(name, None)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=4)):
        moments = st.sampled_from([AT + timedelta(minutes=minutes) for minutes in (-31, -30, 0, 1, 600)])
        facts[name] = draw(st.sampled_from(ODD) | moments)
    level = draw(st.sampled_from((None, *(LEVELS.get(work) or ()))))
    at = AT + timedelta(minutes=draw(st.sampled_from((0, 45, 60 * 14))))
    return {"facts": facts, "work": work, "level": level, "stage": draw(st.sampled_from((None, *Stage))), "at": at}


@given(cases())
def test_a_table_that_judged_before_says_what_a_new_one_says(case):
    NEW.memory.clear()
    fresh = judged(NEW, **case)
    for _ in range(2):
        assert judged(WORN, **case) == fresh


@pytest.mark.parametrize("pair", [(1, True), (1, 1.0), (0, False), ([1], [True]), ("1", 1), (None, "")])
def test_values_that_are_equal_to_python_are_told_apart(pair):
    one, other = (frozen({"x": value}) for value in pair)
    assert one != other


def test_nothing_sent_is_not_null_sent():
    assert frozen({})["x"] != frozen({"x": None})["x"]


def test_what_cannot_be_told_apart_is_not_remembered():
    strange = object()
    assert frozen({"x": strange}) != frozen({"x": strange})


def test_most_rules_of_a_verdict_do_not_rest_on_the_time():
    facts, level = good_facts("hot_work"), low_level("hot_work")
    table = load()
    judged(table, facts, work="hot_work", level=level)
    known = remembered(table, "hot_work", level, None)
    timed = {one.rule.id for one in known if one.anew}
    assert {"HW-A01", "HW-A02"} <= timed
    assert "G-004" not in timed  # when work ends and until when a card is good do not depend on what time it is
    assert len(timed) < len(known) / 5
    sent = frozen(plain(facts))
    assert all(one.row(sent) is not None for one in known if not one.anew)


def test_what_is_planned_counts_the_same_at_any_time():
    table, facts, level = load(), good_facts("hot_work"), low_level("hot_work")
    for hours in (0, 1, 24 * 40):
        at = AT + timedelta(hours=hours)
        rows = judged(table, facts, work="hot_work", level=level, at=at)["rules"]
        assert {row["id"]: row["result"] for row in rows}["G-004"] == "pass"


def test_a_rule_that_rests_on_what_is_measured_is_judged_each_time_when_that_hardly_comes_again():
    table, level = load(), low_level("hot_work")
    for number in range(ROWS + 1):
        judged(
            table,
            good_facts("hot_work", leak_source_distance=20.0 + number, leak_source_isolated=False),
            work="hot_work",
            level=level,
        )
    known = {one.rule.id: one for one in remembered(table, "hot_work", level, None)}
    assert (known["HW-C06"].anew, known["HW-C06"].kept[2]) == (True, {})
    assert not known["HW-C05"].anew
    near = judged(
        table,
        good_facts("hot_work", leak_source_distance=1.0, leak_source_isolated=False),
        work="hot_work",
        level=level,
    )
    assert {row["id"]: row["result"] for row in near["rules"]}["HW-C06"] == "fail"


def test_people_come_again_and_are_remembered_however_many_they_are():
    table, level = load(), low_level("hot_work")
    for number in range(ROWS + 1):
        judged(table, good_facts("hot_work", guardian_id=number, worker_ids=["7"]), work="hot_work", level=level)
    known = {one.rule.id: one for one in remembered(table, "hot_work", level, None)}
    assert not known["G-005"].anew
    again = judged(table, good_facts("hot_work", guardian_id=7, worker_ids=["7"]), work="hot_work", level=level)
    assert {row["id"]: row["result"] for row in again["rules"]}["G-005"] == "fail"


def test_memory_is_bounded(monkeypatch):
    table, level = load(), low_level("hot_work")
    judged(table, good_facts("hot_work"), work="hot_work", level=level)
    known = remembered(table, "hot_work", level, None)
    kept = sum(len(one.kept[2]) for one in known)
    monkeypatch.setattr("rules.permit.remembered.MOST", kept + 3)
    for number in range(9):
        facts = good_facts("hot_work", guardian_id=number, worker_ids=["7"])
        rows = judged(table, facts, work="hot_work", level=level)["rules"]
        assert {row["id"]: row["result"] for row in rows}["G-005"] == ("fail" if number == 7 else "pass")
        assert sum(len(one.kept[2]) for one in known) <= kept + 3
