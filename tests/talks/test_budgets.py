"""The month's budget of platform calls."""

from __future__ import annotations

from jobs import budgets


def test_the_admin_hears_once_a_day_that_the_month_runs_out(plant):
    meter = plant.services.platforms["dingtalk"].meter
    assert budgets.warn(plant.services) == 0
    plant.services.redis.set(meter._key(), 4900)
    assert budgets.warn(plant.services) == 1
    assert budgets.warn(plant.services) == 0
    plant.settle()
    plant.phone("周敏").sees("钉钉接口额度", "已用4900次", "会不够用")
