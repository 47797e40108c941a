"""What was judged before never changes what is judged now: a table with a past says the same as a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permit import Stage, evaluate, load
from rules.permit.facts import fact_dictionary
from rules.permit.model import LEVELS, Work
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
    assert frozen({}).get("x") != frozen({"x": None}).get("x")


def test_what_cannot_be_told_apart_is_not_remembered():
    strange = object()
    assert frozen({"x": strange}) != frozen({"x": strange})


def test_most_rules_of_a_verdict_do_not_rest_on_the_time():
    facts, level = good_facts("hot_work"), low_level("hot_work")
    table = load()
    judged(table, facts, work="hot_work", level=level)
    known = remembered(table, "hot_work", level, None)
    sent = frozen({name: value for name, value in facts.items() if not hasattr(value, "isoformat")}).get
    timed = [one.rule.id for one in known if one.anew]
    assert {"G-004", "G-012", "HW-A02"} <= set(timed)
    assert len(timed) < len(known) / 3
    assert sum(one.row(sent) is not None for one in known) >= len(known) / 2


def test_a_rule_whose_facts_hardly_come_again_is_judged_each_time():
    table, level = load(), low_level("hot_work")
    for number in range(ROWS + 1):
        facts = good_facts("hot_work", guardian_id=number, worker_ids=["7"])
        judged(table, facts, work="hot_work", level=level)
    known = {one.rule.id: one for one in remembered(table, "hot_work", level, None)}
    assert (known["G-005"].anew, known["G-005"].kept) == (True, ((), {}))
    assert not known["HW-C05"].anew
    again = judged(table, good_facts("hot_work", guardian_id=7, worker_ids=["7"]), work="hot_work", level=level)
    assert {row["id"]: row["result"] for row in again["rules"]}["G-005"] == "fail"
