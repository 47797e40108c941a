"""`GET /api/v1/knowledge/search`: the contract's shape, starter ids, refusals."""

from __future__ import annotations

import pytest

from tests.web.test_api import api  # noqa: F401  (a fixture)


def test_the_starter_cards_answer_with_their_ids(quick_plant, api):  # noqa: F811
    found = api("/knowledge/search?q=电机叫得跟杀猪似的&limit=2").json
    assert found["nothing_fits"] is False and found["cards"][0]["id"] == "K01" and len(found["cards"]) == 2
    best = found["cards"][0]
    assert best["title"] and 0 < best["score"] <= 1 and "尖啸" in best["why"]


def test_nothing_fits_is_an_answer(quick_plant, api):  # noqa: F811
    assert api("/knowledge/search?q=今天食堂吃什么").json == {"cards": [], "nothing_fits": True}


def test_a_question_after_a_rule_gets_clauses_and_no_card(quick_plant, api):  # noqa: F811
    answer = api("/knowledge/search?q=受限空间氧含量多少才合格").json
    assert answer["cards"] == [] and answer["nothing_fits"]
    assert any("19.5" in rule["told"] and "GB 30871-2022" in rule["clause"] for rule in answer["rules"])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("", "q"), ("q=%20", "q"), ("q=泵响&limit=0", "limit"), ("q=泵响&limit=51", "limit"), ("q=泵响&page=2", "page")],
)
def test_wrong_parameters_are_named(quick_plant, api, query, parameter):  # noqa: F811
    assert api(f"/knowledge/search?{query}", status=400).json["parameter"] == parameter


def test_long_and_odd_questions_do_not_hurt(quick_plant, api):  # noqa: F811
    assert api("/knowledge/search?q=" + "泵里噼里啪啦响" * 300).json["cards"][0]["id"] == "K04"
    assert api("/knowledge/search?q=%F0%9F%98%80%F0%9F%98%80").json["nothing_fits"]


def test_a_token_is_needed(quick_plant, api):  # noqa: F811
    api("/knowledge/search?q=泵响", status=401, token="")
