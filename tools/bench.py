"""`./anshao bench [NAME…] [--json]`: the figures the product promises, measured here and now.

Each module bench/NAME.py with a function `run() -> list[dict]` is one benchmark. A row is
`{name, value, unit, goal, ok, n, note}`: `goal` is the promise in words ("<= 50 ms", "" for none), `ok` whether it was
kept (None without a goal), `n` how many measurements stand behind the value.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import unicodedata
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import bench

FIELDS = ("name", "value", "unit", "goal", "ok", "n", "note")
Row = dict[str, Any]


def benchmarks() -> dict[str, Callable[[], list[Row]]]:
    """Every bench/*.py that has a `run`, by name."""
    found: dict[str, Callable[[], list[Row]]] = {}
    for module in sorted(pkgutil.iter_modules(bench.__path__), key=lambda m: m.name):
        if module.ispkg or module.name.startswith("_"):
            continue
        run = getattr(importlib.import_module(f"bench.{module.name}"), "run", None)
        if callable(run):
            found[module.name] = run
    return found


def checked(name: str, rows: Iterable[Row]) -> list[Row]:
    """The rows with every field in order. Raises ValueError when one lacks a name, a value or a unit."""
    complete = []
    for row in rows:
        missing = [key for key in ("name", "value", "unit") if key not in row]
        unknown = sorted(set(row) - set(FIELDS))
        if missing or unknown:
            raise ValueError(f"bench.{name}: a row lacks {missing} or has unknown {unknown}: {row}")
        complete.append({key: row.get(key, {"ok": None, "n": 1}.get(key, "")) for key in FIELDS})
    return complete


def table(rows: list[Row]) -> str:
    """The rows as aligned text; Chinese characters count double."""
    lines = [["", "name", "value", "unit", "goal", "n", "note"]]
    for row in rows:
        mark = {True: "ok", False: "MISSED", None: ""}[row["ok"]]
        lines.append([mark, *(_shown(row[key]) for key in ("name", "value", "unit", "goal", "n", "note"))])
    widths = [max(_width(line[column]) for line in lines) for column in range(len(lines[0]))]
    right = {2, 5}
    return "\n".join(
        "  ".join(_pad(cell, widths[i], right=i in right) for i, cell in enumerate(line)).rstrip() for line in lines
    )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao bench", description=__doc__)
    parser.add_argument("name", nargs="*", help="only these benchmarks")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and nothing else")
    parser.add_argument("--list", action="store_true", help="only list the benchmarks")
    wish = parser.parse_args()
    found = benchmarks()
    unknown = sorted(set(wish.name) - set(found))
    if unknown or wish.list:
        print(f"there is no benchmark {', '.join(unknown)}" if unknown else "benchmarks:", file=sys.stderr)
        print("\n".join(found), file=sys.stderr if unknown else sys.stdout)
        return 2 if unknown else 0
    rows: list[Row] = []
    for name in wish.name or found:
        began = monotonic()
        if not wish.json:
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        measured = checked(name, found[name]())
        if not wish.json:
            print(f"{monotonic() - began:.1f} s", file=sys.stderr)
        for row in measured if wish.json else ():
            print(json.dumps(row, ensure_ascii=False), flush=True)
        rows += measured
    missed = [row["name"] for row in rows if row["ok"] is False]
    if not wish.json:
        print(table(rows))
        kept = sum(row["ok"] is True for row in rows)
        print(f"\n{kept} goals kept, {len(missed)} missed" + (f": {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
