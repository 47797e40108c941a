"""`./anshao lint`: formatter check, linter, type checker, import rules. All of them run, whatever the first one says."""

from __future__ import annotations

import argparse
import subprocess
import sys
from time import monotonic

from tools.stack import ROOT

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy", ".")),
    ("imports", ("pytest", "-q", "tests/test_imports.py")),
)
FIXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", ("ruff", "check", "--fix", "-q", ".")),
    ("format", ("ruff", "format", "-q", ".")),
)


def run(name: str, command: tuple[str, ...]) -> bool:
    print(f"== {name}: {' '.join(command)}", flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao lint", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="first format and fix what can be fixed by itself")
    began = monotonic()
    if parser.parse_args().fix:
        for name, command in FIXES:
            run(f"fix {name}", command)
    bad = [name for name, command in CHECKS if not run(name, command)]
    verdict = f"not clean: {', '.join(bad)}" if bad else "clean"
    print(f"lint: {verdict} ({monotonic() - began:.1f} s)")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
