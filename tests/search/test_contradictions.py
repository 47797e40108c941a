from __future__ import annotations

import dataclasses

import pytest

from search import Card, contradicts, starter_cards, unsafe_advice

STOP = Card(id="A", title="水泵噼里啪啦响", cause="怀疑汽蚀", first_action="立即停机,查滤网")


def test_opposite_advice_on_the_same_symptom():
    go_on = dataclasses.replace(STOP, id="B", first_action="不用停机,继续开")
    found = contradicts(STOP, go_on)
    assert found and found.serious and "停机还是继续开" in found.why
    assert contradicts(go_on, STOP) == found


def test_the_same_advice_is_no_contradiction():
    assert contradicts(STOP, dataclasses.replace(STOP, id="B")) is None


def test_other_subjects_may_be_handled_otherwise():
    fan = Card(id="B", title="风机忽高忽低吼", cause="怀疑喘振", first_action="不用停机,开大阀门")
    assert contradicts(STOP, fan) is None


def test_another_cause_is_only_a_question():
    found = contradicts(STOP, dataclasses.replace(STOP, id="B", cause="怀疑轴断"))
    assert found and not found.serious


@pytest.mark.parametrize(
    ("action", "bad"),
    [
        ("先把联锁短接,再开", True),
        ("不用停机,边转边加油", True),
        ("把安全阀根阀关了", True),
        ("不要关根阀", False),
        ("停机挂牌后张紧皮带", False),
        ("别反复合闸", False),
        ("不用办票,直接焊", True),
    ],
)
def test_unsafe_advice_is_named(action, bad):
    assert bool(unsafe_advice(dataclasses.replace(STOP, first_action=action))) is bad


def test_the_starter_pack_gives_no_unsafe_advice():
    assert {card.id: unsafe_advice(card) for card in starter_cards() if unsafe_advice(card)} == {}
