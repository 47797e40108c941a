"""Building permits that pass, for tests to break one fact at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rules.permit import load
from rules.permit.facts import fact_dictionary
from rules.permit.model import LEVELS

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # a Wednesday, 10:00 at the plant
TABLE = load()


def filled(value: Any, at: datetime = AT) -> Any:
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "min":
        return at + timedelta(minutes=value[1])
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "day":
        return (at + timedelta(hours=8, days=value[1])).date()
    if isinstance(value, str) and value.startswith("@at"):
        return at + timedelta(minutes=int(value[4:] or 0))
    if value == "@today":
        return (at + timedelta(hours=8)).date()
    return value


def good_facts(work: str, at: datetime = AT, **over: Any) -> dict[str, Any]:
    """Every fact that a rule of this work names, at its good value, with some laid over."""
    names = {name for rule in TABLE.selected(work, None, None) for name in rule.facts} - {"level"}
    facts = {name: filled(fact_dictionary()[name].good, at) for name in sorted(names)}
    return {**facts, **{name: filled(value, at) for name, value in over.items()}}


def low_level(work: str) -> str | None:
    """The lowest level that good facts belong to."""
    return {"hot_work": "l1"}.get(work, LEVELS.get(work, (None,))[0])
