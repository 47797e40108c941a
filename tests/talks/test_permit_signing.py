"""Signing late: an old sample is taken again before the start, anything else is said to the approver."""

from __future__ import annotations

import pytest

from tests import permits as p
from tests.permits import APPROVER, GUARDIAN

NUMBER = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def permit(plant):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(NUMBER)


def test_a_sample_that_grew_old_on_the_approvers_way_is_taken_again_before_the_start(plant):
    p.feed(plant)
    p.hand_in(plant)
    plant.forward(minutes=40)
    p.feed(plant)
    p.approve(plant).sees("已批准", "开始前须重新取样")
    found = permit(plant)
    assert found.state == "approved"
    assert found.valid_from == plant.now or found.valid_from >= found.approved_at
    p.prepare(plant)
    guardian = plant.phone(GUARDIAN)
    guardian.taps("开始作业", on=NUMBER)
    p.confirm_all(guardian)
    guardian.sees("HW-A02", "超过30分钟")
    guardian.taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    p.start(plant)
    assert permit(plant).state == "active"


def test_what_changed_since_the_request_is_said_to_the_approver(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.one(plant, 10)  # the mounted detector is over the limit now
    p.approve(plant).sees("现在不能批", "近3小时可燃气体读数曾超过合格限值")
    assert permit(plant).state == "submitted"


def test_a_planned_time_that_is_over_is_not_approved(plant):
    p.feed(plant)
    p.hand_in(plant, when="现在干1小时")
    plant.forward(minutes=61)
    p.approve(plant).sees("计划的作业时间已过")
    assert permit(plant).state == "submitted"
    plant.phone(APPROVER).taps("退回补充", on=NUMBER).says("时间已过")
    assert permit(plant).state == "pending_facts"
