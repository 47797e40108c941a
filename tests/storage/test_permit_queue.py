"""Which live permits are judged first, and which values are worth a judgement at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from handlers import readings
from storage.models import Detector, Permit
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LAT, LON, FAR = 37.45, 118.59, 0.01  # degrees: a kilometre, out of reach


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, NOW) as work:
        yield work


def permit(work: UnitOfWork, number: str, *, lat: float = LAT, judge_at: datetime | None) -> Permit:
    made = Permit(
        number=number, work="hot_work", state="active", created_at=NOW, facts={}, suspend_why=[], next_due=[],
        lat=lat, lon=LON, judge_at=judge_at,
    )  # fmt: skip
    return work.permits.add(made)


def detector(work: UnitOfWork, code: str, kind: str, unit: str, value: float, *, lat: float = LAT) -> None:
    work.db.add(
        Detector(
            code=code, kind=kind, unit=unit, medium="甲醇" if kind == "combustible" else "", lat=lat, lon=LON,
            last_at=NOW - timedelta(minutes=1), last_value=value, last_status="ok", max_age_s=300, active=True,
        )
    )  # fmt: skip
    work.flush()


def told(work: UnitOfWork, code: str, value: float, unit: str, status: str = "ok") -> int:
    row = {"detector": code, "value": value, "unit": unit, "status": status, "at": NOW.isoformat()}
    return readings.take(work, [row]).touched


def test_a_danger_is_judged_before_whatever_else_is_due(work):
    waiting = [permit(work, f"ZY-{n}", lat=LAT + FAR, judge_at=NOW - timedelta(hours=2)).id for n in range(3)]
    there = permit(work, "ZY-9", judge_at=NOW + timedelta(minutes=10)).id
    detector(work, "GT-1", "combustible", "%LEL", 1.0)
    assert told(work, "GT-1", 60.0, "%LEL") == 1
    assert [row.id for row in work.permit_queue.due(NOW)] == [there, *waiting]


def test_a_danger_overtakes_its_own_earlier_turn(work):
    waiting = permit(work, "ZY-1", lat=LAT + FAR, judge_at=NOW - timedelta(minutes=5)).id
    there = permit(work, "ZY-9", judge_at=NOW - timedelta(minutes=1)).id
    detector(work, "GT-1", "combustible", "%LEL", 1.0)
    told(work, "GT-1", 60.0, "%LEL")
    assert [row.id for row in work.permit_queue.due(NOW)] == [there, waiting]


def test_a_value_below_every_limit_waits_for_its_turn(work):
    waiting = permit(work, "ZY-1", lat=LAT + FAR, judge_at=NOW - timedelta(minutes=5)).id
    there = permit(work, "ZY-9", judge_at=NOW + timedelta(minutes=10)).id
    detector(work, "GT-1", "combustible", "%vol", 0.01)
    assert told(work, "GT-1", 0.15, "%vol") == 1
    assert [row.id for row in work.permit_queue.due(NOW)] == [waiting, there]


@pytest.mark.parametrize(
    ("before", "now", "touched"),
    [(20.8, 20.7, 0), (20.8, 19.5, 0), (20.8, 19.4, 1), (19.4, 20.8, 1), (20.8, 23.6, 1)],
)
def test_oxygen_is_worth_a_judgement_when_it_leaves_its_limits_or_comes_back(work, before, now, touched):
    permit(work, "ZY-9", judge_at=NOW + timedelta(minutes=10))
    detector(work, "AO-1", "o2", "%vol", before)
    assert told(work, "AO-1", now, "%vol") == touched


def test_a_fault_is_worth_a_judgement_whatever_the_value(work):
    permit(work, "ZY-9", judge_at=NOW + timedelta(minutes=10))
    detector(work, "AO-1", "o2", "%vol", 20.8)
    assert told(work, "AO-1", 20.8, "%vol", status="fault") == 1
