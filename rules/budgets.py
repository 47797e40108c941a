"""Will a platform's budget last its period? Plain arithmetic on what was used each day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

LOOK_BACK = 7  # days whose average is carried on
HALF_DAY = 0.5  # less than this of history says nothing: the first call of a month is no panic
FRUGAL_BELOW = 0.9  # frugal mode ends by itself when the period is expected to come to less than this share


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands: used so far, what the period comes to when it goes on like this, and when it runs out."""

    used: int
    limit: int
    expected: int
    runs_out_on: date | None = None

    @property
    def runs_out(self) -> bool:
        return self.limit > 0 and self.expected > self.limit

    @property
    def is_easy(self) -> bool:
        return self.limit <= 0 or self.expected < self.limit * FRUGAL_BELOW

    def to_json(self) -> dict[str, Any]:
        return {
            "used": self.used,
            "limit": self.limit,
            "expected": self.expected,
            "runs_out": self.runs_out,
            "runs_out_on": self.runs_out_on.isoformat() if self.runs_out_on else "",
        }


def standing(days: Mapping[str, int], now: datetime, *, limit: int, period: Literal["day", "month"]) -> Standing:
    """`days`: ISO day → used, this period and some days before it; `now` in the platform's time.

    What is left of the period is expected to go like the average of the last seven days, today's part included.
    """
    if period == "day":
        used, gone = days.get(f"{now:%Y-%m-%d}", 0), max(_gone(now), HALF_DAY / 2)
        expected = round(used / gone)
        return Standing(used, limit, max(used, expected), now.date() if 0 < limit < expected else None)
    used = sum(n for day, n in days.items() if day.startswith(f"{now:%Y-%m}-"))
    rate = _rate(days, now)
    following = (now.replace(day=1) + timedelta(days=32)).replace(day=1).date()
    left = (following - now.date()).days - _gone(now)
    runs_out_on = None
    if limit > 0 and used + rate * left > limit:
        ahead = max(0.0, limit - used) / rate if rate else 0.0
        runs_out_on = (now + timedelta(days=ahead)).date()
    return Standing(used, limit, round(used + rate * left), runs_out_on)


def _gone(now: datetime) -> float:
    """The part of today that is over."""
    return (now - now.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)


def _rate(days: Mapping[str, int], now: datetime) -> float:
    """Use a day, of the last LOOK_BACK days or since the first day that is known."""
    first = (now - timedelta(days=LOOK_BACK - 1)).date()
    known = [date.fromisoformat(day) for day, n in days.items() if n > 0 and day >= first.isoformat()]
    if not known:
        return 0.0
    start = max(first, min(known))
    span = (now.date() - start).days + _gone(now)
    return sum(n for day, n in days.items() if day >= start.isoformat()) / max(span, HALF_DAY)
