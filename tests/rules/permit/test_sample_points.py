from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.permit import sample_points


def row(gas: str, value: float, point: str = "", unit: str = "%LEL") -> dict[str, object]:
    return {"gas": gas, "value": value, "unit": unit, "point": point}


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ("中部", ("middle",)),
        ("上、中、下", ("top", "middle", "bottom")),
        ("上中下都测了", ("top", "middle", "bottom")),
        ("罐顶和罐底", ("top", "bottom")),
        ("中下", ("middle", "bottom")),
        ("左中右", ("left", "middle", "right")),
        ("2号人孔", ("opening",)),
        ("法兰旁边", ()),
    ],
)
def test_points_as_they_are_said(said, points):
    assert sample_points.points_said(said) == points


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        # one test at several points: the highest counts
        ([[row("combustible", 1, "上部"), row("combustible", 6, "下部")]], 6),
        # a clean sample from the middle does not clean the top
        ([[row("combustible", 1, "中部")], [row("combustible", 12, "上部")]], 12),
        # the same point again does
        ([[row("combustible", 1, "上部")], [row("combustible", 12, "上部")]], 1),
        # top, middle and bottom stand for the whole inside, not for what is around
        ([[row("combustible", 1, "上部、中部、下部")], [row("combustible", 12, "设备内")]], 1),
        ([[row("combustible", 1, "上部、中部、下部")], [row("combustible", 12, "动火点周围")]], 12),
        # without a point it is the whole place, before and after
        ([[row("combustible", 1)], [row("combustible", 12, "上部")]], 1),
        ([[row("combustible", 1, "上部")], [row("combustible", 12)]], 12),
        ([[row("combustible", 1)], [row("combustible", 12)]], 1),
        # words of their own are a point like any other
        ([[row("combustible", 1, "2号阀旁")], [row("combustible", 12, "上部")]], 12),
        ([[row("combustible", 1, "2号阀旁")], [row("combustible", 12, "2号阀旁")]], 1),
        # another unit cannot be held against it
        ([[row("combustible", 0.1, "中部", "%vol")], [row("combustible", 12, "上部")]], 0.1),
    ],
)
def test_which_value_counts(tests, expected):
    assert sample_points.counting(tests, work="hot_work")["combustible"]["value"] == expected


@pytest.mark.parametrize(
    ("tests", "minutes_ago", "point"),
    [
        # one test: its own time
        ([(5, "中部")], 5, "中部"),
        # a fresh sample of the middle does not make the top younger
        ([(5, "中部"), (40, "上部、中部、下部")], 40, "上部、中部、下部"),
        ([(5, "中部"), (10, "上部"), (40, "下部")], 40, "下部"),
        # each point again: the oldest of the new ones
        ([(5, "中部"), (10, "上部"), (12, "下部"), (40, "上部、中部、下部")], 12, "下部"),
        # the whole inside at once stands for every point inside, not for what is around
        ([(5, "上部、中部、下部"), (40, "设备内"), (50, "左侧")], 5, "上部、中部、下部"),
        ([(5, "上部、中部、下部"), (40, "动火点周围")], 40, "动火点周围"),
        # entrance and «somewhere» were a first look
        ([(5, "中部"), (40, "入口")], 5, "中部"),
        ([(5, "中部"), (40, "")], 5, "中部"),
        ([(5, "入口"), (40, "中部")], 40, "中部"),
        ([(5, "入口"), (40, "入口")], 5, "入口"),
        # words of their own are a point too
        ([(5, "2号阀旁"), (40, "上部")], 40, "上部"),
    ],
)
def test_a_sample_counts_from_its_oldest_point(tests, minutes_ago, point):
    now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    told = [(now - timedelta(minutes=ago), [row("combustible", 1, where)]) for ago, where in tests]
    assert sample_points.oldest(told) == {"combustible": (now - timedelta(minutes=minutes_ago), point)}


@pytest.mark.parametrize(
    ("work", "values", "expected"),
    [
        ("confined_space", (20.5, 19.4), 19.4),
        ("confined_space", (20.5, 21.2), 21.2),
        ("confined_space", (19.4, 21.2), 19.4),
        ("confined_space", (19.5, 20.9), 20.9),
        ("hot_work", (19.4, 23.6), 23.6),  # oxygen service: too much is the danger (5.2.7)
    ],
)
def test_the_oxygen_that_counts(work, values, expected):
    rows = [row("o2", values[0], "上部", "%vol"), row("o2", values[1], "下部", "%vol")]
    assert sample_points.counting([rows], work=work)["o2"]["value"] == expected


def test_the_values_of_the_rule_of_big_equipment():
    assert sample_points.positions(["上部、中部", "设备内", "右侧", "2号阀旁"]) == ["middle", "right", "top"]
