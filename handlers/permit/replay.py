"""Stored verdicts judged again (回放): the same facts under the same table must give the same verdict, years later too.

The table of a verdict is the standard's file as this program has it, with one of the plant's policies laid over it. A
verdict of an older edition of the file is replayed with the program of that time; it says which table it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.permit import tables
from rules.permit import RuleTable, Verdict, facts_from_json, replay
from storage.models import Permit
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Replayed:
    """`same` None: the table of that verdict is not here. `differs`: ids of the rules that came out otherwise."""

    at: datetime
    cause: str
    result: str
    table_version: str
    same: bool | None
    differs: tuple[str, ...] = ()


def replay_all(work: UnitOfWork, permit: Permit) -> Iterator[Replayed]:
    """Every stored verdict of the permit, oldest first."""
    known = _tables(work)
    for row in reversed(work.permit_verdicts.of(permit.id, limit=10_000)):
        table = known.get(row.table_version)
        if table is None:
            yield Replayed(row.at, row.cause, row.result, row.table_version, None)
            continue
        stored = Verdict.from_dict(row.verdict)
        again = replay(table, stored, facts_from_json(str(row.facts)))
        before, now = _outcome(stored), _outcome(again)
        differs = tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))
        same = not differs and again.result is stored.result and row.result == stored.result.value
        yield Replayed(row.at, row.cause, row.result, row.table_version, same, differs)


def _tables(work: UnitOfWork) -> Mapping[str, RuleTable]:
    """Every table this plant has judged by since the program's edition: without a policy, and by each policy."""
    contents = [{}, *(dict(policy.content).get("permit", {}) for policy in work.policies.all(limit=10_000))]
    found: dict[str, RuleTable] = {}
    for content in contents:
        if not tables.problems_of(content):
            table = tables.PlantRules(content).table
            found[table.version] = table
    return found


def _outcome(verdict: Verdict) -> dict[str, object]:
    """What each rule said, on what, with which words."""
    return {row.id: row.as_dict() for row in verdict.rules}
