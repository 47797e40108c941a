"""Alembic's environment: it is always called through storage/schema.py, with a live connection."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

import storage.models  # noqa: F401  (registers every table)
from storage.database import Base, Json, UtcTime


def _render(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Own column types by name, so that a migration stays readable."""
    if kind == "type" and isinstance(item, UtcTime):
        return "storage.database.UtcTime()"
    if kind == "type" and isinstance(item, JSON) and item is Json:
        return "storage.database.Json"
    return False


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
