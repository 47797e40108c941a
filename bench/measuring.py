"""What the benchmarks share: rows with a goal, quantiles, and CPU time of other processes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def row(name: str, value: float, unit: str, *, n: int, note: str = "") -> Row:
    """A figure without a goal."""
    return _row(name, value, unit, "", None, n, note)


def at_most(name: str, value: float, unit: str, limit: float, *, n: int, note: str = "") -> Row:
    return _row(name, value, unit, f"<= {limit:g} {unit}", value <= limit, n, note)


def at_least(name: str, value: float, unit: str, limit: float, *, n: int, note: str = "") -> Row:
    return _row(name, value, unit, f">= {limit:g} {unit}", value >= limit, n, note)


def _row(name: str, value: float, unit: str, goal: str, ok: bool | None, n: int, note: str) -> Row:
    shown = value if value == 0 or not math.isfinite(value) else round(value, 3 - math.ceil(math.log10(abs(value))))
    shown = round(value) if abs(value) >= 1000 and math.isfinite(value) else shown
    return {"name": name, "value": shown, "unit": unit, "goal": goal, "ok": ok, "n": n, "note": note}


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least the share `q` of all values does not exceed; nan of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]


def cpu_s(pid: int) -> float:
    """User and system seconds of one process and of its children that ended (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
