"""What can be done with a hazard, callable from chat, page and job alike. Every change leaves a line in the trail.

Each function checks the rule first (`RuleBroken` carries the Chinese sentence for the person), changes the record, writes
the trail and what must be told, and leaves the commit to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import outbox
from cards import hazard as cards
from cards.words import local, name_of, place_of
from handlers.hazard import dispatch, proof
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action, Relation
from rules.terms import Grade, HazardState, Role
from storage.models import Hazard, HazardExtension, LadderStep, Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

VERB_ZH = {
    "filed": "上报",
    "assigned": "派单",
    "confirmed": "确认收到",
    "transferred": "转派",
    "started": "开始整改",
    "submitted": "提交整改",
    "accepted": "验收通过",
    "rejected": "退回",
    "extension_asked": "申请延期",
    "extension_granted": "同意延期",
    "extension_refused": "不同意延期",
    "reopened": "反映“还在”",
    "withdrawn": "撤回",
    "merged": "合并",
    "graded": "调整定级",
    "corrected": "更正描述",
    "photo_added": "补充照片",
    "hidden": "改为匿名",
    "joined": "加入",
    "escalated": "系统升级提醒",
}


HELD_BY_ROLE = {
    Role.SAFETY_OFFICER: {Relation.SAFETY_OFFICER},
    Role.EXECUTIVE: {Relation.EXECUTIVE, Relation.DISPATCHER},
    Role.WORKSHOP_DIRECTOR: {Relation.DISPATCHER},
}


REPORTER_SIDE = frozenset({"filed", "corrected", "photo_added", "withdrawn", "reopened", "hidden", "graded"})


def relations(work: UnitOfWork, hazard: Hazard, person: Person) -> frozenset[Relation]:
    """What the person is to this hazard: decides which buttons they may press."""
    out = set()
    if hazard.reporter_id == person.id:
        out.add(Relation.REPORTER)
    if hazard.owner_id == person.id:
        out.add(Relation.OWNER)
    if hazard.rectified_by_id == person.id:
        out.add(Relation.RECTIFIER)
    if any(joiner.person_id == person.id for joiner in hazard.joiners):
        out.add(Relation.CO_REPORTER)
    for role, held in HELD_BY_ROLE.items():
        if has_role(person, role, area_id=hazard.area_id):
            out |= held
    if hazard.grade == Grade.YELLOW.value and has_role(person, Role.TEAM_LEADER, area_id=hazard.area_id):
        out.add(Relation.DISPATCHER)
    if hazard.plan and any(p.id == person.id for p in dispatch.acceptors(work, hazard)):
        out.add(Relation.ACCEPTOR)
    return frozenset(out)


def _check(work: UnitOfWork, hazard: Hazard, action: Action, by: Person) -> None:
    rules.check(action, state=HazardState(hazard.state), relations=relations(work, hazard, by))


def _leave(
    work: UnitOfWork,
    hazard: Hazard,
    action: str,
    *,
    by: Person | None,
    via: str,
    from_state: str,
    why: str = "",
    **data: object,
) -> str:
    """Write the trail line; returns the grey last line of the card."""
    # only what a reporter does is hidden: «整改人匿名» would tell who an anonymous reporter is
    hidden = hazard.anonymous and by is not None and by.id == hazard.reporter_id and action in REPORTER_SIDE
    work.trail.add(
        "hazard",
        hazard.id,
        action,
        at=work.at,
        by_id=by.id if by else None,
        by_hidden=hidden,
        from_state=from_state,
        to_state=hazard.state,
        why=why,
        via=via,
        data=dict(data),
    )
    name = "匿名" if hidden else (by.name if by else "系统")
    return f"{name} {local(work.at)} {VERB_ZH[action]}" + (f":{why[:40]}" if why else "")


def confirm(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """The owner (or somebody above) has seen it."""
    _check(work, hazard, Action.CONFIRM, by)
    if hazard.confirmed_at is not None:
        raise RuleBroken("already", _who_did(work, hazard, "confirmed", "已经有人确认收到了。"))
    hazard.confirmed_at = work.at
    work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="confirm")
    plan = dispatch.plan_of(hazard)
    if plan.stale_minutes and not any(
        s.ladder == "stale" and s.generation == hazard.generation for s in _steps(work, hazard)
    ):
        dispatch.start_ladder(work, hazard, "stale", start=work.at + timedelta(minutes=plan.stale_minutes))
    dispatch.redraw(work, hazard, _leave(work, hazard, "confirmed", by=by, via=via, from_state=hazard.state))


def _steps(work: UnitOfWork, hazard: Hazard) -> Sequence[LadderStep]:
    return work.ladder.of("hazard", hazard.id)


def transfer(work: UnitOfWork, hazard: Hazard, *, by: Person, to: Person, via: str, why: str = "") -> None:
    """Another person sees to it (转派)."""
    reported = hazard.state == HazardState.REPORTED.value
    _check(work, hazard, Action.ASSIGN if reported else Action.TRANSFER, by)
    if to.id == hazard.owner_id:
        raise RuleBroken("same_owner", f"{hazard.number} 已经由{to.name}负责。")
    before, hazard.owner, hazard.state = hazard.state, to, HazardState.ASSIGNED.value
    hazard.confirmed_at = None
    last = _leave(
        work,
        hazard,
        "transferred",
        by=by,
        via=via,
        from_state=before,
        why=f"转给{to.name}" + (f":{why}" if why else ""),
    )
    work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="confirm")
    hazard.generation += 1
    hazard.assigned_at = work.at
    dispatch.start_ladder(work, hazard, "confirm", start=work.at)
    _restart_rectify_ladder(work, hazard)
    address = outbox.address_of(to)
    dispatch.post_duty_card(work, hazard, [address] if address else [], purpose="hazard.transfer", last=last)


def start(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """Rectification begins; it also confirms."""
    _check(work, hazard, Action.START, by)
    before, hazard.state = hazard.state, HazardState.RECTIFYING.value
    hazard.started_at = work.at
    hazard.confirmed_at = hazard.confirmed_at or work.at
    for ladder in ("confirm", "stale"):
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder=ladder)
    dispatch.redraw(work, hazard, _leave(work, hazard, "started", by=by, via=via, from_state=before))


def submit(work: UnitOfWork, hazard: Hazard, *, by: Person, words: str, via: str) -> None:
    """Hand in the rectification with its proof. Raises RuleBroken asking kindly for another photo when it is no proof."""
    _check(work, hazard, Action.SUBMIT, by)
    findings = proof.judge_submission(work, hazard, by=by, words=words)
    if findings.strong:
        raise RuleBroken(findings.strong[0].id, findings.refusal_zh)
    before, hazard.state = hazard.state, HazardState.TO_ACCEPT.value
    hazard.rectified_by, hazard.rectification, hazard.submitted_at = by, words, work.at
    hazard.started_at = hazard.started_at or work.at
    hazard.confirmed_at = hazard.confirmed_at or work.at
    hazard.signals = proof.as_rows(findings.weak)
    hazard.evidence_state = "due"  # the picture is made outside this transaction, then the acceptors are told
    work.wake.add("media")
    work.flush()
    last = _leave(
        work,
        hazard,
        "submitted",
        by=by,
        via=via,
        from_state=before,
        why=words,
        signals=[s.id for s in findings.signals],
    )
    for ladder in ("confirm", "stale", "rectify"):
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder=ladder)
    plan = dispatch.plan_of(hazard)
    dispatch.start_ladder(work, hazard, "accept", start=work.at + timedelta(hours=plan.accept_hours))
    dispatch.redraw(work, hazard, last)


def evidence_made(work: UnitOfWork, hazard: Hazard, sha256: str) -> None:
    """The before/after picture is there: show it on the card and call those who accept."""
    hazard.evidence_sha, hazard.evidence_state = sha256, "done"
    if hazard.state != HazardState.TO_ACCEPT.value:
        return
    to = [a for p in dispatch.acceptors(work, hazard) if (a := outbox.address_of(p)) is not None]
    by = name_of(hazard.rectified_by)
    dispatch.post_duty_card(
        work, hazard, to, purpose="hazard.accept", last=f"{by} {local(hazard.submitted_at)} 提交整改"
    )
    for address in to:
        if sha256:
            outbox.send_picture(
                work,
                address,
                sha256,
                name=f"{hazard.number}.jpg",
                purpose="hazard.accept",
                dedupe_key=f"evidence:{hazard.id}:{hazard.round}",
                case=dispatch.case_of(hazard),
            )


def accept(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str, words: str = "") -> None:
    """Close a hazard whose rectification passed acceptance (验收通过), by another person than the rectifier."""
    _check(work, hazard, Action.ACCEPT, by)
    before, hazard.state = hazard.state, HazardState.CLOSED.value
    hazard.accepted_by, hazard.closed_at = by, work.at
    hazard.signals = proof.as_rows(proof.judge_closing(work, hazard, by=by).signals)
    last = _leave(
        work,
        hazard,
        "accepted",
        by=by,
        via=via,
        from_state=before,
        why=words,
        signals=[s["id"] for s in hazard.signals],
    )
    _end(work, hazard)
    dispatch.redraw(work, hazard, last)
    _tell_reporters(work, hazard, "已整改并验收通过")


def reject(work: UnitOfWork, hazard: Hazard, *, by: Person, reason: str, via: str) -> None:
    """Send it back to the rectifier with the reason."""
    _check(work, hazard, Action.REJECT, by)
    before, hazard.state = hazard.state, HazardState.RECTIFYING.value
    last = _leave(work, hazard, "rejected", by=by, via=via, from_state=before, why=reason)
    rectifier = hazard.rectified_by
    hazard.rectified_by, hazard.submitted_at = None, None
    hazard.evidence_sha, hazard.evidence_state, hazard.round = "", "", hazard.round + 1
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    _restart_rectify_ladder(work, hazard)
    dispatch.redraw(work, hazard, last)
    for person in {p.id: p for p in (rectifier, hazard.owner) if p is not None}.values():
        _tell(
            work,
            hazard,
            person,
            f"{hazard.number} 验收没有通过:{reason}\n请整改后再提交(点卡片“提交整改”)。",
            tag="rejected",
        )


def ask_extension(
    work: UnitOfWork, hazard: Hazard, *, by: Person, reason: str, measure: str, until: datetime, via: str
) -> None:
    """Ask for more time; needs a reason, an interim measure (FC-15) and somebody else's consent."""
    _check(work, hazard, Action.REQUEST_EXTENSION, by)
    if cards.open_extension(hazard) is not None:
        raise RuleBroken("extension_open", f"{hazard.number} 已有一个延期申请在等审批。")
    rules.check_extension(
        reason=reason, interim_measure=measure, until=until, due_at=hazard.due_at or work.at, now=work.at
    )
    row = HazardExtension(
        hazard_id=hazard.id, by_id=by.id, reason=reason, measure=measure, asked_at=work.at, until=until
    )
    hazard.extensions.append(row)
    work.flush()
    last = _leave(
        work, hazard, "extension_asked", by=by, via=via, from_state=hazard.state, why=reason, until=until.isoformat()
    )
    deciders = [p for p in _deciders(work, hazard) if p.id != by.id]
    to = [a for p in deciders if (a := outbox.address_of(p)) is not None]
    dispatch.post_duty_card(work, hazard, to, purpose="hazard.extension", last=last)
    for person in deciders:
        _tell(
            work,
            hazard,
            person,
            f"{hazard.number} {by.name}申请延期到{local(until)}:{reason}\n请在卡片上选“同意延期”或“不同意”。",
            tag="extension",
        )


