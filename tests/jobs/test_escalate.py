"""Very many due steps: the scheduler's other duties go on, and steps that fail hide none behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from handlers.hazard import ladder
from jobs import escalate
from storage.ladder import Ladder
from storage.models import Hazard, LadderStep
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


def test_steps_nobody_needs_go_all_together_and_those_behind_them_are_heard(plant, monkeypatch):
    with plant.work() as work:
        moved_on = Hazard(state="assigned", generation=3, created_at=plant.now)
        work.db.add(moved_on)
        work.commit()
        rows = [
            {
                "case_kind": "hazard", "case_id": moved_on.id, "generation": 3 if n == 1600 else 1 + n % 2, "ladder": "stale",
                "position": n, "step": {"notices": []}, "due_at": plant.now - timedelta(seconds=2000 - n),
            }
            for n in range(1601)
        ]  # fmt: skip
        rows.append({**rows[0], "case_kind": "roll_call", "due_at": plant.now})  # no hazard: not touched by the sweep
        rows.append({**rows[1], "ladder": "accept", "due_at": plant.now + timedelta(seconds=1)})
        work.db.execute(insert(LadderStep), rows)
        work.commit()
    taken: list[int] = []
    monkeypatch.setattr(escalate, "_take", lambda services, step: bool(taken.append(step)) or _mark(services, step))
    assert escalate.escalate_due(plant.services) == 1602
    with plant.work(read_only=True) as work:
        found = [(s.case_kind, s.position, s.called_off_at is None) for s in map(work.ladder.get, taken)]
        assert found == [("hazard", 1600, True), ("roll_call", 0, True)]
        called_off = select(func.count()).select_from(LadderStep).where(LadderStep.called_off_at == plant.now)
        assert work.db.scalar(called_off) == 1600


def test_a_sweep_that_fails_keeps_no_step_waiting(plant, monkeypatch):
    add_steps(plant, 501)

    def broken(self, at, *, limit=1000):
        raise RuntimeError("the database says no")

    monkeypatch.setattr(Ladder, "call_off_void", broken)
    monkeypatch.setattr(escalate, "FOR_S", 60.0)
    assert escalate.escalate_due(plant.services) == 501
    assert left(plant) == 0


def _mark(services, step):
    with services.new_work() as work:
        done = work.ladder.take(step, work.at)
        work.commit()
        return done
