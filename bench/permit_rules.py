"""Permit rules: time of a verdict and of the smallest fix, in one process.

    python -m bench.permit_rules [--json] [--rounds N]

The permits are drawn from a fixed seed: good facts of a work with up to eight facts broken and up to six missing, so
that every run measures the same cases. "forty" is the hard case: forty rules block at once.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measuring import Row, at_most, row
from rules.permit import FixOptions, RuleTable, evaluate, load, smallest_fix
from rules.permit.facts import fact_dictionary
from worker import settle

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
LEVEL = {"hot_work": "l1", "confined_space": None, "work_at_height": "II", "lifting": "3", "temp_power": None}


def good_facts(table: RuleTable, work: str) -> dict[str, Any]:
    names = {name for rule in table.selected(work, None, None) for name in rule.facts} - {"level"}
    return {name: _filled(fact_dictionary()[name].good) for name in sorted(names)}


def _filled(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("@at"):
        return AT + timedelta(minutes=int(value[4:] or 0))
    return (AT + timedelta(hours=8)).date() if value == "@today" else value


def _broken(value: Any) -> Any:
    """A value on the other side of most limits."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 90
    return AT - timedelta(hours=2) if isinstance(value, datetime) else 1 if value == "none" else None


def permits(table: RuleTable, count: int, *, seed: int) -> list[tuple[str, dict[str, Any]]]:
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        work = draw.choice(sorted(LEVEL))
        facts = good_facts(table, work)
        for name in draw.sample(sorted(facts), draw.randint(1, 8)):
            facts[name] = _broken(facts[name])
        for name in draw.sample(sorted(facts), draw.randint(0, 6)):
            facts.pop(name)
        found.append((work, facts))
    return found


def forty(table: RuleTable, count: int, *, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Hot work with exactly forty rules blocking (fail or pending)."""
    draw = random.Random(seed)
    found: list[tuple[str, dict[str, Any]]] = []
    while len(found) < count:
        facts = good_facts(table, "hot_work")
        for name in draw.sample(sorted(facts), len(facts)):
            if name == "in_absolute_ban_zone":
                continue  # nothing can be done about it, and the search would be over at once
            if draw.random() < 0.5:
                facts.pop(name)
            else:
                facts[name] = _broken(facts[name])
            verdict = evaluate(table, work="hot_work", level="l1", at=AT, facts=facts, with_fix=False)
            if len(verdict.failing()) >= 40:
                break
        found.append(("hot_work", facts))
    return found


def timed(cases: list[tuple[str, dict[str, Any]]], call: Callable[[str, dict[str, Any]], Any]) -> list[float]:
    """Milliseconds of each call, sorted."""
    took = []
    for work, facts in cases:
        start = time.perf_counter()
        call(work, facts)
        took.append((time.perf_counter() - start) * 1000)
    return sorted(took)


def at_share(sorted_ms: list[float], share: float) -> float:
    return round(sorted_ms[min(len(sorted_ms) - 1, int(share * len(sorted_ms)))], 3)


def rows_of(rounds: int = 500) -> list[Row]:
    """Part of `./anshao bench permit`."""
    table, options = load(), FixOptions()
    mixed, hard = permits(table, rounds, seed=1), forty(table, max(rounds, 20), seed=2)

    def verdict(work: str, facts: dict[str, Any]) -> None:
        evaluate(table, work=work, level=LEVEL[work], at=AT, facts=facts, with_fix=False)

    def fix(work: str, facts: dict[str, Any]) -> None:
        smallest_fix(table, work=work, level=LEVEL[work], at=AT, facts=facts, options=options)

    for work, facts in mixed[:20]:  # compile caches
        fix(work, facts)
    settle()  # as a worker does before its first job
    rows: list[Row] = []
    for name, cases, call, goal, note in (
        ("permit.rules", mixed, verdict, 20.0, "rules only, facts already gathered"),
        ("permit.fix", mixed, fix, 50.0, "search included, verdict not"),
        ("permit.fix_forty_blocking", hard, fix, 50.0, "forty rules block at once"),
    ):
        took = timed(cases, call)
        rows.append(row(f"{name}.p50", at_share(took, 0.5), "ms", n=len(took), note=note))
        rows.append(at_most(f"{name}.p99", at_share(took, 0.99), "ms", goal, n=len(took), note=note))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=500)
    arguments = parser.parse_args()
    for line in rows_of(arguments.rounds):
        if arguments.json:
            print(json.dumps(line, ensure_ascii=False))
        else:
            mark = {True: "ok", False: "MISSED", None: ""}[line["ok"]]
            print(f"{line['name']:<34}{line['value']:>10} {line['unit']}  {line['goal']:>10}  {mark:<7}n={line['n']}")


if __name__ == "__main__":
    main()
