"""Permits in chat: a pass, fails by zone, gas and training, the smallest fix, approval on the spot, the running permit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import permits as p
from tests.permits import APPLICANT, APPROVER, GUARDIAN, LEADER, WORKER
from tests.pictures import scene

NUMBER = "ZY-0001"


def permit(plant, number=NUMBER):
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(number)
        assert found is not None
        return found


def test_a_request_that_passes(plant):
    p.feed(plant)
    phone = p.ask_for(plant)
    phone.sees("一级动火 · 通过", "09:30前动火", buttons=["提交审批", "重新判定", "报气体", "改内容", "撤回"])
    phone.taps("提交审批")
    phone.sees(NUMBER, "已提交", "周敏")
    plant.phone(APPROVER).sees(NUMBER, "待审批", "P-102B")
    assert permit(plant).state == "submitted"
    assert plant.problems() == []
