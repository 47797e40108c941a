"""Typed answers to the questions of a permit: the worst or asked again, never the first number that stands there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handlers.permit import gas_facts, questions
from handlers.permit.questions import NotUnderstood
from rules.permit import evaluate
from storage.models import GasTest, Permit
from tests.rules.permit.helpers import AT, TABLE, good_facts


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("height", "2米", 2),
        ("height", "二十米", 20),
        ("height", "二十", 20),
        ("height", "离3号泵房地面5米", 5),
        ("mass_t", "1,500", 1500),
        ("wind_force", "4-6级", 6),
        ("wind_force", "十二级", 12),
        ("gas_vent_distance", "没有", "none"),
    ],
)
def test_one_number_is_taken(name, said, value):
    assert questions.read(name, said) == {name: value}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("height", "2到20米"),
        ("height", "2米或者20米"),
        ("height", "1e9"),
        ("height", "20米以上"),
        ("mass_t", "十来吨"),
        ("wind_force", "4级以上"),
        ("detector_calibration_expiry", "99999999999999999999-1-1"),
        ("detector_calibration_expiry", "2027-13-01"),
    ],
)
def test_what_may_be_several_numbers_is_asked_again(name, said):
    with pytest.raises(NotUnderstood):
        questions.read(name, said)


@pytest.mark.parametrize(
    "name",
    [
        *("work_plan_approved", "plan_approved", "traffic_plan", "isolation_method", "height", "mass_t", "wind_force"),
        *(
            "oxygen_vol",
            "underground_confirmed",
            "jsa_done",
            "fire_equipment_ready",
            "sample_positions",
            "harness_worn",
        ),
        *("in_hazard_area", "under_pressure_unpurged", "lighting_voltage", "supplied_air", "waiver_approver_role"),
    ],
)
def test_a_number_a_paper_or_a_duty_is_never_not_applicable(name):
    for said in questions.NOT_APPLICABLE:
        with pytest.raises(NotUnderstood):
            questions.read(name, said)
    assert "不适用" not in [label for label, _ in questions.choices(name)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("acetylene_upright", True),
        ("has_rotating_part", False),
        ("flush_water_distance", "none"),
        ("involved_works", []),
    ],
)
def test_where_there_is_no_such_thing_it_may_be_said(name, value):
    assert questions.read(name, "不适用") == {name: value}


def test_no_meter_is_no_answer_where_gas_is_measured():
    with pytest.raises(NotUnderstood, match="气体分析"):
        questions.read("detector_calibration_expiry", "不用检测仪")
    assert questions.choices("detector_calibration_expiry") == []
    known = questions.read("detector_calibration_expiry", "不用检测仪", no_meter=True)
    assert known == {"detector_calibration_expiry": questions.NEVER_ENDS}


@pytest.mark.parametrize(
    ("value", "unit", "result"),
    [
        (0.2, "%vol", "pass"),
        (0.3, "%vol", "fail"),
        (0.1, "%LEL", "pass"),
        (3, "%LEL", "fail"),
        (1900, "ppm", "pass"),
        (2100, "ppm", "fail"),
    ],
)
@pytest.mark.parametrize("said", [None, gas_facts.NOTHING_BURNT])
def test_where_nothing_burns_the_strict_limit_holds(value, unit, result, said):
    """«没有» widened it to 0.5 % vol (5.3.2)."""
    answers = questions.read("gas_lel_vol", "没有") if said is None else {"gas_lel_vol": said}
    rows = [{"gas": "combustible", "value": value, "unit": unit, "point": "动火点周围"}]
    test = GasTest(id=1, at=AT, values=rows, point="动火点周围", meter="")
    permit = Permit(work="hot_work", state="approved", gas_tests=[test], facts=answers, approvals=[])
    work: Any = SimpleNamespace(at=AT)
    good = good_facts("hot_work")
    facts = {name: good[name] for name in good if name not in ("gas_reading_vol", "limit_vol")} | answers
    facts |= gas_facts.sampled(permit, work, [])
    verdict = evaluate(TABLE, work="hot_work", level="l1", at=AT, facts=facts, with_fix=False)
    rules = {row.id: row.result.value for row in verdict.rules}
    assert [rules["HW-A04"], rules["HW-A03"]] == [result, "pass"]
