"""A connection of PostgreSQL that lay idle and is gone is replaced before anybody works on it."""

from __future__ import annotations

from sqlalchemy import text

from storage import database


def test_a_connection_that_is_gone_is_replaced(postgres_url, monkeypatch):
    monkeypatch.setattr(database, "TRUSTED_S", 0.0)
    engine, other = (database.open_engine(postgres_url, pool_size=1) for _ in range(2))
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    with other.connect() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != first
    engine.dispose()
    other.dispose()
