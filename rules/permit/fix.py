"""The smallest set of changes that makes a permit pass.

A hitting-set search: whatever set of changes works, it must hold, for every rule that still blocks, at least one change
to something that rule looked at. So the search takes one blocking rule at a time (the one with the fewest candidates)
and tries only those; depth grows one by one, starting at the number of blocking rules that share no candidate. What it
finds first is therefore as small as possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rules.permit.context import AT, LEVEL, Context
from rules.permit.judge import Decision, decide, overall
from rules.permit.model import Change, FixSet, Rule, Stage, apply_changes
from rules.permit.options import FixOptions, Option, Request, candidates
from rules.permit.table import RuleTable, normal_level

__all__ = ["FixOptions", "smallest_fix"]


def smallest_fix(
    table: RuleTable,
    *,
    work: str,
    level: Any,
    at: datetime,
    facts: Mapping[str, Any],
    stage: Stage | None = None,
    options: FixOptions | None = None,
) -> tuple[FixSet, ...]:
    """The smallest sets of changes that flip the verdict to pass or conditional, cheapest first.

    Empty when the verdict allows the work already, or when nothing the plant can do would help. Judging
    ``fix.apply(facts)`` at ``fix.level`` and ``fix.at`` gives ``fix.result``.
    """
    request = Request(table, work, normal_level(work, level), at, facts, stage)
    search = _Search(request, options or FixOptions())
    return search.run()


class _State:
    """A partial set, applied and judged."""

    __slots__ = ("changes", "chosen", "decisions", "request", "rules")

    def __init__(
        self,
        chosen: tuple[Option, ...],
        changes: tuple[Change, ...],
        request: Request,
        rules: tuple[Rule, ...],
        decisions: dict[str, Decision],
    ):
        self.chosen, self.changes, self.request = chosen, changes, request
        self.rules, self.decisions = rules, decisions


class _Search:
    def __init__(self, request: Request, options: FixOptions):
        self.origin, self.options = request, options
        self.by_name: dict[str, list[Option]] = {}
        self.nodes = 0
        self.found: dict[frozenset[str], FixSet] = {}
        self.seen: set[frozenset[str]] = set()
        self.cut = False

    def run(self) -> tuple[FixSet, ...]:
        start = self._judged((), (), self.origin, None)
        if overall(decision.result for decision in start.decisions.values()).allows_work:
            return ()
        for option in candidates(self.origin, self.options):
            for name in option.touches:
                self.by_name.setdefault(name, []).append(option)
        limit = 1
        while self.nodes < self.options.max_nodes:
            self.cut, self.seen, self.next_limit = False, set(), 10_000
            self._deepen(start, limit)
            if self.found or not self.cut:
                break
            limit = max(limit + 1, self.next_limit)
        ranked = sorted(
            self.found.values(), key=lambda fix: (sum(change.cost for change in fix.changes), str(fix.as_dict()))
        )
        return tuple(ranked[: self.options.max_sets])

    def _judged(
        self, chosen: tuple[Option, ...], changes: tuple[Change, ...], request: Request, before: _State | None
    ) -> _State:
        """Judge again, but only the rules that rest on something that changed."""
        context = Context(
            request.table, request.facts, work=request.work, level=request.level, at=request.at, stage=request.stage
        )
        rules = request.table.selected(request.work, request.level, request.stage)
        changed = _changed(before.request, request) if before else None
        decisions = {}
        for rule in rules:
            old = before.decisions.get(rule.id) if before else None
            if old is None or changed is None or not changed.isdisjoint(old.reads):
                old = decide(rule, context, request.level)
            decisions[rule.id] = old
        return _State(chosen, changes, request, rules, decisions)

    def _deepen(self, state: _State, limit: int) -> None:
        key = frozenset(option.id for option in state.chosen)
        if key in self.seen or self.nodes >= self.options.max_nodes or len(self.found) >= self.options.max_sets:
            return
        self.seen.add(key)
        self.nodes += 1
        blocking = [decision for decision in state.decisions.values() if not decision.result.allows_work]
        if not blocking:
            self._keep(state, key)
            return
        choices = sorted((self._choices(state, decision) for decision in blocking), key=len)
        if not choices[0]:
            return
        needed = len(state.chosen) + _disjoint(choices)
        if needed > limit:
            self.cut, self.next_limit = True, min(self.next_limit, needed)
            return
        for option in choices[0]:
            self._deepen(self._with(state, option), limit)

    def _choices(self, state: _State, decision: Decision) -> list[Option]:
        unique = {option.id: option for name in decision.reads for option in self.by_name.get(name, ())}
        usable = [option for option in unique.values() if not any(option.clashes(other) for other in state.chosen)]
        return sorted(usable, key=lambda option: (option.cost, option.id))

    def _with(self, state: _State, option: Option) -> _State:
        chosen = tuple(sorted((*state.chosen, option), key=lambda item: item.id))
        changes, request = applied(chosen, self.origin)
        return self._judged(chosen, changes, request, state)

    def _keep(self, state: _State, key: frozenset[str]) -> None:
        result = overall(decision.result for decision in state.decisions.values())
        self.found[key] = FixSet(state.changes, result, state.request.level, state.request.at)


def applied(chosen: tuple[Option, ...], origin: Request) -> tuple[tuple[Change, ...], Request]:
    """All changes of a set, values filled in: level first, then moves in time, then the rest."""
    order = sorted(chosen, key=lambda option: (LEVEL not in option.fields, not option.moves, option.id))
    request, changes = origin, []
    for option in order:
        change = option.make(request)
        changes.append(change)
        request = replace(
            request,
            level=change.level or request.level,
            at=max(request.at, change.at) if change.at else request.at,
            facts=apply_changes((change,), request.facts),
        )
    return tuple(changes), request


def _changed(before: Request, after: Request) -> set[str]:
    names = {
        name
        for name in before.facts.keys() | after.facts.keys()
        if name not in before.facts or name not in after.facts or before.facts[name] is not after.facts[name]
    }
    if before.level != after.level:
        names.add(LEVEL)
    if before.at != after.at:
        names.add(AT)
    return names


def _disjoint(choices: list[list[Option]]) -> int:
    """A lower bound on what is still needed: blocking rules no single change could serve together."""
    taken: set[str] = set()
    count = 0
    for options in choices:
        ids = {option.id for option in options}
        if taken.isdisjoint(ids):
            taken |= ids
            count += 1
    return count
