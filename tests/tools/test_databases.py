"""The fixtures of conftest.py and the helpers behind them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, inspect, text

from storage import schema
from storage.database import open_engine
from tools import embedded, postgres
from tools.processes import short_folder


def test_a_fresh_database_is_at_head_and_takes_writes(engine: Engine, database_kind: str) -> None:
    assert engine.dialect.name == {"sqlite": "sqlite", "postgres": "postgresql"}[database_kind]
    assert schema.current(engine) == schema.head()
    assert "hazard" in " ".join(inspect(engine).get_table_names())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))


def test_nothing_of_the_test_before_is_left(engine: Engine) -> None:
    assert "left_over" not in inspect(engine).get_table_names()


def test_a_database_is_dropped_while_somebody_is_connected(new_postgres) -> None:
    with new_postgres() as url:
        holder = open_engine(url)
        connection = holder.connect()
    with new_postgres() as other:
        assert other != url
    connection.invalidate()
    holder.dispose()


def test_without_any_postgres_the_reason_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(postgres, "_wheel", lambda: None)
    monkeypatch.setattr(postgres, "_on_this_machine", lambda: None)
    with pytest.raises(postgres.NoPostgres, match="TEST_DATABASE_URL"), postgres.server():
        pytest.fail("a server appeared from nowhere")


def test_a_given_server_is_used_and_its_names_do_not_clash(monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    with postgres.server() as server:
        assert server.origin == "TEST_DATABASE_URL"
        assert str(os.getpid()) in server.prefix
        databases = postgres.Databases(server)
        with databases.fresh() as url:
            engine = open_engine(url)
            with engine.connect() as connection:
                name = connection.execute(text("SELECT current_database()")).scalar()
            engine.dispose()
        databases.close()
    assert name == f"{server.prefix}t1"


def test_what_was_queued_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url:
        redis.Redis.from_url(url).set("job", "waits")
    with embedded.valkey(tmp_path) as url:
        assert redis.Redis.from_url(url).get("job") == b"waits"


def test_the_second_process_joins_and_leaves_the_server_running(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url:
        with embedded.valkey(tmp_path) as joined:
            assert joined == url == embedded.url(tmp_path)
        assert redis.Redis.from_url(url).ping()


def test_a_killed_owner_leaves_nothing_that_blocks_the_next_start(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from tools import embedded\n"
        "with embedded.valkey(pathlib.Path(sys.argv[1])) as url: print(url, flush=True); sys.stdin.read()\n"
    )
    root = Path(__file__).parents[2]
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    url = owner.stdout.readline().decode().strip()
    redis.Redis.from_url(url).set("job", "waits")
    owner.kill()
    owner.communicate()
    with embedded.valkey(tmp_path) as again:
        assert again == url
        assert redis.Redis.from_url(again).ping()


def test_a_socket_stays_short_under_a_deep_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    assert len(embedded.url(deep)) < 100


def test_a_folder_of_somebody_else_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = short_folder("anshao", key="here")
    assert folder == short_folder("anshao", key="here") != short_folder("anshao", key="there")
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="remove it"):
        short_folder("anshao", key="here")


def test_no_binary_for_this_machine_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(embedded.EmbeddedError, match="ANSHAO_REDIS_URL"):
        embedded.binary()
