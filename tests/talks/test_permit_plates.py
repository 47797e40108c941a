"""Blind plates: to put one in and to take it out again are two tickets (7.11)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.talks.test_permit_works import answer_all, ask_for
from web.permit_sheet import sheet_of


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def method(plant) -> str:
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        return sheet_of(work, draft, plant="演示厂", verify="v").own["method"]


def test_in_and_out_again_on_one_ticket_is_refused(plant):
    phone = ask_for(plant, "盲板抽堵", "P-101B", "P-101B入口盲板堵,检修后抽", workers="孙丽")
    phone.sees("盲板抽堵 · 不通过", "一张作业票只能进行一块盲板的一项作业", "7.11")
    assert method(plant) == ""


def test_which_of_both_is_asked_and_printed(plant):
    phone = ask_for(plant, "盲板抽堵", "P-101B", "P-101B入口盲板", workers="孙丽")
    phone.sees("本票做哪一项(抽或堵)", buttons=["堵盲板", "抽盲板", "又抽又堵"]).taps("又抽又堵")
    answer_all(phone)
    phone.sees("盲板抽堵 · 不通过", "7.11").taps("按建议办理")
    phone.sees("本票做哪一项(抽或堵)").taps("抽盲板")  # a proposal does not choose for people
    answer_all(phone)
    phone.sees("盲板抽堵 · 通过")
    assert method(plant) == "抽盲板"
