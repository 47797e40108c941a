"""The smallest set of changes that makes a permit pass.

Whatever set of changes works must hold, for every rule that still blocks, at least one change to something that rule
looked at. So the search takes one blocking rule at a time (the one with the fewest candidates) and tries only those;
the allowed size grows one by one, starting at a lower bound, so what it finds first is as small as possible.

Blocking rules that no candidate connects are searched apart and the parts joined: their smallest sets add up. The
joined set is judged as a whole; when the parts disturb each other after all, everything is searched together.
Filing at another level counts as one change and is tried around all this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from rules.permit.context import Context
from rules.permit.derived import rests_on
from rules.permit.facts import AT, LEVEL
from rules.permit.judge import Decision, decide, overall
from rules.permit.model import Change, FixSet, Result, Rule, Stage, apply_changes, plain
from rules.permit.options import FixOptions, Option, Request, candidates, level_changes
from rules.permit.remembered import part_of_key
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
    ``fix.apply(facts)`` at ``fix.level`` and ``fix.at`` gives ``fix.result``. ``minimal`` is false only when the
    search ran out of ``options.max_nodes`` before it could rule out a smaller set.
    """
    options = options or FixOptions()
    origin = Request(table, work, normal_level(work, level), at, plain(facts), stage)
    judge = _Judge()
    if not judge.blocking(origin)[0]:
        return ()
    found, most = [], 10_000
    for change in (None, *level_changes(origin)):
        request = origin if change is None else moved(origin, change)
        spent = 0 if change is None else 1
        for answer in _at_level(request, options, most - spent, judge):
            most = min(most, spent + len(answer.chosen))
            found.append((change, answer))
    judge.searches.clear()  # they know their judge: a ring of thousands of objects that only a full collection would free
    smallest = [pair for pair in found if len(pair[1].chosen) + (pair[0] is not None) == most]
    return tuple(_spoken(change, answer) for change, answer in _best(smallest, options.max_sets))


@dataclass(frozen=True)
class _Answer:
    """A set that works at one level: `base` is the request at that level, `after` with the set applied."""

    chosen: tuple[Option, ...]
    base: Request
    after: Request
    result: Result
    minimal: bool


def _spoken(change: Change | None, answer: _Answer) -> FixSet:
    """The set with its words, which the search did without."""
    changes, after = _applied(answer.chosen, answer.base, words=True)
    first = () if change is None else (change,)
    return FixSet((*first, *changes), answer.result, after.level, after.at, answer.minimal)


def moved(request: Request, change: Change) -> Request:
    """The request with one change made."""
    at = max(request.at, change.at) if change.at else request.at
    facts = apply_changes((change,), request.facts)
    return Request(request.table, request.work, change.level or request.level, at, facts, request.stage)


def _applied(chosen: Iterable[Option], origin: Request, *, words: bool) -> tuple[tuple[Change, ...], Request]:
    """All changes of a set with their values filled in: moves in time first, because the rest looks at the clock.

    The search does without the `words`, they take longer than the values.
    """
    request, changes = origin, []
    for option in sorted(chosen, key=_turn):
        change = option.make(request, words)
        changes.append(change)
        request = moved(request, change)
    return tuple(changes), request


def _turn(option: Option) -> tuple[bool, str]:
    return not option.moves, option.id


class _Judge:
    """What one call has found out: hundreds of sets are tried, and a rule sees but a few different facts of them all."""

    def __init__(self) -> None:
        self.searches: dict[tuple[frozenset[str], frozenset[str]], _Search] = {}
        """By rules and options: searches at another level that had nothing to do with the level."""
        self.known: dict[str, tuple[tuple[str, ...], dict[tuple[Any, ...], Decision]]] = {}
        """By rule: the names its decisions rested on so far, and the decisions by the values of these."""

    def decisions(
        self, request: Request, rules: Iterable[Rule], *, near: Context | None = None, changed: Set[str] = frozenset()
    ) -> tuple[dict[str, Decision], Context | None]:
        """How the rules come out, and the context when one was needed. `near`: of a request with other facts `changed`."""
        context: Context | None = None
        found = {}
        for rule in rules:
            names, known = self.known.get(rule.id, ((), {}))
            values = _values(request, names)
            decision = known.get(values)
            if decision is None:
                if context is None:
                    context = _context(request, near, changed)
                decision = decide(rule, context, request.level)
                if new := decision.reads.difference(names):
                    names, known = (*names, *sorted(new)), {}
                    values = _values(request, names)
                    self.known[rule.id] = names, known
                known[values] = decision
            found[rule.id] = decision
        return found, context

    def blocking(self, request: Request) -> tuple[list[Rule], frozenset[str]]:
        """The rules that block, and every name that any rule looked at."""
        rules = request.table.selected(request.work, request.level, request.stage)
        decisions, _ = self.decisions(request, rules)
        reads = frozenset().union(*(decision.reads for decision in decisions.values()))
        return [rule for rule in rules if not decisions[rule.id].result.allows_work], reads - {AT, LEVEL}


