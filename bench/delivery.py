"""How soon and how fast notices go out: the outbox, the ladder and the cards on real processes, PostgreSQL and Valkey.

The same runs as in `./anshao faults`; here their figures are rows. The emulated platforms share the two cores.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Row, at_least, at_most
from tools.fault_runs import catalogue, kills, measures
from tools.fault_runs.crowd import Crowd
from tools.fault_runs.field import running
from tools.fault_runs.run import Plan, Result

Goal = Callable[[float, int], Row]

GOALS: dict[str, Goal] = {
    # first: what the others tell the same people would count against their minute
    "throughput": lambda value, n: at_least(
        "delivery.rate", value, "1/s", measures.THROUGHPUT_PER_S, n=n, note="against a platform that answers in 50 ms"
    ),
    "first-attempt": lambda value, n: at_most(
        "delivery.due_to_attempt.p99", value, "s", measures.ATTEMPT_P99_S, n=n, note="due ladder step → first send"
    ),
    "card-true": lambda value, n: at_most(
        "delivery.card_true.p95",
        value,
        "s",
        measures.CARD_P95_S,
        n=n,
        note="press → the last copy of the card shows it",
    ),
    "lease": lambda value, n: at_most(
        "delivery.resumed", value, "s", kills.RESUMED_WITHIN_S, n=n, note="kill -9 while sending → sent on (slowest)"
    ),
}


def run() -> list[Row]:
    """One row a goal. Raises RuntimeError when a run lost or doubled anything: its figure would mean nothing."""
    chosen = catalogue.chosen(list(GOALS), short=False)
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="anshao-bench-") as folder,
        running(Path(folder), reports=catalogue.reports(chosen, short=False), note=_quiet) as on,
    ):
        plan = Plan(on, Crowd(on.phones_url, on.plant), random.Random(1), False, _quiet)
        for name, goal in GOALS.items():
            live = chosen[name].live
            assert live is not None
            result = live(plan)
            on.all_well()
            rows.append(_row(goal, result))
    return rows


def _row(goal: Goal, result: Result) -> Row:
    if result.figure is None or result.lost or result.doubled or result.wrong:
        raise RuntimeError(f"{result.fault}: lost {result.lost}, doubled {result.doubled}, {result.wrong[:3]}")
    return goal(*result.figure)


def _quiet(line: str) -> None:
    print(line, file=sys.stderr)
