"""Slow work: found from rows, one run at a time, and a run that breaks, hangs or dies is tried again and told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException

from auditor.finding import Kind
from auditor.service import Auditor
from jobs import drain, schedule, slow
from jobs.queue import SLOW, SLOW_TIMEOUT_S, RqKicker
from tests.plant import Plant

NAME = "tidy"


class Kicks(list[str]):
    """Writes down who was woken."""

    def __call__(self, queue: str) -> None:
        self.append(queue)

    def started(self, queue: str) -> None:
        return None


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    made.services.kick = Kicks()
    yield made
    made.services.engine.dispose()


@pytest.fixture
def work(monkeypatch):
    """What the run of NAME does; set `work.does` to an exception to break it."""

    class Work:
        does: Any = None
        runs = 0

    made = Work()

    def run(services) -> int:
        made.runs += 1
        if made.does is not None:
            raise made.does
        return 1

    monkeypatch.setitem(slow.CHORES, NAME, slow.Chore(lambda _s: True, run, timedelta(hours=1)))
    return made


def facts(plant):
    with plant.work(read_only=True) as work:
        return work.chores.facts(NAME)


def test_it_is_begun_when_it_is_due_and_not_before_its_time(plant, work):
    assert slow.wake(plant.services, NAME)
    assert slow.wake(plant.services, NAME)  # nobody began it: the row says so, whatever became of the kick
    assert plant.services.kick == [f"{SLOW}:{NAME}"] * 2
    assert slow.run(plant.services, NAME) == 1
    assert slow.run(plant.services, NAME) == 0
    assert not slow.wake(plant.services, NAME)
    plant.now += timedelta(hours=1)
    assert slow.wake(plant.services, NAME)


def test_two_processes_never_do_it_at_once(plant, monkeypatch):
    other = []

    def run(services) -> int:
        other.append(slow.run(services, NAME))
        return 1

    monkeypatch.setitem(slow.CHORES, NAME, slow.Chore(lambda _s: True, run))
    assert slow.run(plant.services, NAME) == 1
    assert other == [0]


def test_one_that_breaks_is_tried_again_later_each_time_and_a_person_hears_of_it(plant, work):
    auditor = Auditor(engine=plant.services.engine, clock=lambda: plant.now)
    work.does = JobTimeoutException("too long")
    for times, wait in enumerate(slow.WAITS, start=1):
        with pytest.raises(JobTimeoutException):
            slow.run(plant.services, NAME)
        assert facts(plant)["failed"] == times
        assert not slow.wake(plant.services, NAME)
        told = [f for f in auditor.look().found if f.kind is Kind.SLOW_FAILING]
        assert [f.facts for f in told] == ([{"times": times, "error": "JobTimeoutException"}] if times >= 3 else [])
        plant.now += wait
        assert slow.wake(plant.services, NAME)
    work.does = None
    assert slow.run(plant.services, NAME) == 1
    assert "failed" not in facts(plant)
    assert not [f for f in auditor.look().found if f.kind is Kind.SLOW_FAILING]


def test_one_whose_process_is_killed_is_missed_and_tried_again(plant, work):
    work.does = SystemExit(9)  # no exception handler runs for it, as for kill -9
    with pytest.raises(SystemExit):
        slow.run(plant.services, NAME)
    plant.now += timedelta(seconds=SLOW_TIMEOUT_S[NAME])
    assert slow.missed(plant.services) == 0  # it may still be at it
    plant.now += timedelta(seconds=slow.KILL_S + slow.MARGIN_S + 1)
    assert slow.missed(plant.services) == 1
    assert slow.missed(plant.services) == 0
    assert (facts(plant)["failed"], work.runs) == (1, 1)
    plant.now += slow.WAITS[0]
    work.does = None
    assert slow.run(plant.services, NAME) == 1


def test_who_was_taken_for_dead_and_comes_back_late_changes_nothing(plant, work):
    began = plant.now
    with plant.work() as unit:
        assert unit.chores.begin(NAME, began, every=timedelta(0), lease=timedelta(minutes=1))
        unit.commit()
    plant.now += timedelta(minutes=2)
    assert slow.missed(plant.services) == 1
    with plant.work() as unit:
        unit.chores.ended(NAME, began, unit.at)
        unit.commit()
    assert facts(plant)["failed"] == 1


def test_the_auditor_finds_work_that_nobody_begins(plant, work):
    auditor = Auditor(engine=plant.services.engine, clock=lambda: plant.now)
    slow.wake(plant.services, NAME)
    plant.now += timedelta(minutes=14)
    assert not [f for f in auditor.look().found if f.kind is Kind.SLOW_LATE]
    plant.now += timedelta(minutes=2)
    assert [f.subject for f in auditor.look().found if f.kind is Kind.SLOW_LATE] == [f"slow:{NAME}"]
    slow.run(plant.services, NAME)
    assert not [f for f in auditor.look().found if f.kind is Kind.SLOW_LATE]


def test_each_kind_has_a_time_limit_a_look_and_real_work_to_do(plant):
    assert set(slow.CHORES) == set(SLOW_TIMEOUT_S)
    looks = {duty.name.removeprefix("slow ") for duty in schedule.DUTIES}
    assert set(slow.CHORES) <= looks
    assert drain.slow() >= 0  # as an older scheduler asks: all that is due
    with plant.work(read_only=True) as work:
        assert all("ends_by" not in work.chores.facts(name) for name in slow.CHORES)
        assert work.chores.facts("retention")["began_at"]


def test_a_kind_of_another_release_is_left_alone(plant):
    assert slow.run(plant.services, "of_the_next_release") == 0


def test_each_kind_is_a_job_of_its_own_with_its_limit(redis_client):
    kick = RqKicker(redis_client)
    for _ in range(3):
        kick("slow:weather")
    kick("slow:retention")
    jobs = Queue(SLOW, connection=redis_client, serializer=JSONSerializer).jobs
    assert [(job.args, job.timeout) for job in jobs] == [
        (["weather"], SLOW_TIMEOUT_S["weather"]),
        (["retention"], SLOW_TIMEOUT_S["retention"]),
    ]
    kick.started("slow:weather")
    kick("slow:weather")
    assert Queue(SLOW, connection=redis_client, serializer=JSONSerializer).count == 3