def _context(request: Request, near: Context | None, changed: Set[str]) -> Context:
    if near is None:
        return request.context()
    return near.carried(request.facts, level=request.level, at=request.at, changed=changed)


def _values(request: Request, names: Iterable[str]) -> tuple[Any, ...]:
    facts, around = request.facts, {AT: request.at, LEVEL: request.level}
    sent = [around[name] if name in around else part_of_key(facts[name]) if name in facts else None for name in names]
    return tuple(sent)


def _at_level(request: Request, options: FixOptions, most: int, judge: _Judge) -> list[_Answer]:
    """Smallest sets at this level, none larger than `most`; empty when there is none.

    A joined set may disturb a rule that did not block before. That rule then takes part in the grouping, which brings
    the parts that meet in it together, and the parts are searched again.
    """
    if most < 0:
        return []
    rules, looked_at = judge.blocking(request)
    choices = candidates(request, options, looked_at)
    while True:
        solved, exact, total = _solved(request, rules, choices, options, most, judge)
        if solved is None:
            return []
        joined = [_joined(request, chosen, exact, judge) for chosen in _mixed(solved)[: options.max_sets]]
        if answers := [answer for answer in joined if answer.result.allows_work]:
            return answers
        known = {rule.id for rule in rules}
        disturbed = [rule for rule in judge.blocking(joined[0].after)[0] if rule.id not in known]
        if not disturbed:
            break
        rules = [*rules, *disturbed]
    everything = request.table.selected(request.work, request.level, request.stage)
    whole = _Search(request, everything, choices, options, judge, start=total)
    answers = [_joined(request, chosen, whole.exact, judge) for chosen in whole.run()]
    return [answer for answer in answers if answer.result.allows_work and len(answer.chosen) <= most]


def _solved(
    request: Request, rules: Sequence[Rule], choices: Sequence[Option], options: FixOptions, most: int, judge: _Judge
) -> tuple[list[list[tuple[Option, ...]]] | None, bool, int]:
    """The smallest sets of every part, whether they are proven smallest, and their size together.

    None when one part has no set, or when together they would be larger than `most`.
    """
    searches = [_search(request, part, near, options, judge) for part, near in _parts(rules, choices, request.work)]
    total = sum(search.least for search in searches)
    solved: list[list[tuple[Option, ...]]] = []
    for search in searches:
        sets = search.run() if total <= most else []
        if not sets:
            return None, True, total
        solved.append(sets)
        total += len(sets[0]) - search.least
    if total > most:
        return None, True, total
    return solved, all(search.exact for search in searches), total


def _search(
    request: Request, rules: Sequence[Rule], choices: Sequence[Option], options: FixOptions, judge: _Judge
) -> _Search:
    """The search for one part; the one made at another level where that would come out the same."""
    key = frozenset(rule.id for rule in rules), frozenset(option.id for option in choices)
    known = judge.searches.get(key)
    if known is None or not known.is_of_any_level or not _changed(known.origin, request) <= _BY_LEVEL:
        known = judge.searches[key] = _Search(request, rules, choices, options, judge)
    return known


_BY_LEVEL = frozenset({LEVEL, "upgraded"})  # what filing at another level changes, see `level_changes`


def _mixed(solved: Sequence[list[tuple[Option, ...]]]) -> list[tuple[Option, ...]]:
    """The best of every part together, then each other choice of one part with the best of the rest."""
    best = [sets[0] for sets in solved]
    mixes = [best]
    for index, sets in enumerate(solved):
        mixes += [[*best[:index], other, *best[index + 1 :]] for other in sets[1:]]
    return [tuple(option for part in mix for option in part) for mix in mixes]


def _joined(request: Request, chosen: tuple[Option, ...], exact: bool, judge: _Judge) -> _Answer:
    _, after = _applied(chosen, request, words=False)
    rules = after.table.selected(after.work, after.level, after.stage)
    result = overall(decision.result for decision in judge.decisions(after, rules)[0].values())
    return _Answer(chosen, request, after, result, exact)


@cache
def _looks_at(names: frozenset[str], work: str) -> frozenset[str]:
    return frozenset().union(*(rests_on(name, work) for name in names))


