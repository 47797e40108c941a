"""Writers queue: one at a time, across threads and processes, and the right to write is never lost."""

from __future__ import annotations

import os
import select
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage import sqlite
from storage.database import open_engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lite(sqlite_url: str) -> Engine:
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tally (n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO tally VALUES (0)"))
    return engine


def add_one(engine: Engine) -> None:
    with engine.begin() as connection:
        n = connection.execute(text("SELECT n FROM tally")).scalar_one()
        connection.execute(text("UPDATE tally SET n = :n"), {"n": n + 1})


def tally(engine: Engine) -> int:
    with engine.connect().execution_options(read_only=True) as connection:
        return int(connection.execute(text("SELECT n FROM tally")).scalar_one())


def test_threads_and_another_process_lose_no_update(lite: Engine) -> None:
    script = (
        "import sys\nfrom sqlalchemy import text\nfrom storage.database import open_engine\n"
        "engine = open_engine(sys.argv[1])\n"
        "for _ in range(50):\n"
        "    with engine.begin() as c:\n"
        "        c.execute(text('UPDATE tally SET n = :n'),\n"
        "                  {'n': c.execute(text('SELECT n FROM tally')).scalar_one() + 1})\n"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(lite.url)], cwd=ROOT)
    threads = [threading.Thread(target=lambda: [add_one(lite) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert other.wait(timeout=60) == 0
    assert tally(lite) == 150


def test_a_reader_does_not_wait_for_a_writer(lite: Engine) -> None:
    with lite.begin() as writer:
        writer.execute(text("UPDATE tally SET n = 7"))
        assert tally(lite) == 0
    assert tally(lite) == 7


@pytest.mark.parametrize("ending", ["commit", "rollback", "close", "error"])
def test_the_gate_opens_again_however_a_transaction_ends(lite: Engine, ending: str) -> None:
    connection = lite.connect()
    transaction = connection.begin()
    if ending == "commit":
        transaction.commit()
    elif ending == "rollback":
        transaction.rollback()
    elif ending == "error":
        with pytest.raises(Exception, match="nothing_like_that"):
            connection.execute(text("SELECT nothing_like_that"))
        transaction.rollback()
    connection.close()
    add_one(lite)
    assert tally(lite) == 1


def test_a_neighbour_that_never_ends_is_an_error_and_not_a_hang(lite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with lite.begin(), pytest.raises(sqlite3.OperationalError, match="another thread"):
        add_one(lite)
    add_one(lite)
    assert tally(lite) == 1


def test_a_forked_child_waits_for_its_parent_and_then_writes(tmp_path: Path) -> None:
    """RQ forks for slow jobs: the child inherits our open lock file, and must not take our right for its own."""
    gate = sqlite.WriteGate(str(tmp_path / "a.db"))
    heard, says = os.pipe()
    gate.enter()
    child = os.fork()
    if child == 0:
        try:
            gate.enter()
            os.write(says, b"in")
            gate.leave()
        finally:
            os._exit(0)
    assert select.select([heard], [], [], 0.3)[0] == []
    gate.leave()
    assert select.select([heard], [], [], 10)[0] == [heard]
    os.waitpid(child, 0)
    gate.enter()
    gate.leave()
