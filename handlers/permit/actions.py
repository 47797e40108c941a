"""What can be done with a permit, callable from chat, page and job alike. Every change leaves a line in the trail.

Every move of state goes through rules.permit.life.move: it raises RuleBroken with the Chinese sentence for the person.
The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import outbox
from cards import permit as cards
from cards.words import local
from handlers.permit import cast, facts, gas_facts, holes, judge, questions, tables
from handlers.permit.judge import Judgement
from rules.errors import RuleBroken
from rules.permit import Stage, Work, gas, sample_points
from rules.permit.life import Moment, PermitState, Step, move
from storage.models import GasTest, Permit, Person
from storage.unit_of_work import UnitOfWork

VERB_ZH = {
    "submitted": "提交",
    "approved": "批准",
    "countersigned": "会签",
    "refused": "不予批准",
    "returned": "退回补充",
    "withdrawn": "撤回",
    "fix_taken": "按建议办理",
    "answered": "回答",
    "leader_checked": "验票",
    "measure": "确认措施",
    "gave_briefing": "交底",
    "briefed": "接受交底",
    "checked_in": "监护打卡",
    "started": "开始作业",
    "interrupted": "中断作业",
    "resumed": "恢复作业",
    "released": "解除叫停",
    "suspended": "叫停",
    "confirmed": "确认停工",
    "gas_test": "报气体分析",
    "handover": "监护交接",
    "took_over": "接班",
    "heard": "知晓交接",
    "finished": "收工",
    "unfinished": "继续作业",
    "watched": "监火结束",
    "closed": "验收关闭",
    "expired": "到期",
}


def leave_line(
    work: UnitOfWork,
    permit: Permit,
    action: str,
    *,
    by: Person | None,
    via: str,
    before: str = "",
    why: str = "",
    **data: object,
) -> str:
    """Write the trail line; returns the grey last line of the card."""
    work.trail.add(
        "permit",
        permit.id,
        action,
        at=work.at,
        by_id=by.id if by else None,
        from_state=before or permit.state,
        to_state=permit.state,
        why=why,
        via=via,
        data=dict(data),
    )
    name = by.name if by else "系统"
    return f"{name} {local(work.at)} {VERB_ZH[action]}" + (f":{why[:40]}" if why else "")


def moment(work: UnitOfWork, permit: Permit, judged: Judgement | None, **known: Any) -> Moment:
    """What the guards of the permit's life look at."""
    _, sampled_at = gas_facts.tests_of(permit)
    suspended = permit.state == PermitState.SUSPENDED.value
    return Moment(
        **{
            "at": work.at,
            "work": permit.work,
            "level": permit.level or None,
            "valid_to": permit.valid_until or permit.planned_end,
            "verdict": judged.result if judged is not None else None,
            "started": permit.started_at is not None,
            "ended": permit.ended_at is not None,
            "interrupted_at": permit.interrupted_at,
            "last_analysis_time": sampled_at,
            "suspended_at": permit.suspended_at if suspended else None,
            "guardian_on_site": facts.guardian_present(permit, work.at),
            "unconfirmed": len(cards.unconfirmed(permit)),
            "residual_fire_checked": permit.facts.get("residual_fire_checked"),
            "people_counted_out": permit.facts.get("people_counted_out"),
            **known,
        }
    )


def move_on(work: UnitOfWork, permit: Permit, step: Step, now: Moment) -> str:
    before = permit.state
    permit.state = move(tables.rules_of(work).table, PermitState(before), step, now).value
    return before


def plan_judgement(work: UnitOfWork, permit: Permit, judged: Judgement) -> None:
    permit.judge_at = judge.next_judgement(tables.rules_of(work).table, permit, judged, work.at)


# -- request


def open_draft(work: UnitOfWork, *, kind: str, by: Person, keep_open: bool = False) -> Permit:
    """A permit that is being asked for; an older draft of the person is put away, unless it is to stay open."""
    old = None if keep_open else work.permits.draft_of(by.id, since=work.at - timedelta(days=30))
    if old is not None and old.number is None:
        old.state = PermitState.WITHDRAWN.value
    return work.permits.add(
        Permit(
            work=kind,
            state=PermitState.DRAFT.value,
            applicant=by,
            created_at=work.at,
            facts={},
            suspend_why=[],
            next_due=[],
            parties=[],
            approvals=[],
            gas_tests=[],
            generation=1,
        )
    )


def judge_request(work: UnitOfWork, permit: Permit, *, cause: str) -> Judgement:
    """Judge the request as it stands and keep the verdict."""
    judged = judge.judge(work, permit, stage=Stage.REQUEST, with_fix=True)
    judge.keep(work, permit, judged, cause=cause)
    return judged


