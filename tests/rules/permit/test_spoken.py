from __future__ import annotations

import pytest

from rules.permit.spoken import said_gas, tells_gas


def values(text: str) -> dict[str, tuple[float, str]]:
    return {value.gas: (value.value, value.unit) for value in said_gas(text)}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("可燃零点一,氧二十点八", {"combustible": (0.1, ""), "o2": (20.8, "%vol")}),
        ("可燃0.1%LEL,氧20.8", {"combustible": (0.1, "%LEL"), "o2": (20.8, "%vol")}),
        ("LEL三个", {"combustible": (3, "%LEL")}),
        ("LEL 3% 氧20.9 H2S 0", {"combustible": (3, "%LEL"), "o2": (20.9, "%vol"), "h2s": (0, "ppm")}),
        ("可燃百分之零点二", {"combustible": (0.2, "")}),
        ("可燃0.2%vol", {"combustible": (0.2, "%vol")}),
        ("甲醇 120ppm", {"combustible": (120, "ppm")}),
        ("20个点的氧", {"o2": (20, "%vol")}),
        ("可燃0,氧20.9,一氧化碳 5ppm", {"combustible": (0, "%vol"), "o2": (20.9, "%vol"), "co": (5, "ppm")}),
        ("硫化氢8毫克", {"h2s": (8, "mg/m3")}),
        ("硫化氢8", {"h2s": (8, "")}),
        ("可燃0.1%LEL,氧20.8,有毒0", {"combustible": (0.1, "%LEL"), "o2": (20.8, "%vol")}),
        ("可燃0.1%LEL,氧20.8,有毒气体5", {}),  # which one?
        ("可燃正常", {}),
        ("今天天气不错20度", {}),
        ("", {}),
    ],
)
def test_gas_values_as_they_are_said(said, expected):
    assert values(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("中部可燃零点一,氧二十点八", [("combustible", 0.1, "", ["middle"]), ("o2", 20.8, "%vol", ["middle"])]),
        ("罐顶氧20.5,罐底氧19.4", [("o2", 20.5, "%vol", ["top"]), ("o2", 19.4, "%vol", ["bottom"])]),
        ("上、中、下可燃0.1%LEL", [("combustible", 0.1, "%LEL", ["top", "middle", "bottom"])]),
        ("上中下三个部位可燃都是0.2%LEL", [("combustible", 0.2, "%LEL", ["top", "middle", "bottom"])]),
        ("可燃0.1%LEL,中部取的", [("combustible", 0.1, "%LEL", ["middle"])]),
        ("上部可燃3%LEL,下部可燃5", [("combustible", 3, "%LEL", ["top"]), ("combustible", 5, "%LEL", ["bottom"])]),
        (
            "动火点可燃0.1%LEL,罐内可燃3",
            [("combustible", 0.1, "%LEL", ["around"]), ("combustible", 3, "%LEL", ["inside"])],
        ),
        ("可燃0.1左右,氧20.8上下", [("combustible", 0.1, "", []), ("o2", 20.8, "%vol", [])]),
        ("爆炸下限三个", [("combustible", 3, "%LEL", [])]),
        ("氧20.8,动火点可燃0.1%LEL", [("o2", 20.8, "%vol", ["around"]), ("combustible", 0.1, "%LEL", ["around"])]),
        (
            "氧20.8,上部可燃0,下部可燃0",
            [("o2", 20.8, "%vol", []), ("combustible", 0, "%vol", ["top"]), ("combustible", 0, "%vol", ["bottom"])],
        ),
    ],
)
def test_where_a_value_was_measured(said, expected):
    assert [(v.gas, v.value, v.unit, list(v.points)) for v in said_gas(said)] == expected


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("可燃2%LEL,氧6", True),
        ("氧20.8,动火点可燃0.1%LEL", True),
        ("上部可燃0,氧20.9,下部可燃0氧20.8,没有有毒的", True),
        ("刚测的甲醇3%LEL,含氧量20.9", True),
        ("现在氧气浓度是20.9,硫化氢0ppm", True),
        ("可燃零点一,氧二十点八", True),
        ("氧气瓶2个没固定", False),
        ("可燃气体探测器3号坏了", False),
        ("一氧化碳报警器响了2次,人都撤了", False),
        ("郑凯", False),
    ],
)
def test_values_nobody_asked_for_are_told_from_news_of_the_plant(said, told):
    assert tells_gas(said) is told
