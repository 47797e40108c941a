"""Permits that feel the plant: judged again on every new fact, stopped at once, everyone called, told what resumes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from bot import outbox
from cards import permit as cards
from cards.words import clock_time
from handlers.permit import cast, facts, fire_watch, judge, overhead, running, sampling, tables
from handlers.permit.actions import leave_line, moment, move_on
from handlers.permit.judge import Judgement
from handlers.roll_call import triggers
from rules.errors import RuleBroken
from rules.permit import Result, Stage, Verdict
from rules.permit.life import PermitState, Step
from rules.permit.model import RuleResult
from storage.models import Permit, Person
from storage.permit_seen import JudgedPermit, SeenPermit
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

DANGER = frozenset({"G-020", "HW-A16", "CS-011"})  # what calls people away although nobody is at work
STOPPABLE = (PermitState.ACTIVE, PermitState.INTERRUPTED)


def judge_again(work: UnitOfWork, permit_id: int) -> str:
    """Judge a live permit with the plant as it is now; returns what came of it, for the log.

    The permit's row is locked first: whoever brings a new fact meanwhile waits and has it judged after this.
    """
    seen = work.permits.seen(permit_id, lock=True)
    state = PermitState(seen.state)
    if seen.judge_at is None or seen.judge_at > work.at:
        return "not_due"
    if state in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        return "reminded" if sampling.remind(work, work.permits.get(permit_id)) else "same"
    if state not in judge.STAGE_OF:
        return "not_due"
    if state is not PermitState.EXPIRED and _is_over(seen, work.at) and seen.ended_at is None:
        expire(work, work.permits.to_judge(permit_id))
        return "expired"
    if state is PermitState.APPROVED:
        work.permit_queue.later(permit_id, seen.valid_until)
        return "waits"
    judged = judge.judge(work, seen, stage=Stage.RUN)
    causes = _causes(seen, judged.verdict, state)
    if not causes and seen.ended_at is not None:
        return _after_the_end(work, work.permits.to_judge(permit_id), judged)
    later = judge.next_judgement(tables.rules_of(work).table, seen, judged, work.at)
    stops = bool(causes) and state in STOPPABLE
    changed = stops or judge.differs(work, seen, judged)
    above = overhead.differs(seen, judged)
    if not changed and not above and not (state is PermitState.ACTIVE and _is_to_remind(work, seen, judged)):
        due = [due.as_dict() for due in judged.verdict.due_next]
        work.permit_queue.judged_as_before(permit_id, next_due=due, judge_at=later)
        return "same"
    permit = work.permits.to_judge(permit_id)
    if stops:
        judged = judge.with_fix(work, permit, judged)
        judge.keep(work, permit, judged, cause="suspended")
        suspend(work, permit, _reasons(judged, causes), by=None, via="clock")
    elif changed:
        judge.keep(work, permit, judged, cause="again")
        cast.redraw(work, permit, f"重新判定 {clock_time(work.at)}:{judged.result.zh}")
    else:
        permit.next_due = [due.as_dict() for due in judged.verdict.due_next]
    permit.judge_at = later
    if above:
        overhead.tell(work, permit, judged)
    if PermitState(permit.state) is PermitState.ACTIVE:
        _remind(work, permit, judged)
    return "suspended" if stops else "changed" if changed else "same"


def _after_the_end(work: UnitOfWork, permit: Permit, judged: Judgement) -> str:
    """The work is done and waits for its acceptance: nothing is stopped any more, a fire watch is still kept."""
    fire_watch.remind(work, permit)
    until = cards.watched_until(permit)
    until = until if until is not None and until > work.at else None
    if _is_over(permit, work.at):
        permit.judge_at = until
    else:
        later = judge.next_judgement(tables.rules_of(work).table, permit, judged, work.at)
        permit.judge_at = min(later, until) if until is not None else later
    return "ended"


def _is_over(permit: JudgedPermit, at: datetime) -> bool:
    return permit.valid_until is not None and at > permit.valid_until


def _causes(permit: JudgedPermit, verdict: Verdict, state: PermitState) -> list[RuleResult]:
    """Rules that no longer hold. What is not known any more counts as broken: nothing unknown is a pass.

    While nobody works, in a pause or after the end, only what is a danger to whoever stands there stops anything: the
    rest speaks of going on, and resuming asks all of it again.
    """
    rows = list(verdict.failing())
    if state is PermitState.INTERRUPTED or permit.ended_at is not None:
        rows = [row for row in rows if row.id in DANGER and row.result is Result.FAIL]
    return sorted(rows, key=lambda row: row.id not in _FIRST)


def _reasons(judged: Judgement, causes: Sequence[RuleResult]) -> list[dict[str, Any]]:
    """Why it stops and what resumes it, in words."""
    notes = ";".join(judged.gathered.notes[:2])
    fixes = [change.text for change in judged.verdict.fix[0].changes] if judged.verdict.fix else []
    rows = []
    for row in causes:
        unknown = row.result is Result.PENDING
        message = ("情况不明," if unknown else "") + row.message.rstrip("。")
        rows.append(
            {
                "rule": row.id,
                "clause": row.clause,
                "message": message + (f"({notes})" if notes and (unknown or row.id in _SHOWS_NOTES) else ""),
                "resumes_when": ";".join(fixes) or row.remedy,
            }
        )
    return rows


_FIRST = {"HW-A16", "CS-011", "G-020"}  # what people must hear first
_SHOWS_NOTES = {"G-006", "HW-A13", "HW-A16", "CS-011", "G-020", "HW-C14", "HW-C04", "BP-002", "WH-007"}


def suspend(work: UnitOfWork, permit: Permit, why: Sequence[dict[str, Any]], *, by: Person | None, via: str) -> None:
    """Stop the work now (叫停): the state, everyone called, each must confirm."""
    before = move_on(work, permit, Step.SUSPEND, moment(work, permit, None))
    permit.suspended_at, permit.suspend_why = work.at, list(why)
    permit.generation += 1
    for party in cast.parties(permit):
        party.called_at, party.confirmed_at = work.at, None
        if by is not None and party.person_id == by.id:
            party.confirmed_at = work.at
    words = ";".join(str(row["message"]) for row in why)
    last = leave_line(
        work, permit, "suspended", by=by, via=via, before=before, why=words, rules=[str(row["rule"]) for row in why]
    )
    called = [party.person for party in cast.parties(permit)]
    triggers.for_permit(work, permit, called, by=by, via=via)
    _call(work, permit, f"⚠ {permit.number} 立即停止作业、撤到安全处!\n原因:{words}\n请点卡片“确认停工”。", last)
    overhead.changed(work, permit)
    log.warning("permit.suspended", permit=permit.id, rules=[row["rule"] for row in why])


def _call(work: UnitOfWork, permit: Permit, text: str, last: str) -> None:
    """Card and text to everyone on the permit, before anything else in the queue; by SMS to who has no account here."""
    people = cast.everyone(permit)
    for person in people:
        if outbox.address_of(person) is None:
            outbox.send_sms(
                work,
                person,
                cards.sms_params(permit, at=work.at),
                purpose="permit.suspended",
                dedupe_key=f"permit:{permit.id}:{permit.generation}:stop:sms",
                case=cast.case_of(permit),
            )
    cast.post(
        work,
        permit,
        people,
        purpose="permit.suspended",
        last=last,
        urgency=outbox.ALARM,
        again=f"permit:{permit.id}:stop:{permit.generation}",
    )
    cast.tell(work, permit, people, text, tag="suspended", urgency=outbox.ALARM)


def stop_by_hand(work: UnitOfWork, permit: Permit, *, by: Person, why: str, via: str) -> None:
    """Anybody on the permit, a leader or a safety officer stops the work (4.8, 4.10)."""
    running.need_watcher(permit, by)
    reason = {
        "rule": "4.8",
        "clause": "4.8",
        "message": f"{by.name}叫停:{why[:80]}",
        "resumes_when": "异常消除并确认后",
    }
    suspend(work, permit, [reason], by=by, via=via)
    permit.judge_at = work.at + judge.NEVER_LATER_THAN


def confirm(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """This person has stopped and is safe."""
    mine = [p for p in permit.parties if p.person_id == by.id and p.called_at is not None]
    if not mine:
        raise RuleBroken("who", "您不在这张作业票上,不用确认。")
    if all(party.confirmed_at is not None for party in mine):
        raise RuleBroken("already", "您已经确认过了。")
    for party in mine:
        party.confirmed_at = work.at
    triggers.permit_confirmed(work, permit, by, via=via)
    cast.redraw(work, permit, leave_line(work, permit, "confirmed", by=by, via=via))


def seen(work: UnitOfWork, permit: Permit, person: Person, *, by: Person, via: str) -> None:
    """Somebody who leads has seen that this person stopped: their roll call has it, the permit's card shows it."""
    for party in permit.parties:
        if party.person_id == person.id and party.called_at is not None and party.confirmed_at is None:
            party.confirmed_at = work.at
    cast.redraw(work, permit, leave_line(work, permit, "confirmed", by=by, via=via, why=f"替{person.name}确认"))


