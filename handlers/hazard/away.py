"""A leave begins: hazards that wait for the person wait for who stands in, else the hole is told. Nobody waits on who is away.

Low grades wait for working hours here as everywhere, high grades never. The caller commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot import outbox
from bot.outbox import Address
from cards import hazard as cards
from cards.words import local
from handlers import duty
from handlers.hazard import dispatch, hours, ladder, plans
from rules.terms import OPEN_STATES, Grade, HazardState
from storage.models import Hazard, Leave, Person
from storage.unit_of_work import UnitOfWork

HANDED_OVER = "handed_over"


def hand_over(work: UnitOfWork, hazard_id: int, leave_id: int) -> bool:
    """See to one hazard, once a leave; whether it waited for somebody who is away."""
    leave = work.roster.leave(leave_id)
    hazard = work.hazards.find(hazard_id)
    if hazard is None or HazardState(hazard.state) not in OPEN_STATES:
        return False
    hazard = work.hazards.get(hazard_id, lock=True)
    lines = work.trail.of("hazard", hazard.id)
    if any(line.action == HANDED_OVER and line.data.get("leave") == leave.id for line in lines):
        return False
    done = []
    if hazard.state != HazardState.TO_ACCEPT.value and hazard.owner_id in work.roster.behind(leave.person_id, work.at):
        done.append(_of_owner(work, hazard, leave))
    if hazard.state == HazardState.TO_ACCEPT.value or cards.open_extension(hazard) is not None:
        done.append(_of_acceptors(work, hazard, leave))
    why = ";".join(words for words in done if words)
    if why:
        work.trail.add(
            "hazard",
            hazard.id,
            HANDED_OVER,
            at=work.at,
            via="clock",
            from_state=hazard.state,
            to_state=hazard.state,
            why=why,
            data={"leave": leave.id},
        )
    return bool(why)


def _of_owner(work: UnitOfWork, hazard: Hazard, leave: Leave) -> str:
    owner = hazard.owner
    if owner is None:
        return ""
    there = _reachable(duty.present(work, [owner]))
    if there:
        text = f"{owner.name}请假到{local(leave.ends_at)},这条隐患请您代管:\n{cards.line(hazard)}\n发编号可以办理。"
        _ask(work, hazard, there, text, leave, tag="owner")
        return f"{leave.person.name}请假,{_names(there)}代{owner.name}"
    if hazard.confirmed_at is None and HazardState(hazard.state) in plans.CONFIRMABLE:
        key = _key(hazard, leave, "hole")
        ladder.next_rung(work, hazard, "confirm", ["owner"], after=-1, key=key, at=when(work, hazard))
        return f"{owner.name}请假,没有代班人,已通知下一级"
    _hole(work, hazard, leave, f"责任人{owner.name}请假到{local(leave.ends_at)},没有代班人。请转派或安排代班。")
    return f"{owner.name}请假,没有代班人,已告知安全员"


def _of_acceptors(work: UnitOfWork, hazard: Hazard, leave: Leave) -> str:
    """Others are asked when those who may decide now never saw the card; the ladder goes on as it stands."""
    what = "待验收" if hazard.state == HazardState.TO_ACCEPT.value else "有延期申请待审批"
    there = [p for p in dispatch.acceptors(work, hazard) if work.roster.leave_of(p.id, work.at) is None]
    if not there:
        _hole(work, hazard, leave, f"{what},能办的人都在请假,没有代班人。请安排代班。")
        return f"{what},没有在岗的人,已告知安全员"
    new = _reachable(person for person in there if person.id not in _have_card(work, hazard))
    if not new:
        return ""
    text = f"{leave.person.name}请假,这条隐患{what},请您办理:\n{cards.line(hazard)}\n发编号可以办理。"
    _ask(work, hazard, new, text, leave, tag="accept")
    return f"{leave.person.name}请假,{what}已请{_names(new)}"


def _ask(work: UnitOfWork, hazard: Hazard, people: Sequence[Person], text: str, leave: Leave, *, tag: str) -> None:
    due_at = when(work, hazard)
    to = [address for person in people if (address := outbox.address_of(person)) is not None]
    if due_at <= work.at:
        dispatch.post_duty_card(work, hazard, to, purpose="hazard.away", last=f"{leave.person.name}请假,已转交")
    for address in to:
        _say(work, hazard, address, text, key=_key(hazard, leave, tag), when=due_at)
    for person in people:  # whom no app reaches
        if outbox.address_of(person) is None:
            outbox.send_sms(
                work,
                person,
                cards.sms_params(hazard),
                purpose="hazard.away",
                dedupe_key=f"sms:{_key(hazard, leave, tag)}",
                case=dispatch.case_of(hazard),
                urgency=dispatch.URGENCY[Grade(hazard.grade)],
            )


def _say(work: UnitOfWork, hazard: Hazard, to: Address, text: str, *, key: str, when: datetime) -> None:
    outbox.say(
        work,
        to,
        text,
        purpose="hazard.away",
        case=dispatch.case_of(hazard),
        urgency=dispatch.URGENCY[Grade(hazard.grade)],
        dedupe_key=key,
        due_at=when,
    )


def _hole(work: UnitOfWork, hazard: Hazard, leave: Leave, words: str) -> None:
    case, key = dispatch.case_of(hazard), _key(hazard, leave, "hole")
    duty.tell_hole(work, f"{hazard.number} {words}", case=case, dedupe_key=key, due_at=when(work, hazard))


def _key(hazard: Hazard, leave: Leave, tag: str) -> str:
    return f"away:{hazard.id}:{hazard.generation}:{leave.id}:{tag}"


def when(work: UnitOfWork, hazard: Hazard) -> datetime:
    """Now, or when people of a low grade are told."""
    plan = dispatch.plan_of(hazard)
    return hours.next_working(work.at, plan.hours.working) if plan.waits_for_working_hours else work.at


def _have_card(work: UnitOfWork, hazard: Hazard) -> set[int | None]:
    """Who has the hazard's card, or is about to get it."""
    card = work.cards.by_key(cards.duty_key(hazard.id))
    if card is None:
        return set()
    shown = {copy.person_id for post in card.posts if post.state == "live" for copy in post.copies}
    return shown | {row.person_id for row in work.outbox.waiting_for_card(card.id)}


def _reachable(people: Iterable[Person]) -> list[Person]:
    return [person for person in people if outbox.address_of(person) is not None or person.mobile]


def _names(people: Iterable[Person]) -> str:
    return "、".join(person.name for person in people)
