"""The half hour between sample and start holds for every point that was sampled, to the second (5.3.1 c, 6.3 a)."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.permit import gas_facts
from rules.permit import evaluate
from storage.models import Area, GasTest, Permit
from tests.rules.permit.helpers import AT, TABLE, good_facts

RULE = {"hot_work": "HW-A02", "confined_space": "CS-002"}
LEVEL = {"hot_work": "l1", "confined_space": None}


def test_of(n: int, at: timedelta, point: str, *gases: str) -> GasTest:
    units = {"combustible": "%LEL", "o2": "%vol"}
    values = [{"gas": g, "value": 20.8 if g == "o2" else 0, "unit": units.get(g, "ppm"), "point": point} for g in gases]
    return GasTest(id=n, at=AT - at, values=values, point=point, meter="")


test_of.__test__ = False  # type: ignore[attr-defined]


def judged(work: str, tests: list[GasTest], state: str = "approved") -> tuple[str, list[str]]:
    """(result of the half-hour rule for a start at AT, notes)."""
    permit = Permit(work=work, state=state, gas_tests=tests, facts={}, approvals=[])
    notes: list[str] = []
    unit: Any = SimpleNamespace(at=AT)
    facts = {**good_facts(work), **gas_facts.sampled(permit, unit, notes)}
    facts.pop("last_analysis_date", None)
    verdict = evaluate(TABLE, work=work, level=LEVEL[work], at=AT, facts=facts, with_fix=False)
    return next(row.result.value for row in verdict.rules if row.id == RULE[work]), notes


EDGE = [
    (timedelta(minutes=29, seconds=59), "pass"),
    (timedelta(minutes=30), "pass"),
    (timedelta(minutes=30, seconds=1), "fail"),
]
ALL = ("combustible", "o2", "h2s")


@pytest.mark.parametrize(("age", "result"), EDGE)
@pytest.mark.parametrize("work", list(RULE))
def test_a_fresh_point_does_not_hide_an_old_one(work: str, age: timedelta, result: str):
    old = [test_of(1, age, "上部", *ALL)]
    assert judged(work, old)[0] == result
    with_fresh = [*old, test_of(2, timedelta(minutes=1), "中部", *ALL)]
    got, notes = judged(work, with_fresh)
    assert got == result
    assert any("上部的样还是09:" in note for note in notes) is (result == "fail")
    assert judged(work, [*with_fresh, test_of(3, timedelta(0), "上部", *ALL)])[0] == "pass"


@pytest.mark.parametrize(("age", "result"), EDGE)
@pytest.mark.parametrize("gas", ALL)
def test_in_a_confined_space_every_gas_counts(gas: str, age: timedelta, result: str):
    others = [name for name in ALL if name != gas]
    tests = [test_of(1, age, "中部", gas), test_of(2, timedelta(minutes=1), "中部", *others)]
    assert judged("confined_space", tests)[0] == result


def test_without_the_gas_that_is_needed_there_is_no_sample():
    assert judged("confined_space", [test_of(1, timedelta(0), "中部", "combustible")])[0] != "pass"
    assert judged("hot_work", [test_of(1, timedelta(0), "动火点周围", "o2")])[0] != "pass"


def test_a_record_during_the_work_makes_no_earlier_sample_stale():
    """Running work: samples of before the start stand, one more from the middle changes nothing (6.5)."""
    permit = Permit(work="hot_work", state="active", started_at=AT - timedelta(minutes=90), facts={}, approvals=[])
    permit.gas_tests = [
        test_of(1, timedelta(minutes=100), "动火点周围", "combustible"),
        test_of(2, timedelta(minutes=1), "设备内", "combustible"),
    ]
    assert gas_facts.still_to_sample(permit, AT) == ""
    facts = gas_facts.sampled(permit, SimpleNamespace(at=AT), [])
    assert facts["last_analysis_time"] == (AT - timedelta(minutes=100)).isoformat()


@pytest.mark.parametrize(
    ("paused", "resampled", "words"),
    [(31, ("动火点周围", "设备内"), ""), (31, ("设备内",), "动火点周围的样还是"), (31, (), "")],
)
def test_after_a_long_pause_every_point_is_sampled_again(paused: int, resampled: tuple[str, ...], words: str):
    stopped = AT - timedelta(minutes=paused)
    permit = Permit(work="hot_work", state="interrupted", interrupted_at=stopped, facts={}, approvals=[])
    before = [
        test_of(n, timedelta(minutes=40), where, "combustible") for n, where in enumerate(("动火点周围", "设备内"))
    ]
    after = [test_of(n + 5, timedelta(minutes=1), where, "combustible") for n, where in enumerate(resampled)]
    permit.gas_tests = [*before, *after]
    assert words in gas_facts.still_to_sample(permit, AT)
    assert bool(words) is bool(gas_facts.still_to_sample(permit, AT))


def read_in(media: list[str], answers: dict[str, Any], *rows: tuple[str, float, str]) -> tuple[str, list[str]]:
    """(result of CS-006, notes) of an entry where these media are, by what was read."""
    values = [{"gas": g, "value": v, "unit": u, "point": "中部"} for g, v, u in rows]
    tests = [GasTest(id=1, at=AT, values=values, point="中部", meter="")]
    permit = Permit(work="confined_space", state="approved", gas_tests=tests, facts=answers, approvals=[])
    permit.area = Area(code="A", name="A", media=media)
    notes: list[str] = []
    unit: Any = SimpleNamespace(at=AT, policies=SimpleNamespace(current=lambda *_: None))
    facts = {**good_facts("confined_space"), **answers}
    facts |= gas_facts.sampled(permit, unit, notes)
    verdict = evaluate(TABLE, work="confined_space", level=None, at=AT, facts=facts, with_fix=False)
    return next(row.result.value for row in verdict.rules if row.id == "CS-006"), notes


@pytest.mark.parametrize(
    ("rows", "result"),
    [
        ((), "pending"),
        ((("methanol", 3, "ppm"),), "pending"),
        ((("methanol", 3, "ppm"), ("h2s", 0, "ppm")), "pass"),
        ((("methanol", 30, "ppm"), ("h2s", 0, "ppm")), "fail"),
    ],
)
def test_every_toxic_medium_of_the_place_has_to_be_read(monkeypatch, rows, result):
    """6.4 b: nobody's word that nothing poisons stands for the reading of a medium that has a limit."""
    monkeypatch.setattr(gas_facts.tables, "rules_of", lambda _: SimpleNamespace(table=TABLE))
    got, notes = read_in(["甲醇", "硫化氢"], {"toxic_ratio": 0.0}, ("o2", 20.8, "%vol"), *rows)
    assert got == result
    assert any("还没有读数" in note for note in notes) is (result == "pending")


def test_a_reading_over_its_limit_fails_though_another_is_missing(monkeypatch):
    monkeypatch.setattr(gas_facts.tables, "rules_of", lambda _: SimpleNamespace(table=TABLE))
    assert read_in(["甲醇", "硫化氢"], {}, ("h2s", 50, "ppm"))[0] == "fail"
