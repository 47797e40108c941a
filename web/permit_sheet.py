"""From the rows of a permit to the values on its sheet, and the signature in the QR code that verifies it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from cards import permit as cards
from cards.pdf import PermitSheet, SheetGas, SheetMeasure, SheetOpinion, SheetPerson
from rules.certificates import KIND_ZH, guardian_kinds
from rules.permit import LEVEL_ZH, Result, Work
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

GAS_ZH = {"combustible": "可燃气体", "o2": "氧", "h2s": "硫化氢", "co": "一氧化碳", "nh3": "氨", "cl2": "氯"}
OPERATING = frozenset(kind for kind in KIND_ZH if "guardian" not in kind)
NOT_APPLICABLE = "(不涉及)"
# the box of the form that the approver's signature belongs into
APPROVER_BOX = {
    "hot_work": "动火审批人意见",
    "confined_space": "所在单位意见",
    "blind_plate": "所在单位意见",
    "temp_power": "配送电单位意见",
}
OWN_FACTS: Mapping[str, Mapping[str, str]] = {
    "confined_space": {"medium": "medium"},
    "work_at_height": {"height": "height", "factors": "factors"},
    "lifting": {"mass": "mass_t"},
}


def signature(secret: str, number: str) -> str:
    """16 characters that only this installation can make for this number."""
    made = hmac.new(secret.encode(), f"permit-sheet:{number}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:12]).decode()


def verify_url(public_url: str, secret: str, number: str) -> str:
    return f"{public_url}/h5/permits/{number}/verify?sig={signature(secret, number)}"


def sheet_of(work: UnitOfWork, permit: Permit, *, plant: str, verify: str) -> PermitSheet:
    applicant = permit.applicant
    verdict = work.permits.verdict(permit.verdict_id)
    briefed = [p for p in permit.parties if p.briefed_at is not None and p.left_at is None]
    return PermitSheet(
        number=permit.number or "(草稿)",
        work=permit.work,
        level=LEVEL_ZH.get(permit.level, "") if permit.level not in ("", "none") else "",
        state=PermitState(permit.state).zh,
        plant=plant,
        verify_url=verify,
        printed_at=work.at,
        applicant_unit=_unit(permit),
        applicant=applicant.name if applicant else "",
        applied_at=permit.submitted_at or permit.created_at,
        place=cards.place(permit),
        content=permit.content,
        work_unit=_teams(p.person for p in permit.parties if p.role == "worker" and p.left_at is None),
        leader=applicant.name if applicant else "",
        guardian=_certified(work, permit.guardian, guardian_kinds(permit.work)),
        workers=[
            _certified(work, p.person, OPERATING) for p in permit.parties if p.role == "worker" and p.left_at is None
        ],
        related=_related(work, permit),
        hazards=_risks(permit),
        start=permit.valid_from or permit.planned_start,
        end=permit.valid_until or permit.planned_end,
        started_at=permit.started_at,
        ended_at=permit.ended_at,
        gas=[row for test in permit.gas_tests for row in _gas(work, test)],
        measures=[_measure(row) for row in permit.approvals if row.kind == "measure"],
        briefer=applicant.name if applicant and briefed else "",
        briefed=list(dict.fromkeys(p.person.name for p in briefed)),
        opinions=_opinions(permit),
        verdict=Result(permit.result).zh if permit.result else "",
        verdict_basis=f"{verdict.verdict.get('basis', '')};规则表 {verdict.table_version}" if verdict else "",
        own=_own(permit),
    )


def _unit(permit: Permit) -> str:
    return (permit.area.workshop or permit.area.name) if permit.area else ""


def _teams(people: Iterable[Person]) -> str:
    return "、".join(dict.fromkeys(person.team for person in people if person.team))


def _certified(work: UnitOfWork, person: Person | None, kinds: Collection[str]) -> SheetPerson:
    """The person with the numbers of their certificates of these kinds."""
    if person is None:
        return SheetPerson("")
    held = [c.number for c in work.certificates.of(person.id) if c.number and c.kind in kinds]
    return SheetPerson(person.name, "、".join(held[:2]))


def _related(work: UnitOfWork, permit: Permit) -> list[str]:
    """Other permits at the same equipment or, without one, the same point of the area whose times touch."""
    start, end = permit.valid_from or permit.planned_start, permit.valid_until or permit.planned_end
    if start is None or end is None:
        return []
    same = [
        other
        for other in work.permits.between(start, end)
        if other.id != permit.id
        and other.area_id == permit.area_id
        and other.equipment_id == permit.equipment_id
        and other.state not in ("withdrawn", "refused")
    ]
    return [f"{other.number}({Work(other.work).zh})" for other in same]


def _risks(permit: Permit) -> list[str]:
    """What people answered about the risks of this place, only what is there."""
    words = {
        "contained_hazard": "设备内有危险介质",
        "cross_work": "交叉作业",
        "corrosive_medium": "腐蚀性介质",
        "drains_nearby": "附近有地漏、窨井",
        "toxic_gas_medium": "有毒气体",
        "stacked_work": "上下垂直交叉作业",
        "under_pressure_unpurged": "带压不置换",
        "near_live_line": "邻近带电体",
    }
    return [text for fact, text in words.items() if permit.facts.get(fact) is True]


def _gas(work: UnitOfWork, test: Any) -> list[SheetGas]:
    by = work.people.get(test.by_id).name if test.by_id is not None else ""
    return [
        SheetGas(test.at, GAS_ZH.get(v["gas"], str(v["gas"])), f"{v['value']:g} {v['unit']}", by, test.point)
        for v in test.values
    ]


def _measure(row: PermitApproval) -> SheetMeasure:
    text = row.words.removesuffix(NOT_APPLICABLE)
    if not row.granted:
        return SheetMeasure(text)
    return SheetMeasure(
        text, not row.words.endswith(NOT_APPLICABLE), row.person.name if row.person else "", row.decided_at
    )


def _opinions(permit: Permit) -> list[SheetOpinion]:
    rows = []
    if permit.submitted_at is not None and permit.applicant is not None:
        title = "作业指挥意见" if permit.work == "lifting" else "作业负责人意见"
        rows.append(SheetOpinion(title, "申请作业", permit.applicant.name, permit.submitted_at))
    for row in permit.approvals:
        title = _box(permit.work, row)
        if title and row.granted is not None:
            rows.append(_signed(title, row))
    return rows


def _box(work: str, row: PermitApproval) -> str:
    boxes = {
        "approve": APPROVER_BOX.get(work, "审批部门意见"),
        "countersign": f"{row.words or row.step}会签",
        "shift_leader": "动火前,岗位当班班长验票情况",
        "acceptance": "完工验收",
    }
    return boxes.get(row.kind, "")


def _signed(title: str, row: PermitApproval) -> SheetOpinion:
    said = "同意" if row.granted else f"不同意:{row.words}"
    if row.kind == "acceptance":
        said = "验收合格"
    elif row.kind == "approve" and row.granted and row.lat is not None:
        said = "同意(现场定位审批)"
    return SheetOpinion(title, said, row.person.name if row.person else "", row.decided_at)


def _own(permit: Permit) -> dict[str, str]:
    found = {"method": permit.method, "extent": permit.content, "reason": permit.content, "load": permit.content}
    for key, fact in OWN_FACTS.get(permit.work, {}).items():
        if permit.facts.get(fact) is not None:
            found[key] = cards.value_zh(fact, permit.facts[fact])
    return found


def filename(permit: Permit, at: datetime) -> str:
    return f"{permit.number or 'draft'}-{at:%Y%m%d%H%M}.pdf"
