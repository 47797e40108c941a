"""Rows without objects: the same as SQLAlchemy's own connection finds, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, bindparam, func, literal, select, text, union_all, update
from sqlalchemy.exc import OperationalError, ProgrammingError, StatementError

from storage import plain
from storage.models import Area, Detector, Permit, Person, SourceState
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, 30, 250_000, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))

DETECTORS = (
    select(Detector, Area.media, Area.polygon, Permit.facts["who"].as_string().label("who"), literal("一").label("one"))
    .outerjoin(Area, Area.id == Detector.area_id)
    .outerjoin(Permit, Permit.area_id == Area.id)
    .where(Detector.code.in_(bindparam("codes", expanding=True)), Detector.kind.in_(["o2", "combustible"]))
    .where(Detector.last_at.is_(None) | (Detector.last_at <= bindparam("until")))
    .order_by(Detector.id)
    .limit(5)
)
COUNT = select(func.count()).select_from(Person).where(Person.name == bindparam("name"), Person.active)
SOURCE = select(SourceState.facts).where(SourceState.name == bindparam("name"))


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, NOW) as work:
        area = Area(code="A1", name="罐区", zone="hazardous", media=["甲醇"], polygon=[[118.5, 37.4], [118.6, 37.5]])
        work.db.add(area)
        work.flush()
        for n, kind in enumerate(("o2", "combustible", "h2s", "o2")):
            seen = (NOW - timedelta(seconds=n)).astimezone(CHINA) if n < 3 else None
            work.db.add(
                Detector(
                    code=f"GT-{n}", kind=kind, unit="%vol", lat=37.4, lon=118.5, area_id=area.id if n else None, last_at=seen,
                    last_value=20.9 if n else None, calibrated_until=date(2026, 12, n + 1), active=n != 1,
                )
            )  # fmt: skip
        who = Person(code="p", name="王芳", created_at=NOW)
        work.db.add_all([who, SourceState(name="weather", facts={"seen": {"风": 3}})])
        work.db.add(Permit(work="hot_work", state="draft", created_at=NOW, area_id=area.id, facts={"who": "7"}))
        yield work


def both(work: UnitOfWork, statement, **values):
    found = plain.look(work.db, statement, values)
    return found, work.db.connection().execute(statement, values).all()


@pytest.mark.parametrize(
    "codes", [["GT-0"], ["GT-0", "GT-3", "GT-1"], [], [f"GT-{n}" for n in range(plain.LONGEST + 5)]]
)
def test_rows_are_those_of_the_connection(work, codes):
    for _ in range(2):  # laid out, and laid out before
        found, wanted = both(work, DETECTORS, codes=codes, until=NOW.astimezone(CHINA))
        assert [tuple(row) for row in found] == [tuple(row) for row in wanted]
        for row, other in zip(found, wanted, strict=True):
            assert (row.code, row.last_at, row.active, row.media, row.who, row.one) == (
                other.code, other.last_at, other.active, other.media, other.who, other.one,
            )  # fmt: skip
            assert row.last_at is None or row.last_at.tzinfo is UTC


@pytest.mark.parametrize("codes", [["GT-0", "GT-2", "GT-3"], ["GT-0"] * (plain.LONGEST + 1), ["nobody"], []])
def test_the_columns_are_those_of_the_rows(work, codes):
    asked = {"codes": codes, "until": NOW}
    rows = [tuple(row) for row in plain.look(work.db, DETECTORS, asked)]
    columns = plain.look_columns(work.db, DETECTORS, asked)
    assert list(zip(*columns, strict=True)) == rows
    assert len(columns) == len(DETECTORS.selected_columns)


def test_a_time_without_a_zone_is_refused(work):
    with pytest.raises((ValueError, StatementError), match="naive"):
        plain.look(work.db, DETECTORS, {"codes": ["GT-0"], "until": NOW.replace(tzinfo=None)})


def test_two_selects_are_looked_at_as_one(work):
    people = select(Person.name).where(Person.name == bindparam("name"))
    both_kinds = union_all(people, select(Area.name).where(Area.name == bindparam("name")))
    assert [row.name for row in plain.look(work.db, both_kinds, {"name": "罐区"})] == ["罐区"]


def test_one_layout_serves_other_values(work):
    for name, times in (("王芳", 1), ("nobody", 0), ("100% '); --", 0)):
        assert plain.look(work.db, COUNT, {"name": name})[0][0] == times
    assert plain.look(work.db, SOURCE, {"name": "weather"})[0].facts == {"seen": {"风": 3}}
    assert plain.look(work.db, SOURCE, {"name": "none"}) == []


def test_what_the_session_changed_is_written_first(work):
    work.db.add(Person(code="q", name="李强", created_at=NOW))
    assert plain.look(work.db, COUNT, {"name": "李强"})[0][0] == 1


@pytest.mark.parametrize("codes", [["GT-0"], ["GT-0", "GT-3", "GT-1"], []])
def test_several_statements_find_together_what_each_finds(work, codes):
    work.db.add(Person(code="q", name="李强", created_at=NOW))  # written first, as with one
    asked = ((DETECTORS, {"codes": codes, "until": NOW}), (COUNT, {"name": "李强"}), (SOURCE, {"name": "weather"}))
    for _ in range(8):  # the driver prepares what it is asked often
        together = plain.looks(work.db, *asked)
        assert together == [plain.look(work.db, statement, values) for statement, values in asked]
    assert together[1][0][0] == 1
    assert together[2][0].facts == {"seen": {"风": 3}}


def test_one_of_several_that_is_wrong_is_raised_and_costs_no_connection(work):
    wrong = select(text("nothing, nothing FROM nothing WHERE")).limit(1)
    with pytest.raises((OperationalError, ProgrammingError)) as caught:
        plain.looks(work.db, (COUNT, {"name": "王芳"}), (wrong, {}), (SOURCE, {"name": "weather"}))
    assert "syntax error" in str(caught.value.orig) or "no such" in str(caught.value.orig)
    work.db.rollback()
    assert plain.looks(work.db, (COUNT, {"name": "王芳"}), (SOURCE, {"name": "weather"})) != []


def test_a_missing_value_is_a_mistake(work):
    with pytest.raises(Exception, match="name"):
        plain.look(work.db, COUNT, {})


def test_an_error_of_the_driver_is_raised_as_by_the_connection(work):
    wrong = select(text("nothing, nothing FROM nothing WHERE")).limit(1)
    with pytest.raises((OperationalError, ProgrammingError)) as caught:
        plain.look(work.db, wrong)
    assert "syntax error" in str(caught.value.orig) or "no such" in str(caught.value.orig)
    work.db.rollback()
    assert plain.look(work.db, COUNT, {"name": "王芳"})[0][0] == 0  # the transaction is over, the connection is not


def test_json_that_was_read_before_is_what_the_database_has_now(work):
    work.flush()
    for facts in ({"a": 1}, {"a": 1.0}, {"a": True}, {"a": 1}, {}, {"a": [1, {"b": None}]}, {"a": 1.0}):
        work.db.connection().execute(update(SourceState).values(facts=facts))
        found, wanted = both(work, SOURCE, name="weather")
        assert repr(found[0].facts) == repr(wanted[0].facts) == repr(facts)
