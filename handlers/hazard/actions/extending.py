"""More time (延期): reason, interim measure, another person's consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import outbox
from cards import hazard as cards
from cards.words import local
from handlers.hazard import dispatch, plans
from handlers.hazard.actions.steps import check, leave, tell
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action
from storage.models import Hazard, HazardExtension, Person
from storage.unit_of_work import UnitOfWork


def ask_extension(
    work: UnitOfWork, hazard: Hazard, *, by: Person, reason: str, measure: str, until: datetime, via: str
) -> None:
    """Ask for more time; needs a reason, an interim measure (FC-15) and somebody else's consent."""
    check(work, hazard, Action.REQUEST_EXTENSION, by)
    if cards.open_extension(hazard) is not None:
        raise RuleBroken("extension_open", f"{hazard.number} 已有一个延期申请在等审批。")
    rules.check_extension(
        reason=reason, interim_measure=measure, until=until, due_at=hazard.due_at or work.at, now=work.at
    )
    row = HazardExtension(
        hazard_id=hazard.id, by_id=by.id, reason=reason, measure=measure, asked_at=work.at, until=until
    )
    hazard.extensions.append(row)
    work.flush()
    last = leave(
        work, hazard, "extension_asked", by=by, via=via, from_state=hazard.state, why=reason, until=until.isoformat()
    )
    deciders = [p for p in _deciders(work, hazard) if p.id != by.id]
    to = [a for p in deciders if (a := outbox.address_of(p)) is not None]
    dispatch.post_duty_card(work, hazard, to, purpose="hazard.extension", last=last)
    for person in deciders:
        tell(
            work,
            hazard,
            person,
            f"{hazard.number} {by.name}申请延期到{local(until)}:{reason}\n请在卡片上选“同意延期”或“不同意”。",
            tag="extension",
        )


def _deciders(work: UnitOfWork, hazard: Hazard) -> Sequence[Person]:
    return dispatch.acceptors(work, hazard)


def decide_extension(work: UnitOfWork, hazard: Hazard, *, by: Person, granted: bool, via: str) -> None:
    """Grant or refuse the open request; never by the person who asked."""
    check(work, hazard, Action.APPROVE_EXTENSION if granted else Action.REFUSE_EXTENSION, by)
    row = cards.open_extension(hazard)
    if row is None:
        raise RuleBroken("no_extension", f"{hazard.number} 现在没有等审批的延期申请。")
    if row.by_id == by.id:
        raise RuleBroken("own_extension", "自己申请的延期要由别人审批。")
    row.decided_by_id, row.decided_at, row.granted = by.id, work.at, granted
    if granted:
        hazard.due_at = row.until
        plans.restart(work, hazard)
    action = "extension_granted" if granted else "extension_refused"
    dispatch.redraw(work, hazard, leave(work, hazard, action, by=by, via=via, from_state=hazard.state, why=row.reason))
    asker = work.people.get(row.by_id)
    words = f"同意,新期限{local(row.until)}" if granted else f"不同意,仍按{local(hazard.due_at)}完成"
    tell(work, hazard, asker, f"{hazard.number} 延期申请:{by.name}{words}。", tag=f"ext{row.id}")
