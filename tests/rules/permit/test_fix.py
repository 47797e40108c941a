"""The smallest fix: applying it flips the verdict, and no smaller set of the same candidates does."""

from __future__ import annotations

import gc
import importlib.util
import sys
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.permit import Change, FixOptions, Result, Stage, evaluate, guardian_change, smallest_fix
from rules.permit.fix import _applied, _changed, _Judge, _Search, moved
from rules.permit.judge import decide
from rules.permit.model import LEVELS
from rules.permit.options import Request, candidates, level_changes

_path = Path(__file__).parent / "helpers.py"
if "permit_tests_helpers" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("permit_tests_helpers", _path)
    sys.modules["permit_tests_helpers"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["permit_tests_helpers"])
helpers = sys.modules["permit_tests_helpers"]
TABLE, AT, good_facts = helpers.TABLE, helpers.AT, helpers.good_facts


def judge(work, level, at, facts, stage=None):
    return evaluate(TABLE, work=work, level=level, at=at, facts=facts, stage=stage, with_fix=False).result


def texts(verdict):
    return [[change.text for change in fix.changes] for fix in verdict.fix]


def flips(request: Request, size: int, options: FixOptions) -> bool:
    """Brute force: does any conflict-free set of at most `size` changes, at any level, allow the work?"""
    for change in (None, *level_changes(request)):
        base = request if change is None else moved(request, change)
        spare = size if change is None else size - 1
        choices = candidates(base, options, _Judge().blocking(base)[1])
        for count in range(max(spare, -1) + 1):
            for chosen in combinations(choices, count):
                if any(not a.fields.isdisjoint(b.fields) for a, b in combinations(chosen, 2)):
                    continue
                _, after = _applied(chosen, base, words=False)
                if judge(after.work, after.level, after.at, after.facts, after.stage).allows_work:
                    return True
    return False


def test_old_sample_asks_for_a_new_one():
    verdict = evaluate(
        TABLE, work="hot_work", level="l1", at=AT, facts=good_facts("hot_work", last_analysis_time=("min", -31))
    )
    assert verdict.result is Result.FAIL
    assert texts(verdict)[0] == ["现在重新取样分析,合格后动火"]


def test_sample_window_for_a_later_start():
    """Start at 14:32 plant time, asked at 10:00: a sample taken now would be too old, so it is due 14:02 to 14:32."""
    facts = good_facts("hot_work", start_time=("min", 272), last_analysis_time=("min", -5), valid_to=("min", 500))
    verdict = evaluate(TABLE, work="hot_work", level="l1", at=AT, facts=facts)
    fix = verdict.fix[0]
    assert fix.changes[0].text == "14:02 到 14:32 之间重新取样分析,合格后动火"
    assert fix.at == AT + timedelta(minutes=242)
    assert judge("hot_work", fix.level, fix.at, fix.apply(facts)) is Result.PASS


def test_guardians_on_shift_are_offered_by_name_and_an_expiring_one_is_not():
    ready = [
        guardian_change(guardian_id="u1", label="甲", cert_no="1", cert_expiry=date(2027, 1, 1)),
        guardian_change(guardian_id="u2", label="乙", cert_no="2", cert_expiry=date(2026, 3, 3)),
        guardian_change(guardian_id="u3", label="丙", cert_no="3", cert_expiry=None),
    ]
    facts = good_facts("hot_work", guardian_cert_no=None, guardian_training_passed=False)
    verdict = evaluate(
        TABLE, work="hot_work", level="l1", at=AT, facts=facts, options=FixOptions(guardians=tuple(ready))
    )
    assert sorted(texts(verdict)) == [["由丙担任监护人"], ["由甲担任监护人"]]


def test_pipe_rack_filed_too_low_is_filed_higher():
    facts = good_facts("hot_work", on_pipe_rack=True)
    assert texts(evaluate(TABLE, work="hot_work", level="l2", at=AT, facts=facts)) == [["改按一级动火办理"]]


def test_absolute_ban_has_no_fix():
    verdict = evaluate(
        TABLE, work="hot_work", level="l1", at=AT, facts=good_facts("hot_work", in_absolute_ban_zone=True)
    )
    assert verdict.result is Result.FAIL and verdict.fix == ()


