"""One rule against one context; shared by the verdict and the search for the smallest fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rules.permit.context import LEVEL, Context
from rules.permit.logic import Unknown
from rules.permit.model import Result, Rule


class Decision(NamedTuple):
    """`reads` are the sent facts (and "@at", "@level") the decision rested on."""

    result: Result
    missing: tuple[str, ...]
    reads: frozenset[str]


def decide(rule: Rule, context: Context, level: str | None) -> Decision:
    """Pass when the bad case is ruled out, the rule's result when it holds, else pending."""
    value, reads = context.judge(rule.when)
    if rule.levels is not None:
        reads |= {LEVEL}
    if isinstance(value, Unknown):
        names = value.names | ({"level"} if rule.levels is not None and level is None else frozenset())
        return Decision(Result.PENDING, tuple(sorted(names)), reads)
    if not value:
        return Decision(Result.PASS, (), reads)
    if rule.levels is not None and level is None:
        return Decision(Result.PENDING, ("level",), reads)
    return Decision(rule.result, (), reads)


def overall(results: Iterable[Result]) -> Result:
    """The worst counts: fail, then pending, then conditional. No rule at all is not a pass."""
    seen = set(results)
    for result in (Result.FAIL, Result.PENDING, Result.CONDITIONAL, Result.PASS):
        if result in seen:
            return result
    return Result.PENDING
