"""What the plant's meters say, who answers for a place, what the weather allows: asked in a sentence."""

from __future__ import annotations

import pytest

from tests import permits as p

pytestmark = pytest.mark.sqlite_suffices


@pytest.mark.parametrize(
    "said",
    [
        "GT-301现在读数多少",
        "gt301多少?",
        "gt-301",
        "查一下GT-301的读数",
        "3号泵房可燃气体高不高",
        "3号泵房可燃气体浓度多少?",
    ],
)
def test_a_meter_tells_its_value_and_that_it_is_no_gas_test(plant, said):
    p.feed(plant)
    plant.phone("林雪").says(said).sees("GT-301", "可燃", "%LEL", "不代替作业前的气体分析")


def test_a_value_over_the_limit_is_marked(plant):
    p.feed(plant, "GT-301", 40)
    plant.phone("林雪").says("GT-301多少").sees("可燃40%LEL", "⚠超限")


def test_a_silent_meter_gives_no_value(plant):
    p.feed(plant)
    plant.forward(hours=1)
    plant.phone("林雪").says("GT-301多少").sees("现在没有可用读数", "没有读数")


def test_a_statement_about_gas_is_a_report(plant):
    phone = plant.phone("张伟").says("3号泵房可燃气体超标了").sees("报")
    phone.does_not_see("气体探测器:")


def test_an_area_without_meters_says_so(plant):
    plant.phone("林雪").says("装卸台可燃气体多少").sees("装卸台没有登记气体探测器")


def test_the_wind_is_told_with_what_it_stops(plant):
    p.send(plant, [{"detector": "FS-01", "value": 9.0, "unit": "m/s", "at": plant.now.isoformat()}])
    plant.phone("林雪").says("现在几级风").sees("现在风力5级", "高处作业5级起停(8.2.6)", "吊装6级起停(9.2.4)")
    plant.phone("林雪").says("FS-01多少").sees("风速9m/s(5级)")


def test_wind_nobody_measures_is_not_guessed(plant):
    plant.phone("林雪").says("现在几级风").sees("现在的风力不清楚")


@pytest.mark.parametrize("said", ["谁负责3号泵房", "3号泵房归谁管?", "3号泵房负责人是谁"])
def test_who_answers_for_a_place(plant, said):
    plant.phone("林雪").says(said).sees("3号泵房:", "班组长", "安全员 王芳")


@pytest.mark.parametrize(
    ("said", "clause"),
    [("下雨能吊装吗", "9.2.4"), ("今天风大能不能登高", "8.2.6"), ("晚上能动火吗", "5.1.1"), ("刮风能动火吗", "5.2.15")],
)
def test_weather_and_night_are_answered_with_the_clause(plant, said, clause):
    plant.phone("林雪").says(said).sees("按规则表", f"GB 30871-2022 {clause}")


def test_numbers_for_an_emergency(plant):
    plant.phone("林雪").says("应急电话是多少").sees("火警119").sees("安全员 王芳")


@pytest.mark.parametrize("said", ["3号泵房有什么风险", "3号泵房都有哪些风险?"])
def test_the_risks_of_a_place_in_a_question(plant, said):
    plant.phone("林雪").says(said).sees("风险评价表")


def test_a_question_after_my_report_lists_mine(plant):
    plant.phone("林雪").says("我报的隐患处理得怎么样了").sees("您还没有报过隐患")
