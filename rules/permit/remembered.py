"""How rules came out before for the same facts: most of a verdict is as it was the last time.

Every row is remembered by what it rested on: the names that were sent, traced while the rule was judged (`Context.judge`).
As long as none of these changed the rule cannot come out differently. What rests on the time is judged each time anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from rules.permit.context import Context
from rules.permit.facts import AT, LEVEL, fact_dictionary
from rules.permit.model import Rule, RuleResult, Stage
from rules.permit.table import RuleTable

MEASURED = frozenset({"number", "distance", "quantity", "records"})
ROWS = 50  # of a rule that rests on something measured: with more of them its values hardly come again
MOST = 20_000  # of a whole table, some 12 MB: with more of them all are forgotten
_AS_THEY_ARE = frozenset({str, bool})
_MARKED = frozenset({int, float, type(None)})
"""1, 1.0 and True are equal and mean different things; so do null and nothing sent, which gives None."""


class Remembered:
    """One rule for one work, level and stage of one table."""

    __slots__ = ("anew", "kept", "rule", "shelf")

    def __init__(self, rule: Rule, shelf: Shelf):
        self.rule = rule
        self.shelf = shelf
        self.anew = False
        """Whether it is judged each time: it rests on the time, or what it rests on is hardly ever the same."""
        self.kept: tuple[tuple[str, ...], Callable[[Frozen], Any], dict[Any, RuleResult]] = (), _nothing, {}
        """Names that rows rested on so far, what takes their values, and the rows by these values. Replaced together:
        other threads judge too."""

    def row(self, sent: Frozen) -> RuleResult | None:
        """The row for these values if there is one."""
        _, values_of, rows = self.kept
        return rows.get(values_of(sent))

    def judge(self, context: Context, sent: Frozen, judged: Callable[[Rule, Context], RuleResult]) -> RuleResult:
        """The rule's row, remembered for the next time unless it rests on the time."""
        row, reads = context.judge(lambda _: judged(self.rule, context))
        if AT in reads:
            self.anew = True
            return row
        names, values_of, rows = self.kept
        if new := reads.difference(names, (LEVEL,)):
            names, rows = (*names, *sorted(new)), {}
            values_of = itemgetter(*names)
            self.kept = names, values_of, rows
        if not any(type(sent[name]) is object for name in names):
            if len(rows) >= ROWS and any(map(_is_measured, names)):
                self.anew = True
                self.forget()
            else:
                rows[values_of(sent)] = row
                self.shelf.one_more()
        return row

    def forget(self) -> None:
        names, values_of, _ = self.kept
        self.kept = names, values_of, {}


class Shelf:
    """All that is remembered of one table."""

    def __init__(self) -> None:
        self.rules: list[Remembered] = []
        self.rows = 0
        """At least as many as there are, unless another thread counted at just the same moment."""

    def one_more(self) -> None:
        self.rows += 1
        if self.rows > MOST:
            self.rows = 0
            for one in self.rules:
                one.forget()


def remembered(table: RuleTable, work: str, level: str | None, stage: Stage | None) -> tuple[Remembered, ...]:
    """The table's rules for these, with their rows of before."""
    key = Remembered, work, level, stage
    found: tuple[Remembered, ...] | None = table.memory.get(key)
    if found is None:
        shelf: Shelf = table.memory.setdefault(Shelf, Shelf())
        found = tuple(Remembered(rule, shelf) for rule in table.selected(work, level, stage))
        shelf.rules.extend(found)
        table.memory[key] = found
    return found


def _is_measured(name: str) -> bool:
    fact = fact_dictionary().get(name)
    return fact is not None and fact.type in MEASURED


def _nothing(_: Frozen) -> tuple[()]:
    return ()


class Frozen(dict[str, Any]):
    """Plain facts as parts of a key; None for what was not sent."""

    def __missing__(self, name: str) -> None:
        return None


def frozen(facts: Mapping[str, Any]) -> Frozen:
    """Two are equal only when the same was sent; what cannot be a key equals nothing."""
    return Frozen({name: value if type(value) in _AS_THEY_ARE else part_of_key(value) for name, value in facts.items()})


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
