"""Units, limits by medium, and the 3-hour look-back."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from rules.permit.gas import BadReading, find_medium, lowest_lel, media, to_mg_m3, to_vol, toxic_ratio, unit_of
from rules.permit.trend import Series, look_back

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "lel", "expected"),
    [
        (10, "%LEL", 5.0, 0.5),
        (12.5, "LEL", 4.0, 0.5),
        (9, "%LEL", 5.5, 0.495),
        (5, "%LEL", 15, 0.75),
        (5000, "ppm", 5, 0.5),
        (0.2, "vol%", None, 0.2),
    ],
)
def test_to_vol(value, unit, lel, expected):
    assert to_vol(value, unit, lel_vol=lel) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, "1", True, None])
def test_bad_values_are_refused(bad):
    with pytest.raises(BadReading):
        to_vol(bad, "%vol", lel_vol=5)


@pytest.mark.parametrize("unit", [None, "", "%", "mg", "bar", 3])
def test_unclear_units_are_asked_for(unit):
    with pytest.raises(BadReading, match="单位"):
        unit_of(unit)


def test_lel_needs_a_medium():
    with pytest.raises(BadReading, match="介质"):
        to_vol(5, "%LEL", lel_vol=None)


def test_media_by_alias_and_the_limit_group():
    assert find_medium("H2S").id == find_medium("硫化氢").id == find_medium(" h2s ").id
    assert find_medium("甲烷").lel_vol == 5.0 and find_medium("乙醇").lel_vol < 4
    assert find_medium("没有这个") is None
    assert all(medium.lel_vol is None or 0 < medium.lel_vol < 20 for medium in media().values())


def test_mixtures_take_the_lowest_lel():
    assert lowest_lel(["甲烷", "甲苯"]) == find_medium("甲苯").lel_vol
    assert lowest_lel(["甲烷", "没有这个"]) is None
    assert lowest_lel(["氯"]) is None and lowest_lel([]) is None


@pytest.mark.parametrize(
    ("medium", "value", "unit", "basis", "above"),
    [
        ("硫化氢", 10, "mg/m³", "twa", False), ("硫化氢", 10.01, "mg/m³", "twa", True), ("硫化氢", 10.01, "mg/m³", "stel", True),
        ("氨", 20, "mg/m3", "twa", False), ("氨", 21, "mg/m3", "twa", True), ("氨", 30, "mg/m3", "stel", False),
        ("氨", 30.1, "mg/m3", "stel", True), ("氯", 1, "mg/m3", "stel", False), ("氯", 1.01, "mg/m3", "stel", True),
        ("一氧化碳", 17, "ppm", "twa", False), ("一氧化碳", 17.3, "ppm", "twa", True),
    ],
)  # fmt: skip
def test_toxic_limits(medium, value, unit, basis, above):
    assert (toxic_ratio([{"medium": medium, "value": value, "unit": unit}], basis=basis) > 1) is above


def test_the_worst_of_several_counts_and_a_medium_without_limit_is_not_clean():
    rows = [{"medium": "氨", "value": 2, "unit": "mg/m3"}, {"medium": "硫化氢", "value": 15, "unit": "mg/m3"}]
    assert toxic_ratio(rows, basis="twa") == 1.5
    for bad in ({"medium": "氮气", "value": 0, "unit": "ppm"}, {"medium": "?", "value": 0, "unit": "ppm"}, {}, 3):
        with pytest.raises(BadReading):
            toxic_ratio([bad], basis="twa")


def test_ppm_to_mg():
    assert to_mg_m3(10, "ppm", medium=find_medium("H2S")) == pytest.approx(10 * 34.08 / 24.05)


def series(values, *, detector="D1", step=5, end=AT, unit="%LEL", status="ok", before=()):
    """One detector: a value every `step` minutes up to `end`; `before`: (minutes before AT, value) ahead of them."""
    start = end - timedelta(minutes=step * (len(values) - 1))
    times = [AT - timedelta(minutes=minutes) for minutes, _ in before]
    times += [start + timedelta(minutes=step * i) for i in range(len(values))]
    numbers = [value for _, value in before] + list(values)
    return Series(detector, unit, [time.timestamp() for time in times], numbers, [status] * len(times))


WAVE = [0.5 + 0.1 * (i % 3) for i in range(36)]


def test_a_clean_trend():
    found = look_back([series(WAVE)], at=AT, lel_vol=5.0)
    assert found.count == 36 and not found.untrusted
    assert found.max_vol == pytest.approx(0.035)
    assert set(found.facts()) == {"trend3h_count", "trend3h_max_vol", "trend3h_last_vol", "trend3h_slope"}


def test_a_rise_has_a_slope_per_hour():
    found = look_back([series([i / 10 for i in range(36)])], at=AT, lel_vol=5.0)
    assert found.slope_per_hour == pytest.approx(0.1 * 12 * 5 / 100)
    assert found.last_vol == pytest.approx(3.5 * 5 / 100)


def test_the_window_is_three_hours():
    assert look_back([series(WAVE, before=[(180, 50)])], at=AT, lel_vol=5.0).max_vol < 0.1
    assert look_back([series(WAVE, before=[(179, 50)])], at=AT, lel_vol=5.0).max_vol == 2.5


@pytest.mark.parametrize("status", ["fault", "calibrating", "offline", "suspect", "something new"])
def test_what_is_wrong_with_a_detector_is_said_in_chinese(status):
    said = " ".join(look_back([series(WAVE, status=status)], at=AT, lel_vol=5.0).untrusted)
    assert "探测器状态:" in said
    assert status not in said


@pytest.mark.parametrize(
    ("readings", "words"),
    [
        ([series([0.0] * 36)], "一直不变"),
        ([series(WAVE, status="fault")], "状态"),
        ([series(WAVE, unit="")], "单位"),
        ([series([math.nan] * 36)], "无效"),
        ([series(WAVE[:10], step=20)], "没有读数"),
        ([series(WAVE[:5])], "没有读数"),
        ([series(WAVE, end=AT - timedelta(minutes=11))], "没有读数"),
        ([series([1], end=AT + timedelta(minutes=3))], "晚于"),
        ([], ""),
    ],
)
def test_data_that_cannot_be_trusted_counts_as_no_data(readings, words):
    found = look_back(readings, at=AT, lel_vol=5.0)
    assert found.count == 0
    assert words in " ".join(found.untrusted)


def test_a_high_value_of_an_untrusted_detector_still_counts_against_the_work():
    found = look_back([series([30.0] * 36)], at=AT, lel_vol=5.0)
    assert found.count == 0 and found.max_vol == 1.5


def test_no_value_is_no_reading_and_the_others_count():
    good = series(WAVE)
    gone = Series("D1", "%LEL", good.times, [*good.values[:-1], None], good.statuses)
    assert look_back([gone], at=AT, lel_vol=5.0).count == 35


def test_values_out_of_order_are_judged_as_if_they_came_in_order():
    good = series([i / 10 for i in range(36)])
    turned = Series("D1", "%LEL", good.times[::-1], good.values[::-1], good.statuses)
    assert look_back([turned], at=AT, lel_vol=5.0) == look_back([good], at=AT, lel_vol=5.0)


def test_one_good_detector_among_bad_ones():
    found = look_back([series(WAVE), series([0.0] * 36, detector="D2")], at=AT, lel_vol=5.0)
    assert found.count == 36 and len(found.untrusted) == 1
