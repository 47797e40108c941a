"""A signature that nobody is there to give: the safety officers and the applicant hear of it, with who may give it.

A signer is on leave or off duty, and nobody of a post that is not lower stands in (GB 30871-2022 Table B.1: the level of
an approval is never lowered). The request waits; it is never approved by somebody lower.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot import outbox
from cards import permit as cards
from handlers import duty
from handlers.permit import cast, tables
from rules.permit.life import PermitState
from rules.terms import Role
from storage.models import Permit, PermitApproval, Person
from storage.permits import LIVE
from storage.unit_of_work import UnitOfWork

SHOWN = 3
WAITING = (PermitState.SUBMITTED.value, *LIVE)
SIGNATURE, LOOK, ACCEPTANCE = "签字", "验票", "验收"


def tell_unsigned(work: UnitOfWork, permit: Permit) -> int:
    """Tell of every open signature that nobody who is there can give, once a submission; how many there are."""
    rows = cast.open_signatures(permit, "approve", "countersign")
    asked = {row.id: cast.askable(work, permit, row) for row in rows}
    count = 0
    for row in rows:
        others = [unit for unit in rows if unit.kind != row.kind and unit.words != row.words]
        torn = {one[0].id: one[0].name for unit in others if len(one := asked[unit.id]) == 1}
        if row.kind == "approve" and all(person.id in torn for person in asked[row.id]):
            _tell(work, permit, row, torn=list(torn.values()) if asked[row.id] else [])
        elif not asked[row.id]:
            _tell(work, permit, row)
        else:
            continue
        count += 1
    return count


def _tell(work: UnitOfWork, permit: Permit, row: PermitApproval, torn: Sequence[str] = ()) -> None:
    """`torn`: who would be the only one to sign for another unit too, and may not do both."""
    wanted = Role(row.wanted_role)
    posted = work.people.with_role(wanted, area_id=permit.area_id)
    away = _away(work, posted)
    signed = [person.name for person in posted if cast.signed_otherwise(permit, person, row)]
    if torn or signed:
        away = "".join(
            f",{name}{'已' if name in signed else '要'}为别的单位会签,不能再审批" for name in (torn or signed)
        )
    others = [person for person in _others(work, permit, row) if person.name not in torn]
    named = "、".join(person.name for person in others[:SHOWN])
    what = f"{permit.number} 要{row.words}签字,现在没有人可签({wanted.zh}{away or '没有人在岗'})"
    do = f"可以签的还有:{named},请联系" if named else "请安排同级或更高的人代班"
    stamp = f"{row.step}:{permit.submitted_at:%d%H%M%S}"
    duty.tell_hole(
        work,
        f"{what}。{do};不得由更低一级的人代签(表B.1)。",
        case=cast.case_of(permit),
        dedupe_key=f"permit:{permit.id}:hole:{stamp}",
    )
    told = [permit.applicant] if permit.applicant is not None else []
    cast.tell(work, permit, told, f"{what}。已告知安全员。{do}。", tag=f"unsigned:{stamp}", urgency=outbox.NORMAL)


def _others(work: UnitOfWork, permit: Permit, row: PermitApproval) -> list[Person]:
    """Who is there and may sign, by whatever post; only holders of posts are looked at, not the whole plant."""
    ranks, wanted = tables.rules_of(work).ranks, Role(row.wanted_role)
    posts = [wanted, *(Role(name) for name, rank in ranks.items() if rank > ranks.get(wanted.value, 99))]
    held = {p.id: p for post in posts for p in work.people.with_role(post, area_id=permit.area_id)}
    able = [person for person in held.values() if cast.may_sign(work, permit, person, row)]
    return [person for person in able if duty.present(work, [person]) == [person]]


def tell_no_leader(work: UnitOfWork, permit: Permit, what: str) -> None:
    """No shift leader is there for `what` (验票, 验收): the directors above were asked, or nobody was."""
    leaders = duty.on_duty(work, Role.TEAM_LEADER, permit.area_id)
    if any(cast.may_lead(permit, person) for person in leaders):
        return
    asked = "、".join(person.name for person in list(cast.shift_leaders(work, permit))[:SHOWN])
    away = _away(work, work.people.with_role(Role.TEAM_LEADER, area_id=permit.area_id))
    then = f"已请{asked}{what}" if asked else "车间主任也没有人在岗,请安排人"
    duty.tell_hole(
        work,
        f"{permit.number} 待{what},当班班长{away or '没有人在岗'}。{then}。",
        case=cast.case_of(permit),
        dedupe_key=f"permit:{permit.id}:{permit.generation}:hole:{what}",
    )


def _away(work: UnitOfWork, people: Sequence[Person]) -> str:
    """«王芳请假,没有代班人;周敏请假,代班人李强的岗位不够»; "" when none of them is on leave."""
    lines = []
    for person in people:
        if work.roster.leave_of(person.id, work.at) is None:
            continue
        there = duty.present(work, [person])
        lines.append(f"{person.name}请假," + (f"代班人{there[0].name}的岗位不够" if there else "没有代班人"))
    return ":" + ";".join(lines[:SHOWN]) if lines else ""


def waiting(work: UnitOfWork) -> list[int]:
    """Ids of permits that wait for a signature, for the shift leader's look or for the acceptance."""
    return [permit.id for permit in work.permits.live(states=WAITING) if _waits_for(permit)]


def ask_again(work: UnitOfWork) -> None:
    """Somebody went on leave or came back: who is asked for what permits wait for may have changed."""
    for permit in work.permits.live(states=WAITING):
        _ask(work, permit)


def ask_about(work: UnitOfWork, permit_id: int) -> None:
    """The same for one permit."""
    _ask(work, work.permits.get(permit_id, lock=True))


def _ask(work: UnitOfWork, permit: Permit) -> None:
    what = _waits_for(permit)
    if what == SIGNATURE:
        asked = [person for kind in ("countersign", "approve") for person in cast.signers(work, permit, kind)]
        _post_to_new(work, permit, asked, purpose="permit.submitted", last="值班有变,重新请签")
        tell_unsigned(work, permit)
    elif what:
        purpose = "permit.approved" if what == LOOK else "permit.finished"
        leaders = list(cast.shift_leaders(work, permit))
        _post_to_new(work, permit, leaders, purpose=purpose, last=f"值班有变,请{what}")
        tell_no_leader(work, permit, what)


def _waits_for(permit: Permit) -> str:
    state = PermitState(permit.state)
    if state is PermitState.SUBMITTED:
        return SIGNATURE
    if permit.ended_at is not None and not state.is_final:
        return ACCEPTANCE
    looked_at = any(row.kind == "shift_leader" and row.granted for row in permit.approvals)
    return LOOK if state is PermitState.APPROVED and permit.work == "hot_work" and not looked_at else ""


def _post_to_new(work: UnitOfWork, permit: Permit, people: Sequence[Person], *, purpose: str, last: str) -> None:
    """The card to those who have none; when all of them have it nothing changes on it."""
    card = work.cards.by_key(cards.live_key(permit.id))
    posts = [post for post in card.posts if post.state == "live"] if card is not None else []
    have = {copy.person_id for post in posts for copy in post.copies}
    if card is not None:  # also whom it did not reach: they were told another way, not time after time
        have |= {row.person_id for row in work.outbox.of_case(*cast.case_of(permit)) if row.card_id == card.id}
    if any(person.id not in have for person in people):
        cast.post(work, permit, people, purpose=purpose, last=last, urgency=outbox.URGENT)