def test_night_is_upgraded_or_waited_out_with_a_new_sample():
    night = AT + timedelta(hours=11)  # 21:00 at the plant
    facts = good_facts("hot_work", night)
    for name in ("is_night", "upgraded", "today", "last_analysis_date"):
        facts.pop(name)
    facts["in_hazard_area"] = True
    options = FixOptions(rest_days=frozenset())
    verdict = evaluate(TABLE, work="hot_work", level="l1", at=night, facts=facts, options=options)
    assert [row.id for row in verdict.failing()] == ["HW-G06"]
    assert texts(verdict)[0] == ["改按特级动火办理"]
    later = evaluate(
        TABLE,
        work="hot_work",
        level="special",
        at=night,
        facts={**facts, "micro_positive_pressure": None},
        options=options,
    )
    assert later.result is Result.PENDING


def test_a_pending_fact_nobody_can_change_is_asked_for():
    facts = good_facts("hot_work")
    del facts["alarm_active"]
    verdict = evaluate(TABLE, work="hot_work", level="l1", at=AT, facts=facts)
    assert verdict.result is Result.PENDING
    assert verdict.fix[0].changes[0].kind == "supply"
    assert texts(verdict)[0] == ["补充:气体报警中"]


def test_extra_changes_of_the_plant_are_used():
    facts = good_facts("hot_work", in_absolute_ban_zone=True)
    move = Change("move:1", "移到3号维修间动火", {"in_absolute_ban_zone": False})
    verdict = evaluate(TABLE, work="hot_work", level="l1", at=AT, facts=facts, options=FixOptions(extra=(move,)))
    assert texts(verdict) == [["移到3号维修间动火"]]


BREAKS = {
    "hot_work": {
        "jsa_done": False, "gas_reading_vol": 0.9, "last_analysis_time": ("min", -45), "cylinder_gap": 2,
        "guardian_cert_no": None, "guardian_active_sites": 3, "on_pipe_rack": True, "in_hazard_area": True,
        "is_rest_day": True, "upgraded": False, "valid_hours": 12, "alarm_active": True, "wind_force": 6, "outdoor": True,
        "solvent_work_vertical": True, "approver_rank": 1, "operator_cert_valid": False, "unit_stable": False,
        "in_fixed_hot_zone": True, "oxygen_service": True, "oxygen_vol": 25, "stopped_unit_waiver": True,
        "waiver_approver_role": "other", "in_absolute_ban_zone": True, "interrupt_minutes": 45,
        "analysed_after_interrupt": False, "closing": True, "residual_fire_checked": False,
    },
    "confined_space": {
        "oxygen_vol": 18.0, "toxic_ratio": 2, "gas_reading_vol": 0.6, "last_analysis_time": ("min", -90),
        "alarm_active": True, "minutes_since_record": 130, "lighting_voltage": 48, "isolation_method": "valve",
        "guardian_inside": True, "valid_hours": 30, "measures_confirmed": False, "coating_inside": True,
        "hot_work_inside": True,
    },
    "work_at_height": {"height": 16, "factors": ["frost"], "wind_force": 5, "dense_fog": True, "valid_days": 9, "comms": False},
    "lifting": {"mass_t": 60, "wind_force": 7, "outdoor": True, "load_ratio": 1.2, "rainstorm": True, "plan_approved": False},
    "temp_power": {"valid_days": 31, "special_reason": False, "for_work_end": ("min", 60), "gas_ok": False, "in_hazard_area": True},
}  # fmt: skip


@st.composite
def broken_permits(draw, largest: int):
    work = draw(st.sampled_from(sorted(BREAKS)))
    names = draw(st.lists(st.sampled_from(sorted(BREAKS[work])), min_size=1, max_size=largest, unique=True))
    gone = draw(st.lists(st.sampled_from(sorted(good_facts(work))), max_size=2, unique=True))
    facts = good_facts(work, **{name: BREAKS[work][name] for name in names})
    for name in gone:
        facts.pop(name, None)
    level = draw(st.sampled_from(LEVELS.get(work, (None,))))
    stage = draw(st.sampled_from([None, Stage.REQUEST, Stage.START, Stage.RUN]))
    return work, level, facts, stage


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_permits(largest=8))
def test_applying_a_fix_flips_the_verdict(permit):
    work, level, facts, stage = permit
    for fix in smallest_fix(TABLE, work=work, level=level, at=AT, facts=facts, stage=stage):
        assert judge(work, fix.level, fix.at, fix.apply(facts), stage) is fix.result
        assert fix.result.allows_work and fix.minimal


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_permits(largest=3))
def test_no_smaller_set_flips_the_verdict(permit):
    work, level, facts, stage = permit
    options = FixOptions()
    request = Request(TABLE, work, level if level else "none", AT, facts, stage)
    fixes = smallest_fix(TABLE, work=work, level=level, at=AT, facts=facts, stage=stage, options=options)
    if judge(work, level, AT, facts, stage).allows_work:
        assert fixes == ()
        return
    smaller = len(fixes[0].changes) - 1 if fixes else 2
    assert not flips(request, min(smaller, 2), options)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_permits(largest=8), st.randoms(use_true_random=False))