def expire(work: UnitOfWork, permit: Permit) -> None:
    """The time is over: nobody works on; a new permit is needed (4.16)."""
    was = PermitState(permit.state)
    before = move_on(work, permit, Step.EXPIRE, moment(work, permit, None))
    permit.judge_at = None
    last = leave_line(work, permit, "expired", by=None, via="clock", before=before)
    people = cast.everyone(permit)
    begun = was is not PermitState.APPROVED
    text = f"{permit.number} {clock_time(work.at)} 已到期,请停止作业。继续干须重新办票(4.16)。"
    cast.tell(work, permit, people, text, tag="expired", urgency=outbox.ALARM if begun else outbox.NORMAL)
    cast.post(work, permit, people, purpose="permit.expired", last=last, urgency=outbox.URGENT)
    overhead.changed(work, permit)


def _is_to_remind(work: UnitOfWork, permit: SeenPermit, judged: Judgement) -> bool:
    """Whether `_remind` may have anything to say."""
    ends = [due.at for due in judged.verdict.due_next]
    if judged.gathered.shift_ends is not None:
        ends.append(judged.gathered.shift_ends)
    signs = [party.checked_in_at for party in permit.parties if party.role == cast.GUARDIAN and party.checked_in_at]
    late = any(work.at - sign >= facts.CHECK_IN_EVERY for sign in signs)
    return late or any(end - work.at <= judge.REMIND_BEFORE for end in ends)


