"""Facts as the rules see them: what the caller sent, checked, and what follows from it (rules/permit/derived.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from functools import cache
from typing import Any

from rules.permit import gas
from rules.permit.derived import DERIVED, KNOWN_NONE, STRICTER
from rules.permit.facts import AT, LEVEL, Clock, Fact, Unusable, fact_dictionary, usable
from rules.permit.functions import INTERNAL_NAMES
from rules.permit.logic import Unknown, unknown
from rules.permit.model import Stage
from rules.permit.table import RuleTable

_UNSET = object()


class Context:
    """A lookup of facts for one judgement; results are remembered, problems collected in Chinese by fact name."""

    def __init__(
        self,
        table: RuleTable,
        raw: Mapping[str, Any],
        *,
        work: str,
        level: str | None,
        at: datetime,
        stage: Stage | None,
    ):
        self.table: RuleTable = table
        self.work: str = work
        self.raw, self.stage = raw, stage
        self._level, self._at = level, at.astimezone(UTC)
        self.clock = Clock(self._at, table.settings.zone, table.settings.skew)
        self.values: dict[str, Any] = {}
        self.problems: dict[str, str] = {}
        self._reads: dict[str, set[str]] = {}
        self._open: list[set[str]] = [set()]

    def carried(self, raw: Mapping[str, Any], *, level: str | None, at: datetime, changed: Set[str]) -> Context:
        """The lookup of other facts, with all that is known here and rests on nothing that `changed` (AT, LEVEL too)."""
        other = Context(self.table, raw, work=self.work, level=level, at=at, stage=self.stage)
        for name, reads in self._reads.items():
            if changed.isdisjoint(reads):
                other.values[name], other._reads[name] = self.values[name], reads
                if name in self.problems:
                    other.problems[name] = self.problems[name]
        return other

    @property
    def look(self) -> Callable[[str], Any]:
        """Of a name its value, the quickest way."""
        return self

    @property
    def at(self) -> datetime:
        self._open[-1].add(AT)
        return self._at

    @property
    def level(self) -> str | None:
        self._open[-1].add(LEVEL)
        return self._level

    def __call__(self, name: str) -> Any:
        value = self.values.get(name, _UNSET)
        if value is _UNSET:
            self._open.append(set())
            value = self.values[name] = self._find(name)
            self._reads[name] = self._open.pop()
        self._open[-1].update(self._reads[name])
        return value

    def judge(self, when: Callable[[Callable[[str], Any]], Any]) -> tuple[Any, frozenset[str]]:
        """A condition's value, and every sent name (and AT, LEVEL) that it rested on.

        Unless one of these changes, the condition cannot come out differently: the fix search leans on that.
        """
        self._open.append(set())
        value = when(self)
        return value, frozenset(self._open.pop())

    def known(self, name: str) -> Any:
        """The value, or None when it is unknown."""
        value = self(name)
        return None if isinstance(value, Unknown) else value

    def sent(self, name: str) -> bool:
        """Whether the caller said anything about this fact (null counts only where null has a meaning)."""
        self._open[-1].add(name)
        if name not in self.raw:
            return False
        return self.raw[name] is not None or fact_dictionary()[name].nullable

    def _find(self, name: str) -> Any:
        derive = DERIVED.get(name)
        if name in INTERNAL_NAMES and derive is not None:
            return derive(self)  # never taken from the caller
        given = self._given(name)
        if derive is None:
            return given
        if name in self.problems:
            return given  # a bad value is never papered over
        stricter = STRICTER.get(name)
        if self.sent(name) and stricter is None:
            return given
        found = derive(self)
        if found is None:
            return given
        if found is KNOWN_NONE:
            return None
        if stricter is None or isinstance(given, Unknown) or given is None:
            return found
        return given if isinstance(found, Unknown) else stricter(given, found)

    def _given(self, name: str) -> Any:
        self._open[-1].add(name)
        fact = fact_dictionary().get(name)
        if fact is None or name not in self.raw:
            return unknown(name)
        if fact.held_to_clock:
            self._open[-1].add(AT)
        value = self.raw[name]
        if value is None:
            return None if fact.nullable else unknown(name)
        try:
            if name == "gas_reading_vol" and isinstance(value, Mapping):
                return gas.to_vol(value.get("value"), value.get("unit"), lel_vol=self.known("gas_lel_vol"))
            return usable(fact, value, self.clock)
        except Unusable as problem:
            self.problems[name] = str(problem)
        except gas.BadReading as problem:
            self.problems[name] = f"{fact.zh}:{problem}"
        return unknown(name)


class Verdicts(Context):
    """A context for one verdict, which asks every rule once: what a rule has read is not noted, so a fact that is known
    already costs a look into a dictionary. The fix search, which leans on the reads, needs a `Context`.
    """

    def __init__(self, table: RuleTable, raw: Mapping[str, Any], **asked: Any):
        super().__init__(table, raw, **asked)
        self.values = _Found(self._find)

    @property
    def look(self) -> Callable[[str], Any]:
        return self.values.__getitem__

    def __call__(self, name: str) -> Any:
        return self.values[name]

    def _find(self, name: str) -> Any:
        """As in a `Context`; facts that follow from nothing else, which most are, without the way round."""
        fact = _told().get(name)
        if fact is None:
            return super()._find(name)
        value = self.raw.get(name)
        if fact.type == "bool" and type(value) is bool:
            return value
        if value is None:
            return None if fact.nullable and name in self.raw else _nobody_says(name)
        try:
            return usable(fact, value, self.clock)
        except Unusable as problem:
            self.problems[name] = str(problem)
        return _nobody_says(name)

    def sent(self, name: str) -> bool:
        value = self.raw.get(name, _UNSET)
        return value is not _UNSET and (value is not None or fact_dictionary()[name].nullable)


@cache
def _told() -> Mapping[str, Fact]:
    """Facts that follow from nothing else: what was sent is all there is."""
    derived = {*DERIVED, *INTERNAL_NAMES}
    return {name: fact for name, fact in fact_dictionary().items() if name not in derived}


@cache
def _nobody_says(name: str) -> Unknown:
    return unknown(name)


class _Found(dict[str, Any]):
    """What was found for a name; found when it is asked for first."""

    def __init__(self, find: Callable[[str], Any]):
        super().__init__()
        self.find = find

    def __missing__(self, name: str) -> Any:
        value = self[name] = self.find(name)
        return value
