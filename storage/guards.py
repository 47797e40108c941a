"""Triggers that keep the trail append-only: the database itself refuses to change or remove a line, whoever asks.

They stop a slip, a script and an administrator's console. Somebody who owns the database can take the triggers away first:
that is seen by `flask audit verify` and `flask doctor`, and what was done to the lines by the hash chain and the auditor.
`flask db upgrade` puts them back.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

TABLE = "trail_line"
WORDS = "the trail is append-only"

_SQLITE = {
    "trail_line_keeps_words": f"BEFORE UPDATE ON {TABLE}",
    "trail_line_keeps_lines": f"BEFORE DELETE ON {TABLE}",
    # INSERT OR REPLACE removes the old row without asking the trigger above
    "trail_line_keeps_places": (
        f"BEFORE INSERT ON {TABLE} WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR hash = NEW.hash"
        " OR (case_kind = NEW.case_kind AND case_id = NEW.case_id AND seq = NEW.seq))"
    ),
}
_POSTGRES = {
    "trail_line_keeps_lines": f"BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW",
    "trail_line_keeps_table": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT",
}
_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION trail_line_is_kept() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$
"""


def install(db: Connection) -> None:
    """Put every trigger in place, in the caller's transaction; safe to repeat."""
    if missing(db) == []:
        return
    if db.dialect.name == "sqlite":
        for name, when in _SQLITE.items():
            db.execute(text(f"CREATE TRIGGER IF NOT EXISTS {name} {when} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"))
        return
    db.execute(text(_FUNCTION))
    for name, when in _POSTGRES.items():
        db.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {TABLE}"))
        db.execute(text(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION trail_line_is_kept()"))


def remove(db: Connection) -> None:
    """Take them away: for tests of what happens when somebody does that."""
    sqlite = db.dialect.name == "sqlite"
    for name in _SQLITE if sqlite else _POSTGRES:
        db.execute(text(f"DROP TRIGGER IF EXISTS {name}" + ("" if sqlite else f" ON {TABLE}")))


def missing(db: Connection) -> list[str]:
    """Names of the triggers that are not there, or switched off."""
    if db.dialect.name == "sqlite":
        there = db.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"), {"table": TABLE}
        )
        return sorted(set(_SQLITE) - set(there.scalars()))
    there = db.execute(
        text(
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relname = :table AND pg_table_is_visible(c.oid) AND t.tgenabled IN ('O', 'A')"
        ),
        {"table": TABLE},
    )
    return sorted(set(_POSTGRES) - set(there.scalars()))
