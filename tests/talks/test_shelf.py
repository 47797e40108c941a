"""A state that is taken up is the state that was walked to, and only who did the same takes it up."""

from __future__ import annotations

import pytest

from tests import permits as p
from tests.plant import _SHELF, Plant


@pytest.fixture
def another(new_sqlite, redis_client, tmp_path):
    """A plant of its own beside the first, which is over then: they share one Redis."""
    folder = tmp_path / "another"
    folder.mkdir()
    with new_sqlite() as url:

        def made():
            redis_client.flushall()
            return Plant(url, redis_client, folder)

        yield made


def seen(plant):
    """What every phone shows."""
    shown = {}
    for person in plant.data["people"]:
        for platform in ("wecom", "dingtalk"):
            if person[platform]:
                items = plant.phone(person["name"], platform).screen()
                shown[person["name"], platform] = [(i["at"], i["kind"], i["text"], i["card"]) for i in items]
    return shown


def test_phones_rows_and_what_follows_are_the_same(plant_on_sqlite, another):
    p.at_work(plant_on_sqlite)
    there = seen(plant_on_sqlite)
    second, kept = another(), set(_SHELF)
    guardian = p.at_work(second)
    assert set(_SHELF) == kept, "walked once more"
    assert seen(second) == there
    with second.work(read_only=True) as work:
        assert work.permits.by_number("ZY-0001").state == "active"
    guardian.taps("叫停", on="ZY-0001").says("有异味")
    second.phone(p.WORKER).sees("立即停止作业")
    assert second.problems() == []


@pytest.mark.parametrize("touch", ["rows", "clock", "emulator", "phone", "patch", "replaced"])
def test_who_did_something_else_walks(plant_on_sqlite, monkeypatch, touch):
    plant = plant_on_sqlite
    if touch == "rows":
        with plant.work() as work:
            work.people.by_code("zhangwei").title = "班长"
            work.commit()
    elif touch == "clock":
        plant.forward(minutes=1)
    elif touch == "emulator":
        plant.wecom.core.switches.set({"late_callbacks_s": 1})
    elif touch == "phone":
        plant.phone("张伟").says("你好")
    elif touch == "patch":
        monkeypatch.setattr("jobs.permits.AT_A_TIME", 3)
    else:
        plant.services.speech = object()
    walks = []
    plant.step(("a step",), lambda: walks.append(1))
    plant.step(("a step",), lambda: walks.append(1))
    assert (len(walks), plant.steps) == (2, None)
