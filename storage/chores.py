"""Runs of slow work: wanted, begun, ended, failed, or never heard of again. One row of source_state for each kind of work.

What is due stays due in these rows whatever happens to Redis or to the process that is at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import SourceState

PREFIX = "slow:"
# in SourceState.facts
WANTED, BEGAN, ENDS_BY, FAILED, NOT_BEFORE = "wanted_at", "began_at", "ends_by", "failed", "not_before"


class Chores:
    """`began` names a run: who was taken for dead and comes back late changes nothing of the next run."""

    def __init__(self, db: Session) -> None:
        self.db = db

    def facts(self, name: str) -> dict[str, Any]:
        row = self.db.get(SourceState, PREFIX + name)
        return dict(row.facts) if row is not None else {}

    def may_begin(self, name: str, at: datetime, *, every: timedelta) -> bool:
        """Whether nobody is at it, the last run began `every` ago, and a failed one has waited."""
        facts = self.facts(name)
        return not any(_time(facts, key) > at - span for key, span in _waits(every))

    def is_wanted(self, name: str) -> bool:
        return WANTED in self.facts(name)

    def want(self, name: str, at: datetime) -> None:
        """Somebody should begin it: since when is kept until somebody does."""
        row = self._locked(name)
        if WANTED not in row.facts:
            row.facts = {**row.facts, WANTED: at.isoformat()}

    def begin(self, name: str, at: datetime, *, every: timedelta, lease: timedelta) -> bool:
        """Take the run; False when it is not due any more. The caller has to tell its end before the lease is over."""
        row = self._locked(name)
        if any(_time(row.facts, key) > at - span for key, span in _waits(every)):
            return False
        kept = {key: value for key, value in row.facts.items() if key not in (WANTED, NOT_BEFORE)}
        row.facts = {**kept, BEGAN: at.isoformat(), ENDS_BY: (at + lease).isoformat()}
        self.db.flush()
        return True

    def ended(self, name: str, began: datetime, at: datetime) -> None:
        """The run came to its end: failures before it are forgotten."""
        row = self._locked(name)
        if row.facts.get(BEGAN) == began.isoformat():
            row.facts = {key: value for key, value in row.facts.items() if key not in (ENDS_BY, FAILED, NOT_BEFORE)}
            row.last_ok_at, row.last_error = at, ""

    def failed(self, name: str, began: datetime, at: datetime, *, error: str, waits: Sequence[timedelta]) -> int:
        """The run broke or was killed; it is due again after the wait of this failure. How many failed in a row."""
        row = self._locked(name)
        if row.facts.get(BEGAN) != began.isoformat() or ENDS_BY not in row.facts:
            return 0
        count = int(row.facts.get(FAILED, 0)) + 1
        again = at + waits[min(count, len(waits)) - 1]
        kept = {key: value for key, value in row.facts.items() if key not in (ENDS_BY, BEGAN)}
        row.facts = {**kept, FAILED: count, NOT_BEFORE: again.isoformat()}
        row.last_error, row.last_error_at = error[:200], at
        return count

    def lost(self, at: datetime) -> dict[str, datetime]:
        """Runs whose end nobody told in time, and when they began."""
        rows = self.db.scalars(
            select(SourceState).where(SourceState.name.startswith(PREFIX)).order_by(SourceState.name)
        )
        return {
            row.name.removeprefix(PREFIX): datetime.fromisoformat(row.facts[BEGAN])
            for row in rows
            if row.facts.get(ENDS_BY) and row.facts.get(BEGAN) and datetime.fromisoformat(row.facts[ENDS_BY]) < at
        }

    def _locked(self, name: str) -> SourceState:
        row = self.db.get(SourceState, PREFIX + name, with_for_update=True, populate_existing=True)
        if row is None:
            row = SourceState(name=PREFIX + name, facts={})
            self.db.add(row)
            self.db.flush()
        return row


def _waits(every: timedelta) -> tuple[tuple[str, timedelta], ...]:
    return ((ENDS_BY, timedelta(0)), (NOT_BEFORE, timedelta(0)), (BEGAN, every))


def _time(facts: dict[str, Any], key: str) -> datetime:
    return datetime.fromisoformat(facts.get(key) or "1970-01-01T00:00:00+00:00")
