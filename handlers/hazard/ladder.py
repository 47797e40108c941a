"""Climbing the ladder (升级): a step whose time has come tells the next people, when the case still needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import outbox
from cards import hazard as cards
from cards.words import duration
from handlers import duty
from handlers.hazard import dispatch, plans
from handlers.hazard.dispatch import Told
from rules.escalation import person_zh
from rules.terms import Grade, HazardState
from storage.models import Hazard, LadderStep
from storage.unit_of_work import UnitOfWork

NEEDED_IN = {
    "confirm": {HazardState.REPORTED, HazardState.ASSIGNED},
    "stale": {HazardState.ASSIGNED},
    "rectify": {HazardState.REPORTED, HazardState.ASSIGNED, HazardState.RECTIFYING},
    "accept": {HazardState.TO_ACCEPT},
}


def climb(work: UnitOfWork, step: LadderStep) -> None:
    """Tell the people of a taken step. Nothing happens for a closed case, an older generation or a confirmed notice."""
    hazard = work.hazards.find(step.case_id) if step.case_kind == "hazard" else None
    if hazard is None or step.generation != hazard.generation:
        return
    state = HazardState(hazard.state)
    if state not in NEEDED_IN[step.ladder] or (step.ladder == "confirm" and hazard.confirmed_at is not None):
        return
    if step.ladder == "stale":
        hazard.asked_again_at = work.at  # the card asks for the confirmation again
    text = _words(work, hazard, step)
    notices = plans.notices_of(step)
    told = dispatch.deliver_notices(
        work, hazard, notices, purpose=f"hazard.{step.ladder}", tag=f"{step.ladder}{step.position}"
    )
    for person in told.people.values():
        address = outbox.address_of(person)
        if address is not None:
            outbox.say(
                work,
                address,
                text,
                purpose=f"hazard.{step.ladder}",
                case=dispatch.case_of(hazard),
                urgency=dispatch.URGENCY[Grade(hazard.grade)],
                dedupe_key=f"step:{step.id}",
            )
    if not told.people:
        wanted = told.holes or [notice.to for notice in notices]
        next_rung(work, hazard, step.ladder, wanted, after=step.position, key=f"hole:{step.id}")
    elif told.holes:
        tell_holes(work, hazard, told, key=f"hole:{step.id}")
    work.trail.add(
        "hazard",
        hazard.id,
        "escalated",
        at=work.at,
        via="clock",
        from_state=hazard.state,
        to_state=hazard.state,
        why=text,
        data={"ladder": step.ladder, "position": step.position, "told": len(told.people)},
    )


def next_rung(
    work: UnitOfWork,
    hazard: Hazard,
    ladder: str,
    wanted: Sequence[str],
    *,
    after: int,
    key: str,
    at: datetime | None = None,
) -> None:
    """Nobody was reached: the next rung comes in the same tick, and the safety officers hear of the hole; at `at` when it
    can wait."""
    following = [
        s
        for s in work.ladder.of("hazard", hazard.id, generation=hazard.generation)
        if s.ladder == ladder and s.position > after and s.taken_at is None and s.called_off_at is None
    ]
    if following:
        following[0].due_at = min(following[0].due_at, at or work.at)
    then = "已直接通知下一级" if following else "后面没有下一级了,请您直接安排"
    who = "、".join(dict.fromkeys(person_zh(to) for to in wanted))
    nobody = f"{who}没有在岗的人" if who else "这一级没有安排人"
    _tell(work, hazard, f"{nobody},{then}", key=key, at=at)


def tell_holes(work: UnitOfWork, hazard: Hazard, told: Told, *, key: str) -> None:
    """Others of the same step were reached, so it does not climb; the hole is told all the same."""
    who = "、".join(dict.fromkeys(person_zh(to) for to in told.holes))
    _tell(work, hazard, f"{who}没有在岗的人,同一级的其他人已通知", key=key)


def first_sent(work: UnitOfWork, hazard: Hazard, told: Told) -> None:
    """What the first notices left open: nobody reached climbs at once, a hole is told, also one above the owner."""
    plan = plans.plan_of(hazard)
    key = f"hole:first:{hazard.id}:{hazard.generation}"
    if not told.people:
        next_rung(work, hazard, "confirm", told.holes or [n.to for n in plan.first], after=-1, key=key)
    elif told.holes:
        tell_holes(work, hazard, told, key=key)
    elif hazard.owner is not None and not dispatch.owner_by_plan(work, hazard, plan):
        _tell(work, hazard, f"{person_zh(plan.owner)}没有在岗的人,已派给{hazard.owner.name}", key=key)


def _tell(work: UnitOfWork, hazard: Hazard, what: str, *, key: str, at: datetime | None = None) -> None:
    text = f"{hazard.number} 的升级阶梯有空档:{what}。请补上值班或代班。"
    duty.tell_hole(work, text, case=dispatch.case_of(hazard), dedupe_key=key, due_at=at)


def _words(work: UnitOfWork, hazard: Hazard, step: LadderStep) -> str:
    head = cards.line(hazard)
    if step.ladder == "confirm" and hazard.assigned_at is not None:
        return f"还没有人确认,已等{duration((work.at - hazard.assigned_at).total_seconds())}:\n{head}\n请点卡片“确认收到”。"
    if step.ladder == "stale" and hazard.confirmed_at is not None:
        waited = duration((work.at - hazard.confirmed_at).total_seconds())
        return f"已确认{waited},还没有开始整改:\n{head}\n开始了请点“开始整改”,还在准备请再点一次“确认收到”;不归您管请点“转派”。"
    if step.ladder == "accept" and hazard.submitted_at is not None:
        return f"整改已提交{duration((work.at - hazard.submitted_at).total_seconds())},请到现场验收:\n{head}"
    if hazard.due_at is not None and hazard.due_at > work.at:
        return f"还有{duration((hazard.due_at - work.at).total_seconds())}到期:\n{head}"
    late = (work.at - hazard.due_at).total_seconds() if hazard.due_at else 0
    return f"已逾期{duration(late)}:\n{head}\n改不完请点“申请延期”并写临时措施。"
