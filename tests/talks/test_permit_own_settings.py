"""A plant's own settings: they leave the rules of the standard where they are."""

from __future__ import annotations

import pytest

from rules import escalation
from tests import permits as p


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def set_rules(plant, **permit_rules) -> None:
    """The plant's own settings for permits, put in force."""
    with plant.work() as work:
        work.policies.publish({**escalation.DEFAULT, "permit": permit_rules}, at=work.at, by_id=None)
        work.commit()


@pytest.mark.parametrize("radius", [0, 30])
def test_a_detector_over_its_limit_nine_metres_away_is_an_alarm_however_far_the_trend_looks(plant, radius):
    set_rules(plant, settings={"trend_radius_m": radius})
    guardian = p.at_work(plant)
    p.one(plant, 60)
    guardian.sees("已叫停", "气体浓度超限报警")
    with plant.work(read_only=True) as work:
        assert work.permits.by_number("ZY-0001").state == "suspended"