def _deciders(work: UnitOfWork, hazard: Hazard) -> Sequence[Person]:
    return dispatch.acceptors(work, hazard)


def decide_extension(work: UnitOfWork, hazard: Hazard, *, by: Person, granted: bool, via: str) -> None:
    """Grant or refuse the open request; never by the person who asked."""
    _check(work, hazard, Action.APPROVE_EXTENSION if granted else Action.REFUSE_EXTENSION, by)
    row = cards.open_extension(hazard)
    if row is None:
        raise RuleBroken("no_extension", f"{hazard.number} 现在没有等审批的延期申请。")
    if row.by_id == by.id:
        raise RuleBroken("own_extension", "自己申请的延期要由别人审批。")
    row.decided_by_id, row.decided_at, row.granted = by.id, work.at, granted
    if granted:
        hazard.due_at = row.until
        hazard.generation += 1
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="rectify")
        _restart_rectify_ladder(work, hazard)
    action = "extension_granted" if granted else "extension_refused"
    dispatch.redraw(work, hazard, _leave(work, hazard, action, by=by, via=via, from_state=hazard.state, why=row.reason))
    asker = work.people.get(row.by_id)
    words = f"同意,新期限{local(row.until)}" if granted else f"不同意,仍按{local(hazard.due_at)}完成"
    _tell(work, hazard, asker, f"{hazard.number} 延期申请:{by.name}{words}。", tag=f"ext{row.id}")


