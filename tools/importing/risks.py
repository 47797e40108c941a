"""`flask import-risks FILE`: the register of risks (危险源辨识与风险评价表), checked row by row, never put right silently."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from rules import risk as rules
from rules.errors import RuleBroken
from rules.lec import Boundary, Scheme
from storage.models import Area, Person, Risk
from storage.unit_of_work import UnitOfWork
from tools.importing.form import read_form
from tools.importing.table import BadRow, ImportReport, Row, put, take

# Headings as two real forms and their variants have them; brackets, spaces and signs are gone when they are compared.
# The order matters: a heading goes to the first name that wants it.
COLUMNS = {
    "seq": r"^(序号|编号)",
    "residual_score": r"(剩余|残余|现有|现状|控制后|当前)风险(d|值|分值)",
    "residual_level": r"(剩余|残余|现有|现状|控制后|当前)风险(等级|级别|程度)?$|(剩余|残余|现有|现状|控制后|当前)风险.*(等级|级别)",
    "accidents": r"可能导致|可能发生|可能造成|事故类型|^事故类别|危害后果|潜在事故|^后果$",
    "likelihood": r"^l($|[^a-z])|事故发生的可能性|风险评价l$|^可能性",
    "exposure": r"^e($|[^a-z])|频繁程度|^暴露",
    "consequence": r"^c($|[^a-z])|后果严重",
    "score": r"^d($|[^a-z])|风险值|危险性分值|危险分值|^分值",
    "control": r"管控(层级|级别|等级)|控制层级",
    "level": r"风险(等级|级别|分级|程度)|评价级别|危险(等级|级别)|^级别|^等级",
    "engineering": r"工程",
    "management": r"管理(措施)?$|管理控制",
    "training": r"培训|教育",
    "protection": r"个体|个人防护|防护(措施|用品)",
    "emergency": r"应急",
    "existing": r"措施",
    "unit": r"(责任|管控|负责)(单位|部门|车间|科室)",
    "owner": r"责任人|负责人",
    "cycle": r"频次|周期|频率",
    "hazard": r"^(主要)?(危险源|危险有害因素|危险因素|危害因素|有害因素|风险描述|风险因素|危险和有害因素)",
    "activity": r"^(作业活动|作业内容|作业步骤|活动|设备设施|工序|检查项目)",
    "place": r"^(风险点|区域|部位|场所|地点|过程|岗位|作业场所|作业区域|单元)",
    "remark": r"备注",
}
MEASURES = {
    "existing": "现有控制措施",
    "engineering": "工程技术",
    "management": "管理",
    "training": "培训教育",
    "protection": "个体防护",
    "emergency": "应急处置",
}
FILL_DOWN = ("place", "activity")


def import_risks(
    work: UnitOfWork, path: Path, *, scheme: Scheme = Scheme.A, boundary: Boundary | None = None
) -> ImportReport:
    """Add or change rows by place, activity and hazard; the caller commits. Raises TableError.

    What does not add up is in the report's `notes` and stays with the row; only rows that say nothing are left out.
    """
    rows = read_form(path, COLUMNS, needed=("hazard",), fill_down=FILL_DOWN)
    areas = {_plain(name): area for area in work.plant.areas() for name in (area.code, area.name)}
    seen: dict[str, int] = {}
    notes: list[tuple[int, str]] = []

    def one(row: Row) -> str:
        hazard = row.text("hazard", limit=2000, needed="危险源")
        place, activity = row.text("place", limit=128), row.text("activity", limit=200)
        if not place and not activity:
            raise BadRow("缺少区域(风险点)和作业活动,请至少填一样")
        key = hashlib.sha256("\n".join(map(_plain, (place, activity, hazard))).encode()).hexdigest()
        if key in seen:
            raise BadRow(f"与第{seen[key]}行重复(区域、作业活动和危险源都相同)")
        found = _assessed(row, scheme=scheme, boundary=boundary)
        seen[key] = row.number
        area, owner, more = _area(areas, place), *_owner(work, row)
        said = [*found.notes, *more]
        if areas and area is None:
            said.append(rules.Note("area_unknown", f"区域“{place[:16]}”不在台账里,没有归到区域"))
        notes.extend((row.number, note.words) for note in said)
        values = {
            **_values(row, found, scheme),
            "place": place,
            "activity": activity,
            "hazard": hazard,
            "area_id": area.id if area is not None else None,
            "owner_id": owner.id if owner is not None else None,
            "notes": [{"code": note.code, "words": note.words} for note in said],
            "to_check": bool(said),
            "source": path.name[:128],
            "active": True,
        }
        known = work.risks.by_key(key)
        item = known or Risk(key=key)
        outcome = put(item, values, new=known is None)
        if outcome != "same":
            item.imported_at = work.at
        if known is None:
            work.db.add(item)
        work.flush()
        return outcome

    report = take(rows, one)
    report.notes = notes
    return report


def _assessed(row: Row, *, scheme: Scheme, boundary: Boundary | None) -> rules.Assessment:
    written = rules.Written(
        likelihood=_number(row, "likelihood", "L"),
        exposure=_number(row, "exposure", "E"),
        consequence=_number(row, "consequence", "C"),
        score=_number(row, "score", "D"),
        level=row.text("level", limit=32),
        residual_score=_number(row, "residual_score", "现有风险值"),
        residual_level=row.text("residual_level", limit=32),
        control=row.text("control", limit=64),
        accidents=row.text("accidents", limit=200),
        has_measure=any(row.values.get(name) for name in MEASURES),
        has_owner=bool(row.values.get("unit") or row.values.get("owner")),
    )
    try:
        return rules.assess(written, scheme=scheme, boundary=boundary)
    except RuleBroken as broken:
        raise BadRow(broken.message_zh.rstrip("。")) from None


def _values(row: Row, found: rules.Assessment, scheme: Scheme) -> dict[str, object]:
    computed = found.computed
    residual = (row.text("residual_score", limit=15), row.text("residual_level", limit=32))
    return {
        "seq": row.text("seq", limit=32),
        "accidents_written": row.text("accidents", limit=200),
        "accidents": list(found.accidents),
        "likelihood": _number(row, "likelihood", "L"),
        "exposure": _number(row, "exposure", "E"),
        "consequence": _number(row, "consequence", "C"),
        "score_written": _number(row, "score", "D"),
        "level_written": row.text("level", limit=32),
        "scheme": scheme.value,
        "score": computed.score if computed is not None else None,
        "computed": computed.colour.value if computed is not None else "",
        "colour": found.colour.value,
        "residual_written": " ".join(part for part in residual if part),
        "measures": {name: text for name in MEASURES if (text := row.text(name, limit=4000))},
        "control_level": row.text("control", limit=64),
        "unit": row.text("unit", limit=64),
        "owner_name": row.text("owner", limit=64),
        "cycle": row.text("cycle", limit=64),
        "remark": row.text("remark", limit=2000),
    }


def _number(row: Row, name: str, shown: str) -> float | None:
    """A number as tables write it: «6», «6分», «0.5 (很不可能)». Raises BadRow for words without one."""
    text = unicodedata.normalize("NFKC", row.values.get(name, "")).strip()
    if text in ("", "-", "/", "—", "无"):
        return None
    match = re.match(r"\d+(\.\d+)?", text)
    if match is None:
        raise BadRow(f"{shown}“{text[:12]}”不是数字")
    return float(match.group())


def _area(areas: dict[str, Area], place: str) -> Area | None:
    """The area of the ledger with this name or code, else the one whose whole name the place begins with or holds."""
    plain = _plain(place)
    if plain in areas:
        return areas[plain]
    named = [name for name in areas if not name.isascii() and name in plain]
    return areas[max(named, key=len)] if named else None


def _owner(work: UnitOfWork, row: Row) -> tuple[Person | None, list[rules.Note]]:
    """The person of the roster with the written name; noted when it is nobody or several."""
    name = row.text("owner", limit=64)
    if not name:
        return None, []
    people = work.people.by_name(name)
    if len(people) == 1:
        return people[0], []
    why = "有同名的人" if people else "不在名册里"
    return None, [rules.Note("owner_unknown", f"责任人“{name[:12]}”{why},没有对应到账号")]


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