def _parts(blocking: Sequence[Rule], choices: Sequence[Option], work: str) -> list[tuple[list[Rule], list[Option]]]:
    """Blocking rules grouped so that no candidate touches two groups, each with the candidates that touch it."""
    parts: list[tuple[list[Rule], dict[str, Option]]] = []
    touching = _by_name(choices)
    for rule in blocking:
        names = _looks_at(rule.when.names, work)
        near = {option.id: option for name in names & touching.keys() for option in touching[name]}
        rules = [rule]
        apart = []
        for other_rules, other_near in parts:
            if near.keys().isdisjoint(other_near):
                apart.append((other_rules, other_near))
            else:
                rules, near = other_rules + rules, {**other_near, **near}
        parts = [*apart, (rules, near)]
    return [(rules, list(near.values())) for rules, near in parts]


def _by_name(choices: Iterable[Option]) -> dict[str, list[Option]]:
    """The options that touch a fact."""
    found: dict[str, list[Option]] = {}
    for option in choices:
        for name in option.touches:
            found.setdefault(name, []).append(option)
    return found


class _State:
    """A partial set, applied and judged. `choices`: by blocking rule what may be added, `needed`: at least how many
    more it takes, both once they were asked for. `after`: by option the set with one more.
    """

    __slots__ = ("after", "choices", "chosen", "context", "decisions", "ids", "needed", "request", "taken")

    def __init__(
        self, chosen: tuple[Option, ...], request: Request, decisions: dict[str, Decision], context: Context | None
    ):
        self.chosen, self.request, self.decisions, self.context = chosen, request, decisions, context
        self.taken = frozenset().union(*(option.fields for option in chosen))
        self.ids = frozenset([option.id for option in chosen])
        self.choices: list[list[Option]] | None = None
        self.needed = 0
        self.after: dict[str, _State] = {}


class _Search:
    """Smallest sets of `choices` after which none of `rules` blocks; `least` is a lower bound on their size."""

    def __init__(
        self,
        request: Request,
        rules: Sequence[Rule],
        choices: Sequence[Option],
        options: FixOptions,
        judge: _Judge,
        start: int = 1,
    ):
        self.origin, self.rules, self.options, self.judge, self.start = request, rules, options, judge, start
        self.states: dict[frozenset[str], _State] = {}
        self.requests: dict[tuple[str, ...], Request] = {(): request}
        self.by_name = _by_name(choices)
        self.by_reads: dict[frozenset[str], list[Option]] = {}
        self.first = _State((), request, *judge.decisions(request, rules))
        self._choices(self.first)
        self.least = self.first.needed
        self.nodes, self.exact = 0, True
        self.found: dict[frozenset[str], tuple[Option, ...]] = {}
        self.sets: list[tuple[Option, ...]] | None = None

    @property
    def is_of_any_level(self) -> bool:
        """Whether it was run and looked at nothing that another level changes."""
        states = (self.first, *self.states.values())
        reads = frozenset().union(*(decision.reads for state in states for decision in state.decisions.values()))
        return self.sets is not None and _BY_LEVEL.isdisjoint(reads)

    def run(self) -> list[tuple[Option, ...]]:
        """The smallest sets, cheapest first; empty when none exists."""
        if self.sets is None:
            self.sets = self._run()
        return self.sets

    def _run(self) -> list[tuple[Option, ...]]:
        limit = max(self.start, self.least)
        while True:
            self.cut, self.seen = 10_000, set[frozenset[str]]()
            self._deepen(self.first, limit)
            if self.nodes >= self.options.max_nodes and not self.found:
                self.exact = False
                return self._greedy()
            if self.found or self.cut == 10_000:
                break
            limit = max(limit + 1, self.cut)
        return sorted(self.found.values(), key=_cost)

    def _blocking(self, state: _State) -> list[Decision]:
        return [decision for decision in state.decisions.values() if not decision.result.allows_work]

    def _deepen(self, state: _State, limit: int) -> None:
        if state.ids in self.seen or self.nodes >= self.options.max_nodes or len(self.found) >= self.options.max_sets:
            return
        self.seen.add(state.ids)
        self.nodes += 1
        choices = self._choices(state)
        if not choices:
            if not any(_dominated(state.chosen, other) for other in self.found.values()):
                self.found[state.ids] = state.chosen
            return
        if not choices[0]:
            return
        needed = len(state.chosen) + state.needed
        if needed > limit:
            self.cut = min(self.cut, needed)
            return
        for option in choices[0]:
            self._deepen(self._with(state, option), limit)

    def _choices(self, state: _State) -> list[list[Option]]:
        """What may be added for each rule that blocks, the rule with the fewest first; empty when none blocks."""
        if state.choices is None:
            found = [self._near(state, decision) for decision in self._blocking(state)]
            state.choices = sorted(found, key=len)
            state.needed = _disjoint(state.choices)
        return state.choices

    def _near(self, state: _State, decision: Decision) -> list[Option]:
        near = self.by_reads.get(decision.reads)
        if near is None:
            unique = {option.id: option for name in decision.reads for option in self.by_name.get(name, ())}
            near = sorted(unique.values(), key=lambda option: (option.cost, option.id))
            self.by_reads[decision.reads] = near
        return [option for option in near if state.taken.isdisjoint(option.fields)]

    def _with(self, state: _State, option: Option) -> _State:
        """With one option more; judged again, but only the rules that rested on something that changed."""
        known = state.after.get(option.id)
        if known is not None:
            return known
        ids = state.ids | {option.id}
        found = self.states.get(ids)
        if found is None:
            chosen = (*state.chosen, option)
            request = self._request(tuple(sorted(chosen, key=_turn)))
            changed = _changed(state.request, request, frozenset().union(*(item.touches for item in chosen)))
            again = [rule for rule in self.rules if not changed.isdisjoint(state.decisions[rule.id].reads)]
            decided, context = self.judge.decisions(request, again, near=state.context, changed=changed)
            found = self.states[ids] = _State(chosen, request, {**state.decisions, **decided}, context)
        state.after[option.id] = found
        return found

    def _request(self, ordered: tuple[Option, ...]) -> Request:
        """As `_applied`, each beginning of a set made once."""
        key = tuple([option.id for option in ordered])
        found = self.requests.get(key)
        if found is None:
            before = self._request(ordered[:-1])
            found = self.requests[key] = moved(before, ordered[-1].make(before, False))
        return found

    def _greedy(self) -> list[tuple[Option, ...]]:
        """A set that works, small but not proven smallest: always the change that unblocks most rules."""
        state = self.first
        while blocking := self._blocking(state):
            tries = [self._with(state, option) for option in self._choices(state)[0]]
            if not tries:
                return []
            best = min(tries, key=lambda item: (len(self._blocking(item)), _cost(item.chosen)))
            if len(self._blocking(best)) > len(blocking) + 2 or len(best.chosen) > 2 * len(self.rules):
                return []
            state = best
        return [state.chosen]