def test_an_option_changes_nothing_but_what_it_says_it_touches(permit, draw):
    work, level, facts, stage = permit
    request = Request(TABLE, work, level if level else "none", AT, facts, stage)
    guardian = guardian_change(guardian_id="7", label="甲", cert_no="1", cert_expiry=None)
    options = FixOptions(guardians=(guardian,), rest_days=frozenset())
    choices = candidates(request, options, _Judge().blocking(request)[1])
    for option in choices:
        before = request
        for other in draw.sample(choices, min(2, len(choices))):
            before = moved(before, other.make(before, False))
        after = moved(before, option.make(before, False))
        assert _changed(before, after) <= option.touches


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_permits(largest=8))
def test_what_the_search_remembers_changes_nothing(permit):
    work, level, facts, stage = permit
    asked = {"work": work, "level": level, "at": AT, "facts": facts, "stage": stage}
    found = smallest_fix(TABLE, **asked)
    with pytest.MonkeyPatch.context() as forgetful:
        forgetful.setattr(_Judge, "decisions", lambda _, request, rules, **__: decided(request, rules))
        forgetful.setattr(_Search, "is_of_any_level", False)
        assert smallest_fix(TABLE, **asked) == found


def decided(request: Request, rules) -> tuple[dict, None]:
    context = request.context()
    return {rule.id: decide(rule, context, request.level) for rule in rules}, None


def test_the_search_leaves_nothing_for_the_garbage_collector():
    facts = good_facts("hot_work", gas_reading_vol=0.9, jsa_done=False, guardian_cert_no=None)
    asked = {"work": "hot_work", "level": "l1", "at": AT, "facts": facts}
    assert smallest_fix(TABLE, **asked)
    gc.collect()
    gc.disable()
    left = []
    try:
        for _ in range(3):  # a memory of the table that is full and begun anew may fall into one of them
            smallest_fix(TABLE, **asked)
            left.append(gc.collect())
    finally:
        gc.enable()
    assert min(left) == 0


def test_the_search_is_pure_and_repeatable():
    facts = good_facts("hot_work", gas_reading_vol=0.9, jsa_done=False, guardian_cert_no=None)
    before = dict(facts)
    first = smallest_fix(TABLE, work="hot_work", level="l1", at=AT, facts=facts)
    assert first == smallest_fix(TABLE, work="hot_work", level="l1", at=AT, facts=facts)
    assert facts == before


@pytest.mark.parametrize("work", sorted(BREAKS))
def test_every_break_alone_is_caught(work):
    for name, value in BREAKS[work].items():
        if name in {
            "outdoor",
            "stopped_unit_waiver",
            "waiver_approver_role",
            "oxygen_service",
            "oxygen_vol",
            "in_hazard_area",
        }:
            continue
        paired = {
            "approver_rank": {"required_rank": 3}, "wind_force": {"outdoor": True, "upgraded": False}, "is_rest_day": {"upgraded": False},
            "interrupt_minutes": {"analysed_after_interrupt": False}, "hot_work_inside": {"coating_inside": True},
            "coating_inside": {"hot_work_inside": True}, "rainstorm": {"outdoor": True}, "gas_ok": {"in_hazard_area": True},
            "residual_fire_checked": {"closing": True}, "comms": {"height": 31}, "plan_approved": {"special_load": True},
            "unit_stable": {"under_pressure_unpurged": True},
        }  # fmt: skip
        if name in {
            "upgraded",
            "analysed_after_interrupt",
            "closing",
            "special_reason",
            "in_fixed_hot_zone",
            "minutes_since_record",
            "unit_stable",
        }:
            continue
        facts = good_facts(work, **{name: value, **paired.get(name, {})})
        level = "l2" if work == "hot_work" and name == "on_pipe_rack" else helpers.low_level(work)
        assert judge(work, level, AT, facts) is Result.FAIL, name
