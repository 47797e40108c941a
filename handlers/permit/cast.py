"""Who is on a permit, who must sign it, and how all of them are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot import outbox
from bot.outbox import Address
from cards import permit as cards
from cards.words import clock_time
from handlers import duty
from handlers.permit import tables
from rules.errors import RuleBroken
from rules.permit import approval
from rules.permit.life import PermitState
from rules.terms import Role
from storage.models import Permit, PermitApproval, PermitParty, Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

APPLICANT, GUARDIAN, WORKER, APPROVER, LEADER, SIGNER = (
    "applicant",
    "guardian",
    "worker",
    "approver",
    "shift_leader",
    "countersigner",
)


def case_of(permit: Permit) -> tuple[str, int]:
    return ("permit", permit.id)


def join(permit: Permit, person: Person, role: str, work: UnitOfWork) -> PermitParty:
    """Put a person on the permit in a role; one who had left comes back."""
    for party in permit.parties:
        if party.person_id == person.id and party.role == role:
            if party.left_at is not None:
                party.left_at, party.joined_at, party.briefed_at, party.checked_in_at = None, work.at, None, None
            return party
    party = PermitParty(person=person, person_id=person.id, role=role, joined_at=work.at)
    permit.parties.append(party)
    return party


def leave(permit: Permit, role: str, work: UnitOfWork, *, keep: Iterable[int] = ()) -> None:
    """Everyone in this role goes, but those to keep."""
    kept = set(keep)
    for party in permit.parties:
        if party.role == role and party.left_at is None and party.person_id not in kept:
            party.left_at = work.at


def parties(permit: Permit, *roles: str) -> list[PermitParty]:
    """Those on the permit now, in these roles (all when none is named)."""
    return [p for p in permit.parties if p.left_at is None and (not roles or p.role in roles)]


def is_on(permit: Permit, person: Person, *roles: str) -> bool:
    return any(p.person_id == person.id for p in parties(permit, *roles))


# -- signatures

SIGNATURES = {"approve", "countersign"}


def plan_approvals(work: UnitOfWork, permit: Permit, *, raised: bool) -> None:
    """Write down who must sign: the approver of Table B.1 by the plant's posts, then each countersigning unit."""
    rules = tables.rules_of(work)
    needed = approval(rules.table, work=permit.work, level=permit.level or None, raised=raised)
    work.permits.drop_approvals(permit, "approve", "countersign")
    permit.approvals.append(
        PermitApproval(
            kind="approve", step=needed.role, wanted_role=rules.post(needed.role).value, words=needed.role_zh
        )
    )
    usual = approval(rules.table, work=permit.work, level=permit.level or None)
    if raised and rules.post(usual.role) is rules.post(needed.role):
        # one post of the plant stands for both: raised means that somebody more has to sign, never one person twice
        permit.approvals.append(
            PermitApproval(
                kind="countersign", step=usual.role, wanted_role=rules.post(usual.role).value, words=usual.role_zh
            )
        )
    if permit.level == "l2" and permit.facts.get("stopped_unit_waiver"):
        # who is named by the applicant has to say so himself: the level was lowered on his word (5.1.4)
        permit.approvals.append(
            PermitApproval(
                kind="countersign",
                step="stopped_unit_waiver",
                wanted_role=rules.post("leader_in_charge").value,
                words="生产负责人或安全管理负责人(停车装置按二级,5.1.4)",
            )
        )
    for unit in needed.countersigns:
        permit.approvals.append(
            PermitApproval(kind="countersign", step=unit[:64], wanted_role=rules.post_of_unit(unit).value, words=unit)
        )


def open_signature(permit: Permit, kind: str) -> PermitApproval | None:
    return next(iter(open_signatures(permit, kind)), None)


def open_signatures(permit: Permit, *kinds: str) -> list[PermitApproval]:
    return [row for row in permit.approvals if row.kind in kinds and row.granted is None]


