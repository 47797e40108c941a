"""All runs by name, in the order they are made."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.fault_runs import calls, kills, measures, orphans, platforms, points, streams, virtual
from tools.fault_runs.run import Plan, Result

Virtual = Callable[[Path, random.Random, bool, Callable[[str], None]], Result]


@dataclass(frozen=True)
class Entry:
    """`live` runs on the running product, with `stream` on one whose DingTalk speaks by Stream mode; `virtual` in this
    process with a clock that is moved. `in_ci`: part of what every change must pass, a part of the short form."""

    live: Callable[[Plan], Result] | None = None
    virtual: Virtual | None = None
    stream: bool = False
    in_short: bool = True
    in_ci: bool = False
    reports: int = 60


RUNS: dict[str, Entry] = {
    **{f"kill-{role}": Entry(kills.killed(role)) for role in ("web", "chat", "media", "delivery", "scheduler")},
    "kill-all": Entry(kills.everything_killed, in_ci=True),
    "orphans": Entry(orphans.planted, reports=10),
    "roll-call": Entry(calls.everybody_called, in_short=False, reports=1),
    "lease": Entry(kills.lease_resumed),
    "redis-stop": Entry(kills.redis_away),
    "redis-empty": Entry(kills.redis_empty, in_ci=True),
    "redis-flush": Entry(kills.redis_flushed, in_short=False),
    "postgres": Entry(kills.postgres_restarted, in_ci=True),
    "points": Entry(points.every_point, reports=250, in_ci=True),
    "two-of-each": Entry(kills.two_schedulers, in_short=False),
    "slow": Entry(platforms.SLOW, in_short=False),
    "errors": Entry(platforms.ERRORS),
    "html": Entry(platforms.HTML, in_short=False),
    "lost-answers": Entry(platforms.LOST_ANSWERS, in_ci=True),
    "throttled": Entry(platforms.THROTTLED, in_short=False),
    "tokens": Entry(platforms.TOKENS),
    "cut": Entry(platforms.CUT, in_short=False),
    "repeated": Entry(platforms.repeated_callbacks, in_ci=True),
    "reordered": Entry(platforms.reordered_callbacks, in_short=False),
    "dropped": Entry(platforms.dropped_once, in_short=False, reports=10),
    "poison": Entry(platforms.poison),
    "media": Entry(platforms.media_away),
    "first-attempt": Entry(measures.first_attempt, reports=90),
    "card-true": Entry(measures.card_true, reports=50),
    "throughput": Entry(measures.throughput, reports=1),
    "load": Entry(measures.load, reports=400),
    "stream-half-open": Entry(streams.half_open, stream=True, reports=10),
    "stream-closed": Entry(streams.closed_in_a_loop, stream=True, reports=10),
    "stream-two": Entry(streams.two_processes, stream=True),
    **{name: Entry(virtual=run, in_ci=name in ("clock", "silent")) for name, run in virtual.RUNS.items()},
}


def chosen(names: Sequence[str], *, short: bool, ci: bool = False) -> dict[str, Entry]:
    """Those named (nothing else), or all of the full, the short or CI's suite."""

    def wanted(name: str, entry: Entry) -> bool:
        if names:
            return name in names
        return entry.in_ci if ci else entry.in_short or not short

    return {name: entry for name, entry in RUNS.items() if wanted(name, entry)}


def reports(runs: Mapping[str, Entry], *, short: bool) -> int:
    """How many reports they need at most."""
    return sum(entry.reports for entry in runs.values()) * (2 if short else 4)
