"""`./anshao test [ARGUMENTS]`: all tests on SQLite and PostgreSQL with a real Redis. Arguments go to pytest as they are.

Two processes share the tests unless arguments choose otherwise; the last line is pytest's summary.
"""

from __future__ import annotations

import os
import sys

from tools.stack import ROOT


def arguments(given: list[str]) -> list[str]:
    """pytest's arguments: with a number of processes, unless the call names one or looks for a bug."""
    chosen = any(word.startswith(("-n", "--numprocesses", "--pdb", "-s", "--collect-only", "--co")) for word in given)
    picks = any(not word.startswith("-") for word in given)
    workers = [] if chosen or picks else ["-n", str(min(4, max(2, os.cpu_count() or 2))), "--dist", "loadfile"]
    return ["-q", *workers, *given]


def main() -> None:
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments(sys.argv[1:])])


if __name__ == "__main__":
    main()
