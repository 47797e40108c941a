"""A plant may tighten the table, never weaken a rule of the standard; the page of the rules is current."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permit import (
    BadTable,
    Result,
    Settings,
    Weakened,
    approval,
    check_role_mapping,
    evaluate,
    load,
    max_validity,
)
from rules.permit.docs import SETTING_ZH, TARGET, render
from rules.permit.facts import actions, fact_dictionary
from rules.permit.logic import BadExpression, Unknown, compile_expression, unknown
from rules.permit.model import LEVELS, Work
from rules.permit.table import BOUNDS
from tests.rules.permit.helpers import good_facts

TABLE = load()
AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
LIMITS = [(rule.id, name) for rule in TABLE.rules if rule.src == "std" for name in rule.params]


def result_of(table, rule, work, level, **facts):
    verdict = evaluate(table, work=work, level=level, at=AT, facts=facts, with_fix=False)
    return next(row for row in verdict.rules if row.id == rule)


@pytest.mark.parametrize(("rule", "name"), LIMITS)
def test_no_limit_of_the_standard_can_be_loosened(rule, name):
    param = TABLE.by_id[rule].params[name]
    step = 0.01 if param.tighter == "lower" else -0.01
    with pytest.raises(Weakened) as caught:
        load(tenant={"rules": {rule: {name: param.value + step}}})
    assert caught.value.rule == rule
    tighter = load(tenant={"rules": {rule: {name: param.value - step}}})
    assert tighter.by_id[rule].tightened
    assert not load(tenant={"rules": {rule: {name: param.value}}}).by_id[rule].tightened


def test_a_tightened_limit_judges_says_and_fixes_with_its_own_number():
    table = load(tenant={"rules": {"HW-A03": {"max_vol": 0.3}}})
    row = result_of(table, "HW-A03", "hot_work", "l1", gas_lel_vol=5, gas_reading_vol=0.4)
    assert row.result is Result.FAIL and "0.3%" in row.message and "0.3%" in row.limit
    assert row.clause == "5.3.2 a(企业从严)"
    assert result_of(TABLE, "HW-A03", "hot_work", "l1", gas_lel_vol=5, gas_reading_vol=0.4).result is Result.PASS


@pytest.mark.parametrize("rule", [rule.id for rule in TABLE.rules if rule.src == "std"])
def test_no_rule_of_the_standard_can_be_switched_off_or_softened(rule):
    with pytest.raises(Weakened):
        load(tenant={"rules": {rule: {"enabled": False}}})
    if TABLE.by_id[rule].result is Result.FAIL:
        with pytest.raises(Weakened):
            load(tenant={"rules": {rule: {"result": "conditional"}}})


def test_a_warning_may_become_a_refusal_and_enterprise_rules_may_go():
    assert load(tenant={"rules": {"G-007": {"result": "fail"}}}).by_id["G-007"].result is Result.FAIL
    assert "HW-A14" not in load(tenant={"rules": {"HW-A14": {"enabled": False}}}).by_id
    assert load(tenant={"rules": {"HW-A15": {"half": 0.9}}}).by_id["HW-A15"].params["half"].value == 0.9


def test_a_plant_adds_its_own_rule():
    own = {
        "id": "T-001", "work": "hot_work", "facts": ["wind_force", "outdoor"], "when": "outdoor and wind_force >= 4",
        "result": "fail", "message": "四级风不露天动火。", "clause": "企业规定",
    }  # fmt: skip
    table = load(tenant={"add": [own]})
    assert table.by_id["T-001"].src == "ent"
    assert result_of(table, "T-001", "hot_work", "l2", outdoor=True, wind_force=4).result is Result.FAIL
    assert table.version != TABLE.version
    with pytest.raises(BadTable):
        load(tenant={"add": [{**own, "id": "HW-A03"}]})


@pytest.mark.parametrize(
    "tenant",
    [
        {"settings": {"night_start": "25:00"}}, {"settings": {"unknown": 1}}, {"settings": {"night_end": 6}}, {"settings": {"upgrade_manner": "never"}},
        {"settings": {"hours_lifting": -1}}, {"settings": {"hours_lifting": float("nan")}}, {"settings": {"timezone": "Mars"}},
        {"rules": {"XX-1": {}}}, {"rules": {"HW-A03": {"nope": 1}}}, {"rules": {"HW-A03": {"max_vol": "0.4"}}}, {"other": 1},
        {"rules": {"HW-A03": {"max_vol": float("nan")}}}, {"rules": {"HW-A03": {"result": "pass"}}},
        {"add": [{"id": "T-1", "work": "hot_work", "facts": [], "when": "__import__('os')", "result": "fail", "message": "x", "clause": "x"}]},
        {"add": [{"id": "T-1", "work": "hot_work", "facts": [], "when": "no_such_fact", "result": "fail", "message": "x", "clause": "x"}]},
        {"add": [{"id": "T-1", "work": "sailing", "facts": [], "when": "outdoor", "result": "fail", "message": "x", "clause": "x"}]},
        {"add": [{"id": "T-1", "work": "hot_work"}]},
    ],
)  # fmt: skip
def test_malformed_settings_are_refused(tenant):
    with pytest.raises((BadTable, Weakened)):
        load(tenant=tenant)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("clock_skew_minutes", (0, 2, 10), (10.1, 600, True)),
        ("hours_blind_plate", (1, 168), (0, 168.1, 1e12)), ("hours_lifting", (1, 168), (0, 1e12)),
        ("hours_digging", (1, 168), (0, 169)), ("hours_road_closing", (1, 168), (0, 169)),
        ("trend_radius_m", (0, 5, 30, 200), (-1, 201)), ("trend_window_minutes", (1, 180, 1440), (0, 1e12)),
        ("fire_watch_minutes", (0, 60, 1440), (1e12,)), ("guardian_cert_valid_months", (0, 24, 120), (1e9,)),
        ("ticket_keep_days", (365, 36_500), (1e12,)), ("video_keep_days", (30, 36_500), (1e12,)),
    ],
)  # fmt: skip
def test_a_setting_has_bounds_and_says_them(name, good, bad):
    for value in good:
        assert getattr(load(tenant={"settings": {name: value}}).settings, name) == value
    for value in bad:
        with pytest.raises(BadTable, match=rf"settings\.{name}:须是 .+ 到 .+ 之间的数"):
            load(tenant={"settings": {name: value}})


@pytest.mark.parametrize(
    ("start", "end", "ok"),
    [
        ("20:00", "06:00", True), ("22:00", "05:00", True), ("00:00", "00:00", True), ("18:00", "07:30", True),
        ("22:01", "05:00", False), ("22:00", "04:59", False), ("03:00", "03:01", False), ("00:00", "23:59", False),
    ],
)  # fmt: skip
def test_every_plant_has_a_night(start, end, ok):
    tenant = {"settings": {"night_start": start, "night_end": end}}
    if ok:
        load(tenant=tenant)
        return
    with pytest.raises(BadTable, match=r"settings\.night_start、settings\.night_end:夜间须包含 22:00–05:00"):
        load(tenant=tenant)


def test_every_number_has_bounds():
    numbers = {field.name for field in fields(Settings)} - {"timezone", "night_start", "night_end"}
    assert numbers - set(BOUNDS) == {"scope", "upgrade_manner", "toxic_basis"}


def test_keeping_times_cannot_go_below_the_standard():
    with pytest.raises(Weakened, match="RC-002"):
        load(tenant={"settings": {"ticket_keep_days": 364}})
    with pytest.raises(Weakened, match="RC-003"):
        load(tenant={"settings": {"video_keep_days": 29}})
    load(tenant={"settings": {"ticket_keep_days": 365, "video_keep_days": 30}})


def test_version_follows_content():
    assert load().version == load().version
    assert load(tenant={"settings": {"night_start": "19:00"}}).version != TABLE.version


def test_basis_by_scope():
    assert TABLE.basis("hot_work").startswith("依据 GB 30871-2022")
    general = load(tenant={"settings": {"scope": "general"}})
    assert general.basis("hot_work").startswith("参照 GB 30871-2022")
    assert "第13号" in general.basis("confined_space")
    assert evaluate(general, work="hot_work", level="l2", at=AT, facts={}, with_fix=False).basis.startswith("参照")


def test_unknown_standard():
    with pytest.raises(BadTable):
        load("gb_nothing")
    with pytest.raises(BadTable):
        load("../settings")


# ---- approval and validity


@pytest.mark.parametrize(
    ("work", "level", "role", "hours"),
    [
        ("hot_work", "special", "leader_in_charge", 8), ("hot_work", "l1", "safety_department", 8), ("hot_work", "l2", "local_unit", 72),
        ("confined_space", None, "local_unit", 24), ("blind_plate", None, "local_unit", 24),
        ("work_at_height", "I", "local_unit", 168), ("work_at_height", "II", "professional_department", 168),
        ("work_at_height", "III", "professional_department", 168), ("work_at_height", "IV", "plant_director_or_chief_engineer", 168),
        ("lifting", "1", "plant_director_or_chief_engineer", 8), ("lifting", "2", "professional_department", 8),
        ("lifting", "3", "professional_department", 8), ("temp_power", None, "power_supplier", 360),
        ("digging", None, "professional_department", 72), ("road_closing", None, "professional_department", 72),
    ],
)  # fmt: skip
def test_approver_and_validity(work, level, role, hours):
    assert approval(TABLE, work=work, level=level).role == role
    assert max_validity(TABLE, work=work, level=level).usual == timedelta(hours=hours)


def test_temporary_power_has_a_longest_time_and_unstated_times_say_so():
    assert max_validity(TABLE, work="temp_power", level=None).longest == timedelta(days=30)
    assert not max_validity(TABLE, work="lifting", level="1").stated
    assert max_validity(TABLE, work="hot_work", level="l1").stated
    shorter = load(tenant={"rules": {"HW-G09": {"max_hours": 6}}, "settings": {"hours_lifting": 4}})
    assert max_validity(shorter, work="hot_work", level="l1").usual == timedelta(hours=6)
    assert max_validity(shorter, work="lifting", level="1").usual == timedelta(hours=4)


def test_ungraded_takes_the_highest_approver_and_the_shortest_time():
    assert approval(TABLE, work="hot_work", level=None).role == "leader_in_charge"
    assert max_validity(TABLE, work="hot_work", level=None).usual == timedelta(hours=8)


def test_raised_approver_and_role_mapping():
    assert approval(TABLE, work="hot_work", level="special", raised=True).role == "top_leader"
    check_role_mapping(TABLE, {"safety_department": "ehs"}, {"ehs": 3})
    with pytest.raises(Weakened):
        check_role_mapping(TABLE, {"safety_department": "班组长"}, {"班组长": 2})
    with pytest.raises(Weakened):
        check_role_mapping(TABLE, {"leader_in_charge": "unknown post"}, {})
    with pytest.raises(ValueError, match="表B"):
        check_role_mapping(TABLE, {"nobody": "x"}, {"x": 5})


@pytest.mark.parametrize(
    ("level", "role"), [("l2", "safety_department"), ("l1", "leader_in_charge"), ("special", "top_leader")]
)
def test_the_next_higher_approver_is_of_the_works_own_column(level, role):
    """Level-2 hot work raised goes to the safety department, not to a professional department (5.1.1, Table B.1)."""
    assert approval(TABLE, work="hot_work", level=level, raised=True).role == role
    by_approver = load(tenant={"settings": {"upgrade_manner": "approver"}})
    rank = by_approver.roles[role]["rank"]
    facts = good_facts(
        "hot_work", is_holiday=True, in_hazard_area=level != "l2", on_running_equipment=level == "special"
    )
    for name in ("required_rank", "upgraded"):
        facts.pop(name, None)
    for held, result in ((rank - 1, Result.FAIL), (rank, Result.PASS)):
        row = result_of(by_approver, "G-008", "hot_work", level, **{**facts, "approver_rank": held})
        assert row.result is result, (held, row)


def test_countersigning_units_have_a_post_each():
    assert TABLE.units["配送电单位"] == "power_supplier"
    assert TABLE.units["水"] == TABLE.units["消防"] == "professional_department"
    assert TABLE.units["安全管理等有关单位"] == TABLE.units["安全管理部门等有关单位"] == "safety_department"
    check_role_mapping(TABLE, {"消防": "fire"}, {"fire": 2})
    with pytest.raises(Weakened, match="会签单位“安全管理等有关单位”"):
        check_role_mapping(TABLE, {"安全管理等有关单位": "fire"}, {"fire": 2})


def test_every_level_has_an_approver_and_a_validity():
    for work in Work:
        for level in LEVELS.get(work.value, ("none",)):
            assert approval(TABLE, work=work.value, level=level).clause == "附录B表B.1"
            assert max_validity(TABLE, work=work.value, level=level).usual > timedelta(0)


# ---- the page, the fact dictionary


def test_the_page_explains_every_setting_of_the_plant():
    assert set(SETTING_ZH) == {field.name for field in fields(Settings)}


def test_the_page_of_the_rules_is_current():
    page = TARGET.read_text(encoding="utf-8")
    assert page == render(load()), "run: python -m rules.permit.docs"
    assert all(f"| {rule.id} |" in page and rule.clause in page for rule in TABLE.rules)
    assert all(rule.open in page for rule in TABLE.rules if rule.open)


def test_actions_change_only_known_facts():
    for action in actions():
        assert set(action.set) <= set(fact_dictionary()), action.id
        assert action.works is None or all(Work(work) for work in action.works)


def test_every_fact_of_a_rule_can_be_asked_for():
    for rule in TABLE.rules:
        for name in rule.facts:
            fact = fact_dictionary()[name]
            assert fact.zh and (fact.good is not None or name == "level"), name


def test_approvals_are_data():
    path = Path(TARGET).parents[1] / "rules" / "permit" / "gb30871_2022.toml"
    with path.open("rb") as file:
        data = tomllib.load(file)
    assert len(data["rule"]) == 142 and data["edition"]["standard"] == "GB 30871-2022"


# ---- the expression language


def run(source, **values):
    expression = compile_expression(source, constants={}, functions={"len": len})
    return expression(lambda name: values.get(name, unknown(name)))


THREE = st.sampled_from([True, False, None])


@given(THREE, THREE, THREE)
def test_three_valued_logic_agrees_with_every_way_the_unknowns_could_turn_out(a, b, c):
    """A decided answer must hold however the unknowns turn out (soundness)."""
    source = "a and not b or (b if c else a)"
    values = {name: value for name, value in (("a", a), ("b", b), ("c", c)) if value is not None}
    found = run(source, **values)
    ways = [
        run(source, **{"a": x, "b": y, "c": z, **values})
        for x in (True, False)
        for y in (True, False)
        for z in (True, False)
    ]
    if not isinstance(found, Unknown):
        assert set(ways) == {found}
    if a is not None and b is not None and c is not None:
        assert found is ((a and not b) or (b if c else a))


def test_known_values_short_circuit():
    assert run("x > 3 and y", x=2) is False
    assert run("x > 3 or y", x=4) is True
    assert run("x > (5 if y else 4)", x=6) is True
    assert run("x > (5 if y else 4)", x=4) is False
    assert run("x > (5 if y else 4)", x=5).names == {"y"}
    assert run("x > 3 and y", x=4).names == {"y"}
    assert run("x is None", x=None) is True
    assert run("x > 3", x=None).names == {"x"}
    with pytest.raises(TypeError):
        bool(unknown("x"))


@pytest.mark.parametrize(
    "source",
    ["x.y", "x[0]", "lambda: 1", "[i for i in x]", "f'{x}'", "open('a')", "x := 1", "1 < x < 3", "x ** 9", "x / 0", "-x",
     "{1: 2}", "len(*x)", "len(x=1)", "", "x; y", "b'1'", "1j", "...", "x is y", "await x", "[x]", "(lambda: 1)()"],
)  # fmt: skip
def test_anything_else_is_not_an_expression(source):
    with pytest.raises(BadExpression):
        run(source, x=1)
