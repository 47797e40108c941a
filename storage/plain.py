"""Rows without objects: for what is read often and only looked at.

A judgement of a permit runs a dozen small statements, and laying one out costs more than the database takes to answer. Here
a statement is laid out once a process: its text, the order of its values, how values go in and come out. Running it is
then a call of the driver and nothing else, at a third of what the connection of SQLAlchemy takes (`./anshao bench permit`).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import repeat
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Executable,
    Pool,
    Select,
    SelectBase,
    literal_column,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from storage.database import UtcTime, begin_reading

_WITH, _AHEAD = "plain.connection", "plain.ahead"
TEXTS = 1024  # of a JSON column, kept as what they say
LONGEST = 32  # a list longer than this is laid out each time: one layout a length would be kept for ever


Asked = tuple[Executable, Mapping[str, Any]]
"""A statement with its values."""


class Journey(NamedTuple):
    """A connection of the driver inside a transaction: as much of SQLAlchemy's `Connection` as a plain statement needs."""

    engine: Engine
    dialect: Dialect
    connection: PoolProxiedConnection
    driver: Any

    def invalidate(self, error: Any) -> None:
        self.connection.invalidate(error)


class ReadOnly(Session):
    """A session of work that writes nothing: `look` asks the driver, SQLAlchemy's connection joins it when first needed.

    To begin and end a transaction through Session and Connection costs as much as ten small statements.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.begun: Journey | None = None  # the transaction, once something was asked
        self.joined: Connection | None = None  # when something else than plain rows was asked for

    def journey(self) -> Journey:
        """The transaction, begun when it is first asked for."""
        if self.begun is None:
            engine: Any = self.bind
            dialect = engine.dialect
            try:
                pooled = engine.raw_connection()
            except dialect.loaded_dbapi.Error as error:
                wrapped: Any = DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)
                raise wrapped from error
            driver = pooled.driver_connection
            self.begun = Journey(engine, dialect, pooled, driver)
            begin_reading(driver)
        return self.begun

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """For all that is not plain: the same transaction."""
        if self.joined is None:
            journey = self.journey()
            self.joined = Connection(journey.engine, connection=journey.connection)
        return self.joined

    def close(self) -> None:
        """Give the connection back; the pool ends its transaction."""
        if self.joined is not None:
            super().close()
            self.joined.close()
        elif self.begun is not None:
            self.begun.connection.close()
        self.joined = self.begun = None


def look(db: Session, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """What the statement finds; what this session has changed is written first, as with its own queries.

    `statement` is built once, at import: its layout is kept. Rows have the columns by place and by name; what a JSON
    column says may be shared between rows and is not to be changed.
    """
    connection, asked = _ready(db), values or {}
    if _AHEAD in db.info and (known := _asked_ahead(db, statement, asked)) is not None:
        return known
    ready = _layout(connection.dialect, statement, asked)
    if ready is None:
        return db.connection().execute(statement, dict(asked) if asked else None).all()
    found: Sequence[Any] = ready.run(connection, asked, Layout.rows)
    return found


def look_columns(db: Session, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """As `look`, the columns: hundreds of rows that are walked through once are dearer as rows."""
    connection = _ready(db)
    ready = _layout(connection.dialect, statement, values)
    if ready is None:
        found = db.connection().execute(statement, dict(values)).all()
        return list(zip(*found, strict=True)) or [()] * len(statement.selected_columns)
    return ready.run(connection, values, Layout.columns)


def _ready(db: Session) -> Connection | Journey:
    """The connection to ask, when what this session has changed is written."""
    if type(db) is ReadOnly and db.joined is None:
        return db.begun or db.journey()
    if db.new or (len(db.identity_map) and (db.dirty or db.deleted)):
        forget_ahead(db)
        db.flush()
    return db.journey() if isinstance(db, ReadOnly) else _connection_of(db)


def _layout(dialect: Dialect, statement: Executable, asked: Mapping[str, Any]) -> Layout | None:
    """None for what is better left to SQLAlchemy: no SELECT, an empty or a very long list."""
    known = _known.get((statement, dialect.name))
    if known is None:
        if not isinstance(statement, SelectBase):
            return None
        lists = tuple(name for name, value in asked.items() if type(value) is list)
        known = _known[statement, dialect.name] = lists, {}
    lengths = tuple([len(asked[name]) for name in known[0]]) if known[0] else ()
    ready = known[1].get(lengths)
    if ready is None:
        if any(not 0 < length <= LONGEST for length in lengths):
            return None
        ready = known[1][lengths] = Layout(statement, dialect, asked)  # type: ignore[arg-type]
    return ready


def ahead(db: Session, asked: Iterable[Asked]) -> None:
    """Ask now, in one journey, what will be looked for in a moment; what is kept is given once, until `forget_ahead`.

    A database in this process answers one after another as quickly, and nothing is asked. Whatever is not looked for
    with just these values only cost its time.
    """
    if _ready(db).dialect.driver == "psycopg":
        wanted = list(asked)
        found = looks(db, *wanted)
        db.info[_AHEAD] = [(*one, rows) for one, rows in zip(wanted, found, strict=True)]


def forget_ahead(db: Session) -> None:
    """What was asked ahead may no longer hold."""
    db.info.pop(_AHEAD, None)


def _asked_ahead(db: Session, statement: Executable, values: Mapping[str, Any]) -> Sequence[Any] | None:
    waiting = db.info[_AHEAD]
    for place, (asked, with_these, rows) in enumerate(waiting):
        if asked is statement and with_these == values:
            del waiting[place]
            found: Sequence[Any] = rows
            return found
    return None


def looks(db: Session, *asked: Asked) -> list[Sequence[Any]]:
    """What several statements find, as `look` does. PostgreSQL is asked in one journey: each costs more than its answer."""
    connection = _ready(db)
    if connection.dialect.driver != "psycopg" or len(asked) < 2:
        return [look(db, statement, values) for statement, values in asked]
    if _AHEAD in db.info:
        known = [_asked_ahead(db, statement, values) for statement, values in asked]
        if None not in known:
            return [rows for rows in known if rows is not None]
    layouts = [_layout(connection.dialect, statement, values) for statement, values in asked]
    if any(layout is None for layout in layouts):
        return [look(db, statement, values) for statement, values in asked]
    return _in_one_journey(connection, [layout for layout in layouts if layout], [values for _, values in asked])


def _in_one_journey(
    connection: Connection | Journey, layouts: Sequence[Layout], values: Sequence[Mapping[str, Any]]
) -> list[Sequence[Any]]:
    driver: Any = connection.connection.driver_connection
    cursors = [driver.cursor() for _ in layouts]
    try:
        with driver.pipeline():
            for layout, cursor, given in zip(layouts, cursors, values, strict=True):
                cursor.execute(layout.sql, layout.given(given))
        return [layout.rows(connection, cursor) for layout, cursor in zip(layouts, cursors, strict=True)]
    except connection.dialect.loaded_dbapi.Error as error:
        raise layouts[0].wrapped(connection, error, cursors[0]) from error
    finally:
        for cursor in cursors:
            cursor.close()


def _connection_of(db: Session) -> Connection:
    """The connection of the session's transaction: the same for all of it, and asking the session costs a small statement."""
    transaction, (then, connection) = db.get_transaction(), db.info.get(_WITH, (None, None))
    if transaction is None or then is not transaction:
        connection = db.connection()
        db.info[_WITH] = db.get_transaction(), connection
    return connection


