from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.permit.spoken import said_gas, said_time

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00 at the plant


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
    ],
)
def test_where_a_value_was_measured(said, expected):
    assert [(v.gas, v.value, v.unit, list(v.points)) for v in said_gas(said)] == expected


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("现在", (24, 9, 0), None),
        ("现在开始干2小时", (24, 9, 0), (24, 11, 0)),
        ("今天下午2点", (24, 14, 0), None),
        ("下午2点到5点", (24, 14, 0), (24, 17, 0)),
        ("下午两点半到四点", (24, 14, 30), (24, 16, 0)),
        ("14:30到16:00", (24, 14, 30), (24, 16, 0)),
        ("明早8点干3小时", (25, 8, 0), (25, 11, 0)),
        ("明天9:00", (25, 9, 0), None),
        ("今晚8点", (24, 20, 0), None),
        ("10点到12点", (24, 10, 0), (24, 12, 0)),
        ("22:00到2:00", (24, 22, 0), (25, 2, 0)),
        ("今天下午2点干3天", (24, 14, 0), (27, 14, 0)),
        ("焊接P-102B出口法兰", None, None),
        ("25:70", None, None),
    ],
)
def test_times_as_they_are_said(said, start, end):
    found = said_time(said, now=NOW, zone=ZONE)
    if start is None:
        assert found is None
        return

    def at(parts):
        day, hour, minute = parts
        return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)

    assert found.start == at(start)
    assert found.end == (at(end) if end else None)


def test_a_span_alone_begins_now():
    assert said_time("3小时", now=NOW, zone=ZONE).end == NOW + timedelta(hours=3)
