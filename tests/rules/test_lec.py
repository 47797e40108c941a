from __future__ import annotations

import pytest

from rules.errors import RuleBroken
from rules.lec import Boundary, RiskLevel, Scheme, classify, lec

R, O, Y, B = RiskLevel.RED, RiskLevel.ORANGE, RiskLevel.YELLOW, RiskLevel.BLUE


@pytest.mark.parametrize(
    ("scheme", "score", "level", "colour"),
    [
        ("A", 320.1, 1, R), ("A", 320, 2, O), ("A", 160.1, 2, O), ("A", 160, 3, Y), ("A", 70.1, 3, Y), ("A", 70, 4, B), ("A", 1, 4, B),
        ("B", 320, 1, R), ("B", 319.9, 2, O), ("B", 160, 2, O), ("B", 159.9, 3, Y), ("B", 70, 3, Y), ("B", 69.9, 4, B),
        ("C", 270, 1, R), ("C", 269.9, 2, O), ("C", 140, 2, O), ("C", 139.9, 3, Y), ("C", 70, 3, Y), ("C", 69.9, 4, B),
        ("D", 320, 2, O), ("D", 20.1, 4, B), ("D", 20, 5, B),
        ("E", 160, 1, R), ("E", 159.9, 2, O), ("E", 70, 2, O), ("E", 20, 3, Y), ("E", 19.9, 4, B),
    ],
)  # fmt: skip
def test_schemes_at_their_boundaries(scheme, score, level, colour):
    result = classify(score, scheme=Scheme(scheme))
    assert (result.level, result.colour) == (level, colour)


def test_classic_bands_and_the_boundary_setting():
    assert lec(10, 10, 15).score == 1500
    assert classify(320).band_zh == "高度危险"
    assert classify(320, boundary=Boundary.FROM).band_zh == "极其危险"
    assert classify(20).band_zh == "稍有危险" and classify(20.1).band_zh == "一般危险"


def test_no_float_dust():
    assert lec(0.1, 10, 7).score == 7
    assert lec(0.2, 3, 1).score == 0.6


@pytest.mark.parametrize("values", [(2, 6, 7), (3, 5, 7), (3, 6, 10), (0, 6, 7)])
def test_a_value_off_the_scale_is_refused_not_rounded(values):
    with pytest.raises(RuleBroken) as broken:
        lec(*values)
    assert broken.value.rule == "lec" and "可选" in broken.value.message_zh
