from __future__ import annotations

import pytest

from rules.geo import Point
from rules.hazard import ReportFacts, likely_duplicate


def keys(new, *others):
    return [match.key for match in likely_duplicate(new, others)]


def test_same_equipment_and_similar_words():
    new = ReportFacts(0, "P-101A法兰漏油", equipment_code="P-101A")
    assert keys(new, ReportFacts(1, "泵出口法兰处漏油", equipment_code="p101a")) == [1]
    assert keys(new, ReportFacts(1, "联轴器护罩松了", equipment_code="P-101A")) == []
    assert keys(new, ReportFacts(1, "P-101A法兰漏油", equipment_code="P-101B")) == []


def test_same_area_needs_closer_words_than_same_equipment():
    new = ReportFacts(0, "东侧平台护栏断了一截", area=3)
    assert keys(new, ReportFacts(1, "平台护栏断了一截", area=3)) == [1]
    assert keys(new, ReportFacts(1, "平台护栏断了一截", area=4)) == []
    assert keys(new, ReportFacts(1, "平台护栏断了一截")) == []  # unknown place is not the same place


def test_a_shared_phrase_makes_words_alike():
    new = ReportFacts(0, "有人抽烟", area=3, phrase_ids=("A10",))
    match = likely_duplicate(new, [ReportFacts(1, "墙角一地烟头", area=3, phrase_ids=("A10",))])[0]
    assert match.score == pytest.approx(0.6) and "同一区域" in match.why


@pytest.mark.parametrize(("lon", "same"), [(121.0003, True), (121.0004, False)])  # about 28.6 m and 38.2 m
def test_positions_within_thirty_metres(lon, same):
    new = ReportFacts(0, "护栏断了", position=Point(lat=31.0, lon=121.0), area=1)
    assert bool(keys(new, ReportFacts(1, "护栏断了", position=Point(lat=31.0, lon=lon), area=1))) is same


@pytest.mark.parametrize(("bits", "same"), [(6, True), (7, False)])
def test_nearly_the_same_picture_is_enough(bits, same):
    new = ReportFacts(0, "这里", phashes=(0,))
    assert bool(keys(new, ReportFacts(1, "那边", phashes=((1 << bits) - 1,)))) is same


def test_best_first_and_never_itself():
    new = ReportFacts(0, "平台护栏断了一截", area=3)
    others = [
        ReportFacts(0, "平台护栏断了一截", area=3),
        ReportFacts(1, "平台护栏断了", area=3),
        ReportFacts(2, "平台护栏断了一截", area=3),
    ]
    assert keys(new, *others) == [2, 1]
