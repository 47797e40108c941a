"""Telling a gas test: values put right, the meter by its code, a permit that is over meanwhile."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from rules.permit.life import PermitState
from tests import permits as p
from tests.permits import APPLICANT
from tests.plant import walked

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def kept(plant):
    """[(values, points, meter)] of the first permit."""
    with plant.work(read_only=True) as work:
        return [
            ({v["gas"]: (v["value"], v["unit"]) for v in test.values}, test.point, test.meter)
            for test in work.permits.get(1).gas_tests
        ]


@walked
def asked_for_gas(plant):
    phone = plant.phone(APPLICANT)
    for words in ("动火", "P-102B", "P-102B出口法兰电焊", "现在干2小时", "郑凯", "吴涛"):
        phone.says(words)
    return phone


@walked
def asked_for_meter(plant):
    return asked_for_gas(plant).says("动火点可燃0.1%LEL,氧20.8").sees("用哪台检测仪测的")


def test_values_put_right_while_the_meter_is_asked_are_taken(plant):
    phone = asked_for_meter(plant)
    phone.says("不对,可燃是15%LEL").sees("用哪台检测仪测的").says("BX-01")
    assert kept(plant) == [({"o2": (20.8, "%vol"), "combustible": (15, "%LEL")}, "动火点周围", "BX-01")]


@pytest.mark.parametrize(
    ("said", "combustible"),
    [("甲醇3ppm", (0.1, "%LEL")), ("甲醇80000ppm", (145.454545, "%LEL")), ("甲醇0", (0.1, "%LEL"))],
)
def test_a_medium_beside_the_combustible_value_counts_where_it_is_the_worse(plant, said, combustible):
    phone = asked_for_gas(plant).says(f"动火点可燃0.1%LEL,氧20.8,{said}")
    phone.sees("用哪台检测仪测的").says("BX-01")
    with plant.work(read_only=True) as work:
        values = [v for v in work.permits.get(1).gas_tests[0].values if v["gas"] == "combustible"]
    assert max((v["value"], v["unit"]) for v in values) == combustible


@pytest.mark.parametrize("said", ["1", "BX", "BX-011"])
def test_a_piece_of_a_code_is_no_meter(plant, said):
    phone = asked_for_meter(plant)
    phone.says(said)
    assert kept(plant) == []
    phone.sees("没有这台检测仪").says("bx01")
    assert kept(plant)[0][2] == "BX-01"


def test_another_meter_in_words(plant):
    asked_for_meter(plant).says("别的仪器")
    assert kept(plant)[0][2] == ""


def test_values_typed_after_the_permit_is_over_are_not_added(plant):
    p.ask_for(plant, gas="还没测")
    phone = plant.phone(APPLICANT).says("动火点可燃0.1%LEL,氧20.8").sees("用哪台检测仪测的")
    with plant.work() as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        found.state = PermitState.CLOSED.value
        work.commit()
    phone.says("BX-01").sees("不用再测")
    assert kept(plant) == []
    phone.says("动火点可燃0.1%LEL,氧20.8")
    assert kept(plant) == []


def test_values_typed_by_somebody_no_longer_of_the_permit_are_not_added(plant):
    phone = asked_for_meter(plant)
    with plant.work() as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        found.applicant = work.people.by_name("孙丽")[0]
        work.commit()
    phone.says("BX-01").sees("您不在这张作业票上")
    assert kept(plant) == []


def sample_times(plant):
    with plant.work(read_only=True) as work:
        permit = work.permits.get(1)
        planned = permit.planned_start.astimezone(ZONE) if permit.planned_start else None
        return [test.at.astimezone(ZONE).strftime("%m-%d %H:%M") for test in permit.gas_tests], planned


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("昨天下午3点测的,动火点可燃0.1%LEL,氧20.8", "11-23 15:00"),
        ("8点20测的动火点可燃0.1%LEL,氧20.8", "11-24 08:20"),
        ("动火点可燃0.1%LEL,氧20.8,半小时前测的", "11-24 08:30"),
    ],
)
def test_a_sample_counts_from_the_time_it_was_taken(plant, said, at):
    """It was stored as taken now, and passed."""
    phone = asked_for_gas(plant)
    phone.says(said).taps("BX-01").sees(f"取样时间{at}")
    times, planned = sample_times(plant)
    assert times == [at]
    assert (planned.hour, planned.minute) == (9, 0)


def test_a_time_ahead_is_refused_and_a_day_without_a_clock_is_asked(plant):
    phone = asked_for_gas(plant)
    phone.says("下午3点测的,动火点可燃0.1%LEL,氧20.8").sees("取样时间还没到")
    phone.says("昨天测的").sees("样是几点取的")
    phone.says("昨天下午3点").taps("BX-01")
    assert sample_times(plant)[0] == ["11-23 15:00"]


def test_a_sample_is_as_old_as_its_values_however_late_the_meter_is_named(plant):
    phone = asked_for_meter(plant)
    plant.forward(minutes=20)
    phone.says("BX-01")
    assert sample_times(plant)[0] == ["11-24 09:00"]


def test_the_meter_nobody_knows_is_asked_for_its_calibration(plant):
    """The mounted detectors' date stood for it, and G-019 passed."""
    phone = asked_for_meter(plant).says("别的仪器")
    p.confirm_all(phone)
    phone.sees("检测仪检定到期是哪天").says("2026-01-01")
    p.confirm_all(phone)
    phone.sees("检测仪超过检定")


def test_the_date_told_for_one_meter_is_not_the_next_ones(plant):
    phone = asked_for_meter(plant).says("别的仪器")
    p.confirm_all(phone)
    phone.sees("检测仪检定到期是哪天").says("2027-06-30")
    p.confirm_all(phone)
    phone.says("动火点可燃0.1%LEL,氧20.8").says("别的仪器")
    with plant.work(read_only=True) as work:
        assert "detector_calibration_expiry" not in work.permits.get(1).facts
