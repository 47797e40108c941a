"""SQLite connections whose writers queue up instead of polling.

SQLite lets one transaction write at a time; who finds the lock taken sleeps and tries again, for up to 100 ms at a time and
in no order, so that under load some wait for seconds. Here the writers of one process wait at a mutex and the processes
at a file lock, where the kernel wakes the next one at once. SQLite's own lock still guards the data: whoever writes
without asking here (a shell, a backup) is waited for as before.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from typing import IO, Any

BUSY_TIMEOUT_MS = 15_000

_gates: weakref.WeakSet[WriteGate] = weakref.WeakSet()


class WriteGate:
    """The right to write to one database file: one holder a machine. Free again when its process dies."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}-writer"
        self._forget()
        _gates.add(self)

    def _forget(self) -> None:
        # also in a child after fork: the parent's threads are not there to open the mutex again, and a file lock
        # taken through the parent's open file would be the parent's
        self._mutex = threading.Lock()
        self._file: IO[bytes] | None = None

    def enter(self) -> None:
        """Wait for the right to write. Raises sqlite3.OperationalError when a neighbour thread does not give it back."""
        if not self._mutex.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise sqlite3.OperationalError("database is locked by another thread of this process")
        try:
            if self._file is None:
                self._file = open(self._path, "ab")  # noqa: SIM115 - kept open; a lock lives as long as its file
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:  # a job's time limit may strike while we wait
            self._mutex.release()
            raise

    def leave(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._mutex.release()


def _after_fork() -> None:
    for gate in _gates:
        gate._forget()


os.register_at_fork(after_in_child=_after_fork)


class GatedConnection(sqlite3.Connection):
    """A connection in autocommit mode; `begin_write` … `commit` or `rollback` is a transaction behind the gate."""

    gate: WriteGate | None = None
    _inside = False

    def begin_write(self) -> None:
        if self.gate is not None:
            self.gate.enter()
            self._inside = True
        try:
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._leave()
            raise

    def write_once(self, sql: str, values: Sequence[Any]) -> None:
        """One statement that is a transaction of its own, behind the gate: SQLite begins and commits around it."""
        if self.gate is not None:
            self.gate.enter()
            self._inside = True
        try:
            self.execute(sql, values)
        finally:
            self._leave()

    def commit(self) -> None:
        super().commit()  # when it fails the transaction is still open, and so is the gate until the rollback
        self._leave()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._leave()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._inside and self.gate is not None:
            self._inside = False
            self.gate.leave()


def prepare(connection: Any) -> None:
    """The settings of every connection: our own transactions, a log beside the file, durable commits."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a committed report survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()