def may_sign(work: UnitOfWork, permit: Permit, person: Person, row: PermitApproval) -> bool:
    """Whether this person's post reaches the wanted one; nobody on the job signs for himself, nobody twice over."""
    if is_on(permit, person, GUARDIAN, WORKER) or permit.applicant_id == person.id:
        return False
    if signed_otherwise(permit, person, row):
        return False
    ranks = tables.rules_of(work).ranks
    wanted = Role(row.wanted_role)
    if has_role(person, wanted, area_id=permit.area_id):
        return True
    return any(
        ranks.get(grant.role, -1) > ranks.get(wanted.value, 99)
        for grant in person.roles
        if grant.area_id in (None, permit.area_id)
    )


def signed_otherwise(permit: Permit, person: Person, row: PermitApproval) -> str:
    """The unit this person signed for already, so that he may not sign this row; "" when nothing is in the way.

    Who approves looks at what other units agreed to (Table B.1): approver and countersigner of another unit are two people.
    """
    for other in permit.approvals:
        kinds = {other.kind, row.kind}
        his = other.granted and other.person_id == person.id and other.words != row.words
        if his and "approve" in kinds and kinds <= SIGNATURES:
            return other.words
    return ""


def signers(work: UnitOfWork, permit: Permit, kind: str) -> list[Person]:
    """The people asked to sign, for every open signature of the kind."""
    found = [person for row in open_signatures(permit, kind) for person in askable(work, permit, row)]
    return list({person.id: person for person in found}.values())


def askable(work: UnitOfWork, permit: Permit, row: PermitApproval) -> list[Person]:
    """Who of the wanted post is there, by the duty roster where one is kept, or stands in for them (代班).

    Neither standing in nor a line of the roster makes anybody's authority grow (Table B.1): their own post must reach
    the wanted one. Empty when there is nobody: a hole, to be told.
    """
    wanted = Role(row.wanted_role)
    people = work.roster.on_duty(wanted, permit.area_id, work.at)
    if not people and not work.roster.kept(wanted, permit.area_id, work.at):
        people = work.people.with_role(wanted, area_id=permit.area_id)
    return [person for person in duty.present(work, people) if may_sign(work, permit, person, row)]


def standing_in(work: UnitOfWork, permit: Permit, person: Person, role: Role) -> dict[str, Any]:
    """For the trail: ids of those on leave who hold the post, and in whose place the person signs; {} for nobody."""
    away = [p.id for p in work.roster.principals(person, work.at) if has_role(p, role, area_id=permit.area_id)]
    return {"stands_in_for": away} if away else {}


def shift_leaders(work: UnitOfWork, permit: Permit) -> Sequence[Person]:
    """Those who are there and may lead, else the directors above them; empty when there is nobody."""
    for role in (Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR):
        there = [person for person in duty.on_duty(work, role, permit.area_id) if may_lead(permit, person)]
        if there:
            return there
    return []


def may_lead(permit: Permit, person: Person) -> bool:
    """Shift leader of the area, or a director above; not somebody of the job itself."""
    if is_on(permit, person, GUARDIAN, WORKER):
        return False
    return any(has_role(person, role, area_id=permit.area_id) for role in (Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR))


def may_watch(permit: Permit, person: Person) -> bool:
    """Who may stop, pause or finish: everyone on the permit, leaders of the area, safety officers."""
    if is_on(permit, person) or permit.applicant_id == person.id or may_lead(permit, person):
        return True
    return has_role(person, Role.SAFETY_OFFICER) or has_role(person, Role.EXECUTIVE)


def may_answer(permit: Permit, person: Person) -> bool:
    """Who says what no machine knows: the applicant of a request; once it is handed in, whoever may stop the work too."""
    if permit.state in (PermitState.DRAFT.value, PermitState.PENDING_FACTS.value):
        return permit.applicant_id == person.id
    return not PermitState(permit.state).is_final and may_watch(permit, person)


def need_answerer(permit: Permit, person: Person) -> None:
    if not may_answer(permit, person):
        raise RuleBroken("who", "这张作业票现在不由您填写,请让申请人或票上的人填。")


# -- telling


