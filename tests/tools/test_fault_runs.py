"""The tools of the fault runs: a process dies at the chosen moment and at no other; every run can be chosen."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.fault_runs import catalogue
from tools.fault_runs.run import Result
from tools.faults import table

ROOT = Path(__file__).parents[2]
COMMITS = """
from datetime import UTC, datetime
from storage.database import open_engine
from storage.models import Area
from storage.unit_of_work import UnitOfWork

engine = open_engine({url!r})
for n in range(3):
    with UnitOfWork(engine, datetime.now(UTC)) as work:
        work.db.add(Area(code=str(n), name=str(n), kind="x", workshop="", zone="none", media=[], ignition=[], polygon=[]))
        work.commit()
print("lived")
"""


@pytest.mark.parametrize(
    ("point", "at", "kept", "dies"),
    [
        ("before-commit", 2, 1, True),
        ("after-commit", 2, 2, True),
        ("after-commit", 4, 3, False),
        ("before-send", 1, 3, False),
    ],
)
def test_a_process_dies_at_the_chosen_commit(sqlite_url, tmp_path, point, at, kept, dies):
    script, mark = tmp_path / "commits.py", tmp_path / "mark"
    script.write_text(COMMITS.format(url=sqlite_url), encoding="utf-8")
    command = [sys.executable, "-m", "tools.fault_runs.dying", str(mark), point, str(at), str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode == -signal.SIGKILL) is dies, done.stderr
    assert mark.exists() is dies
    assert _areas(sqlite_url) == kept


def test_a_fuse_that_blew_once_lets_everything_pass(sqlite_url, tmp_path):
    script, mark = tmp_path / "commits.py", tmp_path / "mark"
    script.write_text(COMMITS.format(url=sqlite_url), encoding="utf-8")
    mark.touch()
    command = [sys.executable, "-m", "tools.fault_runs.dying", str(mark), "before-commit", "1", str(script)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout == "lived\n"


def _areas(url: str) -> int:
    from sqlalchemy import func, select

    from storage.database import open_engine
    from storage.models import Area

    engine = open_engine(url)
    with engine.connect() as db:
        count = db.scalar(select(func.count()).select_from(Area))
    engine.dispose()
    return count or 0


def test_what_every_change_must_pass_is_a_part_of_the_short_form_and_that_of_the_whole():
    whole, short, ci = (
        set(catalogue.chosen([], short=s, ci=c)) for s, c in ((False, False), (True, False), (True, True))
    )
    assert ci < short < whole == set(catalogue.RUNS)
    assert set(catalogue.chosen(["load"], short=True, ci=True)) == {"load"}


def test_a_run_that_was_left_out_is_named_and_is_no_proof():
    shown = table([Result("a", runs=1), Result("b", left_out=True, note="left out"), Result("c", lost=1)])
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["ok", "-", "WRONG"]
