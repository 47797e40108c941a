"""Budgets of platform calls: counted as the platform counts them, forecast, told in time, kept over a lost Redis."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers import frugal
from jobs import budgets
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices


def figures(plant, platform="dingtalk"):
    budgets.keep(plant.services)
    with plant.work(read_only=True) as work:
        found = work.budgets.note(frugal.SNAPSHOT)["platforms"][platform]["budgets"]
    return {row["name"]: row for row in found}


def a_hazard(plant):
    """One yellow hazard, told by somebody on DingTalk."""
    reporter = plant.phone("张伟", "dingtalk") if plant.data["people"][0]["dingtalk"] else plant.phone("张伟")
    reporter.sends_photo(scene(1))
    reporter.says("装卸台照明不足,灯坏一片")
    return reporter


def spend(plant, used, *, days=10):
    """So many calls, spread over the last days of this month."""
    with plant.work() as work:
        for ago in range(days):
            day = (plant.now - timedelta(days=ago)).strftime("%Y-%m-%d")
            work.budgets.raise_to("dingtalk", "calls", day, used // days)
        work.commit()


def test_our_figures_are_the_platforms(plant):
    a_hazard(plant)
    plant.phone("陈刚", "dingtalk").says("待办")
    real = plant.dingtalk.core.meters.month()
    ours = figures(plant)
    assert ours["calls"]["used"] == real["api"] > 0
    assert ours["messages"]["used"] == real["webhook_stream"] > 0
    assert figures(plant, "wecom")["people"]["used"] == sum(plant.wecom.messages._day.values())


def test_the_admin_hears_once_a_day_that_the_month_runs_out(plant):
    budgets.keep(plant.services)
    assert budgets.warn(plant.services) == 0
    spend(plant, 4900)
    budgets.keep(plant.services)
    assert budgets.warn(plant.services) == 1
    assert budgets.warn(plant.services) == 0
    plant.settle()
    plant.phone("周敏").sees("接口调用额度", "已用4900次/5000次", "会不够用", "/h5/budgets")
    plant.forward(hours=24)
    budgets.keep(plant.services)
    assert budgets.warn(plant.services) == 1


def test_an_emptied_redis_does_not_make_the_month_new(plant):
    a_hazard(plant)
    used = figures(plant)["calls"]["used"]
    plant.services.redis.flushall()
    assert figures(plant)["calls"]["used"] == used
    meter = plant.services.platforms["dingtalk"].meter
    assert meter.uses.used(meter.calls) == used
