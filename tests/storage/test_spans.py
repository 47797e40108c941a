"""The remembered hours of detectors: always what the database has, whatever came in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import spans
from storage.models import Detector
from storage.readings import NewReading
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
THREE_HOURS = timedelta(hours=3)


@pytest.fixture
def of(engine):
    with UnitOfWork(engine, NOW) as work:
        made = [Detector(code=code, kind="combustible", unit="%LEL") for code in ("GT-1", "GT-2")]
        work.db.add_all(made)
        work.commit()
        return [one.id for one in made]


def store(engine, *rows: tuple[int, float, float], commit: bool = True) -> None:
    with UnitOfWork(engine, NOW) as work:
        new = [NewReading(of, "combustible", value, "ok", NOW + timedelta(minutes=at)) for of, at, value in rows]
        work.readings.add(new, received_at=NOW)
        if commit:
            work.commit()


def said(engine, of, now=NOW) -> dict[int, tuple[float, ...]]:
    with UnitOfWork(engine, now, read_only=True) as work:
        found = work.readings.span(of, "combustible", now - THREE_HOURS, now)
    return {one: found[one].values for one in of}


def test_what_came_since_is_added(engine, of):
    store(engine, (of[0], -20, 1.0), (of[0], -10, 2.0))
    assert said(engine, of) == {of[0]: (1.0, 2.0), of[1]: ()}
    store(engine, (of[0], 0, 3.0), (of[1], 0, 9.0))
    assert said(engine, of) == {of[0]: (1.0, 2.0, 3.0), of[1]: (9.0,)}


def test_a_value_that_came_late_has_its_place(engine, of):
    store(engine, (of[0], -20, 1.0), (of[0], 0, 3.0))
    said(engine, of)
    store(engine, (of[0], -10, 2.0))
    assert said(engine, of)[of[0]] == (1.0, 2.0, 3.0)


def test_the_window_moves_on_and_back(engine, of):
    store(engine, *((of[0], minutes, float(minutes)) for minutes in (-170, -90, 0, 30)))
    assert said(engine, of)[of[0]] == (-170.0, -90.0, 0.0)
    assert said(engine, of, NOW + timedelta(minutes=31))[of[0]] == (-90.0, 0.0, 30.0)
    assert said(engine, of)[of[0]] == (-170.0, -90.0, 0.0)


def test_values_that_are_taken_back_are_not_remembered(engine, of):
    store(engine, (of[0], -10, 1.0))
    with UnitOfWork(engine, NOW) as work:
        work.readings.add([NewReading(of[0], "combustible", 66.0, "ok", NOW)], received_at=NOW)
        found = work.readings.span(of, "combustible", NOW - THREE_HOURS, NOW)
        assert found[of[0]].values == (1.0, 66.0)
    store(engine, (of[0], 0, 2.0))  # by some databases under the number of the one that was taken back
    assert said(engine, of)[of[0]] == (1.0, 2.0)


def test_another_kind_of_the_same_detector_is_another_series(engine, of):
    store(engine, (of[0], -10, 1.0))
    said(engine, of)
    with UnitOfWork(engine, NOW, read_only=True) as work:
        assert work.readings.span(of, "o2", NOW - THREE_HOURS, NOW)[of[0]].values == ()
    assert said(engine, of)[of[0]] == (1.0,)


def test_only_what_is_new_is_read(engine, of, monkeypatch):
    store(engine, (of[0], -10, 1.0))
    said(engine, of)
    store(engine, (of[0], 0, 2.0))
    monkeypatch.setattr(spans, "look_columns", lambda *_: pytest.fail("all of it was read again"))
    assert said(engine, of)[of[0]] == (1.0, 2.0)


def test_memory_is_bounded(engine, of, monkeypatch):
    monkeypatch.setattr(spans, "MOST", 3)
    store(engine, *((of[0], -minute, 1.0) for minute in range(3)), *((of[1], -minute, 2.0) for minute in range(2)))
    for one in (of[0], of[1], of[0]):
        assert set(said(engine, [one])[one]) == {float(of.index(one) + 1)}
    assert spans._memories[engine.pool].readings == 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 1), st.integers(-200, 20)), max_size=4),
            st.integers(-30, 30),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_it_is_always_what_the_database_has(engine, of, steps):
    for came, clock, commit in steps:
        store(engine, *((of[which], at, float(at)) for which, at in came), commit=commit)
        now = NOW + timedelta(minutes=clock)
        with UnitOfWork(engine, now, read_only=True) as work:
            stored = spans.read(work.db, of, "combustible", now - THREE_HOURS, now, own=True)
        assert said(engine, of, now) == {one: stored[one].values for one in of}