def submit(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> Judgement:
    """Hand the request in: numbered, approvers asked. Raises RuleBroken when the verdict does not allow the work."""
    if permit.applicant_id != by.id:
        raise RuleBroken("who", "只有申请人能提交,请让申请人点提交。")
    judged = judge_request(work, permit, cause="submit")
    before = move_on(work, permit, Step.SUBMIT, moment(work, permit, judged))
    permit.number = permit.number or work.permits.next_number()
    permit.submitted_at = work.at
    _remember(work, permit)
    cast.join(permit, by, cast.APPLICANT, work)
    cast.plan_approvals(work, permit, raised=judged.level.raise_approver)
    work.flush()
    last = leave_line(work, permit, "submitted", by=by, via=via, before=before, verdict=permit.verdict_id)
    asked = [*cast.signers(work, permit, "countersign"), *cast.signers(work, permit, "approve")]
    everyone = {person.id: person for person in [*asked, *cast.everyone(permit)]}
    cast.post(work, permit, everyone.values(), purpose="permit.submitted", last=last, urgency=outbox.URGENT)
    holes.tell_unsigned(work, permit)
    return judged


def _remember(work: UnitOfWork, permit: Permit) -> None:
    answers = {name: value for name, value in permit.facts.items() if name in questions.STABLE}
    work.place_answers.remember(place_key(permit), permit.work, answers, at=work.at)


def place_key(permit: Permit) -> str:
    if permit.equipment_id is not None:
        return f"equipment:{permit.equipment_id}"
    return f"area:{permit.area_id}" if permit.area_id is not None else ""


def renew(work: UnitOfWork, permit: Permit, *, by: Person) -> Permit:
    """A new permit for the same job (4.16): place, words and people are taken over, every answer is asked again."""
    made = open_draft(work, kind=permit.work, by=by)
    for name in ("content", "method", "area_id", "equipment_id", "lat", "lon", "height_m", "place_words"):
        setattr(made, name, getattr(permit, name))
    made.area, made.equipment, made.guardian, made.guardian_id = (
        permit.area,
        permit.equipment,
        permit.guardian,
        permit.guardian_id,
    )
    made.renewal_of_id = permit.id
    for party in cast.parties(permit, cast.GUARDIAN, cast.WORKER):
        cast.join(made, party.person, party.role, work)
    work.flush()
    return made


def withdraw(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    if permit.applicant_id != by.id:
        raise RuleBroken("who", "只有申请人能撤回。")
    before = move_on(work, permit, Step.WITHDRAW, moment(work, permit, None))
    last = leave_line(work, permit, "withdrawn", by=by, via=via, before=before)
    cast.redraw(work, permit, last)


# -- gas

ANALYST = "gas_analyst"


def need_sampler(work: UnitOfWork, permit: Permit, person: Person) -> None:
    """Who may tell a gas test, and of which permit: those who answer for it, and a certified analyst once it is handed in.

    Raises RuleBroken. Asked again where a test is kept: a dialogue may lie open while the permit is closed.
    """
    state = PermitState(permit.state)
    if state.is_final or state is PermitState.EXPIRED:
        raise RuleBroken("state", f"{permit.number or '这张票'}{state.zh},不用再测。")
    if cast.may_answer(permit, person):
        return
    draft = state in (PermitState.DRAFT, PermitState.PENDING_FACTS)
    if draft or work.certificates.best(person.id, {ANALYST}) is None:
        raise RuleBroken("who", "气体分析由票上的人或持证的分析工报,您不在这张作业票上。")


def add_gas_test(
    work: UnitOfWork,
    permit: Permit,
    *,
    by: Person,
    values: Sequence[Mapping[str, Any]],
    said: str,
    meter: str = "",
    photo_sha: str = "",
    at: datetime | None = None,
    via: str,
) -> GasTest:
    """An analysis as it was told. `values` are [{gas, value, unit, point}] with units; `point` only when it is known.

    `at`: when the sample was taken, now when nobody said. Raises RuleBroken for a time ahead, for a permit that is over
    and for somebody who may not tell (`need_sampler`).
    """
    need_sampler(work, permit, by)
    if at is not None and at > work.at:
        raise RuleBroken("time", "取样时间还没到,请核对。")
    where = "、".join(dict.fromkeys(point for v in values for point in str(v.get("point", "")).split("、") if point))
    test = GasTest(
        at=at or work.at,
        by_id=by.id,
        meter=meter,
        point=where[:64],
        values=list(values),
        said=said[:300],
        photo_sha=photo_sha,
    )
    permit.gas_tests.append(test)
    if not meter or work.readings.detector(meter) is None:  # a date told for another meter is not this one's
        permit.facts = {name: value for name, value in permit.facts.items() if name != "detector_calibration_expiry"}
    _remember_points(work, permit)
    work.flush()
    words = gas_words(values)
    leave_line(work, permit, "gas_test", by=by, via=via, why=words, test=test.id, meter=meter)
    return test


def _remember_points(work: UnitOfWork, permit: Permit) -> None:
    """What the points of the last samples answer: HW-A11 of big equipment, HW-A09 of an outer wall.

    Samples belong together for half an hour.
    """
    recent = [test for test in permit.gas_tests if test.at >= work.at - timedelta(minutes=30)]
    points = sample_points.positions(test.point for test in recent)
    if points:
        permit.facts = {**permit.facts, "sample_positions": points}
    if permit.work == Work.HOT_WORK and any(sample_points.measured_inside(test.values) for test in recent):
        permit.facts = {**permit.facts, "inside_equipment_analysed": True}


def gas_words(values: Sequence[Mapping[str, Any]]) -> str:
    """«上部氧20.8%vol、下部氧20.6%vol»."""
    return "、".join(f"{v.get('point', '')}{gas_zh(v['gas'])}{v['value']:g}{v['unit']}" for v in values)


def gas_zh(name: str) -> str:
    medium = gas.find_medium(name)
    return {"combustible": "可燃", "o2": "氧"}.get(name, medium.zh if medium is not None else name)