def _cost(chosen: Iterable[Option]) -> tuple[int, str]:
    chosen = sorted(chosen, key=lambda option: option.id)
    return sum(option.cost for option in chosen), " ".join(option.id for option in chosen)


def _dominated(chosen: tuple[Option, ...], better: tuple[Option, ...]) -> bool:
    """Whether a set only swaps changes of `better` for costlier ones that do all the same and more."""
    ours = {option.id: option for option in chosen}
    theirs = {option.id: option for option in better}
    extra = [option for key, option in ours.items() if key not in theirs]
    gone = [option for key, option in theirs.items() if key not in ours]
    return bool(extra) and all(
        any(option.fields >= other.fields and option.cost > other.cost for other in gone) for option in extra
    )


def _best(found: Sequence[tuple[Change | None, _Answer]], count: int) -> list[tuple[Change | None, _Answer]]:
    """The cheapest sets; of sets that differ only in the level, the nearest level."""

    def rank(pair: tuple[Change | None, _Answer]) -> tuple[int, str, str]:
        change, answer = pair
        cost, ids = _cost(answer.chosen)
        return cost + (change.cost if change else 0), ids, change.id if change else ""

    kept: dict[tuple[bool, str], tuple[Change | None, _Answer]] = {}
    for pair in sorted(found, key=rank):
        kept.setdefault((pair[0] is not None, _cost(pair[1].chosen)[1]), pair)
    return list(kept.values())[:count]


_ABSENT = object()


def _changed(before: Request, after: Request, names: Iterable[str] | None = None) -> set[str]:
    """What differs, at most `names`: all facts when nothing is said."""
    get, now = before.facts.get, after.facts.get
    asked = before.facts.keys() | after.facts.keys() if names is None else names
    changed = {name for name in asked if get(name, _ABSENT) is not now(name, _ABSENT)}
    if before.at != after.at:
        changed.add(AT)
    if before.level != after.level:
        changed.add(LEVEL)
    return changed


def _disjoint(choices: Sequence[list[Option]]) -> int:
    """A lower bound on what is still needed: blocking rules no single change could serve together."""
    taken: set[str] = set()
    count = 0
    for options in sorted(choices, key=len):
        ids = {option.id for option in options}
        if taken.isdisjoint(ids):
            taken |= ids
            count += 1
    return count
