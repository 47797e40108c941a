"""A row of the risk register: what its words mean, what does not add up, and what is refused."""

from __future__ import annotations

import pytest

from rules.errors import RuleBroken
from rules.lec import Boundary, RiskLevel, Scheme
from rules.risk import Written, accident_types, assess, level_of

R, O, Y, B = RiskLevel.RED, RiskLevel.ORANGE, RiskLevel.YELLOW, RiskLevel.BLUE


def codes(row: Written, **kwargs: object) -> list[str]:
    return [note.code for note in assess(row, **kwargs).notes]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("重大风险", R), ("Ⅰ级", R), ("一级", R), ("1", R), ("A级", R), ("红色", R), ("极其危险", R),
        ("较大", O), ("II级", O), ("2级", O), ("橙", O), ("B", O),
        ("一般风险", Y), ("Ⅲ", Y), ("三级风险", Y), ("黄色", Y), ("显著危险", Y),
        ("低风险", B), ("Ⅳ级", B), ("4", B), ("D级", B), ("蓝", B), ("稍有危险", B), ("一般危险", B), ("5级", B),
        ("", None), ("待定", None), ("9级", None), ("AB", None),
    ],
)  # fmt: skip
def test_every_way_a_level_is_written(text: str, colour: RiskLevel | None) -> None:
    assert level_of(text) is colour


def test_what_adds_up_has_no_notes() -> None:
    found = assess(Written(6, 6, 7, 252, "较大", control="车间级", accidents="火灾"))
    assert (found.colour, found.computed.score, found.notes, found.accidents) == (O, 252, (), ("火灾",))


def test_differences_are_reported_and_the_tables_own_level_stays() -> None:
    found = assess(Written(3, 6, 15, 126, "低"))
    assert found.colour is B
    assert found.computed.colour is O
    assert [note.code for note in found.notes] == ["d_differs", "level_differs"]
    assert "D=126" in found.notes[0].words and "270" in found.notes[0].words


@pytest.mark.parametrize(
    ("scheme", "boundary", "colour"),
    [(Scheme.A, None, O), (Scheme.B, None, R), (Scheme.A, Boundary.FROM, R), (Scheme.C, None, R), (Scheme.E, None, R)],
)
def test_a_score_on_the_limit_is_the_plants_choice(
    scheme: Scheme, boundary: Boundary | None, colour: RiskLevel
) -> None:
    assert assess(Written(score=320), scheme=scheme, boundary=boundary).colour is colour


@pytest.mark.parametrize("row", [Written(4, 6, 7), Written(6, 7, 7), Written(6, 6, 10), Written(-1, 6, 7)])
def test_a_value_off_the_scale_is_refused(row: Written) -> None:
    with pytest.raises(RuleBroken, match="lec"):
        assess(row)


def test_a_row_that_says_nothing_of_the_risk_is_refused() -> None:
    with pytest.raises(RuleBroken) as refused:
        assess(Written(level="见附件"))
    assert refused.value.rule == "risk_level"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Written(3, 6, None, 126), "lec_incomplete"),
        (Written(score=200, level="看情况"), "level_unknown"),
        (Written(score=126, residual_score=200), "residual_higher"),
        (Written(score=126, residual_level="重大"), "residual_higher"),
        (Written(score=400, control="班组、岗位"), "control_lower"),
        (Written(score=126, has_measure=False), "no_measure"),
        (Written(score=126, has_owner=False), "no_owner"),
        (Written(score=126, accidents="中毒和窒息"), "accident_split"),
        (Written(score=126, accidents="摔跤"), "accident_unknown"),
    ],
)
def test_each_thing_to_check_is_named(row: Written, code: str) -> None:
    assert codes(row) == [code]


@pytest.mark.parametrize("control", ["公司级", "厂级、车间级", "公司/车间/班组/岗位", ""])
def test_a_level_above_controls_what_the_lower_ones_control_too(control: str) -> None:
    assert codes(Written(score=400, control=control)) == []


def test_old_names_of_accidents_become_those_in_force() -> None:
    notes: list = []
    assert accident_types("机械伤害、车辆伤害/ 起重伤害;1.触电 烫伤;厂(场)内车辆致害", notes) == (
        "机械致害",
        "厂(场)内车辆致害",
        "起重致害",
        "触电",
        "灼烫",
    )
    assert notes == []
