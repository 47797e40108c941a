"""Dispatch (派单): who is told through what, by the plan of the policy in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import outbox
from bot.outbox import Address
from cards import hazard as cards
from handlers.hazard import hours
from rules import escalation
from rules.escalation import Notice, Plan
from rules.terms import Grade, Role
from storage.models import Hazard, LadderStep, Person
from storage.unit_of_work import UnitOfWork

URGENCY = {Grade.RED: outbox.ALARM, Grade.ORANGE: outbox.URGENT, Grade.YELLOW: outbox.NORMAL}


def case_of(hazard: Hazard) -> tuple[str, int]:
    return ("hazard", hazard.id)


def choose_plan(work: UnitOfWork, hazard: Hazard) -> Plan:
    """Copy the plan that fits onto the hazard and return it."""
    policy = work.policies.current()
    content: dict[str, Any] = policy.content if policy is not None else escalation.DEFAULT
    area = hazard.area.code if hazard.area else ""
    entry = escalation.entry_for(content, grade=hazard.grade, area=area, category=hazard.category)
    hazard.plan, hazard.policy_version = entry, policy.version if policy is not None else 0
    return escalation.read_plan(entry)


def plan_of(hazard: Hazard) -> Plan:
    """The plan that was copied when the hazard was dispatched."""
    return escalation.read_plan(hazard.plan)


def people_for(work: UnitOfWork, hazard: Hazard, to: str) -> Sequence[Person]:
    """The people a notice is for now: the owner, those who accept, or who holds the role for the hazard's area.

    Whoever is away is replaced by their substitute; the list is empty when nobody is there (a hole in the ladder).
    """
    if to == "owner":
        people = [hazard.owner] if hazard.owner is not None else work.people.with_role(Role.SAFETY_OFFICER)
    elif to == "acceptor":
        return acceptors(work, hazard)
    else:
        people = holders(work, Role(to), hazard.area_id)
    return present(work, people)


def present(work: UnitOfWork, people: Iterable[Person]) -> list[Person]:
    """Those people or who stands in for them, each once."""
    standing = (work.roster.stand_in(person, work.at) for person in people)
    return list({person.id: person for person in standing if person is not None}.values())


def holders(work: UnitOfWork, role: Role, area_id: int | None) -> Sequence[Person]:
    """Who holds the role: by the duty roster when it says, else those of the area, else those of the whole plant."""
    rostered = work.roster.on_duty(role, area_id, work.at)
    if rostered:
        return rostered
    own = work.people.with_role(role, area_id=area_id, exact=True) if area_id is not None else []
    return own or work.people.with_role(role, area_id=None, exact=True)


def acceptors(work: UnitOfWork, hazard: Hazard) -> Sequence[Person]:
    """Who may accept: the plan's role, without owner and rectifier; the next role up when nobody is left."""
    for role in (Role(plan_of(hazard).acceptor), Role.SAFETY_OFFICER, Role.WORKSHOP_DIRECTOR, Role.EXECUTIVE):
        people = [
            p for p in holders(work, role, hazard.area_id) if p.id not in (hazard.rectified_by_id, hazard.owner_id)
        ]
        if people:
            return people
    return []


def find_owner(work: UnitOfWork, hazard: Hazard, plan: Plan) -> Person | None:
    """The holder of the owner role; the next role up when the area has none."""
    for role in dict.fromkeys((Role(plan.owner), Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER)):
        if role is Role.TEAM_LEADER and plan.owner != Role.TEAM_LEADER.value:
            continue
        people = present(work, holders(work, role, hazard.area_id))
        if people:
            return people[0]
    return None


def candidates(work: UnitOfWork, hazard: Hazard) -> list[Person]:
    """People the hazard can be transferred to: the area's leaders and workers, the owner first left out."""
    people: list[Person] = []
    for role in (Role.TEAM_LEADER, Role.WORKER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER):
        people += work.people.with_role(role, area_id=hazard.area_id, exact=hazard.area_id is not None)
    return [p for p in dict.fromkeys(people) if p.id != hazard.owner_id and p.accounts][:10]


def send_first(work: UnitOfWork, hazard: Hazard, plan: Plan) -> None:
    """The first notices, in the same transaction as the filing. A case dispatched anew is a new message, not a redraw."""
    deliver_notices(work, hazard, plan.first, purpose="hazard.dispatch", tag="first", again=hazard.generation > 1)


