"""What the ledger says of the place, and what it leaves to people: only what is sure is sure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handlers.permit import facts, gas_facts
from handlers.permit.surroundings import Zones
from storage.models import Area, Equipment, Permit


@pytest.fixture(autouse=True)
def in_a_dike(monkeypatch):
    zones = Zones(hazardous=True, fixed_hot_work=False, dike=True, ban=False)
    monkeypatch.setattr(facts.surroundings, "zones_at", lambda *_, **__: zones)


def permit_at(state: str = "", media: list[str] | None = None, medium: str = "") -> Permit:
    permit = Permit(work="hot_work", state="draft", facts={})
    permit.area = Area(code="A", name="A", media=media or [])
    permit.equipment = Equipment(code="E", name="E", state=state, medium=medium)
    return permit


def found(state: str = "", media: list[str] | None = None, medium: str = "") -> dict[str, Any]:
    work: Any = SimpleNamespace()
    return facts._place(work, permit_at(state, media, medium), [])


@pytest.mark.parametrize("state", ["", "running", "运行", "在用", "投用", "standby", "备用", "待机", "半停"])
def test_a_state_that_does_not_say_that_it_stands_is_asked(state):
    """«运行» gave a firm «not running», and so did a spare pump's «standby»: both beat what people answered."""
    assert "on_running_equipment" not in found(state)


@pytest.mark.parametrize("state", ["停用", "拆除", "检修", "检修中", "停车", "maintenance", "stopped"])
def test_equipment_that_is_out_of_use_does_not_run(state):
    assert found(state)["on_running_equipment"] is False


@pytest.mark.parametrize(
    ("media", "stored"),
    [
        (["甲醇"], True),
        (["C9混合芳烃", "甲醇"], True),
        (["C9混合芳烃"], None),
        (["1#中间体", "氮气"], None),
        (["溶剂"], None),
        (["氮气"], None),
        (["氯"], False),
        (["水"], None),
        ([], None),
    ],
)
def test_a_medium_that_is_not_known_may_burn(media, stored):
    assert found(media=media).get("flammable_stored") is stored


def test_one_field_of_the_ledger_may_name_several_media():
    """«甲醇、水» was one unknown name: its explosive limit was asked for, and nothing poisonous was looked for."""
    assert found(medium="甲醇、水")["medium"] == "甲醇"
    assert found(medium="甲醇/硫化氢")["media"] == ["甲醇", "硫化氢"]
    assert [medium.zh for medium in gas_facts.toxic_media(permit_at(medium="甲醇、水"))] == ["甲醇"]
