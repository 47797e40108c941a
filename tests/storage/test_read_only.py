"""Work that only reads: plain statements on the driver's connection and entities, in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Integer, func, select, text
from sqlalchemy.exc import OperationalError

from storage.database import open_engine
from storage.models import Area
from storage.plain import look
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PID = select(func.pg_backend_pid(type_=Integer))
CODES = select(Area.code).order_by(Area.code)


def add(engine, code: str) -> None:
    with UnitOfWork(engine, NOW) as work:
        work.db.add(Area(code=code, name=code, polygon=[]))
        work.commit()


def reading(engine) -> UnitOfWork:
    return UnitOfWork(engine, NOW, read_only=True)


def test_rows_and_entities_come_from_one_connection(engine):
    add(engine, "A")
    with reading(engine) as work:
        assert [row.code for row in look(work.db, CODES)] == ["A"]
        assert engine.pool.checkedout() == 1
        assert [area.code for area in work.db.scalars(select(Area))] == ["A"]
        assert engine.pool.checkedout() == 1
    assert engine.pool.checkedout() == 0


def test_what_is_read_first_holds_for_the_rest_of_the_transaction(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads what is committed, statement by statement")
    add(engine, "A")
    with reading(engine) as work:
        assert [row.code for row in look(work.db, CODES)] == ["A"]
        add(engine, "B")
        assert [area.code for area in work.db.scalars(select(Area))] == ["A"]
        assert [row.code for row in look(work.db, CODES)] == ["A"]
    with reading(engine) as work:
        assert [row.code for row in look(work.db, CODES)] == ["A", "B"]


def test_entities_first_and_rows_after_them(engine):
    add(engine, "A")
    with reading(engine) as work:
        [area] = work.db.scalars(select(Area)).all()
        assert [row.code for row in look(work.db, CODES)] == [area.code]
        assert engine.pool.checkedout() == 1
    assert area.code == "A"
    assert engine.pool.checkedout() == 0


def test_nothing_is_taken_from_the_pool_before_something_is_asked(engine):
    with reading(engine):
        assert engine.pool.checkedout() == 0


def test_its_transaction_is_over_when_it_ends(engine):
    with reading(engine) as work:
        look(work.db, CODES)
    add(engine, "A")  # would wait, or not be seen, behind an open one
    with reading(engine) as work:
        assert [row.code for row in look(work.db, CODES)] == ["A"]


def test_a_database_that_is_not_there_is_the_usual_error():
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(OperationalError), reading(engine) as work:
        look(work.db, CODES)


@pytest.mark.parametrize("joined", [False, True])
def test_a_connection_that_is_lost_is_the_usual_error_and_is_not_used_again(postgres_url, joined):
    engine, other = (open_engine(postgres_url, pool_size=1) for _ in range(2))
    with reading(engine) as work:
        if joined:
            work.db.scalars(select(Area)).all()
        [lost] = look(work.db, PID)[0]
        with other.connect() as connection:
            assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": lost})
        with pytest.raises(OperationalError):
            look(work.db, CODES)
    with reading(engine) as work:
        assert look(work.db, PID)[0][0] != lost
    engine.dispose()
    other.dispose()