def deliver_notices(
    work: UnitOfWork, hazard: Hazard, notices: Iterable[Notice], *, purpose: str, tag: str, again: bool = False
) -> int:
    """Write what the notices ask for; a person reached by two of them gets one card. Returns how many people."""
    told: set[int] = set()
    addresses: list[Address] = []
    for notice in notices:
        for person in people_for(work, hazard, notice.to):
            told.add(person.id)
            addresses += _channels(work, hazard, person, notice.channels, purpose=purpose, tag=tag)
    post_duty_card(work, hazard, _one_each(addresses), purpose=purpose, again=again)
    return len(told)


def _one_each(addresses: Sequence[Address]) -> list[Address]:
    """One live card a person, also for somebody with accounts on both platforms."""
    seen: set[int] = set()
    out = []
    for address in addresses:
        if address.person_id is not None:
            if address.person_id in seen:
                continue
            seen.add(address.person_id)
        out.append(address)
    return out


def _channels(
    work: UnitOfWork, hazard: Hazard, person: Person, channels: Sequence[str], *, purpose: str, tag: str
) -> list[Address]:
    """Write to-dos and SMS at once; return where the card goes. A channel the person lacks falls back to the app."""
    cards_to: list[Address] = []
    for channel in channels:
        if channel == "sms":
            _sms(work, hazard, person, purpose=purpose, tag=tag)
        elif channel in ("dingtalk_group", "wecom_group"):
            platform = channel.removesuffix("_group")
            groups = [g for g in work.people.groups_of_workshop(_workshop(hazard)) if g.platform == platform]
            cards_to += [Address(platform, group_id=g.conversation_id) for g in groups] or _app(person)
        elif channel == "dingtalk_todo":
            if not _todo(work, hazard, person, purpose=purpose):
                cards_to += _app(person)
        else:
            cards_to += _app(person, prefer="" if channel == "app" else channel)
    return cards_to


def _workshop(hazard: Hazard) -> str:
    return hazard.area.workshop if hazard.area else ""


def _app(person: Person, *, prefer: str = "") -> list[Address]:
    address = outbox.address_of(person, prefer=prefer)
    return [address] if address is not None else []


def _sms(work: UnitOfWork, hazard: Hazard, person: Person, *, purpose: str, tag: str) -> None:
    outbox.send_sms(
        work,
        person,
        cards.sms_params(hazard),
        purpose=purpose,
        case=case_of(hazard),
        dedupe_key=f"sms:{hazard.id}:{hazard.generation}:{tag}",
    )


def _todo(work: UnitOfWork, hazard: Hazard, person: Person, *, purpose: str) -> bool:
    account = next((a for a in person.accounts if a.platform == "dingtalk"), None)
    if account is None:
        return False
    outbox.send_todo(
        work,
        Address("dingtalk", user_id=account.user_id, person_id=person.id),
        f"{hazard.number} {Grade(hazard.grade).zh}隐患:{hazard.description[:60]}",
        due_at=hazard.due_at,
        page=cards.page_of(hazard),
        purpose=purpose,
        dedupe_key=f"todo:{hazard.id}:{hazard.generation}",
        case=case_of(hazard),
        urgency=URGENCY[Grade(hazard.grade)],
    )
    return True


def post_duty_card(
    work: UnitOfWork,
    hazard: Hazard,
    to: Sequence[Address],
    *,
    purpose: str,
    last: str = "",
    again: bool = False,
) -> None:
    """Post the duty card to those who lack it (to all of them with `again`), and give it its newest content."""
    card = cards.duty_card(hazard, candidates=candidates(work, hazard), last=last)
    outbox.post_card(
        work,
        cards.duty_key(hazard.id),
        card,
        to,
        case=case_of(hazard),
        purpose=purpose,
        urgency=URGENCY[Grade(hazard.grade)],
        again=again,
    )


def redraw(work: UnitOfWork, hazard: Hazard, last: str) -> None:
    """Give every copy of the duty card its newest content; `last` is the line about what just happened."""
    card = cards.duty_card(hazard, candidates=candidates(work, hazard), last=last)
    outbox.redraw(work, cards.duty_key(hazard.id), card)


def start_ladder(work: UnitOfWork, hazard: Hazard, name: str, *, start: datetime) -> None:
    """Write the due steps of one ladder: "confirm" counts from `start`, "rectify" and "accept" around their deadline."""
    plan = plan_of(hazard)
    for position, step in enumerate(plan.ladders[name]):
        due_at = start + timedelta(minutes=step.after_minutes)
        if due_at < work.at:
            continue  # a reminder before a deadline that is nearer than its lead
        if plan.waits_for_working_hours:
            due_at = hours.next_working(due_at)
        work.ladder.add(
            LadderStep(
                case_kind="hazard",
                case_id=hazard.id,
                generation=hazard.generation,
                ladder=name,
                position=position,
                step={"notices": [{"to": n.to, "channels": list(n.channels)} for n in step.notices]},
                due_at=due_at,
            )
        )
