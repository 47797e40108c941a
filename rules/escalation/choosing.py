"""Which plan fits a hazard: the first whose grade, area, category and time of day all hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.escalation.model import Moment, PolicyError
from rules.escalation.reading import read_hours, read_when


def entry_for(
    policy: Mapping[str, Any], *, grade: str, area: str = "", category: str = "", at: Moment | None = None
) -> dict[str, Any]:
    """The stored form of the first plan whose every condition holds, with the policy's words of time.

    Without `at` no plan for a time of day fits. Raises PolicyError when no plan does.
    """
    hours = read_hours(policy)
    facts = {"grade": grade, "area": area, "category": category}
    for number, entry in enumerate(policy["plans"]):
        when = read_when(entry, f"plans[{number}]", hours)
        fits = all(facts[name] in wanted for name, wanted in when.items() if name != "time")
        if fits and hours.holds(when.get("time", ()), at):
            return {**entry, **{name: policy[name] for name in ("shifts", "working_hours") if name in policy}}
    raise PolicyError(f"plans:没有适合的方案(等级 {grade},区域 {area or '—'},类别 {category or '—'})")
