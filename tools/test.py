"""`./anshao test [ARGUMENTS]`: all tests on SQLite and PostgreSQL with a real Redis (`--database both`: what people see on both, too). Arguments go to pytest as they are.

Four processes share two cores unless arguments choose otherwise: each waits for databases and sockets a good part of its time; the last line is pytest's summary.
"""

from __future__ import annotations

import os
import sys

from tools.stack import ROOT


def arguments(given: list[str]) -> list[str]:
    """pytest's arguments: with a number of processes, unless the call names one or looks for a bug."""
    chosen = any(word.startswith(("-n", "--numprocesses", "--pdb", "-s", "--collect-only", "--co")) for word in given)
    picks = any(not word.startswith("-") for word in given)
    # in the order of tests/conftest.py, not by the number of tests in a file
    shares = ["-n", str(processes(os.cpu_count())), "--dist", "loadfile", "--no-loadscope-reorder"]
    workers = [] if chosen or picks else shares
    return ["-q", *workers, *given]


def processes(cores: int | None) -> int:
    """More than there are cores, within what the memory of a small machine bears."""
    return min(6, max(4, (cores or 2) * 3 // 2))


def main() -> None:
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments(sys.argv[1:])])


if __name__ == "__main__":
    main()