def everyone(permit: Permit) -> list[Person]:
    """All people on the permit, each once."""
    people = [permit.applicant] if permit.applicant is not None else []
    people += [party.person for party in parties(permit)]
    return list({person.id: person for person in people}.values())


def addresses(people: Iterable[Person]) -> list[Address]:
    found = (outbox.address_of(person) for person in people)
    return [address for address in found if address is not None]


def post(
    work: UnitOfWork,
    permit: Permit,
    people: Iterable[Person],
    *,
    purpose: str,
    last: str = "",
    urgency: int = outbox.NORMAL,
    again: str = "",
) -> None:
    """Give the live card its newest content; post it to those who lack it (to all of them anew with `again`)."""
    work.flush()
    outbox.post_card(
        work,
        cards.live_key(permit.id),
        cards.live_card(permit, last=last, waiting=waiting(permit)),
        addresses(people),
        case=case_of(permit),
        purpose=purpose,
        urgency=urgency,
        batch=again,
        again=bool(again),
    )


def post_here(work: UnitOfWork, permit: Permit, to: Address, *, batch: str) -> None:
    """Show the live card in this chat, as a new message."""
    work.flush()
    outbox.post_card(
        work,
        cards.live_key(permit.id),
        cards.live_card(permit, last=f"现在是{PermitState(permit.state).zh}", waiting=waiting(permit)),
        [to],
        case=case_of(permit),
        purpose="permit.asked",
        urgency=outbox.REPLY,
        batch=batch,
        again=True,
    )


def redraw(work: UnitOfWork, permit: Permit, last: str) -> None:
    """Every copy of the live card shows what just happened."""
    work.flush()
    outbox.redraw(work, cards.live_key(permit.id), cards.live_card(permit, last=last, waiting=waiting(permit)))


def tell(
    work: UnitOfWork, permit: Permit, people: Iterable[Person], text: str, *, tag: str, urgency: int = outbox.URGENT
) -> None:
    """One line to each of these people; `tag` keeps a repeat from being sent."""
    for address in addresses(people):
        outbox.say(
            work,
            address,
            text,
            purpose=f"permit.{tag.split(':')[0]}",
            case=case_of(permit),
            urgency=urgency,
            dedupe_key=f"permit:{permit.id}:{permit.generation}:{tag}",
        )


def waiting(permit: Permit) -> list[str]:
    """What is still to be done before the next step, in words for the live card."""
    state = PermitState(permit.state)
    if state is PermitState.SUBMITTED:
        rows = [row for row in permit.approvals if row.kind in ("approve", "countersign") and row.granted is None]
        return ["待签:" + "、".join(row.words for row in rows)] if rows else []
    if permit.ended_at is not None and not state.is_final:
        until = cards.watched_until(permit)
        if until is not None:
            return [f"已收工,监火到{clock_time(until)}"]
        return ["已收工,待验收签字"]
    if state is not PermitState.APPROVED:
        return []
    open_measures = sum(1 for row in permit.approvals if row.kind == "measure" and row.granted is None)
    unbriefed = [p.person.name for p in parties(permit, GUARDIAN, WORKER) if p.briefed_at is None]
    lines = []
    if permit.work == "hot_work" and not any(r.kind == "shift_leader" and r.granted for r in permit.approvals):
        lines.append("待班长验票")
    if open_measures:
        lines.append(f"待确认措施{open_measures}条")
    if wants_briefing(permit):
        lines.append("待交底:申请人或班长说“我来交底”")
    if unbriefed:
        lines.append("待接受交底:" + "、".join(dict.fromkeys(unbriefed)))
    if not any(p.checked_in_at for p in parties(permit, GUARDIAN)):
        lines.append("待监护人到位")
    return lines


def wants_briefing(permit: Permit) -> bool:
    """Whether somebody has not heard the briefing yet and nobody has said that they give it."""
    unheard = any(party.briefed_at is None for party in parties(permit, GUARDIAN, WORKER))
    return unheard and not any(row.kind == "briefing" for row in permit.approvals)
