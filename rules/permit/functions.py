"""The functions a rule may call, and the names the engine computes itself."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from rules.permit.logic import Unknown, unknown

HEIGHT_ROMAN = ("", "I", "II", "III", "IV")
_HEIGHT_BANDS = ((2.0, 0), (5.0, 1), (15.0, 2), (30.0, 3))  # below 2 m it is not work at height (3.8)


@cache
def height_factors() -> Mapping[str, str]:
    """Every name a factor may go by → its group: ``factor`` (8.1.2), ``min1``, ``min2`` or ``min4`` (Table B.1)."""
    with (Path(__file__).parent / "factors.toml").open("rb") as file:
        rows = tomllib.load(file)["factor"]
    names: dict[str, str] = {}
    for key, row in rows.items():
        for name in (key, row["zh"], *row["aliases"]):
            names[name] = row["group"]
    return names


def minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def lifting_level(mass_t: float) -> str:
    """1 above 100 t, 2 from 40 to 100 t, 3 below 40 t (9.1)."""
    return "1" if mass_t > 100 else "2" if mass_t >= 40 else "3"


def level_rank(level: str) -> int:
    """Rank of a height class, I..IV as 1..4."""
    return HEIGHT_ROMAN.index(level)


def required_height_level(height: Any, factors: Any) -> int | Unknown:
    """Lowest class (1..4, 0 below 2 m) for a height in metres and a list of factors.

    GB 30871-2022 8.1 Table 2 and Table B.1 note 2; 5 m is class I, 15 m class II, 30 m class III. An unknown factor
    name gives Unknown unless the height alone already demands class IV.
    """
    if isinstance(height, Unknown):
        return height
    base = 4
    for top, rank in _HEIGHT_BANDS:
        if height < top or (height == top and rank > 0):
            base = rank
            break
    if base in (0, 4):
        return base
    if isinstance(factors, Unknown):
        return factors
    groups = _groups(factors)
    if "min4" in groups:
        return 4
    if None in groups:
        return unknown("factors")
    return max(min(4, base + ("factor" in groups)), 2 if "min2" in groups else 1)


required_height_level.takes_unknown = True  # type: ignore[attr-defined]


def _groups(factors: Iterable[str]) -> set[str | None]:
    known = height_factors()
    return {group for factor in factors for group in known.get(factor, "?").split("+")} - {"?"} | (
        {None} if any(factor not in known for factor in factors) else set()
    )


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "minutes": minutes,
    "set": frozenset,
    "len": len,
    "lifting_level": lifting_level,
    "level_rank": level_rank,
    "required_height_level": required_height_level,
}

INTERNAL_NAMES = frozenset(
    {
        "all_factors",
        "level",
        "next_midnight",
        "next_night_start",
        "ticket_exempt",
        "tickets_needed",
        "trend3h_none",
        "work",
    }
)
"""Names a rule may read that no caller sends: the engine computes them from facts, settings and the time."""
