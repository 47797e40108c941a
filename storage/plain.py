"""Rows without objects: for what is read often and only looked at.

A statement that is built once and run on the connection costs a third of one that is made for each call and loads
entities; a judgement of a permit runs a dozen (`./anshao bench permit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Executable, String, TypeDecorator, literal_column
from sqlalchemy.orm import Session


def look(db: Session, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """What the statement finds; what this session has changed is written first, as with its own queries."""
    if db.new or db.dirty or db.deleted:
        db.flush()
    return db.connection().execute(statement, dict(values) if values else None).all()


def one_of(column: Any, words: Iterable[str]) -> ColumnElement[bool]:
    """`column IN (…)` for words of our own: written into the statement, where a list of parameters is laid out anew each time."""
    known = list(words)
    if not all(word.isidentifier() for word in known):
        raise ValueError("only plain words may be written into a statement")
    found: ColumnElement[bool] = column.in_([literal_column(f"'{word}'") for word in known])
    return found


class RawTime(TypeDecorator[Any]):
    """A time as the driver gives it, for `utc`: three hours of readings are hundreds of rows, each of a few microseconds."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        raise TypeError("RawTime is only read")


def utc(value: Any) -> datetime:
    """A `RawTime` as an aware time in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    found: datetime = value
    return found if found.tzinfo is UTC else found.astimezone(UTC)
