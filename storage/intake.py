"""Storing what callbacks bring, as fast as a durable row can be: the hot path of every message.

Callbacks that arrive while a commit is under way share the next one, on one connection kept for this: under load a
commit and a wake-up serve many, and alone a message waits for nobody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Dialect, Engine, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError

from storage.models import Inbox

log = structlog.get_logger()

Row = dict[str, Any]

MOST_ROWS = 64  # of one statement; more than a process has threads

_TABLE: Any = Inbox.__table__
_COLUMNS = (
    *("platform", "key", "sender", "payload", "state", "urgent", "needs_media"),
    *("media", "received_at", "sent_at", "attempts", "error"),
)


class _Insert:
    """The statement for so many rows in the words of the database's driver, made once for each number of rows.

    All rows go in one statement, which is a transaction of its own: every call of the driver gives the interpreter away,
    and under load a thread gets it back late and on another core. That cost more than the rows themselves.
    """

    def __init__(self, dialect: Dialect, rows: int) -> None:
        make = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        values = [
            {name: bindparam(f"{name}_{at}", type_=_TABLE.c[name].type) for name in _COLUMNS} for at in range(rows)
        ]
        statement: Any = make(_TABLE).values(values).on_conflict_do_nothing(index_elements=["platform", "key"])
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        types = {name: _TABLE.c[name].type.dialect_impl(dialect) for name in _COLUMNS}
        self._to_driver = {name: kind.bind_processor(dialect) for name, kind in types.items()}

    def values(self, rows: Sequence[Row]) -> Any:
        """The rows' values as the driver takes them: by position for SQLite, by name for PostgreSQL."""
        found = {}
        for at, row in enumerate(rows):
            row = {"urgent": False, **row}
            for name, as_is in self._to_driver.items():
                found[f"{name}_{at}"] = as_is(row[name]) if as_is else row[name]
        return found if self._order is None else [found[name] for name in self._order]


class _Parcel:
    """What one thread wants stored, and how it went."""

    __slots__ = ("awake", "done", "error", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.done = rows, False
        self.error: Exception | None = None
        self.awake = threading.Event()


class Intake:
    """Shared by the threads of one process. `stored` is called once a commit, with the rows of it."""

    def __init__(self, engine: Engine, stored: Callable[[Sequence[Row]], None]) -> None:
        self._engine, self._stored = engine, stored
        self._waiting: deque[_Parcel] = deque()
        self._writing = threading.Lock()
        self._connection: Connection | None = None
        self._statements: dict[int, _Insert] = {}  # by how many rows they take
        driver = engine.dialect.loaded_dbapi
        self._errors: type[Exception] = driver.Error
        # what `store` raises while the database cannot be reached, or is busy; the same rows may go in a moment later
        self.away = (OperationalError, InterfaceError, driver.OperationalError, driver.InterfaceError)

    def store(self, rows: Sequence[Row]) -> None:
        """Returns when the rows are committed; those whose (platform, key) is known are skipped. Raises what failed."""
        parcel = _Parcel(rows)
        self._waiting.append(parcel)
        while not parcel.done:
            if self._writing.acquire(blocking=False):
                self._write_waiting()
            else:
                parcel.awake.wait()
                parcel.awake.clear()
        if parcel.error is not None:
            raise parcel.error

    def _write_waiting(self) -> None:
        """Write what all threads brought; then let the next one write, who came meanwhile."""
        parcels: list[_Parcel] = []
        try:
            while self._waiting:
                parcels.append(self._waiting.popleft())
            self._write_parcels(parcels)
        except BaseException as error:  # the process is told to stop: nothing counts as stored that is not
            for parcel in parcels:
                parcel.error = parcel.error or InterruptedError(type(error).__name__)
            raise
        finally:
            self._writing.release()
            for parcel in parcels:
                parcel.done = True
                parcel.awake.set()
            self._wake_next()
        rows = [row for parcel in parcels if parcel.error is None for row in parcel.rows]
        if rows:
            self._stored(rows)

    def _wake_next(self) -> None:
        # Who found somebody writing had put the parcel down before looking, so it is seen here.
        try:
            self._waiting[0].awake.set()
        except IndexError:
            return

    def _write_parcels(self, parcels: Sequence[_Parcel]) -> None:
        """All at once; when that fails, each by itself, so that nobody suffers from a neighbour's row."""
        if len(parcels) > 1:
            try:
                self._write([row for parcel in parcels for row in parcel.rows])
                return
            except Exception as error:  # also what connecting raises, which is not the driver's own
                log.warning("intake.shared_commit_failed", parcels=len(parcels), error=type(error).__name__)
        for parcel in parcels:
            try:
                self._write(parcel.rows)
            except Exception as error:
                parcel.error = error

    def _write(self, rows: Sequence[Row]) -> None:
        """Insert them. A connection that was lost while nobody used it is replaced once."""
        for again in (True, False):
            if self._connection is None:
                self._open()
            try:
                self._insert(rows)
                return
            except self._errors as error:
                lost = self._drop(error)
                if not (lost and again):
                    raise
            except BaseException as error:
                self._drop(error)
                raise

    def _insert(self, rows: Sequence[Row]) -> None:
        assert self._connection is not None
        driver: Any = self._connection.connection.driver_connection
        for start in range(0, len(rows), MOST_ROWS):
            some = rows[start : start + MOST_ROWS]
            statement = self._statement_for(len(some))
            if self._engine.dialect.name == "sqlite":
                driver.write_once(statement.sql, statement.values(some))
            else:  # in autocommit mode: a transaction around it would cost two round trips more
                driver.execute(statement.sql, statement.values(some))

    def _statement_for(self, rows: int) -> _Insert:
        if rows not in self._statements:
            self._statements[rows] = _Insert(self._engine.dialect, rows)
        return self._statements[rows]

    def _open(self) -> None:
        self._connection = self._engine.connect()
        if self._engine.dialect.name == "postgresql":
            self._connection.execution_options(isolation_level="AUTOCOMMIT")

    def _drop(self, error: BaseException) -> bool:
        """Never use the connection again after a failure; whether the failure was that it is gone."""
        connection, self._connection = self._connection, None
        if connection is None:
            return False
        driver: Any = connection.connection.driver_connection
        lost = isinstance(error, self._errors) and self._engine.dialect.is_disconnect(cast(Any, error), driver, None)
        connection.invalidate()
        connection.close()
        return bool(lost)

    def close(self) -> None:
        """Give the connection back; the next row opens another."""
        with self._writing:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
