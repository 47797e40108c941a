"""How long each grade has (时限): defaults as data, every value marked, all changeable by the plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from rules.sources import CONFIRM_TIMES, FIX_TIMES, Source
from rules.terms import Grade


@dataclass(frozen=True, slots=True)
class Deadlines:
    """confirm_within and fix_within count from the dispatch. at_once_zh is said with the dispatch; "" for nothing."""

    confirm_within: timedelta
    fix_within: timedelta
    at_once_zh: str
    confirm_source: Source
    fix_source: Source


DEFAULT_POLICY: Mapping[Grade, Deadlines] = MappingProxyType(
    {
        Grade.RED: Deadlines(
            timedelta(minutes=15),
            timedelta(hours=4),
            "立即停止相关作业，24小时内给出整改方案。",
            CONFIRM_TIMES,
            FIX_TIMES,
        ),
        Grade.ORANGE: Deadlines(timedelta(hours=2), timedelta(hours=72), "", CONFIRM_TIMES, FIX_TIMES),
        Grade.YELLOW: Deadlines(timedelta(hours=8), timedelta(days=7), "", CONFIRM_TIMES, FIX_TIMES),
    }
)


@dataclass(frozen=True, slots=True)
class DueTimes:
    confirm_due_at: datetime
    due_at: datetime


def due_times(grade: Grade, *, dispatched_at: datetime, policy: Mapping[Grade, Deadlines] = DEFAULT_POLICY) -> DueTimes:
    """When it must be confirmed and fixed. dispatched_at must be timezone-aware."""
    if dispatched_at.tzinfo is None:
        raise ValueError("dispatched_at must be timezone-aware")
    row = policy[grade]
    return DueTimes(dispatched_at + row.confirm_within, dispatched_at + row.fix_within)


def due_after_raise(
    *, old: DueTimes, grade: Grade, at: datetime, policy: Mapping[Grade, Deadlines] = DEFAULT_POLICY
) -> DueTimes:
    """Due times after the grade went up at `at`: the new grade's times count from then, and never give more time."""
    new = due_times(grade, dispatched_at=at, policy=policy)
    return DueTimes(min(old.confirm_due_at, new.confirm_due_at), min(old.due_at, new.due_at))
