"""Typed answers to the questions of a permit: the worst or asked again, never the first number that stands there."""

from __future__ import annotations

import pytest

from handlers.permit import questions
from handlers.permit.questions import NotUnderstood


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("height", "2米", 2),
        ("height", "二十米", 20),
        ("height", "二十", 20),
        ("height", "离3号泵房地面5米", 5),
        ("mass_t", "1,500", 1500),
        ("wind_force", "4-6级", 6),
        ("wind_force", "十二级", 12),
        ("gas_vent_distance", "没有", "none"),
    ],
)
def test_one_number_is_taken(name, said, value):
    assert questions.read(name, said) == {name: value}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("height", "2到20米"),
        ("height", "2米或者20米"),
        ("height", "1e9"),
        ("height", "20米以上"),
        ("mass_t", "十来吨"),
        ("wind_force", "4级以上"),
        ("detector_calibration_expiry", "99999999999999999999-1-1"),
        ("detector_calibration_expiry", "2027-13-01"),
    ],
)
def test_what_may_be_several_numbers_is_asked_again(name, said):
    with pytest.raises(NotUnderstood):
        questions.read(name, said)
