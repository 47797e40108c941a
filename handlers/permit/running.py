"""A permit from its approval to its end: checks before the start, pause, handover, finish, acceptance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot import outbox
from cards import permit as cards
from handlers.permit import (
    cast,
    facts,
    fire_watch,
    gas_facts,
    handover,
    holes,
    judge,
    measures,
    overhead,
    surroundings,
    tables,
)
from handlers.permit.actions import leave_line, moment, move_on, plan_judgement
from handlers.permit.judge import Judgement
from handlers.permit.measures import Evidence
from handlers.roll_call import triggers
from rules.errors import RuleBroken
from rules.permit import Result, Stage, Work
from rules.permit.life import PermitState, Step, obstacles
from rules.terms import Role
from storage.models import Permit, PermitApproval, PermitParty, Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

RUNNING = (PermitState.ACTIVE.value, PermitState.INTERRUPTED.value, PermitState.SUSPENDED.value)


def need_state(permit: Permit, *states: PermitState) -> None:
    if PermitState(permit.state) not in states:
        raise RuleBroken("state", f"{permit.number} 现在{PermitState(permit.state).zh},不能这样操作。")


def need_watcher(permit: Permit, by: Person) -> None:
    if not cast.may_watch(permit, by):
        raise RuleBroken("who", "您不在这张作业票上,请让票上的人操作。")


def guardian_of(permit: Permit) -> PermitParty | None:
    return next((p for p in cast.parties(permit, cast.GUARDIAN) if p.person_id == permit.guardian_id), None)


# -- before the start


def leader_check(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """The shift leader of the place checks the ticket (岗位当班班长验票, Table A.1)."""
    need_state(permit, PermitState.APPROVED)
    if not cast.may_lead(permit, by):
        raise RuleBroken("who", "验票由本岗位当班班长(或车间主任)进行,监护人和作业人不能自己验。")
    if any(row.kind == "shift_leader" and row.granted for row in permit.approvals):
        raise RuleBroken("already", "已经验过票了。")
    permit.approvals.append(
        PermitApproval(kind="shift_leader", step="shift_leader", person=by, granted=True, decided_at=work.at)
    )
    cast.join(permit, by, cast.LEADER, work)
    standing = cast.standing_in(work, permit, by, Role.TEAM_LEADER)
    line = leave_line(work, permit, "leader_checked", by=by, via=via, **standing)
    cast.redraw(work, permit, line)


def next_measure(permit: Permit) -> PermitApproval | None:
    return next((row for row in permit.approvals if row.kind == "measure" and row.granted is None), None)


def confirm_measure(
    work: UnitOfWork,
    permit: Permit,
    measure_id: str,
    *,
    by: Person,
    applies: bool,
    photo_sha: str = "",
    video_sha: str = "",
    said: str = "",
    via: str,
) -> None:
    """One measure confirmed by name. Raises RuleBroken when its evidence is missing or it does not allow «不涉及»."""
    need_state(permit, PermitState.APPROVED)
    need_watcher(permit, by)
    row = next((r for r in permit.approvals if r.kind == "measure" and r.step == measure_id), None)
    if row is None:
        raise RuleBroken("measure", "没有这条措施,请重新打开。")
    if row.granted is not None:
        name = row.person.name if row.person else ""
        raise RuleBroken("already", f"这一条{name}已经确认过了。")
    measure = measures.all_measures()[measure_id]
    if not applies and not measure.na:
        raise RuleBroken("measure", "这一条必须落实,不能选不涉及。")
    facts = measure.na_sets
    if applies:
        facts = measures.need_evidence(measure, permit, photo_sha=photo_sha, video_sha=video_sha, said=said, at=work.at)
        row.photo_sha = photo_sha or video_sha
        row.said = said[:300] if measure.evidence in (Evidence.VALUE, Evidence.LIST) else ""
    row.person, row.granted, row.decided_at = by, True, work.at
    row.words = measure.text + ("" if applies else measures.NOT_APPLICABLE)
    permit.facts = {**permit.facts, **facts}
    leave_line(work, permit, "measure", by=by, via=via, why=row.words, measure=measure_id, micro=measure.micro)


def hear_briefing(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """Guardian and workers each say that they were briefed (安全交底, 4.4)."""
    need_state(permit, PermitState.APPROVED, PermitState.ACTIVE, PermitState.INTERRUPTED)
    mine = [p for p in cast.parties(permit, cast.WORKER, cast.GUARDIAN) if p.person_id == by.id]
    if not mine:
        raise RuleBroken("who", "交底由作业人和监护人接受,您不在名单里。")
    if all(party.briefed_at is not None for party in mine):
        raise RuleBroken("already", "您已经接受过交底了。")
    for party in mine:
        party.briefed_at = work.at
    cast.redraw(work, permit, leave_line(work, permit, "briefed", by=by, via=via))


def check_in(work: UnitOfWork, permit: Permit, *, by: Person, photo_sha: str = "", via: str) -> None:
    """The guardian is at the point (MA-10)."""
    need_state(permit, PermitState.APPROVED, *(PermitState(state) for state in RUNNING))
    if handover.awaits(permit, by):
        handover.take_over(work, permit, by=by, via=via)
        return
    party = guardian_of(permit)
    if party is None or party.person_id != by.id:
        raise RuleBroken("who", f"打卡由监护人{permit.guardian.name if permit.guardian else ''}进行。")
    party.checked_in_at = work.at
    if photo_sha:
        permit.approvals.append(
            PermitApproval(
                kind="check_in", step="guardian", person=by, granted=True, decided_at=work.at, photo_sha=photo_sha
            )
        )
    if permit.state != PermitState.APPROVED.value:
        permit.judge_at = work.at
        work.wake.add("chat")
    cast.redraw(work, permit, leave_line(work, permit, "checked_in", by=by, via=via))


def judge_start(work: UnitOfWork, permit: Permit) -> Judgement:
    """The rules of the start and, because they apply the moment after, those of the running work; the worse counts."""
    start = judge.judge(work, permit, stage=Stage.START, with_fix=True)
    if not start.result.allows_work:
        return start
    run = judge.judge(work, permit, stage=Stage.RUN, with_fix=True)
    return start if run.result.allows_work else run


def start(work: UnitOfWork, permit: Permit, *, by: Person, photo_sha: str, via: str) -> None:
    """Work begins: guardian and fire point on a photo. Raises RuleBroken with what is still in the way."""
    need_state(permit, PermitState.APPROVED)
    if permit.guardian_id != by.id:
        raise RuleBroken("who", "由监护人在现场开始作业。")
    if permit.valid_from is not None and work.at < permit.valid_from - timedelta(minutes=2):
        raise RuleBroken("early", f"作业票从{cards.span(permit)}起有效,还没到时间。")
    judged = judge_start(work, permit)
    judge.keep(work, permit, judged, cause="start")
    before = move_on(
        work,
        permit,
        Step.START,
        moment(
            work,
            permit,
            judged,
            briefing_done=judged.gathered.facts.get("briefing_done"),
            measures_confirmed=judged.gathered.facts.get("measures_confirmed"),
        ),
    )
    permit.started_at, permit.interrupted_at, permit.suspended_at = work.at, None, None
    _watch_from_now(work, permit, by=by, photo_sha=photo_sha)
    work.flush()
    going = judge.judge(work, permit, stage=Stage.RUN)
    judge.keep(work, permit, going, cause="started")
    overhead.note(permit, going)  # the card that follows shows it
    plan_judgement(work, permit, going)
    tell_neighbours(work, permit)
    last = leave_line(work, permit, "started", by=by, via=via, before=before, verdict=permit.verdict_id)
    cast.post(work, permit, cast.everyone(permit), purpose="permit.started", last=last, urgency=outbox.URGENT)


def tell_neighbours(work: UnitOfWork, permit: Permit) -> None:
    """Work that begins here may disturb work nearby (7.6, 5.2.9): the others are judged at once.

    One that begins in the same moment is busy and left out, so this permit is judged again shortly and sees it.
    """
    work.flush()
    surroundings.touch(work, surroundings.point_of(permit), permit.area_id, but=permit.id)
    if surroundings.others(work, permit):
        again = work.at + LOOK_AGAIN
        permit.judge_at = min(permit.judge_at, again) if permit.judge_at is not None else again


LOOK_AGAIN = timedelta(seconds=5)


def _watch_from_now(work: UnitOfWork, permit: Permit, *, by: Person, photo_sha: str = "") -> None:
    """Note which detectors are alive: from now on their silence stops the work."""
    seen = facts.watch_of(work, tables.rules_of(work).table, permit)
    alive = [d.code for d in seen.detectors if not surroundings.silence(d, work.at)[0]] if seen is not None else []
    permit.approvals.append(
        PermitApproval(
            kind="start",
            step="start",
            person=by,
            granted=True,
            decided_at=work.at,
            photo_sha=photo_sha,
            words=" ".join(alive),
        )
    )


# -- pause and resume


def interrupt(work: UnitOfWork, permit: Permit, *, by: Person, why: str, via: str) -> None:
    need_watcher(permit, by)
    before = move_on(work, permit, Step.INTERRUPT, moment(work, permit, None))
    permit.interrupted_at = work.at
    work.flush()
    judged = judge.judge(work, permit, stage=Stage.RUN)
    permit.next_due = [due.as_dict() for due in judged.verdict.due_next]  # until when it may go on without a new test
    permit.judge_at = work.at
    work.wake.add("chat")
    last = leave_line(work, permit, "interrupted", by=by, via=via, before=before, why=why[:300])
    cast.redraw(work, permit, last)


def judge_resume(work: UnitOfWork, permit: Permit) -> Judgement:
    return judge.judge(work, permit, stage=Stage.RUN, with_fix=True)


def resume(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """Go on after a pause or a suspension, under the 30/60-minute rules. Raises RuleBroken with what is in the way."""
    if permit.guardian_id != by.id and not cast.may_lead(permit, by):
        raise RuleBroken("who", "由监护人或当班班长恢复作业。")
    if never_began(permit):
        _release(work, permit, by=by, via=via)
        return
    judged = judge_resume(work, permit)
    removed = judged.result in (Result.PASS, Result.CONDITIONAL)
    before = move_on(work, permit, Step.RESUME, moment(work, permit, judged, cause_removed=removed))
    judge.keep(work, permit, judged, cause="resume")
    permit.interrupted_at, permit.suspended_at, permit.suspend_why = None, None, []
    permit.generation += 1
    triggers.permit_goes_on(work, permit, via=via)
    _watch_from_now(work, permit, by=by)
    work.flush()
    plan_judgement(work, permit, judged)
    tell_neighbours(work, permit)
    last = leave_line(work, permit, "resumed", by=by, via=via, before=before, verdict=permit.verdict_id)
    cast.post(work, permit, cast.everyone(permit), purpose="permit.resumed", last=last, urgency=outbox.URGENT)


FADES = ("wind_force", "dense_fog", "raining_or_snowing", "rainstorm", "heavy_snow", "harness_worn")
FADES_AFTER = timedelta(hours=1)


def forget_what_fades(work: UnitOfWork, permit: Permit) -> None:
    """After a longer break weather and harness are asked anew: what was said before it holds no more (8.2.6, 8.2.11)."""
    since = permit.suspended_at or permit.interrupted_at
    if since is not None and work.at - since > FADES_AFTER:
        permit.facts = {name: value for name, value in permit.facts.items() if name not in FADES}


def never_began(permit: Permit) -> bool:
    """Stopped before its work began: it has to be started, not resumed."""
    return permit.state == PermitState.SUSPENDED.value and permit.started_at is None


def _release(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """Stopped before the start: back to approved, where every check before the start is still asked for."""
    before = move_on(work, permit, Step.RELEASE, moment(work, permit, None))
    permit.suspended_at, permit.suspend_why = None, []
    permit.generation += 1
    triggers.permit_goes_on(work, permit, via=via)
    permit.judge_at = permit.valid_until
    last = leave_line(work, permit, "released", by=by, via=via, before=before)
    cast.post(work, permit, cast.everyone(permit), purpose="permit.resumed", last=last, urgency=outbox.URGENT)


def why_not_resumed(work: UnitOfWork, permit: Permit) -> Sequence[str]:
    """Everything that stands in the way of going on, in words."""
    judged = judge_resume(work, permit)
    removed = judged.result.allows_work
    now = moment(work, permit, judged, cause_removed=removed)
    step = Step.RELEASE if never_began(permit) else Step.RESUME
    found = obstacles(tables.rules_of(work).table, PermitState(permit.state), step, now)
    return [f"{obstacle.message_zh}({obstacle.clause})" for obstacle in found]


# -- the end


def counts_out(permit: Permit) -> bool:
    """Whether people and tools are counted at the end (清点, MA-12)."""
    return permit.work == Work.CONFINED_SPACE.value


def entered(permit: Permit) -> str:
    """Who and what went in, as it was told; "" when nobody told."""
    return next((row.said for row in permit.approvals if row.step == "register" and row.said), "")


def finish(work: UnitOfWork, permit: Permit, *, by: Person, photo_sha: str, said: str = "", via: str) -> None:
    """The work is done and the point was looked at: no fire left, people and tools counted. Acceptance follows."""
    need_state(permit, *(PermitState(state) for state in (*RUNNING, PermitState.EXPIRED.value)))
    need_watcher(permit, by)
    if permit.ended_at is not None:
        raise RuleBroken("already", f"{permit.number} 已经收工,待验收。")
    if permit.work == Work.HOT_WORK.value and not photo_sha:
        raise RuleBroken("photo", "请把清理后的动火点拍一张发来(确认无残留火种,5.2.14)。")
    if counts_out(permit) and permit.started_at is not None and not said.strip():
        raise RuleBroken("list", "请先清点:用文字发出来了谁、带出了什么(6.8 c),再拍照。", source="6.8 c")
    known = fire_watch.after_the_end(work, permit) if permit.work == Work.HOT_WORK.value else {}
    if counts_out(permit):
        known |= {"people_counted_out": True, "entry_register_complete": True}
    permit.facts = {**permit.facts, **known}
    permit.ended_at = work.at
    permit.approvals.append(
        PermitApproval(
            kind="finish",
            step="finish",
            person=by,
            granted=True,
            decided_at=work.at,
            photo_sha=photo_sha,
            said=said[:300],
        )
    )
    overhead.changed(work, permit)
    last = leave_line(work, permit, "finished", by=by, via=via)
    holes.tell_no_leader(work, permit, "验收")
    leaders = {p.id: p for p in [*cast.everyone(permit), *cast.shift_leaders(work, permit)]}
    cast.post(work, permit, leaders.values(), purpose="permit.finished", last=last, urgency=outbox.URGENT)


def unfinish(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """It was not the end after all: nobody worked since, so that it is a pause that began with the end (5.3.1 d, 6.3 f)."""
    need_watcher(permit, by)
    if permit.ended_at is None or PermitState(permit.state).is_final:
        raise RuleBroken("state", "这张票没有待验收。")
    before = permit.state
    if before == PermitState.ACTIVE.value:
        move_on(work, permit, Step.GO_ON, moment(work, permit, None))
        permit.interrupted_at = permit.ended_at
    permit.ended_at = None
    gone = ("residual_fire_checked", "people_counted_out", fire_watch.UNTIL)
    permit.facts = {k: v for k, v in permit.facts.items() if k not in gone}
    permit.judge_at = work.at  # its time may be over meanwhile
    work.wake.add("chat")
    overhead.changed(work, permit)
    cast.redraw(work, permit, leave_line(work, permit, "unfinished", by=by, via=via, before=before))


def accept(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """Acceptance (验收确认, 4.15) by a leader of the place who did not do the work; closes the permit."""
    if permit.ended_at is None:
        raise RuleBroken("state", who_closed(work, permit) or "还没有收工,请先由监护人点收工。")
    if cast.is_on(permit, by, cast.WORKER) or not (cast.may_lead(permit, by) or has_role(by, Role.SAFETY_OFFICER)):
        raise RuleBroken("who", "验收由当班班长、车间主任或安全员签字,作业人不能验收自己的作业。")
    fire_watch.need_none(permit)
    before = move_on(work, permit, Step.CLOSE, moment(work, permit, None, acceptance_signed=True))
    permit.approvals.append(
        PermitApproval(kind="acceptance", step="acceptance", person=by, granted=True, decided_at=work.at)
    )
    permit.judge_at = None
    last = leave_line(work, permit, "closed", by=by, via=via, before=before)
    cast.redraw(work, permit, last)


def who_closed(work: UnitOfWork, permit: Permit) -> str:
    row = gas_facts.latest(permit.approvals, "acceptance")
    return f"{permit.number} 已由{row.person.name}验收关闭。" if row is not None and row.person is not None else ""
