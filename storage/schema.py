"""Schema changes: bring a database up to this version of the code, and say whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from storage import guards

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7_314_159  # one process migrates at a time on PostgreSQL


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The revision this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: Engine) -> str:
    """The revision the database is at; "" when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(engine: Engine) -> str:
    """Upgrade to `head()` and guard the trail; safe to call from several processes at once. Returns the revision."""
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        command.upgrade(_config(connection), "head")
        guards.install(connection)
    return current(engine)


def known_revisions() -> list[str]:
    """Every revision this code knows, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def is_usable(engine: Engine) -> bool:
    """Whether this code can work on the database: at head, or ahead of it by revisions made for rolling upgrades.

    An older worker may go on while the schema is newer, because migrations only add (docs/adr/0006).
    """
    at = current(engine)
    return at == head() or (bool(at) and at not in known_revisions())


def make_revision(engine: Engine, message: str) -> None:
    """Write a new migration from the difference between models and database (for developers)."""
    with engine.connect() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)
