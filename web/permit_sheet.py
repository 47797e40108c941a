"""From the rows of a permit to the values on its sheet, and the signature in the QR code that verifies it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from cards import permit as cards
from cards.pdf import PermitSheet, SheetGas, SheetMeasure, SheetOpinion, SheetPerson, forms
from handlers.permit import briefing, measures
from handlers.permit.actions import gas_zh
from handlers.permit.measures import Measure
from rules.certificates import KIND_ZH, guardian_kinds
from rules.permit import LEVEL_ZH, Result, Work, plates
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

GAS_ZH = {"combustible": "可燃气体", "o2": "氧", "h2s": "硫化氢", "co": "一氧化碳", "nh3": "氨", "cl2": "氯"}
OPERATING = frozenset(kind for kind in KIND_ZH if "guardian" not in kind)
# the box of the form that the approver's signature belongs into
APPROVER_BOX = {
    "hot_work": "动火审批人意见",
    "confined_space": "所在单位意见",
    "blind_plate": "所在单位意见",
    "temp_power": "配送电单位意见",
}
# the box of the form that the signatures of other units belong into; other forms get a line of their own for each
COUNTERSIGN_BOX = {
    "temp_power": "配送电单位意见",
    "digging": "有关水、电、汽、工艺、设备、消防、安全等部门会签意见",
    "road_closing": "消防、安全管理部门意见",
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
    verdict = work.permit_verdicts.get(permit.verdict_id)
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
        measures=_measures(permit),
        briefer="、".join(briefing.givers(permit)),
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
    told = str(permit.boxes.get("risks", ""))
    return [*([told] if told else []), *(text for fact, text in words.items() if permit.facts.get(fact) is True)]


def _gas(work: UnitOfWork, test: Any) -> list[SheetGas]:
    by = work.people.get(test.by_id).name if test.by_id is not None else ""
    return [
        SheetGas(
            test.at,
            GAS_ZH.get(v["gas"]) or gas_zh(str(v["gas"])),
            f"{v['value']:g} {v['unit']}",
            by,
            str(v.get("point") or test.point),
        )
        for v in test.values
    ]


def _measures(permit: Permit) -> list[SheetMeasure]:
    """Every row of the form: confirmed, still open, or not asked because the request says that there is no such thing."""
    known = measures.all_measures()
    asked = [row for row in permit.approvals if row.kind == "measure"]
    rows = [(known.get(row.step), _measure(row, permit)) for row in asked]
    if not asked:  # before the approval nobody can confirm anything
        rows = [(m, SheetMeasure(m.text, row=_std(m, permit))) for m in measures.measures_of(permit)]
    there = {measure.id for measure, _ in rows if measure is not None}
    rows += [
        (m, SheetMeasure(m.text, False, why, row=_std(m, permit)))
        for m, why in measures.left_out(permit)
        if m.id not in there and _std(m, permit)
    ]
    return [sheet for _, sheet in sorted(rows, key=lambda pair: _row_number(pair[1].row))]


def _std(measure: Measure | None, permit: Permit) -> str:
    return measure.std.get(permit.work, "") if measure is not None else ""


def _row_number(row: str) -> int:
    return int(row.partition("、")[0]) if row else 99


def _measure(row: PermitApproval, permit: Permit) -> SheetMeasure:
    known = measures.all_measures().get(row.step)
    text, std = row.words.removesuffix(measures.NOT_APPLICABLE), _std(known, permit)
    if not row.granted:
        return SheetMeasure(text, row=std)
    involved = not row.words.endswith(measures.NOT_APPLICABLE)
    kind = known.evidence.zh if known is not None else "照片"
    return SheetMeasure(
        f"{text}:{row.said}" if row.said else text,
        involved,
        row.person.name if row.person else "",
        row.decided_at,
        row=std,
        proof=f"附{kind}" if row.photo_sha else "",
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
    return _one_a_box(rows)


def _one_a_box(rows: Iterable[SheetOpinion]) -> list[SheetOpinion]:
    """Signatures of several units in one box stand in it together, each with its unit."""
    boxes: dict[str, SheetOpinion] = {}
    for row in rows:
        first = boxes.get(row.title)
        if first is None:
            boxes[row.title] = row
            continue
        names = "、".join(dict.fromkeys([*first.by.split("、"), row.by]))
        latest = max((at for at in (first.at, row.at) if at is not None), default=None)
        boxes[row.title] = SheetOpinion(row.title, f"{first.words};{row.words}", names, latest)
    return list(boxes.values())


def _box(work: str, row: PermitApproval) -> str:
    boxes = {
        "approve": APPROVER_BOX.get(work, "审批部门意见"),
        "countersign": COUNTERSIGN_BOX.get(work, f"{row.words or row.step}会签"),
        "shift_leader": "动火前,岗位当班班长验票情况",
        "acceptance": "完工验收",
    }
    return boxes.get(row.kind, "")


def _signed(title: str, row: PermitApproval) -> SheetOpinion:
    said = "同意" if row.granted else f"不同意:{row.words}"
    if row.kind == "acceptance":
        said = "验收合格"
    elif row.kind == "countersign" and title in COUNTERSIGN_BOX.values():
        said = f"{row.words} {said}({row.person.name if row.person else ''})"
    elif row.kind == "approve" and row.granted and row.lat is not None:
        said = "同意(现场定位审批)"
    return SheetOpinion(title, said, row.person.name if row.person else "", row.decided_at)


def _own(permit: Permit) -> dict[str, str]:
    found = {"method": _method(permit), "extent": permit.content, "reason": permit.content, "load": permit.content}
    if permit.level not in ("", "none"):
        found["level"] = LEVEL_ZH.get(permit.level, permit.level)
    for key, fact in OWN_FACTS.get(permit.work, {}).items():
        if permit.facts.get(fact) is not None:
            found[key] = cards.value_zh(fact, permit.facts[fact])
    if permit.work == "lifting":
        found["mass"] = " ".join(part for part in (found.get("mass", ""), found.get("level", "")) if part)
    told = {key: str(text) for key, text in permit.boxes.items() if text}
    if permit.work == Work.BLIND_PLATE and found["method"]:
        told.pop("method", None)  # what was judged is printed
    return found | told


TOLD_BY_FACTS = frozenset({"level", "height", "factors", "mass", "medium"})
RISKS = "风险辨识结果(作业危害分析)"
METHODS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "hot_work": (
        ("电焊|焊条|氩弧", "电焊"), ("气割|割", "气割"), ("气焊", "气焊"), ("喷灯", "喷灯"), ("电钻|钻孔", "电钻"),
        ("砂轮|打磨|磨光|角磨", "砂轮"), ("喷砂", "喷砂"),
    ),
}  # fmt: skip
"""The way of working as the form names it, by words of the job; people may write something else into the box."""


def _method(permit: Permit) -> str:
    words = f"{permit.method} {permit.content}"
    if permit.work == Work.BLIND_PLATE:  # one ticket, one action (7.11): never both on one sheet
        told = plates.action_in(words) or str(permit.facts.get("plate_action", ""))
        return plates.ACTION_ZH.get(told, "")
    found = [name for pattern, name in METHODS.get(permit.work, ()) if re.search(pattern, words)]
    return permit.method or "、".join(found)


def boxes_of(permit: Permit) -> list[tuple[str, str, str]]:
    """(key, label, value so far) of the form's own boxes that people fill in."""
    now = _own(permit)
    own = [(key, label, now.get(key, "")) for key, label in forms()[permit.work]["own"] if key not in TOLD_BY_FACTS]
    return [*own, ("risks", RISKS, str(permit.boxes.get("risks", "")))]


def filename(permit: Permit, at: datetime) -> str:
    return f"{permit.number or 'draft'}-{at:%Y%m%d%H%M}.pdf"
