"""A request for later: no gas sample is taken hours ahead (5.3.1 c, 6.3 a); when one counts, the applicant is told."""

from __future__ import annotations

from datetime import datetime

from bot import outbox
from cards import permit as cards
from cards.words import local
from handlers.permit import cast, gas_facts
from rules.permit import Work
from storage.models import Permit
from storage.unit_of_work import UnitOfWork

NEEDS_GAS = (Work.HOT_WORK.value, Work.CONFINED_SPACE.value)


def counts_from(permit: Permit) -> datetime | None:
    """From when a sample is young enough for the beginning of work; None when none is needed or no time was said."""
    if permit.work not in NEEDS_GAS or permit.planned_start is None:
        return None
    return permit.planned_start - gas_facts.SAMPLE_COUNTS


def too_early(permit: Permit, at: datetime) -> str:
    """Why no sample is asked for yet; "" to ask."""
    first = counts_from(permit)
    if first is None or first <= at:
        return ""
    return f"气体{local(first)}以后再测(离开始须在30分钟内),到时我会提醒您。"


def plan(permit: Permit, at: datetime) -> None:
    """Have the applicant told when the sample is due; a request changed meanwhile is planned anew."""
    first = counts_from(permit)
    permit.judge_at = first if first is not None and first > at else None


def remind(work: UnitOfWork, permit: Permit) -> bool:
    """Tell the applicant, unless somebody took a sample that counts or the time was moved; whether it was told."""
    plan(permit, work.at)  # whoever answers on the page has the permit looked at before its time
    first = counts_from(permit)
    if first is None or permit.planned_start is None or not first <= work.at <= permit.planned_start:
        return False
    if any(test.at >= first for test in permit.gas_tests) or permit.applicant is None:
        return False
    outbox.post_card(
        work,
        f"permit.sample:{permit.id}:{permit.planned_start:%m%d%H%M}",
        cards.sample_card(permit),
        cast.addresses([permit.applicant]),
        purpose="permit.sample",
        case=cast.case_of(permit),
    )
    return True
