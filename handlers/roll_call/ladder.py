"""The ladder of a roll call: those who are missing are asked again, others are told whom to look for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cards import permit as permit_cards
from cards import roll_call as cards
from handlers import duty
from handlers.hazard import plans
from handlers.roll_call import actions
from rules import escalation
from rules.escalation import MISSING, Notice, person_zh
from rules.terms import Role
from storage.models import LadderStep, RollCall, RollCallMember
from storage.unit_of_work import UnitOfWork

AGAIN, FIRST_HOUR = timedelta(minutes=10), timedelta(hours=1)  # the last step comes again while somebody is missing
LATER = timedelta(hours=1)  # …less often once the first hour is over: by then people are at work on it
AT_MOST = timedelta(hours=24)


def climb(work: UnitOfWork, step: LadderStep) -> None:
    """Ask those who are missing again, and tell those who must look for them who they are."""
    call = work.roll_calls.find(step.case_id)
    if call is None or step.generation != call.generation or call.ended_at is not None:
        return
    if _no_longer_needed(work, call):
        actions.end(work, call, by=None, via="clock", quiet=True)
        return
    left = cards.missing(call)
    if not left:
        return
    _, content = plans.content_of(work, call.policy_version)
    hours, now = escalation.read_hours(content), plans.moment(work.at)
    holes = [
        notice.to
        for notice in plans.notices_of(step)
        if hours.holds(notice.time, now) and not _tell(work, call, notice, left, tag=f"step:{step.id}")
    ]
    if holes:
        who = "、".join(person_zh(to) for to in holes)
        text = (
            f"{call.number} {cards.kind_zh(call)}点名:{who}没有在岗的人。还没确认的:{cards.names(left)}。请您直接安排。"
        )
        duty.tell_hole(work, text, case=actions.case_of(call), dedupe_key=f"hole:{step.id}")
    actions.redraw(work, call)
    actions.leave(work, call, "asked", by=None, via="clock", why=f"未确认{len(left)}人")
    last = max(s.position for s in work.ladder.of("roll_call", call.id, generation=call.generation))
    going_for = work.at - call.started_at
    if step.position == last and going_for < AT_MOST:
        after = AGAIN if going_for < FIRST_HOUR else LATER
        actions.add_step(work, call, last + 1, step.step["notices"], after=after)


def _tell(work: UnitOfWork, call: RollCall, notice: Notice, left: Sequence[RollCallMember], *, tag: str) -> bool:
    """False when nobody can be reached."""
    if notice.to == MISSING:
        actions.ask(work, call, left, notice.channels, tag=tag)
        return True
    people = duty.on_duty(work, Role(notice.to), call.area_id)
    minutes = max(1, int((work.at - call.started_at).total_seconds() // 60))
    text = f"⚠ {call.number} {cards.kind_zh(call)}已{minutes}分钟,还有{len(left)}人没有确认:{cards.names(left)}。请马上联系、找人。"
    reached = actions.say(work, call, people, text, tag=tag) if set(notice.channels) - {"sms"} else 0
    if "sms" in notice.channels:
        for person in people:
            actions.sms(work, call, person, tag=f"roll:{call.id}:{tag}", what="step")
            reached += bool(person.mobile)
    return reached > 0


def _no_longer_needed(work: UnitOfWork, call: RollCall) -> bool:
    """A permit that goes on again needs nobody's «已停工»; one that ran out or waits for its acceptance still does."""
    if call.case_kind != "permit" or call.case_id is None:
        return False
    permit = work.permits.get(call.case_id)
    return permit.state not in ("suspended", "expired") and not permit_cards.unconfirmed(permit)
