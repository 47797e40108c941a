"""Readings: written in bulk, repeats left out, the 3-hour span by the index, detectors moved on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, func, select, text

from handlers.readings import take
from storage.models import Area, Detector, Reading
from storage.permits import Box
from storage.readings import NewReading
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MOST_STATEMENTS = 30  # a few hundred rows each; one a row would be 4 999


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, NOW) as work:
        yield work


def detector(work: UnitOfWork, code: str, **over) -> Detector:
    values = {"kind": "combustible", "unit": "%LEL", "lat": 37.45, "lon": 118.59, "max_age_s": 300, "active": True}
    made = Detector(code=code, **{**values, **over})
    work.db.add(made)
    work.flush()
    return made


def reading(of: Detector, minutes_ago: float, value: float | None = 1.0, status: str = "ok") -> NewReading:
    return NewReading(of.id, of.kind, value, status, NOW - timedelta(minutes=minutes_ago))


def test_a_repeat_changes_nothing(work):
    gt = detector(work, "GT-1")
    rows = [reading(gt, 3), reading(gt, 2), reading(gt, 1)]
    assert work.readings.add(rows, received_at=NOW) == 3
    assert work.readings.add([*rows, reading(gt, 0)], received_at=NOW) == 1
    assert len(work.readings.span([gt.id], "combustible", NOW - timedelta(hours=3), NOW)[gt.id].times) == 4


def test_the_last_value_moves_on_only_to_a_later_one(work):
    gt = detector(work, "GT-1")
    work.readings.add([reading(gt, 5, 7.0), reading(gt, 9, 1.0)], received_at=NOW)
    work.readings.add([reading(gt, 30, 99.0)], received_at=NOW)
    work.db.refresh(gt)
    assert (gt.last_value, gt.last_at, gt.last_status) == (7.0, NOW - timedelta(minutes=5), "ok")


def test_the_span_is_open_at_its_beginning_and_closed_at_its_end(work):
    gt, other = detector(work, "GT-1"), detector(work, "GT-2")
    work.readings.add([reading(gt, 180), reading(gt, 179), reading(gt, 0), reading(other, 1)], received_at=NOW)
    said = work.readings.span([gt.id], "combustible", NOW - timedelta(hours=3), NOW)
    assert said == {gt.id: (((NOW - timedelta(minutes=179)).timestamp(), NOW.timestamp()), (1.0, 1.0), ("ok", "ok"))}


def test_the_span_of_several_detectors_keeps_them_apart(work):
    gt, silent, other = detector(work, "GT-1"), detector(work, "GT-2"), detector(work, "GT-3")
    rows = [reading(gt, 2), reading(gt, 1, None, "fault"), reading(other, 1, 3.0)]
    work.readings.add(rows, received_at=NOW)
    said = work.readings.span([other.id, gt.id, silent.id], "combustible", NOW - timedelta(hours=3), NOW)
    assert (said[gt.id].values, said[gt.id].statuses) == ((1.0, None), ("ok", "fault"))
    assert said[other.id].values == (3.0,)
    assert said[silent.id] == ((), (), ())


def test_detectors_of_a_box_or_else_of_the_area(work):
    area = Area(code="A", name="甲", polygon=[])
    work.db.add(area)
    work.flush()
    near = detector(work, "GT-1", area_id=area.id)
    detector(work, "GT-2", lat=38.0)
    detector(work, "GT-3", active=False)
    box = Box(south=37.449, west=118.589, north=37.451, east=118.591)
    assert [d.code for d in work.readings.detectors_near(box, area.id)] == [near.code]
    assert [d.code for d in work.readings.detectors_near(None, area.id)] == [near.code]
    assert work.readings.detectors_near(None, None) == []


def test_the_span_of_a_verdict_uses_its_index(work):
    gt = detector(work, "GT-1")
    work.readings.add([reading(gt, m) for m in range(300)], received_at=NOW)
    word = "EXPLAIN QUERY PLAN" if work.db.get_bind().dialect.name == "sqlite" else "EXPLAIN"
    if word == "EXPLAIN":
        work.db.execute(text("SET LOCAL enable_seqscan = off"))  # 300 rows are too few for it to choose by itself
    plan = work.db.execute(
        text(
            f"{word} SELECT max(value) FROM reading WHERE detector_id = {gt.id} AND kind = 'combustible'"
            " AND at > '2026-11-24 00:00:00' AND at <= '2026-11-24 01:00:00'"
        )
    ).all()
    assert "ix_reading_span" in str(plan)


def test_five_thousand_rows_with_one_bad_take_few_statements(work, engine):
    """How long they take is a figure of `./anshao bench permit` (readings.ingest): here it is what they cost the database."""
    detector(work, "GT-1")
    rows = [
        {"detector": "GT-1", "value": 1.0, "unit": "%LEL", "at": (NOW - timedelta(seconds=n)).isoformat()}
        for n in range(5000)
    ]
    rows[2500]["value"] = "high"
    with statements_of(engine) as statements:
        taken = take(work, rows)
    assert (taken.new, taken.known) == (4999, 0)
    assert [(error.index, error.field) for error in taken.errors] == [(2500, "value")]
    assert len(statements) <= MOST_STATEMENTS, statements
    assert work.db.scalar(select(func.count()).select_from(Reading)) == 4999


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def count(_conn, _cursor, statement, *_) -> None:
        found.append(statement.split("\n")[0][:60])

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", count)
