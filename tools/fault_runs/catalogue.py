"""All runs by name, in the order they are made."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.fault_runs import kills, measures, platforms, virtual
from tools.fault_runs.run import Plan, Result

Virtual = Callable[[Path, random.Random, bool, Callable[[str], None]], Result]


@dataclass(frozen=True)
class Entry:
    """`live` runs on the running product, `virtual` in this process with a clock that is moved."""

    live: Callable[[Plan], Result] | None = None
    virtual: Virtual | None = None
    in_short: bool = True
    reports: int = 60


RUNS: dict[str, Entry] = {
    **{f"kill-{role}": Entry(kills.killed(role)) for role in ("web", "chat", "media", "delivery", "scheduler")},
    "kill-all": Entry(kills.everything_killed),
    "lease": Entry(kills.lease_resumed),
    "redis-stop": Entry(kills.redis_away),
    "redis-empty": Entry(kills.redis_empty),
    "redis-flush": Entry(kills.redis_flushed, in_short=False),
    "postgres": Entry(kills.postgres_restarted),
    "two-of-each": Entry(kills.two_schedulers, in_short=False),
    "slow": Entry(platforms.SLOW, in_short=False),
    "errors": Entry(platforms.ERRORS),
    "html": Entry(platforms.HTML, in_short=False),
    "lost-answers": Entry(platforms.LOST_ANSWERS),
    "throttled": Entry(platforms.THROTTLED, in_short=False),
    "tokens": Entry(platforms.TOKENS),
    "cut": Entry(platforms.CUT, in_short=False),
    "repeated": Entry(platforms.repeated_callbacks),
    "reordered": Entry(platforms.reordered_callbacks, in_short=False),
    "dropped": Entry(platforms.dropped_once, in_short=False, reports=10),
    "poison": Entry(platforms.poison),
    "media": Entry(platforms.media_away),
    "first-attempt": Entry(measures.first_attempt, reports=90),
    "card-true": Entry(measures.card_true, reports=50),
    "throughput": Entry(measures.throughput, reports=1),
    "load": Entry(measures.load, reports=400),
    **{name: Entry(virtual=run) for name, run in virtual.RUNS.items()},
}


def chosen(names: Sequence[str], *, short: bool) -> dict[str, Entry]:
    """Those named (nothing else), or all of the short or the full suite."""
    return {name: entry for name, entry in RUNS.items() if (name in names if names else entry.in_short or not short)}


def reports(runs: Mapping[str, Entry], *, short: bool) -> int:
    """How many reports they need at most."""
    return sum(entry.reports for entry in runs.values()) * (2 if short else 4)
