"""One rule against one context; shared by the verdict and the search for the smallest fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rules.permit.context import Context
from rules.permit.facts import LEVEL
from rules.permit.logic import Unknown
from rules.permit.model import Result, Rule


class Decision(NamedTuple):
    """`reads` are the sent facts (and "@at", "@level") the decision rested on."""

    result: Result
    missing: tuple[str, ...]
    reads: frozenset[str]


def decide(rule: Rule, context: Context, level: str | None) -> Decision:
    """How the rule comes out, and on what that rests."""
    value, reads = context.judge(rule.when)
    if rule.levels is not None:
        reads |= {LEVEL}
    return Decision(*outcome(rule, value, level), reads)


def outcome(rule: Rule, value: Any, level: str | None) -> tuple[Result, tuple[str, ...]]:
    """Pass when the bad case is ruled out, the rule's result when it holds, else pending with what is missing.

    `value`: of the rule's condition.
    """
    if type(value) is Unknown:
        names = value.names | ({"level"} if rule.levels is not None and level is None else frozenset())
        return Result.PENDING, tuple(sorted(names))
    if not value:
        return Result.PASS, ()
    if rule.levels is not None and level is None:
        return Result.PENDING, ("level",)
    return rule.result, ()


def overall(results: Iterable[Result]) -> Result:
    """The worst counts: fail, then pending, then conditional. No rule at all is not a pass."""
    seen = set(results)
    for result in (Result.FAIL, Result.PENDING, Result.CONDITIONAL, Result.PASS):
        if result in seen:
            return result
    return Result.PENDING
