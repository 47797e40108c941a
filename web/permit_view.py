"""A permit as a signed-in person may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cards import permit as cards
from cards.words import local, name_of
from handlers.permit import actions, measures
from rules.permit import Result
from rules.permit.facts import fact_dictionary
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, TrailLine
from storage.unit_of_work import UnitOfWork
from web.permit_sheet import boxes_of

KIND_ZH = {
    "approve": "审批",
    "countersign": "会签",
    "shift_leader": "班长验票",
    "measure": "安全措施",
    "briefing": "安全交底",
    "start": "开工",
    "check_in": "监护打卡",
    "handover": "交接",
    "finish": "收工",
    "fire_watch": "监火",
    "acceptance": "验收",
}
VIA_ZH = {"wecom": "企业微信", "dingtalk": "钉钉", "web": "页面", "clock": "到点自动", "api": "接口"}


@dataclass(frozen=True, slots=True)
class Signed:
    what: str
    words: str
    who: str
    when: str
    given: bool | None
    photo: str
    film: bool
    tag: str


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    who: str
    when: str
    why: str
    via: str


@dataclass(frozen=True, slots=True)
class PermitView:
    ref: str
    title: str
    state: str
    state_zh: str
    content: str
    facts: Sequence[tuple[str, str]]
    suspended: Sequence[str]
    result: str
    result_zh: str
    judged_at: str
    basis: str
    blocking: Sequence[str]
    passed: Sequence[str]
    fixes: Sequence[str]
    due: Sequence[str]
    notes: Sequence[str]
    told: Sequence[tuple[str, str]]
    gas: Sequence[tuple[str, str]]
    signed: Sequence[Signed]
    trail: Sequence[Line]
    may_answer: bool
    has_boxes: bool
    board: str


def view(work: UnitOfWork, permit: Permit, *, may_answer: bool, link: Callable[[str, str], str]) -> PermitView:
    """`link(sha256, kind)` makes a picture's address."""
    state = PermitState(permit.state)
    stored = work.permit_verdicts.get(permit.verdict_id)
    verdict: Mapping[str, Any] = stored.verdict if stored is not None else {}
    rules = verdict.get("rules", [])
    return PermitView(
        ref=permit.number or str(permit.id),
        title=f"{permit.number or '申请中'} {cards.name(permit)}",
        state=state.value,
        state_zh=state.zh,
        content=permit.content,
        facts=_facts(permit),
        suspended=[str(why["message"]) for why in permit.suspend_why] if state is PermitState.SUSPENDED else [],
        result=permit.result,
        result_zh=Result(permit.result).zh if permit.result else "",
        judged_at=local(stored.at) if stored else "",
        basis=str(verdict.get("basis", "")),
        blocking=[cards.rule_line(row) for row in rules if row["result"] != Result.PASS.value],
        passed=[cards.rule_line(row) for row in rules if row["result"] == Result.PASS.value],
        fixes=cards.fix_lines(verdict),
        due=cards.due_lines(permit.next_due),
        notes=[str(note) for note in verdict.get("notes", [])],
        told=_told(permit),
        gas=[_gas(work, test) for test in permit.gas_tests],
        signed=[_signed(row, link) for row in permit.approvals],
        trail=[_line(work, line) for line in work.trail.of("permit", permit.id)],
        may_answer=may_answer,
        has_boxes=may_answer and bool(boxes_of(permit)),
        board=permit.area.code if permit.area else "",
    )


def _facts(permit: Permit) -> list[tuple[str, str]]:
    rows = [
        ("位置", cards.place(permit)),
        ("高度", f"离地 {permit.height_m:g} m" if permit.height_m is not None else ""),
        ("有效期" if permit.valid_until else "计划时间", cards.span(permit)),
        ("定级", permit.level_why),
        ("申请人", name_of(permit.applicant)),
        ("监护人", name_of(permit.guardian)),
        ("作业人", cards.people(permit, "worker")),
        ("审批人", cards.people(permit, "approver")),
        ("开始", local(permit.started_at) if permit.started_at else ""),
        ("收工", local(permit.ended_at) if permit.ended_at else ""),
    ]
    return [(name, text) for name, text in rows if text]


def _told(permit: Permit) -> list[tuple[str, str]]:
    known = fact_dictionary()
    return [(known[name].zh, cards.value_zh(name, value)) for name, value in permit.facts.items() if name in known]


def _gas(work: UnitOfWork, test: Any) -> tuple[str, str]:
    words = actions.gas_words(test.values)
    by = work.people.get(test.by_id).name if test.by_id is not None else ""
    return local(test.at), " · ".join(part for part in (words, by, test.meter) if part)


def _signed(row: PermitApproval, link: Callable[[str, str], str]) -> Signed:
    who = row.person.name if row.person is not None else "待办"
    when = local(row.decided_at) if row.decided_at else ""
    known = measures.micro_of(row)
    photo = link(row.photo_sha, "small") if row.photo_sha else ""
    words = ":".join(part for part in (row.words if row.kind != "start" else "", row.said) if part)
    tag = " ".join(part for part in (known.micro, known.clause) if part)
    return Signed(KIND_ZH.get(row.kind, row.kind), words, who, when, row.granted, photo, known.evidence == "video", tag)


def _line(work: UnitOfWork, line: TrailLine) -> Line:
    who = work.people.get(line.by_id).name if line.by_id is not None else "系统"
    what = actions.VERB_ZH.get(line.action, line.action)
    return Line(what, who, local(line.at), line.why, VIA_ZH.get(line.via, line.via))
