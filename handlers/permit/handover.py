"""Handover of the guardian (监护交接): the one who guards stays until the relief stands at the point and says so (4.10 f)."""

from __future__ import annotations

from bot import outbox
from cards.permit import HANDOVER_TO
from cards.words import zone
from handlers.permit import cast
from handlers.permit.actions import leave_line
from rules import certificates
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.models import Permit, Person
from storage.unit_of_work import UnitOfWork

SIGNED = ("approve", "countersign", "shift_leader")  # nobody guards what they have allowed
OPEN = (PermitState.APPROVED, PermitState.ACTIVE, PermitState.INTERRUPTED, PermitState.SUSPENDED)


def check(work: UnitOfWork, permit: Permit, to: Person) -> None:
    """Whether this person may guard the permit from now on. Raises RuleBroken."""
    if PermitState(permit.state) not in OPEN or permit.ended_at is not None:
        raise RuleBroken("state", f"{permit.number} 现在{PermitState(permit.state).zh},不用交接。")
    if to.id == permit.guardian_id:
        raise RuleBroken("same", f"{to.name}已经是监护人。")
    if cast.is_on(permit, to, cast.WORKER):
        raise RuleBroken("guardian", f"{to.name}是作业人,不能同时当监护人(4.10 f)。")
    if work.permits.guarded_by(to.id, but=permit.id):
        raise RuleBroken("guardian", f"{to.name}正在监护另一处作业,请选别人(4.10 f)。")
    if work.roster.shift_of(to.id, work.at)[0] is False:
        raise RuleBroken("guardian", f"{to.name}现在不当班(请假或不在班),请选当班的人。")
    if any(row.granted and row.person_id == to.id and row.kind in SIGNED for row in permit.approvals):
        raise RuleBroken("guardian", f"{to.name}在这张票上签过字,不能再当监护人,请选别人。")
    card = work.certificates.best(to.id, certificates.guardian_kinds(permit.work))
    until = (permit.valid_until or permit.planned_end or work.at).astimezone(zone()).date()
    if card is None or (card.valid_until is not None and card.valid_until < until):
        raise RuleBroken("guardian", f"{to.name}没有到{until:%m-%d}都有效的监护人培训合格证,请选持证的人(4.10)。")


def give(work: UnitOfWork, permit: Permit, *, by: Person, to: Person, via: str) -> None:
    """Ask the relief to come. Before the start, and by the relief in person, it is done at once."""
    if not cast.may_watch(permit, by):
        raise RuleBroken("who", "您不在这张作业票上,请让票上的人操作。")
    check(work, permit, to)
    if PermitState(permit.state) is PermitState.APPROVED or by.id == to.id:
        _change(work, permit, to, here=by.id == to.id, by=by, via=via)
        return
    permit.facts = {**permit.facts, HANDOVER_TO: to.id}
    last = leave_line(work, permit, "handover", by=by, via=via, why=f"请{to.name}接班")
    people = {person.id: person for person in [*cast.everyone(permit), to]}
    cast.post(work, permit, people.values(), purpose="permit.handover", last=last, urgency=outbox.URGENT)
    name = permit.guardian.name if permit.guardian is not None else "原监护人"
    text = f"{permit.number} 请您接替{name}监护:到现场后点卡片“监护打卡”,接班才算数。"
    cast.tell(work, permit, [to], text, tag=f"relief:{to.id}:{work.at:%d%H%M%S}")


def awaits(permit: Permit, person: Person) -> bool:
    """Whether this person was asked to take over and has not yet."""
    return permit.facts.get(HANDOVER_TO) == person.id and person.id != permit.guardian_id


def take_over(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """The relief stands at the point: from this moment on the other may leave. Raises RuleBroken."""
    check(work, permit, by)
    _change(work, permit, by, here=True, by=by, via=via)


def _change(work: UnitOfWork, permit: Permit, to: Person, *, here: bool, by: Person, via: str) -> None:
    cast.leave(permit, cast.GUARDIAN, work)
    permit.guardian = to
    party = cast.join(permit, to, cast.GUARDIAN, work)
    party.briefed_at = party.checked_in_at = work.at if here else None
    permit.facts = {name: value for name, value in permit.facts.items() if name != HANDOVER_TO}
    work.flush()
    if permit.state != PermitState.APPROVED.value:
        permit.judge_at = work.at
        work.wake.add("chat")
    last = leave_line(work, permit, "took_over", by=by, via=via, why=f"{to.name}接班监护")
    cast.post(work, permit, cast.everyone(permit), purpose="permit.handover", last=last, urgency=outbox.URGENT)
