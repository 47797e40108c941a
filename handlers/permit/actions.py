"""What can be done with a permit, callable from chat, page and job alike. Every change leaves a line in the trail.

Every move of state goes through rules.permit.life.move: it raises RuleBroken with the Chinese sentence for the person.
The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot import outbox
from cards import permit as cards
from cards.words import local
from handlers.permit import cast, facts, judge, measures, questions, surroundings, tables
from handlers.permit.judge import Judgement
from rules import geo
from rules.errors import RuleBroken
from rules.geo import Point
from rules.permit import Stage, max_validity
from rules.permit.life import Moment, PermitState, Step, move
from storage.models import GasTest, Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

ON_SITE_M = 50.0  # from the point of work, beside what the phone says of its own accuracy; enterprise
WORST_FIX_M = 100.0  # a fix rougher than this says nothing about being at the site
OUTSIDE = "您不在厂区内,不能审批。审批人须在作业现场完成审批(GB 30871-2022 4.11 a),请到现场再发位置。"

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
    "briefed": "接受交底",
    "checked_in": "监护打卡",
    "started": "开始作业",
    "interrupted": "中断作业",
    "resumed": "恢复作业",
    "suspended": "叫停",
    "confirmed": "确认停工",
    "gas_test": "报气体分析",
    "handover": "监护交接",
    "finished": "收工",
    "unfinished": "继续作业",
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
    _, sampled_at = facts.tests_of(permit)
    suspended = permit.state == PermitState.SUSPENDED.value
    return Moment(
        **{
            "at": work.at,
            "work": permit.work,
            "level": permit.level or None,
            "valid_to": permit.valid_until or permit.planned_end,
            "verdict": judged.result if judged is not None else None,
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


def open_draft(work: UnitOfWork, *, kind: str, by: Person) -> Permit:
    """A permit that is being asked for; an older draft of the person is put away."""
    old = work.permits.draft_of(by.id, since=work.at - timedelta(days=30))
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
    return judged


def _remember(work: UnitOfWork, permit: Permit) -> None:
    answers = {name: value for name, value in permit.facts.items() if name in questions.STABLE}
    work.permits.remember(place_key(permit), permit.work, answers, at=work.at)


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


# -- signatures


def check_signer(work: UnitOfWork, permit: Permit, by: Person, kind: str) -> PermitApproval:
    """The open signature this person may give. Raises RuleBroken, naming who was first when it is too late."""
    row = cast.open_signature(permit, kind)
    if PermitState(permit.state) is not PermitState.SUBMITTED or row is None:
        raise RuleBroken(
            "state", who_was_first(work, permit) or f"{permit.number} 现在{PermitState(permit.state).zh},不用再签。"
        )
    if not cast.may_sign(work, permit, by, row):
        raise RuleBroken("who", f"这一步由{row.words}签,您不能代签;作业人、监护人、申请人也不能签自己的票。")
    return row


def who_was_first(work: UnitOfWork, permit: Permit) -> str:
    """«ZY-0001 已由王芳 11-24 10:02 批准。»"""
    for line in reversed(work.trail.of("permit", permit.id)):
        if line.action in ("approved", "refused", "returned", "withdrawn") and line.by_id is not None:
            return f"{permit.number} 已由{work.people.get(line.by_id).name} {local(line.at)} {VERB_ZH[line.action]}。"
    return ""


def distance_to_site(work: UnitOfWork, permit: Permit, here: Point, accuracy_m: float | None) -> float:
    """Metres from the signer to the work. Raises RuleBroken when that is outside the plant or too far to see it."""
    rough = accuracy_m or 0.0
    if rough > WORST_FIX_M:
        raise RuleBroken("on_site", f"定位误差约{rough:.0f}米,看不出您是否在现场。请到开阔处重新发位置。")
    areas = [area for area in work.plant.areas() if area.polygon]
    nearest = min((geo.distance_to_polygon_m(here, area.polygon) for area in areas), default=0.0)
    site = surroundings.point_of(permit)
    if areas and nearest > ON_SITE_M + rough and (site is None or geo.distance_m(here, site) > ON_SITE_M + rough):
        raise RuleBroken("on_site", OUTSIDE, source="GB 30871-2022 4.11 a")
    if site is not None:
        metres = geo.distance_m(here, site)
    else:
        ring = permit.area.polygon if permit.area is not None else []
        metres = geo.distance_to_polygon_m(here, ring) if ring else 0.0
    if metres > ON_SITE_M + rough:
        raise RuleBroken(
            "on_site",
            f"您离作业点约{metres:.0f}米。审批人须在作业现场审批(4.11 a),请到{cards.place(permit)}再发位置。",
            source="GB 30871-2022 4.11 a",
        )
    return metres


def approve(
    work: UnitOfWork, permit: Permit, *, by: Person, here: Point, accuracy_m: float | None, via: str
) -> PermitState:
    """Sign on the spot. The permit is approved when nobody else has to sign and the verdict still allows the work."""
    row = check_signer(work, permit, by, "approve")
    metres = distance_to_site(work, permit, here, accuracy_m)
    judged = judge_request(work, permit, cause="approval")
    others_open = any(r.kind == "countersign" and r.granted is None for r in permit.approvals)
    before = move_on(
        work,
        permit,
        Step.APPROVE,
        moment(work, permit, judged, approvals_complete=not others_open, approver_on_site=True),
    )
    row.person, row.granted, row.decided_at = by, True, work.at
    row.lat, row.lon, row.accuracy_m = here.lat, here.lon, accuracy_m
    permit.approved_at = work.at
    _set_validity(work, permit)
    _list_measures(work, permit)
    cast.join(permit, by, cast.APPROVER, work)
    permit.judge_at = permit.valid_until
    last = leave_line(work, permit, "approved", by=by, via=via, before=before, metres=round(metres), role=row.step)
    cast.post(
        work,
        permit,
        {p.id: p for p in [*cast.everyone(permit), *cast.shift_leaders(work, permit)]}.values(),
        purpose="permit.approved",
        last=last,
        urgency=outbox.URGENT,
    )
    return PermitState(permit.state)


def _set_validity(work: UnitOfWork, permit: Permit) -> None:
    """From the planned start, or from now when that has passed; never longer than the table allows."""
    start, end = permit.planned_start or work.at, permit.planned_end
    longest = max_validity(tables.rules_of(work).table, work=permit.work, level=permit.level or None)
    limit = start + longest.longest
    permit.valid_from = start
    permit.valid_until = min(end, limit) if end is not None else start + min(longest.usual, timedelta(hours=4))


def _list_measures(work: UnitOfWork, permit: Permit) -> None:
    work.permits.drop_approvals(permit, "measure")
    for measure in measures.measures_of(permit):
        permit.approvals.append(PermitApproval(kind="measure", step=measure.id, words=measure.text))


def countersign(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> str:
    """One unit's signature; one person signs for every unit whose post is theirs."""
    check_signer(work, permit, by, "countersign")
    signed = []
    for row in permit.approvals:
        if row.kind == "countersign" and row.granted is None and cast.may_sign(work, permit, by, row):
            row.person, row.granted, row.decided_at = by, True, work.at
            signed.append(row.words)
    cast.join(permit, by, cast.SIGNER, work)
    last = leave_line(work, permit, "countersigned", by=by, via=via, why="、".join(signed))
    cast.redraw(work, permit, last)
    return "、".join(signed)


