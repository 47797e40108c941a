"""`flask import-detectors FILE`: fixed and portable gas detectors, and the wind meter."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from handlers.readings import UNITS
from rules.days import read_day
from storage.models import Detector
from storage.unit_of_work import UnitOfWork
from tools.importing.equipment import position
from tools.importing.table import BadRow, ImportReport, Row, number, put, read_table, take

COLUMNS = {
    "code": ("编号", "位号", "探测器编号"),
    "name": ("名称",),
    "kind": ("类型", "气体"),
    "unit": ("单位",),
    "medium": ("介质",),
    "area": ("区域", "区域编码"),
    "lon": ("经度", "longitude"),
    "lat": ("纬度", "latitude"),
    "age": ("最长间隔秒", "间隔秒"),
    "until": ("检定有效期", "检定到期"),
}


def import_detectors(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change detectors by their number; the caller commits. Raises TableError."""
    areas = {name: area for area in work.plant.areas() for name in (area.code, area.name)}
    seen: set[str] = set()

    def one(row: Row) -> str:
        code = row.text("code", limit=64, needed="编号")
        if code in seen:
            raise BadRow(f"编号 {code} 在表里出现了两次")
        kind = row.text("kind", limit=24, needed="类型")
        area = row.text("area", limit=64)
        if area and area not in areas:
            raise BadRow(f"没有区域“{area}”,请先导入区域或改正编码")
        lat, lon = position(row)
        values = {
            "name": row.text("name", limit=64),
            "kind": kind,
            "unit": unit(row.text("unit", limit=16, needed="单位")),
            "medium": row.text("medium", limit=64),
            "area_id": areas[area].id if area else None,
            "lat": lat,
            "lon": lon,
            "max_age_s": _age(row),
            "calibrated_until": day(row, "until", "检定有效期"),
            "active": True,
        }
        seen.add(code)
        known = work.readings.detector(code)
        item = known or Detector(code=code)
        outcome = put(item, values, new=known is None)
        if known is None:
            work.db.add(item)
        work.flush()
        return outcome

    return take(read_table(path, COLUMNS, needed=("code", "kind", "unit")), one)


def unit(text: str) -> str:
    found = UNITS.get(text.lower().replace(" ", ""))
    if found is None:
        raise BadRow(f"单位“{text[:12]}”不认识,可填:{'、'.join(sorted(set(UNITS.values())))}")
    return found


def _age(row: Row) -> int:
    given = row.values.get("age", "")
    if not given:
        return 300
    seconds = number(given, "最长间隔秒")
    if not 1 <= seconds <= 86_400:
        raise BadRow(f"最长间隔秒“{given[:10]}”应在 1 到 86400 之间")
    return int(seconds)


def day(row: Row, name: str, zh: str) -> date | None:
    """The date of a column. Raises BadRow."""
    try:
        return read_day(row.values.get(name), zh)
    except ValueError as error:
        raise BadRow(str(error)) from error