def pool_of(db: Session) -> Pool:
    """The connection pool of the session's database: the same object for all sessions of this process."""
    return _ready(db).engine.pool


def one_of(column: Any, words: Iterable[str]) -> ColumnElement[bool]:
    """`column IN (…)` for words of our own: written into the statement, where a list of parameters is laid out anew each time."""
    known = list(words)
    if not all(word.isidentifier() for word in known):
        raise ValueError("only plain words may be written into a statement")
    found: ColumnElement[bool] = column.in_([literal_column(f"'{word}'") for word in known])
    return found


Process = Callable[[Any], Any]
Form = Callable[["Layout", "Connection | Journey", Any], Any]
_known: dict[tuple[Executable, str], tuple[tuple[str, ...], dict[tuple[int, ...], Layout]]] = {}
"""By statement and dialect: the names of its lists, and the layouts for these lengths of them."""


class Layout:
    """A SELECT as the driver takes it, for lists of these lengths."""

    def __init__(self, statement: SelectBase, dialect: Dialect, values: Mapping[str, Any]) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(dict(values))
        self.sql: str = state.statement
        self.selected = statement.selected_columns
        self.row = partial(tuple.__new__, namedtuple("Found", self.selected.keys(), rename=True))
        self.out: list[tuple[int, Process]] | None = None  # known with the first answer: it tells the driver's types
        whose = {
            part: (name, place) for name, parts in state.parameter_expansion.items() for place, part in enumerate(parts)
        }
        places = state.positiontup if state.positiontup is not None else list(state.parameters)
        self.constants: Any = [None] * len(places) if state.positiontup is not None else dict.fromkeys(places)
        self.into: list[tuple[Any, str, int | None, Process | None]] = []
        for number, place in enumerate(places):
            name, part = whose.get(place, (place, None))
            kind = compiled.binds[name].type
            process = kind.dialect_impl(dialect).bind_processor(dialect)
            if isinstance(kind, UtcTime) and dialect.name == "sqlite":
                process = _to_text
            at = number if state.positiontup is not None else place
            if name in values:
                self.into.append((at, name, part, process))
            else:
                constant = state.parameters[place]
                self.constants[at] = process(constant) if process is not None else constant

    def given(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        given = self.constants.copy()
        for place, source, part, process in self.into:
            value = values[source]
            if part is not None:
                value = value[part]
            given[place] = value if process is None else process(value)
        return given

    def run(self, connection: Connection | Journey, values: Mapping[str, Any], form: Form) -> Any:
        """What the statement finds for these values, as `rows` or `columns` give it."""
        asked = self.given(values)
        # past the pool's own wrapper, which asks itself for each cursor whether it still has a connection
        cursor = connection.driver.cursor() if type(connection) is Journey else connection.connection.cursor()
        try:
            cursor.execute(self.sql, asked)
            return form(self, connection, cursor)
        except connection.dialect.loaded_dbapi.Error as error:
            raise self.wrapped(connection, error, cursor) from error
        finally:
            cursor.close()

    def columns(self, connection: Connection | Journey, cursor: Any) -> Sequence[tuple[Any, ...]]:
        """Those of an executed cursor."""
        found: list[tuple[Any, ...]] = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(self.selected)
        for place, process in self._ways_out(connection.dialect, cursor.description):
            column = found[place]
            if process is _from_text and None not in column:
                found[place] = tuple(map(datetime.fromisoformat, map(add, column, repeat("+00:00"))))
            else:
                found[place] = tuple([process(value) for value in column])
        return found

    def rows(self, connection: Connection | Journey, cursor: Any) -> list[Any]:
        """Those of an executed cursor."""
        found, ways = [], self.out
        if ways is None:
            ways = self._ways_out(connection.dialect, cursor.description)
        if not ways:
            return list(map(self.row, cursor.fetchall()))
        for line in map(list, cursor.fetchall()):
            for place, process in ways:
                line[place] = process(line[place])
            found.append(self.row(line))
        return found

    def _ways_out(self, dialect: Dialect, description: Any) -> list[tuple[int, Process]]:
        """How each column's values come out, for those that do not as they are."""
        if self.out is not None:
            return self.out
        ways: list[tuple[int, Process]] = []
        for place, column in enumerate(self.selected):
            if isinstance(column.type, UtcTime):
                ways.append((place, _from_text if dialect.name == "sqlite" else _in_utc))
            else:
                process = column.type.dialect_impl(dialect).result_processor(dialect, description[place][1])
                if process is not None:
                    if isinstance(column.type, JSON):  # what is looked at again is mostly as it was
                        process = lru_cache(maxsize=TEXTS, typed=True)(process)
                    ways.append((place, process))
        self.out = ways
        return ways

    def wrapped(self, connection: Connection | Journey, error: Exception, cursor: Any) -> BaseException:
        """The driver's error as SQLAlchemy raises it; a connection that is gone is given up."""
        dialect, gone = connection.dialect, False
        if dialect.is_disconnect(error, connection.connection, cursor):  # type: ignore[arg-type]
            gone = True
            connection.invalidate(error)
        found: Any = DBAPIError.instance(
            self.sql,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        )
        return found


def _from_text(text: str | None) -> datetime | None:
    """A time as `UtcTime` writes it in SQLite: three hours of readings are hundreds of rows, each of a few microseconds."""
    return datetime.fromisoformat(text + "+00:00") if text is not None else None


def _to_text(moment: datetime | None) -> str | None:
    """A time as `UtcTime` writes it in SQLite."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a naive datetime was given to the database")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]  # without the offset


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)
