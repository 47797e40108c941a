"""Dispatch (派单): who is told through what, by the plan of the policy in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot import outbox
from bot.outbox import Address
from cards import hazard as cards
from handlers import duty
from handlers.duty import holders, present
from handlers.hazard import plans
from handlers.hazard.plans import choose_plan, plan_of, start_ladder
from rules.escalation import Notice, Plan
from rules.terms import Grade, Role
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork

URGENCY = {Grade.RED: outbox.ALARM, Grade.ORANGE: outbox.URGENT, Grade.YELLOW: outbox.NORMAL}


def case_of(hazard: Hazard) -> tuple[str, int]:
    return ("hazard", hazard.id)


def people_for(work: UnitOfWork, hazard: Hazard, to: str) -> Sequence[Person]:
    """The people a notice is for now: the owner, those who accept, or who holds the role for the hazard's area.

    Whoever is away is replaced by their substitute; the list is empty when nobody is there (a hole in the ladder).
    """
    if to == "acceptor":
        return acceptors(work, hazard)
    if to != "owner":
        return duty.on_duty(work, Role(to), hazard.area_id)
    if hazard.owner is not None:
        return duty.present(work, [hazard.owner])
    return duty.safety_officers(work)


def acceptors(work: UnitOfWork, hazard: Hazard) -> Sequence[Person]:
    """Who may accept: the plan's role, without owner and rectifier; the next role up when nobody is left.

    Whoever is away is replaced by their substitute. When nobody at all is on duty, those who hold the roles are asked.
    """
    fixers = (hazard.rectified_by_id, hazard.owner_id)
    roles = (Role(plan_of(hazard).acceptor), Role.SAFETY_OFFICER, Role.WORKSHOP_DIRECTOR, Role.EXECUTIVE)
    for find in (duty.on_duty, _holders_at_all):
        for role in roles:
            people = [p for p in find(work, role, hazard.area_id) if p.id not in fixers]
            if people:
                return people
    return []


def _holders_at_all(work: UnitOfWork, role: Role, area_id: int | None) -> list[Person]:
    return list(work.people.with_role(role, area_id=area_id))


def find_owner(work: UnitOfWork, hazard: Hazard, plan: Plan) -> Person | None:
    """The holder of the owner role; the next role up when the area has none."""
    for role in dict.fromkeys((Role(plan.owner), Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER)):
        if role is Role.TEAM_LEADER and plan.owner != Role.TEAM_LEADER.value:
            continue
        people = duty.on_duty(work, role, hazard.area_id)
        if people:
            return people[0]
    return None


def owner_by_plan(work: UnitOfWork, hazard: Hazard, plan: Plan) -> bool:
    """Whether the owner is of the role the plan names, or stands in for one who is."""
    owner = hazard.owner
    return owner is not None and Role(plan.owner) in duty.roles_of(work, owner, hazard.area_id)


def candidates(work: UnitOfWork, hazard: Hazard) -> list[Person]:
    """People the hazard can be transferred to: the area's leaders and workers, the owner first left out."""
    people: list[Person] = []
    for role in (Role.TEAM_LEADER, Role.WORKER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER):
        people += work.people.with_role(role, area_id=hazard.area_id, exact=hazard.area_id is not None)
    return [p for p in dict.fromkeys(people) if p.id != hazard.owner_id and outbox.pick_account(p) is not None][:10]


@dataclass(slots=True)
class Told:
    """Who was reached by a step: the people, and whom of those it names nobody stands for (holes)."""

    people: dict[int, Person] = field(default_factory=dict)
    holes: list[str] = field(default_factory=list)


def send_first(work: UnitOfWork, hazard: Hazard, plan: Plan) -> Told:
    """The first notices, in the same transaction as the filing. A case dispatched anew is a new message, not a redraw."""
    return deliver_notices(
        work, hazard, plan.first, purpose="hazard.dispatch", tag="first", again=hazard.generation > 1
    )


def deliver_notices(
    work: UnitOfWork, hazard: Hazard, notices: Sequence[Notice], *, purpose: str, tag: str, again: bool = False
) -> Told:
    """Write what the notices for this time of day ask for; a person reached by two of them gets one card."""
    told = Told()
    addresses: list[Address] = []
    for notice in plans.for_now(work, hazard, notices):
        reached = [p for p in people_for(work, hazard, notice.to) if outbox.address_of(p) is not None or p.mobile]
        if not reached:
            told.holes.append(notice.to)
            if "sms" in notice.channels:
                _sms_to_gone(work, hazard, notice.to, purpose=purpose, tag=tag)
        for person in reached:
            told.people[person.id] = person
            addresses += _channels(work, hazard, person, notice.channels, purpose=purpose, tag=tag)
    post_duty_card(work, hazard, _one_each(addresses), purpose=purpose, again=again)
    return told


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
            if not _sms(work, hazard, person, purpose=purpose, tag=tag):
                cards_to += _app(person)
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


def _sms(work: UnitOfWork, hazard: Hazard, person: Person, *, purpose: str, tag: str) -> bool:
    """False for a person without a mobile number."""
    if not person.mobile:
        return False
    outbox.send_sms(
        work,
        person,
        cards.sms_params(hazard),
        purpose=purpose,
        case=case_of(hazard),
        dedupe_key=f"sms:{hazard.id}:{hazard.generation}:{tag}",
    )
    return True


def _sms_to_gone(work: UnitOfWork, hazard: Hazard, to: str, *, purpose: str, tag: str) -> None:
    """Nobody of the role is there. Who lost their chat account may be in the plant all the same: the phone rings at
    least, and the step stays a hole."""
    if to in ("owner", "acceptor"):
        return
    for person in duty.holders(work, Role(to), hazard.area_id):
        if person.active and person.gone and work.roster.leave_of(person.id, work.at) is None:
            _sms(work, hazard, person, purpose=purpose, tag=tag)


def _todo(work: UnitOfWork, hazard: Hazard, person: Person, *, purpose: str) -> bool:
    account = next((a for a in person.accounts if a.platform == "dingtalk" and a.left_at is None), None)
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


__all__ = [
    "Told",
    "acceptors",
    "candidates",
    "case_of",
    "choose_plan",
    "deliver_notices",
    "find_owner",
    "holders",
    "people_for",
    "plan_of",
    "post_duty_card",
    "present",
    "redraw",
    "send_first",
    "start_ladder",
]
