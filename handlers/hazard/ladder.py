"""Climbing the ladder (升级): a step whose time has come tells the next people, when the case still needs it."""

from __future__ import annotations

from bot import outbox
from cards import hazard as cards
from cards.words import duration
from handlers.hazard import dispatch
from rules.escalation import Notice
from rules.terms import Grade, HazardState, Role
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
    notices = [Notice(n["to"], tuple(n["channels"])) for n in step.step["notices"]]
    text = _words(work, hazard, step)
    told: set[str] = set()
    for notice in notices:
        for person in dispatch.people_for(work, hazard, notice.to):
            address = outbox.address_of(person)
            if address is not None and address.key not in told:
                told.add(address.key)
                outbox.say(
                    work,
                    address,
                    text,
                    purpose=f"hazard.{step.ladder}",
                    case=dispatch.case_of(hazard),
                    urgency=dispatch.URGENCY[Grade(hazard.grade)],
                    dedupe_key=f"step:{step.id}",
                )
    dispatch.deliver_notices(
        work, hazard, notices, purpose=f"hazard.{step.ladder}", tag=f"{step.ladder}{step.position}"
    )
    if not told:
        _hole(work, hazard, step)
    work.trail.add(
        "hazard",
        hazard.id,
        "escalated",
        at=work.at,
        via="clock",
        from_state=hazard.state,
        to_state=hazard.state,
        why=text,
        data={"ladder": step.ladder, "position": step.position, "told": len(told)},
    )


def _hole(work: UnitOfWork, hazard: Hazard, step: LadderStep) -> None:
    """Nobody is there for this rung: the next one comes in the same tick, and the safety officers hear of the hole."""
    following = [s for s in work.ladder.of("hazard", hazard.id) if _follows(s, step)]
    if following:
        following[0].due_at = work.at
    wanted = "、".join(sorted({n["to"] for n in step.step["notices"]}))
    for officer in work.people.with_role(Role.SAFETY_OFFICER):
        address = outbox.address_of(officer)
        if address is not None:
            outbox.say(
                work,
                address,
                f"{hazard.number} 的升级阶梯有空档:{wanted}没有在岗的人,已直接通知下一级。请补上值班或代班。",
                purpose="hazard.hole",
                case=dispatch.case_of(hazard),
                urgency=outbox.URGENT,
                dedupe_key=f"hole:{step.id}",
            )


def _follows(other: LadderStep, step: LadderStep) -> bool:
    same = (other.generation, other.ladder) == (step.generation, step.ladder)
    return same and other.position > step.position and other.taken_at is None and other.called_off_at is None


def _words(work: UnitOfWork, hazard: Hazard, step: LadderStep) -> str:
    head = cards.line(hazard)
    if step.ladder == "confirm" and hazard.assigned_at is not None:
        return f"还没有人确认,已等{duration((work.at - hazard.assigned_at).total_seconds())}:\n{head}\n请点卡片“确认收到”。"
    if step.ladder == "stale" and hazard.confirmed_at is not None:
        waited = duration((work.at - hazard.confirmed_at).total_seconds())
        return f"已确认{waited},还没有开始整改:\n{head}\n开始了请点“开始整改”;不归您管请点“转派”。"
    if step.ladder == "accept" and hazard.submitted_at is not None:
        return f"整改已提交{duration((work.at - hazard.submitted_at).total_seconds())},请到现场验收:\n{head}"
    if hazard.due_at is not None and hazard.due_at > work.at:
        return f"还有{duration((hazard.due_at - work.at).total_seconds())}到期:\n{head}"
    late = (work.at - hazard.due_at).total_seconds() if hazard.due_at else 0
    return f"已逾期{duration(late)}:\n{head}\n改不完请点“申请延期”并写临时措施。"