def reopen(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """«还在»: the reporter's veto brings it back, one grade up, and goes past the one who closed it."""
    _check(work, hazard, Action.REOPEN, by)
    before = hazard.state
    hazard.grade = {Grade.YELLOW: Grade.ORANGE, Grade.ORANGE: Grade.RED, Grade.RED: Grade.RED}[
        Grade(hazard.grade)
    ].value
    hazard.grade_why = "上报人反映整改后问题还在,升一级"
    hazard.state, hazard.reopened_from = HazardState.REPORTED.value, hazard.reopened_from + 1
    hazard.closed_at = hazard.submitted_at = hazard.started_at = hazard.confirmed_at = None
    hazard.rectified_by = hazard.accepted_by = None
    hazard.evidence_sha, hazard.evidence_state, hazard.signals, hazard.round = "", "", [], hazard.round + 1
    hazard.generation += 1
    _leave(work, hazard, "reopened", by=by, via=via, from_state=before, why=hazard.grade_why)
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    assign(work, hazard, via=via)
    for boss in dispatch.people_for(work, hazard, Role.EXECUTIVE.value):  # past whoever closed it, and their boss
        _tell(
            work,
            hazard,
            boss,
            f"上报人反映 {hazard.number} 整改验收后问题还在,已升为{Grade(hazard.grade).zh}重新派单。",
            tag="reopened",
        )
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def assign(work: UnitOfWork, hazard: Hazard, *, via: str) -> None:
    """Choose owner and deadlines by the plan, start the ladders, send the first notices."""
    plan = dispatch.choose_plan(work, hazard)
    before = hazard.state
    owner = dispatch.find_owner(work, hazard, plan)
    hazard.owner = owner
    hazard.assigned_at = work.at
    hazard.confirm_due_at = work.at + timedelta(minutes=plan.confirm_minutes)
    hazard.due_at = work.at + timedelta(hours=plan.rectify_hours)
    if owner is not None:
        hazard.state = HazardState.ASSIGNED.value
    work.flush()
    why = f"派给{owner.name}" if owner else "没有找到责任人,已通知安全员指派"
    _leave(work, hazard, "assigned", by=None, via=via, from_state=before, why=why)
    dispatch.start_ladder(work, hazard, "confirm", start=work.at)
    _restart_rectify_ladder(work, hazard)
    dispatch.send_first(work, hazard, plan)
    dispatch.redraw(work, hazard, "")


def place_known(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """A hazard filed in haste now has its place: choose owner and ladder again and tell the right people."""
    _check(work, hazard, Action.CORRECT, by)
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    _leave(work, hazard, "corrected", by=by, via=via, from_state=hazard.state, why=f"位置:{place_of(hazard)}")
    hazard.state = HazardState.REPORTED.value
    assign(work, hazard, via=via)
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def withdraw(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str, reason: str = "") -> None:
    """The reporter takes it back; everyone who had the card sees it."""
    _check(work, hazard, Action.WITHDRAW, by)
    before, hazard.state = hazard.state, HazardState.WITHDRAWN.value
    last = _leave(work, hazard, "withdrawn", by=by, via=via, from_state=before, why=reason)
    _end(work, hazard)
    dispatch.redraw(work, hazard, last)
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def set_grade(work: UnitOfWork, hazard: Hazard, *, by: Person, grade: Grade, reason: str, via: str) -> None:
    """Change the grade; lowering needs a safety officer or above, and a new dispatch follows in any case."""
    rules.check_grade(
        old=Grade(hazard.grade), new=grade, state=HazardState(hazard.state), relations=relations(work, hazard, by)
    )
    if grade.value == hazard.grade:
        raise RuleBroken("same_grade", f"{hazard.number} 已经是{grade.zh}。")
    hazard.grade, hazard.grade_why, hazard.grade_by_id = grade.value, reason, by.id
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    _leave(work, hazard, "graded", by=by, via=via, from_state=hazard.state, why=f"{grade.zh}:{reason}")
    hazard.confirmed_at = None
    hazard.state = HazardState.REPORTED.value if hazard.state == HazardState.ASSIGNED.value else hazard.state
    if hazard.state == HazardState.REPORTED.value:
        assign(work, hazard, via=via)
    else:
        plan = dispatch.choose_plan(work, hazard)
        _restart_rectify_ladder(work, hazard)
        dispatch.send_first(work, hazard, plan)
        dispatch.redraw(work, hazard, "")


def correct(work: UnitOfWork, hazard: Hazard, *, by: Person, description: str, via: str) -> None:
    """The reporter puts the description right; the old words stay in the trail."""
    _check(work, hazard, Action.CORRECT, by)
    old, hazard.description = hazard.description, description
    last = _leave(work, hazard, "corrected", by=by, via=via, from_state=hazard.state, why=description, old=old)
    dispatch.redraw(work, hazard, last)


def add_photos(work: UnitOfWork, hazard: Hazard, *, by: Person, count: int, via: str) -> int:
    """Note in the trail that photos were added, and show it on the card. Returns `count`."""
    _check(work, hazard, Action.ADD_PHOTO, by)
    if count:
        last = _leave(work, hazard, "photo_added", by=by, via=via, from_state=hazard.state, why=f"{count}张")
        dispatch.redraw(work, hazard, last)
    return count


def hide_reporter(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """From now on nobody sees who reported it: cards, pages, API, exports and logs."""
    if hazard.reporter_id != by.id:
        raise RuleBroken("not_reporter", "只有上报人能改为匿名。")
    hazard.anonymous = True
    _leave(work, hazard, "hidden", by=by, via=via, from_state=hazard.state)
    dispatch.redraw(work, hazard, "")
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def _restart_rectify_ladder(work: UnitOfWork, hazard: Hazard) -> None:
    work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="rectify")
    if hazard.due_at is not None:
        dispatch.start_ladder(work, hazard, "rectify", start=max(hazard.due_at, work.at))


def _end(work: UnitOfWork, hazard: Hazard) -> None:
    """A case that is over can never wake anybody again."""
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    work.outbox.cancel_case("hazard", hazard.id, purposes=["hazard.confirm", "hazard.rectify", "hazard.accept"])
    outbox.finish_todos(work, dispatch.case_of(hazard))


def _tell_reporters(work: UnitOfWork, hazard: Hazard, words: str) -> None:
    """Reporter and joiners get the after-picture and the card with «还在»."""
    people = [hazard.reporter] if hazard.reporter is not None else []
    people += [work.people.get(j.person_id) for j in hazard.joiners]
    card = cards.reporter_card(hazard)
    for person in {p.id: p for p in people}.values():
        address = outbox.address_of(person)
        if address is None:
            continue
        if hazard.evidence_sha:
            outbox.send_picture(
                work,
                address,
                hazard.evidence_sha,
                name=f"{hazard.number}.jpg",
                purpose="hazard.closed",
                dedupe_key=f"closed-picture:{hazard.id}:{hazard.generation}",
                case=dispatch.case_of(hazard),
            )
        outbox.post_card(
            work,
            cards.reporter_key(hazard.id),
            card,
            [address],
            purpose="hazard.closed",
            case=dispatch.case_of(hazard),
            batch=f"closed:{hazard.id}:{hazard.generation}",
            again=True,
        )


def _tell(work: UnitOfWork, hazard: Hazard, person: Person, text: str, *, tag: str) -> None:
    address = outbox.address_of(person)
    if address is not None:
        outbox.say(
            work,
            address,
            text,
            purpose=f"hazard.{tag}",
            case=dispatch.case_of(hazard),
            urgency=outbox.URGENT,
            dedupe_key=f"tell:{hazard.id}:{hazard.generation}:{tag}",
        )


def _who_did(work: UnitOfWork, hazard: Hazard, action: str, otherwise: str) -> str:
    """«已由王芳 11-24 14:02 验收通过»: for the second presser."""
    for trail in reversed(work.trail.of("hazard", hazard.id)):
        if trail.action == action and trail.by_id is not None:
            name = "匿名" if trail.by_hidden else work.people.get(trail.by_id).name
            return f"{hazard.number} 已由{name} {local(trail.at)} {VERB_ZH[action]}。"
    return otherwise


def explain_late_press(work: UnitOfWork, hazard: Hazard, action: str, broken: RuleBroken) -> str:
    """The sentence for a press that came too late: who was first and when, else the rule's own sentence."""
    done_by = {
        "confirm": ("confirmed", "started"),
        "start": ("started",),
        "submit": ("submitted",),
        "accept": ("accepted", "rejected"),
        "reject": ("rejected", "accepted"),
        "grant": ("extension_granted", "extension_refused"),
        "refuse": ("extension_refused", "extension_granted"),
        "transfer": ("accepted", "submitted"),
        "still": ("reopened",),
        "withdraw": ("withdrawn", "accepted"),
    }
    if broken.rule not in ("state", "already", "no_extension"):
        return broken.message_zh
    for wanted in done_by.get(action, ()):
        sentence = _who_did(work, hazard, wanted, "")
        if sentence:
            return sentence
    return broken.message_zh
