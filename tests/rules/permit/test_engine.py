"""The verdict as a whole: vectors of the domain rules, bad input, replay, deadlines, levels."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.permit import (
    Result,
    Stage,
    UnknownWork,
    Verdict,
    evaluate,
    facts_from_json,
    facts_to_json,
    load,
    propose_level,
    replay,
)
from rules.permit.context import Context
from rules.permit.derived import rests_on
from rules.permit.facts import fact_dictionary
from rules.permit.judge import decide
from rules.permit.model import plain
from rules.permit.table import normal_level

_path = Path(__file__).parent / "helpers.py"
if "permit_tests_helpers" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("permit_tests_helpers", _path)
    sys.modules["permit_tests_helpers"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["permit_tests_helpers"])
helpers = sys.modules["permit_tests_helpers"]
TABLE, AT, good_facts = helpers.TABLE, helpers.AT, helpers.good_facts


def judge(facts, *, work="hot_work", level="l1", at=AT, stage=None, table=TABLE):
    return evaluate(table, work=work, level=level, at=at, facts=facts, stage=stage, with_fix=False)


def row(verdict, rule):
    return next(item for item in verdict.rules if item.id == rule)


def without(facts, *names):
    return {name: value for name, value in facts.items() if name not in names}


@pytest.mark.parametrize(
    ("medium", "reading", "rule", "expected"),
    [
        ("甲烷", {"value": 0.50, "unit": "%vol"}, "HW-A03", "pass"),
        ("甲烷", {"value": 0.51, "unit": "%vol"}, "HW-A03", "fail"),
        ("甲烷", {"value": 10, "unit": "%LEL"}, "HW-A03", "pass"),
        ("氢气", {"value": 0.50, "unit": "%vol"}, "HW-A03", "pass"),
        ("氢气", {"value": 12.5, "unit": "%LEL"}, "HW-A03", "pass"),
        ("氢气", {"value": 0.55, "unit": "%vol"}, "HW-A03", "fail"),
        ("甲苯", {"value": 0.20, "unit": "%vol"}, "HW-A04", "pass"),
        ("甲苯", {"value": 0.21, "unit": "%vol"}, "HW-A04", "fail"),
        ("甲醇", {"value": 9, "unit": "%LEL"}, "HW-A03", "pass"),
        ("甲醇", {"value": 10, "unit": "%LEL"}, "HW-A03", "fail"),
        ("氨", {"value": 5, "unit": "%LEL"}, "HW-A03", "fail"),
        ("氨", {"value": 3.3, "unit": "%LEL"}, "HW-A03", "pass"),
        ("甲烷", {"value": 5000, "unit": "ppm"}, "HW-A03", "pass"),
        ("甲烷", {"value": 5001, "unit": "ppm"}, "HW-A03", "fail"),
    ],
)
def test_readings_are_converted_by_the_medium(medium, reading, rule, expected):
    facts = without(good_facts("hot_work"), "gas_lel_vol", "gas_reading_vol", "limit_vol")
    verdict = judge({**facts, "medium": medium, "gas_reading": reading})
    assert row(verdict, rule).result == expected
    assert verdict.result == expected


@pytest.mark.parametrize(
    "reading",
    [
        {"value": 0.1}, {"value": 0.1, "unit": ""}, {"value": 0.1, "unit": "%"}, {"value": math.nan, "unit": "%vol"},
        {"value": math.inf, "unit": "%vol"}, {"value": -1, "unit": "%LEL"}, {"value": "0.1", "unit": "%vol"}, 0.1, "0.1",
    ],
)  # fmt: skip
def test_a_bad_reading_is_pending_with_a_reason(reading):
    facts = without(good_facts("hot_work"), "gas_reading_vol", "gas_lel_vol", "limit_vol")
    verdict = judge({**facts, "medium": "甲烷", "gas_reading": reading})
    assert verdict.result is Result.PENDING
    assert row(verdict, "HW-A03").result is Result.PENDING
    assert "可燃气体" in row(verdict, "HW-A03").message


def test_missing_unit_is_asked_for():
    facts = without(good_facts("hot_work"), "gas_reading_vol")
    message = row(judge({**facts, "gas_reading": {"value": 0.2}}), "HW-A03").message
    assert "缺少单位" in message


def test_lel_without_a_medium_asks_for_the_medium():
    facts = without(good_facts("hot_work"), "gas_reading_vol", "gas_lel_vol", "limit_vol")
    assert "介质" in row(judge({**facts, "gas_reading": {"value": 5, "unit": "%LEL"}}), "HW-A03").message


def test_known_values_decide_although_another_is_unknown():
    low = without(good_facts("hot_work", gas_reading_vol=0.1), "gas_lel_vol")
    assert row(judge(low), "HW-A03").result is Result.PASS
    between = without(good_facts("hot_work", gas_reading_vol=0.3), "gas_lel_vol")
    assert row(judge(between), "HW-A04").result is Result.PENDING
    assert row(judge(between, work="confined_space", level=None), "CS-007").result is Result.PENDING
    high = without(good_facts("confined_space", gas_reading_vol=0.6), "gas_lel_vol")
    assert row(judge(high, work="confined_space", level=None), "CS-007").result is Result.FAIL


def test_clean_trend_never_replaces_the_sample():
    verdict = judge(good_facts("hot_work", last_analysis_time=None, last_analysis_date=None, trend3h_max_vol=0.0))
    assert row(verdict, "HW-A01").result is Result.FAIL
    yesterday = without(good_facts("hot_work", last_analysis_time=("min", -1440)), "last_analysis_date")
    assert row(judge(yesterday, level="l2"), "HW-A07").result is Result.FAIL


def test_no_detector_data_is_a_condition_not_a_gap():
    facts = without(good_facts("hot_work", trend3h_count=0), "trend3h_max_vol", "trend3h_last_vol", "trend3h_slope")
    verdict = judge(facts)
    assert verdict.result is Result.CONDITIONAL
    assert [item.id for item in verdict.rules if item.result is Result.CONDITIONAL] == ["HW-A14"]


def test_lifting_nine_tonnes_without_a_ticket_is_conditional():
    facts = good_facts("lifting", mass_t=9, ticket_status=None, involved_works=["lifting"], tickets_held=[])
    verdict = judge(facts, work="lifting", level="3")
    assert verdict.result is Result.CONDITIONAL
    assert [item.id for item in verdict.rules if item.result is Result.CONDITIONAL] == ["LF-014"]
    heavier = judge({**facts, "mass_t": 10}, work="lifting", level="3")
    assert heavier.result is Result.FAIL
    undone = judge({**facts, "jsa_done": False}, work="lifting", level="3")
    assert row(undone, "G-009").result is Result.FAIL


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "1", True, None, [], {"value": 1}, -5])
@pytest.mark.parametrize("name", ["oxygen_vol", "gas_reading_vol", "toxic_ratio", "lighting_voltage"])
def test_bad_numbers_are_pending(name, bad):
    verdict = judge(good_facts("confined_space", **{name: bad}), work="confined_space", level=None)
    assert verdict.result is Result.PENDING
    json.loads(verdict.to_json())


@pytest.mark.parametrize("bad", [0, 1, "yes", "true", None, [True]])
def test_only_true_and_false_are_yes_and_no(bad):
    assert row(judge(good_facts("hot_work", jsa_done=bad)), "G-009").result is Result.PENDING


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (AT + timedelta(minutes=3), "晚于当前时间"),
        (AT.replace(tzinfo=None), "缺少时区"),
        ("yesterday", "格式"),
        (1234, "请填时间"),
        ("9999-12-31T23:59:59+00:00", "不合理"),
        ("0001-01-01T00:00:00+14:00", "不合理"),
    ],
)
def test_bad_times_are_pending(value, words):
    item = row(judge({**good_facts("hot_work"), "last_analysis_time": value}), "HW-A02")
    assert item.result is Result.PENDING and words in item.message


@pytest.mark.parametrize("name", ["start_time", "valid_to", "interrupted_at", "guardian_cert_expiry", "rest_day_from"])
@pytest.mark.parametrize("value", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_the_calendar_break_nothing(name, value):
    """Nothing can be reckoned a day before the first or after the last; a judgement was given up on them."""
    facts = {**good_facts("hot_work"), name: value}
    assert json.loads(judge(facts, level="special").to_json())["rules"]


def test_clocks_may_differ_by_two_minutes():
    assert judge(good_facts("hot_work", last_analysis_time=("min", 2))).result is Result.PASS


def test_times_may_come_as_text_with_an_offset():
    facts = good_facts("hot_work", last_analysis_time=("min", -31))
    text = {**facts, "last_analysis_time": "2026-03-04T09:29:00+08:00"}
    assert judge(facts).rules == judge(text).rules


def test_one_clock_minute_separates_pass_and_fail():
    """Sampled 09:00, start 09:30 passes, 09:31 fails."""
    at = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
    facts = {**good_facts("hot_work", at), "last_analysis_time": "2026-03-04T09:00:00+08:00"}
    for start, expected in (("09:30", "pass"), ("09:31", "fail")):
        verdict = judge({**facts, "start_time": f"2026-03-04T{start}:00+08:00"}, at=at)
        assert row(verdict, "HW-A02").result == expected


def test_a_verdict_is_the_same_again_after_storage():
    facts = good_facts("hot_work", gas_reading_vol=0.9, jsa_done=False, height=math.nan)
    first = evaluate(TABLE, work="hot_work", level="l1", at=AT, facts=facts)
    stored = Verdict.from_json(first.to_json())
    assert stored == first
    assert replay(TABLE, stored, facts_from_json(facts_to_json(facts))) == first
    with pytest.raises(ValueError, match="table"):
        replay(load(tenant={"rules": {"HW-A03": {"max_vol": 0.4}}}), stored, facts)


NAIVE = AT.replace(tzinfo=None) - timedelta(days=1)
junk = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 40), st.floats(), st.text(max_size=3), st.lists(st.text(max_size=2), max_size=2),
    st.datetimes(timezones=st.just(UTC), min_value=NAIVE, max_value=NAIVE + timedelta(days=2)), st.dates(),
    st.dictionaries(st.sampled_from(["value", "unit", "medium"]), st.one_of(st.floats(), st.sampled_from(["%LEL", "甲烷"])), max_size=2),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["hot_work", "confined_space", "lifting", "work_at_height", "temp_power"]),
    st.dictionaries(st.sampled_from(sorted(fact_dictionary())), junk, max_size=12),
)
def test_junk_never_breaks_the_engine_and_replays_the_same(work, facts):
    verdict = judge(facts, work=work, level=helpers.low_level(work))
    assert verdict.result in (Result.PENDING, Result.FAIL)
    again = judge(facts_from_json(facts_to_json(facts)), work=work, level=helpers.low_level(work))
    assert [(item.id, item.result) for item in again.rules] == [(item.id, item.result) for item in verdict.rules]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["hot_work", "confined_space", "lifting", "temp_power"]), st.data())
def test_taking_a_fact_away_never_turns_a_block_into_a_pass(work, data):
    """Less knowledge may pend, it never clears; facts that follow from others aside, as those are still known."""
    names = sorted(good_facts(work))
    gone = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=20, unique=True))
    facts = good_facts(work, jsa_done=False, gas_reading_vol=0.9, alarm_active=True)
    less = without(facts, *gone)
    full, part = (
        judge(facts, work=work, level=helpers.low_level(work)),
        judge(less, work=work, level=helpers.low_level(work)),
    )
    assert not part.result.allows_work
    blocked = {item.id for item in full.rules if not item.result.allows_work}
    for item in part.rules:
        if item.id in blocked:
            assert not item.result.allows_work


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["hot_work", "confined_space", "lifting", "work_at_height", "digging"]),
    st.dictionaries(st.sampled_from(sorted(fact_dictionary())), junk, max_size=10),
    st.booleans(),
)
def test_what_a_rule_reads_is_declared(work, facts, on_good):
    """The fix search groups rules by `rests_on`; a computation that looks further would break it."""
    raw = {**(good_facts(work) if on_good else {}), **facts}
    context = Context(TABLE, raw, work=work, level=helpers.low_level(work), at=AT, stage=None)
    for rule in TABLE.selected(work, None, None):
        _, reads = context.judge(rule.when)
        declared = frozenset().union(*(rests_on(name, work) for name in rule.when.names)) | {"@level"}
        assert reads <= declared, (rule.id, reads - declared)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["hot_work", "confined_space", "lifting", "work_at_height", "digging"]),
    st.dictionaries(st.sampled_from(sorted(fact_dictionary())), junk, max_size=10),
    st.booleans(),
    st.booleans(),
)
def test_the_quick_look_of_a_verdict_sees_what_the_fix_search_sees(work, facts, on_good, graded):
    """A verdict does not note what its rules read; rule by rule it must come out as where that is noted."""
    raw = plain({**(good_facts(work) if on_good else {}), **facts})
    level = normal_level(work, helpers.low_level(work) if graded else None)
    verdict = judge(raw, work=work, level=level)
    context = Context(TABLE, raw, work=work, level=level, at=AT, stage=None)
    rules = {rule.id: rule for rule in TABLE.selected(work, level, None)}
    assert {item.id for item in verdict.rules} == set(rules)
    for item in verdict.rules:
        decision = decide(rules[item.id], context, level)
        assert (item.result, item.missing) == (decision.result, decision.missing), item.id
        known = {name: plain(context.known(name)) for name in rules[item.id].facts if name != "level"}
        assert {name: value for name, value in item.facts.items() if name != "level"} == known


def test_unknown_level_is_pending_where_the_level_matters():
    verdict = judge(good_facts("hot_work", valid_hours=10), level=None)
    assert row(verdict, "HW-G09").result is Result.PENDING and "作业级别" in row(verdict, "HW-G09").message
    assert row(verdict, "HW-G10").result is Result.PASS


@pytest.mark.parametrize(
    ("work", "level"), [("hot_work", "l3"), ("lifting", 4), ("sailing", None), ("digging", "l1"), ("lifting", True)]
)
def test_unknown_work_or_level_is_refused(work, level):
    with pytest.raises(UnknownWork):
        judge({}, work=work, level=level)


def test_levels_of_lifting_may_be_numbers():
    assert judge(good_facts("lifting"), work="lifting", level=3).result is Result.PASS


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        judge({}, at=AT.replace(tzinfo=None))


def test_a_request_is_not_asked_for_what_comes_later():
    asked = {item.id for item in judge({}, stage=Stage.REQUEST).rules}
    assert asked.isdisjoint({"G-001", "G-006", "HW-C22", "HW-C23", "RC-001", "HW-A05"})
    assert {"HW-A01", "HW-A03", "G-002", "HW-G02"} <= asked
    assert {item.id for item in judge({}, stage=Stage.CLOSE).rules} == {"HW-C22", "RC-001"}
    closing = judge(good_facts("hot_work", acceptance_signed=False), stage=Stage.CLOSE)
    assert closing.result is Result.PASS  # closing=false was sent
    assert (
        judge(without(good_facts("hot_work", acceptance_signed=False), "closing"), stage=Stage.CLOSE).result
        is Result.FAIL
    )


def test_every_rule_is_asked_at_some_stage():
    assert all(rule.stages for rule in TABLE.rules)


def test_what_falls_due_next():
    facts = good_facts("hot_work", last_analysis_time=("min", -28), valid_to=("min", 240))
    messages = [due.message for due in judge(facts).due_next]
    assert messages == ["10:02前动火,否则须重新取样", "14:00作业票到期,继续作业须重新办票"]
    paused = good_facts(
        "hot_work", interrupted_at=("min", -10), last_analysis_time=("min", -40), start_time=("min", -20)
    )
    paused = without(paused, "interrupt_minutes", "analysed_after_interrupt")
    running = judge(paused, stage=Stage.RUN)
    assert running.due_next[0].message == "10:20前不恢复动火,须重新取样"
    assert running.due_next[0].clause == "5.3.1 d"
    space = without(good_facts("confined_space", minutes_since_record=100), "closing")
    assert "10:20前记录一次气体数据" in [
        due.message for due in judge(space, work="confined_space", level=None, stage=Stage.RUN).due_next
    ]


def test_nights_and_next_days_are_announced():
    facts = without(good_facts("hot_work", upgraded=False, valid_to=("min", 60 * 30)), "closing")
    messages = [due.message for due in judge(facts, level="l2", stage=Stage.RUN).due_next]
    assert "20:00进入夜间,继续动火须升级管理" in messages
    assert "3月5日00:00起为次日,动火前须再做一次分析" in messages


NOWHERE = dict.fromkeys(
    ["in_fixed_hot_zone", "in_hazard_area", "on_running_equipment", "in_major_hazard_dike", "flammable_stored",
     "stopped_unit_waiver", "on_pipe_rack", "is_holiday", "is_rest_day", "outdoor"], False,
)  # fmt: skip
NOWHERE |= {"waiver_approver_role": "none", "wind_force": 2}


@pytest.mark.parametrize(
    ("facts", "level", "raised"),
    [
        ({}, "l2", False),
        ({"on_pipe_rack": True}, "l1", False),
        ({"in_hazard_area": True}, "l1", False),
        ({"in_hazard_area": True, "on_running_equipment": True}, "special", False),
        ({"in_major_hazard_dike": True, "flammable_stored": True}, "special", False),
        ({"in_fixed_hot_zone": True, "in_hazard_area": True}, "none", False),
        ({"in_hazard_area": True, "stopped_unit_waiver": True, "waiver_approver_role": "safety_head"}, "l2", False),
        ({"in_hazard_area": True, "stopped_unit_waiver": True, "waiver_approver_role": "other"}, "l1", False),
        ({"is_rest_day": True}, "l1", False),
        ({"in_hazard_area": True, "is_holiday": True}, "special", False),
        ({"in_hazard_area": True, "on_running_equipment": True, "is_holiday": True}, "special", True),
        ({"outdoor": True, "wind_force": 5}, "l1", False),
        ({"outdoor": True, "wind_force": 4}, "l2", False),
        ({"in_fixed_hot_zone": True, "is_holiday": True}, "none", False),
    ],
)
def test_hot_work_level(facts, level, raised):
    found = propose_level(TABLE, work="hot_work", at=AT, facts={**NOWHERE, **facts})
    assert (found.level, found.raise_approver, found.missing) == (level, raised, ())
    assert found.reason and found.clause


def test_night_raises_the_level_and_the_boundaries_are_exact():
    for hour, minute, level in ((19, 59, "l2"), (20, 0, "l1"), (5, 59, "l1"), (6, 0, "l2")):
        at = datetime(2026, 3, 4, hour, minute, tzinfo=TABLE.settings.zone)
        assert propose_level(TABLE, work="hot_work", at=at, facts=NOWHERE).level == level


def test_unknown_place_gives_the_highest_level_and_names_the_gap():
    facts = without(NOWHERE, "on_running_equipment", "on_pipe_rack")
    found = propose_level(TABLE, work="hot_work", at=AT, facts={**facts, "in_hazard_area": True})
    assert found.level == "special" and found.missing == ("on_running_equipment",)
    empty = propose_level(TABLE, work="hot_work", at=AT, facts={})
    assert empty.level == "special" and "in_hazard_area" in empty.missing


def test_special_by_night_needs_the_next_higher_approver():
    night = AT + timedelta(hours=12)
    facts = without(
        good_facts("hot_work", night, in_hazard_area=True, on_running_equipment=True),
        "is_night",
        "upgraded",
        "required_rank",
    )
    low = judge({**facts, "approver_rank": 4}, level="special", at=night, stage=Stage.START)
    assert row(low, "G-008").result is Result.FAIL
    assert row(judge({**facts, "approver_rank": 5}, level="special", at=night), "G-008").result is Result.PASS
    assert row(low, "HW-G06").result is Result.PASS


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ({"height": 5.0, "factors": []}, "I"), ({"height": 5.0, "factors": ["frost"]}, "II"), ({"height": 15, "factors": []}, "II"),
        ({"height": 5.0, "factors": [], "raining_or_snowing": True}, "IV"), ({"height": 30, "factors": []}, "III"),
        ({"height": 30.1, "factors": []}, "IV"), ({"height": 30, "factors": ["冰"]}, "IV"), ({"height": 1.9, "factors": []}, "none"),
        ({"height": 2.0, "factors": []}, "I"), ({"height": 3.0, "factors": ["no_platform"]}, "II"), ({"factors": []}, "IV"),
    ],
)  # fmt: skip
def test_height_level(facts, level):
    assert propose_level(TABLE, work="work_at_height", at=AT, facts=facts).level == level


@pytest.mark.parametrize(("mass", "level"), [(100.1, "1"), (100, "2"), (40, "2"), (39.9, "3")])
def test_lifting_level(mass, level):
    assert propose_level(TABLE, work="lifting", at=AT, facts={"mass_t": mass}).level == level


def test_two_ranks_of_the_callers_own_scale_are_compared_as_they_stand():
    same = good_facts("hot_work", required_rank=2, approver_rank=2)
    assert row(judge(same, level="special"), "G-008").result is Result.PASS
    assert row(judge({**same, "approver_rank": 1}, level="special"), "G-008").result is Result.FAIL


def test_who_bounds_cannot_be_loosened_by_the_caller():
    facts = without(good_facts("hot_work", required_rank=1, approver_role="local_unit"), "approver_rank")
    assert row(judge(facts, level="special"), "G-008").result is Result.FAIL
    alone = without(good_facts("hot_work", approver_rank=1), "required_rank")
    assert row(judge(alone, level="special"), "G-008").result is Result.FAIL
    trend = good_facts("hot_work", gas_lel_vol=1.1, limit_vol=5, trend3h_max_vol=0.3)
    assert row(judge(trend), "HW-A13").result is Result.FAIL


def test_guardian_certificate_months_are_a_setting():
    table = load(tenant={"settings": {"guardian_cert_valid_months": 12}})
    facts = without(good_facts("hot_work"), "guardian_cert_expiry")
    old = judge({**facts, "guardian_cert_issued": date(2025, 3, 3)}, table=table)
    assert row(old, "G-004").result is Result.FAIL
    same_day = judge({**facts, "guardian_cert_issued": date(2025, 3, 4)}, table=table)
    assert row(same_day, "G-004").result is Result.PASS
    assert row(judge(facts, table=table), "G-004").result is Result.PENDING
    assert row(judge(facts), "G-004").result is Result.PENDING  # nobody said how long the certificate is good
    assert row(judge({**facts, "guardian_cert_expiry": None}), "G-004").result is Result.PASS


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("HW-C12", "五级及以上大风，禁止露天动火；确需动火应升级管理。"),
        ("WH-002", "五级及以上大风，不应进行高处作业。"),
        ("LF-004", "六级及以上大风，不应露天吊装。"),
        ("LF-008", "多机抬吊，单机载荷不应超过额定能力的80%。"),
        ("CS-010", "距上次气体记录已超过2小时，请立即记录检测数据。"),
    ],
)
def test_limits_are_said_as_the_standard_says_them(rule, words):
    assert TABLE.by_id[rule].message.format_map(TABLE.by_id[rule].words) == words


def test_a_tightened_limit_is_said_in_the_same_words():
    table = load(tenant={"rules": {"LF-008": {"max_ratio": 0.75}, "HW-C12": {"ban_force": 4}}})
    assert "75%" in table.by_id["LF-008"].message.format_map(table.by_id["LF-008"].words)
    assert "四级及以上" in table.by_id["HW-C12"].message.format_map(table.by_id["HW-C12"].words)


@pytest.mark.parametrize(
    ("given", "result"),
    [("blind_plate", "pass"), ("盲板", "pass"), ("removed_spool", "pass"), ("关阀", "fail"), ("tape", "pending")],
)
def test_other_words_for_an_isolation_are_understood(given, result):
    facts = good_facts("hot_work", contained_hazard=True, isolation_method=given)
    assert row(judge(facts), "HW-C01").result.value == result


def test_people_may_be_numbers():
    facts = good_facts("hot_work", guardian_id=7, worker_ids=[7, 8])
    assert row(judge(facts), "G-002").result is Result.PASS
    assert row(judge(facts), "G-005").result is Result.FAIL  # number 7 guards and works


def test_only_small_loads_go_without_a_ticket():
    small = good_facts("lifting", ticket_status=None, mass_t=9)
    assert row(judge(small, work="lifting", level="3"), "G-001").result is Result.PASS
    assert row(judge({"ticket_status": None}, work="lifting", level="1"), "G-001").result is Result.FAIL


def test_the_day_a_permit_runs_into_is_said_beforehand():
    rest = AT + timedelta(hours=14)  # midnight at the plant
    facts = without(good_facts("hot_work", valid_to=("min", 1200), rest_day_from=rest.isoformat()), "upgraded")
    words = [due.message for due in judge({**facts, "in_hazard_area": True}, stage=Stage.REQUEST).due_next]
    assert "3月5日00:00起为节假日或公休日,继续动火须升级管理" in words
    ends_before = {**facts, "in_hazard_area": True, "valid_to": (AT + timedelta(hours=8)).isoformat()}
    assert not [due for due in judge(ends_before, stage=Stage.REQUEST).due_next if "公休日" in due.message]


@pytest.mark.parametrize(("hours", "said"), [(2, False), (14, True)])
def test_the_night_of_today_is_not_the_night_of_work_planned_for_tomorrow(hours, said):
    """Ten in the morning at the plant; the work begins at the same time tomorrow."""
    tomorrow = AT + timedelta(hours=24)
    facts = good_facts("hot_work", start_time=tomorrow, valid_to=tomorrow + timedelta(hours=hours))
    facts = {**without(facts, "upgraded"), "in_hazard_area": True}
    words = [due.message for due in judge(facts, stage=Stage.REQUEST).due_next]
    assert [text for text in words if "夜间" in text] == (["3月5日20:00进入夜间,继续动火须升级管理"] if said else [])


def test_a_deadline_that_is_missed_already_is_not_said_of_a_request():
    tomorrow = AT + timedelta(hours=24)
    facts = good_facts("hot_work", start_time=tomorrow, valid_to=tomorrow + timedelta(hours=2))
    asked = judge(facts, stage=Stage.REQUEST)
    assert row(asked, "HW-A02").result is Result.FAIL
    assert not [due for due in asked.due_next if due.rule == "HW-A02"]
    now = judge({**facts, "start_time": AT.isoformat()}, stage=Stage.REQUEST)
    assert [due.message for due in now.due_next if due.rule == "HW-A02"] == ["10:30前动火,否则须重新取样"]


def test_no_cylinders_means_no_cylinder_questions():
    names = ("cylinder_gap", "cylinder_fire_distance", "acetylene_upright", "flashback_arrestor")
    facts = {**without(good_facts("hot_work"), *names), "cylinders_used": False}
    assert judge(facts).result is Result.PASS
    assert judge({**facts, "cylinders_used": True}).result is Result.PENDING


def test_verdict_carries_the_fields_of_the_contract():
    found = json.loads(judge(good_facts("hot_work", gas_reading_vol=0.9)).to_json())
    assert {"result", "rules", "fix"} <= found.keys()
    assert {"id", "result", "facts", "limit", "clause", "message"} <= found["rules"][0].keys()
    assert found["rules"][0]["id"] == "HW-A03"
    assert found["rules"][0]["facts"] == {"gas_lel_vol": 5.0, "gas_reading_vol": 0.9}
    assert found["rules"][0]["limit"] == "≤ 0.5%(体积分数,LEL ≥ 4%)"
