"""The engine, the UTC column type and the base of all models. SQLite (WAL) and PostgreSQL behave alike here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Executable,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from storage import sqlite

TRUSTED_S = 1.0  # a connection of PostgreSQL that answered so lately is not asked whether it is still there


class UtcTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; a naive one is a bug and raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was given to the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements only INTEGER keys
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: Json, list[Any]: Json}


def rows_changed(db: Session | Connection, statement: Executable) -> int:
    """Run an UPDATE or DELETE; how many rows it touched. Two workers never both get 1 for one row."""
    return cast("CursorResult[Any]", db.execute(statement)).rowcount


def open_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`. Opens no connection yet."""
    if url.startswith("sqlite"):
        return _open_sqlite(url)
    # errors are logged: with their parameters they would hold names and texts
    engine = create_engine(url, pool_size=pool_size, max_overflow=10, hide_parameters=True)
    event.listen(engine, "checkin", _put_back)
    event.listen(engine, "checkout", _ask_whether_there)
    return engine


def _put_back(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = monotonic()


def _ask_whether_there(connection: Any, record: Any, fairy: Any) -> None:
    """As `pool_pre_ping`, for connections that lay idle for a while: asking costs as much as a small statement."""
    now = monotonic()
    if now - record.info.get("idle_since", now) < TRUSTED_S:
        return
    dialect = fairy._pool._dialect
    try:
        there = dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        if not dialect.is_disconnect(error, connection, None):
            raise
        there = False
    if not there:
        raise InvalidatePoolError


def _open_sqlite(url: str) -> Engine:
    path, gate = url.removeprefix("sqlite:///"), None
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        gate = sqlite.WriteGate(path)
    arguments = {"timeout": sqlite.BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    connect = {**arguments, "factory": sqlite.GatedConnection}
    engine = create_engine(url, connect_args=connect, hide_parameters=True)

    def prepare(connection: sqlite.GatedConnection, _record: Any) -> None:
        connection.gate = gate
        sqlite.prepare(connection)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Any) -> None:
    # A read transaction that later writes cannot wait for the lock in SQLite (it fails at once); taking the write
    # lock at the beginning makes writers queue instead. Read-only work asks for a plain BEGIN.
    driver = connection.connection.driver_connection
    if connection.get_execution_options().get("read_only", False):
        begin_reading(driver)
    else:
        driver.begin_write()


def begin_reading(driver: Any) -> None:
    """Begin a transaction that only reads, if none is begun; PostgreSQL begins one by itself with the first statement."""
    if isinstance(driver, sqlite.GatedConnection) and not driver.in_transaction:
        driver.execute("BEGIN")
