"""`/h5/todo` shows all that waits for a person: permits, hazards, what they reported."""

from __future__ import annotations

import pytest

from tests import permits as p
from tests.plant import Plant
from tests.web.conftest import Browser


@pytest.fixture
def handed_in(quick_plant: Plant) -> Plant:
    p.feed(quick_plant)
    p.ask_for(quick_plant).taps("提交审批")
    return quick_plant


def test_a_permit_to_sign_is_on_the_approvers_page_and_opens(handed_in):
    page = Browser(handed_in, p.APPROVER).get("/h5/todo").text
    assert "作业票 <span" in page and "ZY-0001" in page and "请签字:" in page
    assert "/h5/permits/1" in page
    other = Browser(handed_in, p.LEADER).get("/h5/todo").text
    assert "ZY-0001" not in other and "没有" in other


def test_the_old_address_leads_there(handed_in):
    assert Browser(handed_in, p.LEADER).get("/h5/tasks").location == "/h5/todo"
