"""Starts a process of the product that is killed at its n-th commit or send, just before or just after it.

`python -m tools.fault_runs.dying MARK POINT N MODULE|SCRIPT ARGUMENTS…` runs the program as `python` would. At the chosen
moment it writes the file MARK and takes its own life with SIGKILL; with MARK there already it lives on. The product
itself knows nothing of this.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = ("before-commit", "after-commit", "before-send", "after-send")


class Fuse:
    """Counts moments of one kind in all threads; at the n-th the process is gone."""

    def __init__(self, mark: Path, point: str, at: int) -> None:
        self.mark, self.point, self.at = mark, point, at
        self._lock, self._count = threading.Lock(), 0

    def reached(self, point: str) -> None:
        if point != self.point:
            return
        with self._lock:
            self._count += 1
            if self._count < self.at:
                return
            try:
                os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


def around(owner: Any, name: str, fuse: Fuse, kind: str) -> None:
    """Let every call of `owner.name` pass the fuse before and after."""
    real: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        fuse.reached(f"before-{kind}")
        done = real(*arguments, **options)
        fuse.reached(f"after-{kind}")
        return done

    setattr(owner, name, call)


def arm(fuse: Fuse) -> None:
    """Every commit of the product is one of these two; every call to a platform is one of its session's."""
    from bot.platforms.http import Session
    from storage.intake import Intake
    from storage.unit_of_work import UnitOfWork

    around(UnitOfWork, "commit", fuse, "commit")
    around(Intake, "_write", fuse, "commit")
    around(Session, "send", fuse, "send")


def main() -> None:
    mark, point, at, program, *arguments = sys.argv[1:]
    if point not in POINTS:
        raise SystemExit(f"there is no point {point}: {', '.join(POINTS)}")
    arm(Fuse(Path(mark), point, int(at)))
    sys.argv = [program, *arguments]
    if program.endswith(".py"):
        sys.path.insert(0, str(Path(program).resolve().parent))
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