def decline(work: UnitOfWork, permit: Permit, *, by: Person, why: str, back: bool, via: str) -> None:
    """Refuse for good, or give back to be completed."""
    row = check_signer(work, permit, by, "approve")
    if not why.strip():
        raise RuleBroken("why", "请用一句话说明原因。")
    before = move_on(work, permit, Step.RETURN if back else Step.REFUSE, moment(work, permit, None))
    if not back:
        row.person, row.granted, row.decided_at, row.words = by, False, work.at, why[:300]
    action = "returned" if back else "refused"
    last = leave_line(work, permit, action, by=by, via=via, before=before, why=why[:300])
    cast.redraw(work, permit, last)
    told = [permit.applicant] if permit.applicant is not None else []
    cast.tell(
        work, permit, told, f"{permit.number} {by.name}{VERB_ZH[action]}:{why[:100]}", tag=f"{action}:{work.at:%H%M%S}"
    )


# -- gas


def add_gas_test(
    work: UnitOfWork,
    permit: Permit,
    *,
    by: Person,
    values: Sequence[Mapping[str, Any]],
    said: str,
    meter: str = "",
    photo_sha: str = "",
    via: str,
) -> GasTest:
    """An analysis as it was told. `values` are [{gas, value, unit}] with units."""
    test = GasTest(
        at=work.at, by_id=by.id, meter=meter, point="", values=list(values), said=said[:300], photo_sha=photo_sha
    )
    permit.gas_tests.append(test)
    work.flush()
    words = "、".join(f"{gas_zh(v['gas'])}{v['value']:g}{v['unit']}" for v in values)
    leave_line(work, permit, "gas_test", by=by, via=via, why=words, test=test.id, meter=meter)
    return test


def gas_zh(name: str) -> str:
    return {"combustible": "可燃", "o2": "氧", "h2s": "硫化氢", "co": "一氧化碳", "nh3": "氨", "cl2": "氯"}.get(
        name, name
    )
