"""How rules came out before for the same facts: most of a verdict is as it was the last time.

Every row is remembered by what it rested on: the names that were sent, traced while the rule was judged (`Context.judge`).
As long as none of these changed the rule cannot come out differently. What rests on the time is judged each time anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rules.permit.context import AT, LEVEL, Context
from rules.permit.model import Rule, RuleResult, Stage
from rules.permit.table import RuleTable

ROWS = 50  # with more of them a rule's facts hardly come again (a person's number, a measured value)
_AS_THEY_ARE = frozenset({str, bool})
_MARKED = frozenset({int, float, type(None)})
"""1, 1.0 and True are equal and mean different things; so do null and nothing sent, which gives None."""


class Remembered:
    """One rule for one work, level and stage of one table."""

    __slots__ = ("anew", "kept", "rule")

    def __init__(self, rule: Rule):
        self.rule = rule
        self.anew = False
        """Whether it is judged each time: it rests on the time, or what it rests on is hardly ever the same."""
        self.kept: tuple[tuple[str, ...], dict[tuple[Any, ...], RuleResult]] = ((), {})
        """Names that rows rested on so far, and the rows by the values of these. Replaced together: other threads judge too."""

    def row(self, sent: Callable[[str], Any]) -> RuleResult | None:
        """The row for these values (`frozen`) if there is one."""
        names, rows = self.kept
        return rows.get(tuple(map(sent, names)))

    def judge(
        self, context: Context, sent: Callable[[str], Any], judged: Callable[[Rule, Context], RuleResult]
    ) -> RuleResult:
        """The rule's row, remembered for the next time unless it rests on the time."""
        row, reads = context.judge(lambda _: judged(self.rule, context))
        if AT in reads:
            self.anew = True
            return row
        names, rows = self.kept
        if new := reads.difference(names, (LEVEL,)):
            names, rows = (*names, *sorted(new)), {}
            self.kept = names, rows
        values = tuple(map(sent, names))
        if not any(type(value) is object for value in values):
            if len(rows) >= ROWS:
                self.anew, self.kept = True, ((), {})
            else:
                rows[values] = row
        return row


def remembered(table: RuleTable, work: str, level: str | None, stage: Stage | None) -> tuple[Remembered, ...]:
    """The table's rules for these, with their rows of before."""
    key = Remembered, work, level, stage
    found: tuple[Remembered, ...] | None = table.memory.get(key)
    if found is None:
        found = table.memory[key] = tuple(map(Remembered, table.selected(work, level, stage)))
    return found


def frozen(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Plain facts as parts of a key. Two are equal only when the same was sent; what cannot be a key equals nothing."""
    return {name: value if type(value) in _AS_THEY_ARE else part_of_key(value) for name, value in facts.items()}


def part_of_key(value: Any) -> Any:
    """A plain fact as `frozen` has it."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind in _MARKED:
        return kind, value
    if kind is list:
        return kind, *map(part_of_key, value)
    if kind is dict:
        return kind, *((key, part_of_key(item)) for key, item in value.items())
    return object()
