"""Very many due steps: the scheduler's other duties go on, and steps that fail hide none behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from handlers.hazard import ladder
from jobs import escalate
from storage.models import LadderStep
from tests.plant import Plant


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def add_steps(plant: Plant, count: int) -> list[int]:
    rows = [
        {
            "case_kind": "hazard", "case_id": 7, "generation": 0, "ladder": "confirm", "position": n,
            "step": {"notices": []}, "due_at": plant.now - timedelta(seconds=count - n),
        }
        for n in range(count)
    ]  # fmt: skip
    with plant.work() as work:
        work.db.execute(insert(LadderStep), rows)
        work.commit()
        return list(work.db.scalars(select(LadderStep.id).order_by(LadderStep.due_at)))


def left(plant: Plant) -> int:
    with plant.work(read_only=True) as work:
        return work.db.scalar(select(func.count()).select_from(LadderStep).where(LadderStep.taken_at.is_(None))) or 0


def test_600_steps_that_fail_hide_no_later_one(plant, monkeypatch):
    ids = add_steps(plant, 601)
    climb, last = ladder.climb, ids[-1]

    def broken(work, step):
        if step.id != last:
            raise RuntimeError("a bad row")
        climb(work, step)

    monkeypatch.setattr(ladder, "climb", broken)
    monkeypatch.setattr(escalate, "FOR_S", 60.0)
    assert escalate.escalate_due(plant.services) == 1
    assert left(plant) == 600
    monkeypatch.setattr(ladder, "climb", climb)
    assert escalate.escalate_due(plant.services) == 600


def test_one_call_ends_in_its_time_and_the_next_goes_on(plant, monkeypatch):
    add_steps(plant, 30)
    ticks = iter(range(1000))
    monkeypatch.setattr(escalate, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(escalate, "FOR_S", 9.0)
    first = escalate.escalate_due(plant.services)
    assert 0 < first < 30
    while escalate.escalate_due(plant.services):
        pass
    assert left(plant) == 0
