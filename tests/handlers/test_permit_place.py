"""What the ledger says of the place, and what it leaves to people: only what is sure is sure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handlers.permit import facts
from handlers.permit.surroundings import Zones
from storage.models import Area, Equipment, Permit


@pytest.fixture(autouse=True)
def in_a_dike(monkeypatch):
    zones = Zones(hazardous=True, fixed_hot_work=False, dike=True, ban=False)
    monkeypatch.setattr(facts.surroundings, "zones_at", lambda *_, **__: zones)


def found(state: str = "", media: list[str] | None = None) -> dict[str, Any]:
    permit = Permit(work="hot_work", state="draft", facts={})
    permit.area = Area(code="A", name="A", media=media or [])
    permit.equipment = Equipment(code="E", name="E", state=state, medium="")
    work: Any = SimpleNamespace()
    return facts._place(work, permit, [])


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
