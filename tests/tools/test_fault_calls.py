"""The run of roll calls, without its faults: it finds nothing wrong, and each thing that would be wrong is found."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from handlers.roll_call import actions
from storage.unit_of_work import UnitOfWork
from tests.plant import Plant
from tools import processes
from tools.fault_runs import calls
from tools.fault_runs.run import Plan, Result


class Field:
    """A plant in this process that stands for the running product. `breaks` is done once when the call is out."""

    def __init__(self, plant: Plant, breaks: Callable[[UnitOfWork], object] | None = None) -> None:
        self.plant, self.breaks, self.killed = plant, breaks, 0

    def ask(self, sql: str, **values: Any) -> list[Any]:
        self.plant.now = datetime.now(UTC)
        self.plant.tick()
        if self.breaks is not None and "FROM roll_call_member WHERE" in sql:
            with self.plant.work() as work:
                self.breaks(work)
                work.commit()
            self.breaks = None
            self.plant.settle()
        with self.plant.services.engine.begin() as db:
            done = db.execute(text(sql), values)
            return list(done.all()) if done.returns_rows else []

    def number(self, sql: str, **values: Any) -> float:
        return float(self.ask(sql, **values)[0][0] or 0)

    def _client(self, path: str) -> tuple[Any, str]:
        _, platform, rest = path.split("/", 2)
        return getattr(self.plant, platform).app.test_client(), f"/{rest}"

    def get(self, path: str) -> Any:
        client, rest = self._client(path)
        return client.get(rest).get_json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        client, rest = self._client(path)
        answer = client.post(rest, json=body)
        assert answer.status_code < 400, answer.get_data(as_text=True)
        self.plant.settle()
        return answer.get_json()

    def kill(self, _name: str) -> None:
        self.killed += 1

    def supervise(self) -> None:
        return None


class Quiet(Plan):
    def settle(self, result: Result, *_args: Any, **_more: Any) -> None:
        result.runs += 1


@pytest.fixture
def plant(postgres_url, redis_client, tmp_path):
    made = Plant(postgres_url, redis_client, tmp_path)
    made.now = datetime.now(UTC)
    yield made
    made.services.engine.dispose()


def run(on: Field, monkeypatch) -> Result:
    monkeypatch.setattr(calls, "WITHIN_S", 2.0)
    quiet = Quiet(on, None, random.Random(1), True, lambda _line: None)  # type: ignore[arg-type]
    return calls.everybody_called(quiet)


def test_a_call_that_goes_well_is_found_well(plant, monkeypatch):
    found = run(Field(plant), monkeypatch)
    assert (found.ok, found.runs, found.wrong) == (True, 1, [])
    assert found.note == "16 people called, 7 asked again"


def forget(work: UnitOfWork) -> None:
    last = work.roll_calls.get(1).members[-1]
    work.db.delete(last)


def call_twice(work: UnitOfWork) -> None:
    call = work.roll_calls.get(1)
    actions.ask(work, call, [m for m in call.members if m.confirmed_at is None][:1], ("app",), tag="twice")


def lose_the_ladder(work: UnitOfWork) -> None:
    work.ladder.call_off("roll_call", 1, at=work.at)


@pytest.mark.parametrize(
    ("breaks", "lost", "doubled", "words"),
    [
        (forget, 1, 0, "16 people, 15 called"),
        (call_twice, 0, 1, "has 2 calls instead of 1"),
        (lose_the_ladder, 0, 0, "stands still"),
    ],
)
def test_what_goes_wrong_in_a_call_is_found(plant, monkeypatch, breaks, lost, doubled, words):
    found = run(Field(plant, breaks), monkeypatch)
    assert not found.ok
    assert (found.lost >= lost, found.doubled >= doubled) == (True, True)
    assert any(words in line for line in found.wrong)


def test_who_was_killed_is_started_again_by_the_main_thread(plant, monkeypatch):
    on, by = Field(plant), []
    monkeypatch.setattr(on, "supervise", lambda: by.append(threading.current_thread()))
    with calls.dying(Quiet(on, None, random.Random(1), True, lambda _line: None)):  # type: ignore[arg-type]
        pass
    assert on.killed == 2
    assert by == [threading.main_thread()]


def test_a_child_that_would_end_with_its_thread_is_not_started():
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(processes.start, ["true"]).result()
