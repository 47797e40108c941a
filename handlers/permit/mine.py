"""What of the permits waits for one person: a signature, a look, an acceptance, the briefing, the way to the point."""

from __future__ import annotations

from cards import permit as cards
from cards.words import clock_time
from handlers.permit import cast, handover, running
from rules.permit.life import PermitState
from rules.terms import Role
from storage.models import Permit, Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

MOST = 200  # looked at of each kind


def waiting_for(work: UnitOfWork, person: Person) -> list[tuple[Permit, str]]:
    """Permits that cannot go on without this person, each with what is to be done; calls to stop first, then signatures."""
    seen = {permit.id: permit for permit in work.permits.of_person(person.id, limit=MOST)}
    seen |= {permit.id: permit for permit in work.permits.with_fact(cards.HANDOVER_TO, person.id)}
    if person.roles:
        seen |= {permit.id: permit for permit in work.permits.waiting_for_approval(limit=MOST)}
        seen |= {permit.id: permit for permit in work.permits.waiting_for_leader(limit=MOST)}
    found = [(permit, what) for permit in seen.values() if (what := _what(work, permit, person))]
    order = {PermitState.SUSPENDED.value: 0, PermitState.SUBMITTED.value: 1}
    return sorted(found, key=lambda pair: (order.get(pair[0].state, 2), pair[0].id))


def to_sign(work: UnitOfWork, permit: Permit, person: Person) -> str:
    """«请签字:安全管理部门»; "" when no open signature is this person's."""
    if PermitState(permit.state) is not PermitState.SUBMITTED:
        return ""
    rows = cast.open_signatures(permit, "countersign", "approve")
    mine = [row.words for row in rows if cast.may_sign(work, permit, person, row)]
    return "请签字:" + "、".join(mine) if mine else ""


def _what(work: UnitOfWork, permit: Permit, person: Person) -> str:
    state = PermitState(permit.state)
    if any(party.person_id == person.id for party in cards.unconfirmed(permit)):
        return "请确认停工"
    if handover.awaits(permit, person):
        return "请到现场打卡接班"
    if state is PermitState.PENDING_FACTS:
        return "请补充" if permit.applicant_id == person.id else ""
    if permit.ended_at is not None and not state.is_final:
        return _after_the_end(permit, person)
    if state is PermitState.APPROVED:
        return "、".join(_before_the_start(permit, person))
    if permit.guardian_id == person.id:
        return _guarding(permit, state)
    return to_sign(work, permit, person)


def _after_the_end(permit: Permit, person: Person) -> str:
    until = cards.watched_until(permit)
    if until is not None:
        return f"监火到{clock_time(until)}" if permit.guardian_id == person.id else ""
    if cast.is_on(permit, person, cast.WORKER):
        return ""
    return "请验收" if cast.may_lead(permit, person) or has_role(person, Role.SAFETY_OFFICER) else ""


def _before_the_start(permit: Permit, person: Person) -> list[str]:
    """What keeps approved work from beginning and is this person's to do."""
    looked = permit.work != "hot_work" or any(r.kind == "shift_leader" and r.granted for r in permit.approvals)
    mine = [party for party in cast.parties(permit, cast.GUARDIAN, cast.WORKER) if party.person_id == person.id]
    found = [] if looked or not cast.may_lead(permit, person) else ["请验票"]
    if permit.applicant_id == person.id and cast.wants_briefing(permit):
        found.append("请交底(说“我来交底”)")
    if any(party.briefed_at is None for party in mine):
        found.append("请接受交底")
    if permit.guardian_id == person.id:
        here = running.guardian_of(permit)
        found += ["请到现场打卡"] if here is None or here.checked_in_at is None else []
        left = sum(1 for row in permit.approvals if row.kind == "measure" and row.granted is None)
        found += [f"措施还有{left}条没确认"] if left else []
    return found


def _guarding(permit: Permit, state: PermitState) -> str:
    if state is PermitState.ACTIVE:
        due = cards.due_lines(permit.next_due)
        return f"您在监护,{due[0]}" if due else "您在监护"
    return {
        PermitState.SUSPENDED: "已叫停,处理好后恢复或收工",
        PermitState.INTERRUPTED: "已中断,恢复或收工",
        PermitState.EXPIRED: "已到期,请收工",
    }.get(state, "")
