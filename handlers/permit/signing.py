"""Signatures: who may, where they must stand, what an approval sets in motion (GB 30871-2022 4.11, Table B.1)."""

from __future__ import annotations

from datetime import timedelta

from bot import outbox
from cards import permit as cards
from cards.words import local
from handlers.permit import actions, cast, holes, measures, surroundings, tables
from handlers.permit.judge import Judgement
from rules import geo
from rules.errors import RuleBroken
from rules.geo import Point
from rules.permit import Result, Work, max_validity
from rules.permit.life import PermitState, Step
from rules.terms import Role
from storage.models import Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

ON_SITE_M = 50.0  # from the point of work, beside what the phone says of its own accuracy; enterprise
WORST_FIX_M = 100.0  # a fix rougher than this says nothing about being at the site
OUTSIDE = "您不在厂区内,不能审批。审批人须在作业现场完成审批(GB 30871-2022 4.11 a),请到现场再发位置。"


def check_signer(work: UnitOfWork, permit: Permit, by: Person, kind: str) -> PermitApproval:
    """The open signature this person may give. Raises RuleBroken, naming who was first when it is too late."""
    rows = cast.open_signatures(permit, kind)
    if PermitState(permit.state) is not PermitState.SUBMITTED or not rows:
        raise RuleBroken(
            "state", who_was_first(work, permit) or f"{permit.number} 现在{PermitState(permit.state).zh},不用再签。"
        )
    mine = next((row for row in rows if cast.may_sign(work, permit, by, row)), None)
    if mine is None:
        if unit := next((said for row in rows if (said := cast.signed_otherwise(permit, by, row))), ""):
            raise RuleBroken("who", f"您已为“{unit}”签字,审批人和其他单位的会签人不能是同一个人(表B.1)。")
        raise RuleBroken("who", f"这一步由{rows[0].words}签,您不能代签;作业人、监护人、申请人也不能签自己的票。")
    return mine


def who_was_first(work: UnitOfWork, permit: Permit) -> str:
    """«ZY-0001 已由王芳 11-24 10:02 批准。»"""
    for line in reversed(work.trail.of("permit", permit.id)):
        if line.action in ("approved", "refused", "returned", "withdrawn") and line.by_id is not None:
            return f"{permit.number} 已由{work.people.get(line.by_id).name} {local(line.at)} {actions.VERB_ZH[line.action]}。"
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
    if permit.planned_end is not None and permit.planned_end <= work.at:
        raise RuleBroken("late", "计划的作业时间已过,请退回,由申请人改时间后再批。")
    judged = actions.judge_request(work, permit, cause="approval")
    retest = _need_allowed(judged)
    others_open = any(r.kind == "countersign" and r.granted is None for r in permit.approvals)
    before = actions.move_on(
        work,
        permit,
        Step.APPROVE,
        actions.moment(
            work,
            permit,
            judged,
            verdict=Result.CONDITIONAL if retest else judged.result,
            approvals_complete=not others_open,
            approver_on_site=True,
        ),
    )
    row.person, row.granted, row.decided_at = by, True, work.at
    row.lat, row.lon, row.accuracy_m = here.lat, here.lon, accuracy_m
    permit.approved_at = work.at
    _set_validity(work, permit)
    _list_measures(work, permit)
    cast.join(permit, by, cast.APPROVER, work)
    permit.judge_at = permit.valid_until
    last = actions.leave_line(
        work, permit, "approved", by=by, via=via, before=before, metres=round(metres), role=row.step,
        **cast.standing_in(work, permit, by, Role(row.wanted_role)),
    )  # fmt: skip
    if permit.work == Work.HOT_WORK.value:
        holes.tell_no_leader(work, permit, "验票")
    cast.post(
        work,
        permit,
        {p.id: p for p in [*cast.everyone(permit), *cast.shift_leaders(work, permit)]}.values(),
        purpose="permit.approved",
        last=last,
        urgency=outbox.URGENT,
    )
    return PermitState(permit.state)


SAMPLE_AGE = frozenset({"HW-A02", "CS-002"})  # asked again at the start, where the age of the sample counts


def _need_allowed(judged: Judgement) -> bool:
    """Whether only a new sample is missing before the start. Raises RuleBroken with what else is in the way."""
    failing = judged.verdict.failing()
    others = [row for row in failing if row.id not in SAMPLE_AGE]
    if others:
        words = ";".join(f"{row.message.rstrip('。')}({row.clause})" for row in others[:3])
        raise RuleBroken("permit.guard", f"判定{judged.result.zh},现在不能批:{words}。请退回,由申请人处理。")
    return bool(failing)


def _set_validity(work: UnitOfWork, permit: Permit) -> None:
    """From the planned start, or from now when that has passed; never longer than the table allows."""
    start, end = max(permit.planned_start or work.at, work.at), permit.planned_end
    longest = max_validity(tables.rules_of(work).table, work=permit.work, level=permit.level or None)
    limit = start + longest.longest
    permit.valid_from = start
    permit.valid_until = min(end, limit) if end is not None else start + min(longest.usual, timedelta(hours=4))


def _list_measures(work: UnitOfWork, permit: Permit) -> None:
    work.permits.drop_approvals(permit, "measure")
    for measure in measures.measures_of(permit):
        permit.approvals.append(PermitApproval(kind="measure", step=measure.id, words=measure.text))


def units_of(work: UnitOfWork, permit: Permit, by: Person) -> list[PermitApproval]:
    """The open countersigns this person may give. Raises RuleBroken when there is none."""
    check_signer(work, permit, by, "countersign")
    return [row for row in cast.open_signatures(permit, "countersign") if cast.may_sign(work, permit, by, row)]


def countersign(work: UnitOfWork, permit: Permit, *, by: Person, via: str, row_id: int | None = None) -> str:
    """One unit's signature, the one that was chosen: a name on the form says which unit agreed."""
    rows = units_of(work, permit, by)
    row = rows[0] if row_id is None else next((one for one in rows if one.id == row_id), None)
    if row is None:
        raise RuleBroken("state", "这个单位已经会签,或不由您签。")
    row.person, row.person_id, row.granted, row.decided_at = by, by.id, True, work.at
    cast.join(permit, by, cast.SIGNER, work)
    standing = cast.standing_in(work, permit, by, Role(row.wanted_role))
    last = actions.leave_line(work, permit, "countersigned", by=by, via=via, why=row.words, **standing)
    cast.redraw(work, permit, last)
    holes.tell_unsigned(work, permit)  # who countersigned no longer approves: perhaps nobody is left to
    return row.words


def decline(work: UnitOfWork, permit: Permit, *, by: Person, why: str, back: bool, via: str) -> None:
    """Refuse for good, or give back to be completed."""
    row = check_signer(work, permit, by, "approve")
    if not why.strip():
        raise RuleBroken("why", "请用一句话说明原因。")
    before = actions.move_on(work, permit, Step.RETURN if back else Step.REFUSE, actions.moment(work, permit, None))
    if not back:
        row.person, row.granted, row.decided_at, row.words = by, False, work.at, why[:300]
    action = "returned" if back else "refused"
    last = actions.leave_line(work, permit, action, by=by, via=via, before=before, why=why[:300])
    cast.redraw(work, permit, last)
    told = [permit.applicant] if permit.applicant is not None else []
    cast.tell(
        work,
        permit,
        told,
        f"{permit.number} {by.name}{actions.VERB_ZH[action]}:{why[:100]}",
        tag=f"{action}:{work.at:%H%M%S}",
    )