def _remind(work: UnitOfWork, permit: Permit, judged: Judgement) -> None:
    """What falls due soon is said once to the guardian: gas record, guardian's sign of life, end of validity."""
    guardian = [permit.guardian] if permit.guardian is not None else []
    for due in judged.verdict.due_next:
        if due.at - work.at <= judge.REMIND_BEFORE:
            cast.tell(work, permit, guardian, f"{permit.number} {due.message}", tag=f"due:{due.rule}:{due.at:%d%H%M}")
    ends = judged.gathered.shift_ends
    if ends is not None and permit.guardian is not None and ends - work.at <= judge.REMIND_BEFORE:
        people = {p.id: p for p in [*guardian, *cast.shift_leaders(work, permit)]}
        text = f"{permit.number} 监护人{permit.guardian.name} {clock_time(ends)} 下班,请点“监护交接”,到时没有交接会自动叫停。"
        cast.tell(work, permit, people.values(), text, tag=f"shift:{ends:%d%H%M}")
    party = running.guardian_of(permit)
    if party is not None and party.checked_in_at is not None:
        late = work.at - party.checked_in_at
        if facts.CHECK_IN_EVERY <= late <= facts.GONE_AFTER:
            until = party.checked_in_at + facts.GONE_AFTER
            text = f"{permit.number} 请监护人打卡:{clock_time(until)}前没有打卡,作业票会自动叫停。"
            cast.tell(work, permit, guardian, text, tag=f"checkin:{party.checked_in_at:%d%H%M}")


__all__ = ["confirm", "expire", "judge_again", "seen", "stop_by_hand", "suspend"]
