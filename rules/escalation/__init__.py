"""Who is told of a hazard, through what, by when it must be confirmed, rectified and accepted, and who is told next.

The policy is data (grade × area × category × time of day → plan); the plant may publish its own versions. A plan is
copied onto the hazard when it is dispatched, so a later edit never changes a running case: the policy is frozen, the
facts (who is on duty, what time it is) are live. docs/escalation.md shows a whole policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.escalation.choosing import entry_for
from rules.escalation.default import DEFAULT
from rules.escalation.model import (
    CHANNELS,
    LADDERS,
    MISSING,
    PEOPLE,
    ROLES,
    ROLL_CALLS,
    Hours,
    Moment,
    Notice,
    Plan,
    PolicyError,
    Span,
    Step,
)
from rules.escalation.reading import problems_of, read_hours, read_plan, read_roll_calls, read_when
from rules.escalation.words import (
    differences,
    ladder_zh,
    notice_zh,
    person_zh,
    plan_lines,
    reminders_zh,
    span_zh,
    step_zh,
    when_zh,
)


def validate(policy: Mapping[str, Any]) -> None:
    """Check a whole policy before it is published. Raises PolicyError with every problem, a line each."""
    problems = problems_of(policy, DEFAULT)
    if problems:
        raise PolicyError(*problems)


def roll_call_steps(policy: Mapping[str, Any], kind: str) -> tuple[Step, ...]:
    """The ladder of a roll call ("gas_alarm", "evacuation", "permit_recall")."""
    return read_roll_calls(policy, DEFAULT["roll_calls"], read_hours(policy))[kind]


def setting(policy: Mapping[str, Any], name: str) -> Any:
    """ "evacuate" or "gas_alarm" of the policy; what it does not say is the default's."""
    given = policy.get(name, DEFAULT[name])
    return {**DEFAULT[name], **given} if isinstance(given, Mapping) else given


__all__ = [
    "CHANNELS",
    "DEFAULT",
    "LADDERS",
    "MISSING",
    "PEOPLE",
    "ROLES",
    "ROLL_CALLS",
    "Hours",
    "Moment",
    "Notice",
    "Plan",
    "PolicyError",
    "Span",
    "Step",
    "differences",
    "entry_for",
    "ladder_zh",
    "notice_zh",
    "person_zh",
    "plan_lines",
    "problems_of",
    "read_hours",
    "read_plan",
    "read_roll_calls",
    "read_when",
    "reminders_zh",
    "roll_call_steps",
    "setting",
    "span_zh",
    "step_zh",
    "validate",
    "when_zh",
]
