"""`flask import-equipment FILE`: the equipment ledger (设备台账)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from rules import geo
from rules.permit.equipment_state import state_of
from rules.text import equipment_key
from storage.models import Equipment
from storage.unit_of_work import UnitOfWork
from tools.importing.table import BadRow, ImportReport, Row, number, put, read_table, take, yes

COLUMNS = {
    "code": ("位号", "设备位号"),
    "name": ("名称", "设备名称"),
    "kind": ("类型",),
    "area": ("区域", "区域编码"),
    "medium": ("介质",),
    "ignition": ("点火源",),
    "state": ("状态",),
    "lon": ("经度", "longitude"),
    "lat": ("纬度", "latitude"),
}


def import_equipment(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change equipment by its number on the plate (位号); the caller commits. Raises TableError."""
    areas = {name: area for area in work.plant.areas() for name in (area.code, area.name)}
    seen: dict[str, str] = {}
    notes: list[tuple[int, str]] = []

    def state(row: Row) -> str:
        """The state in our words; one that is not known is kept as it stands, asked for each permit, and noted."""
        word = row.text("state", limit=32)
        found = state_of(word)
        if found is None:
            words = f"状态“{word}”不认识,按未知处理,办作业票时会问;可填:运行、备用、停用、检修、拆除"
            notes.append((row.number, words))
        return word if found is None else found

    def one(row: Row) -> str:
        code = row.text("code", limit=64, needed="位号")
        key = equipment_key(code)
        if not key:
            raise BadRow(f"位号“{code[:16]}”里没有字母或数字")
        if key in seen:
            raise BadRow(f"位号 {code} 与前面的 {seen[key]} 相同")
        area = row.text("area", limit=64)
        if area and area not in areas:
            raise BadRow(f"没有区域“{area}”,请先导入区域或改正编码")
        lat, lon = position(row)
        values = {
            "code_key": key,
            "name": row.text("name", limit=64, needed="名称"),
            "kind": row.text("kind", limit=32),
            "area_id": areas[area].id if area else None,
            "medium": row.text("medium", limit=64),
            "ignition": yes(row.values.get("ignition", "")),
            "state": state(row),
            "lat": lat,
            "lon": lon,
            "active": True,
        }
        seen[key] = code
        known = work.db.scalar(select(Equipment).where(Equipment.code == code))
        item = known or Equipment(code=code)
        outcome = put(item, values, new=known is None)
        if known is None:
            work.db.add(item)
        work.flush()
        return outcome

    report = take(read_table(path, COLUMNS, needed=("code", "name")), one)
    report.notes = notes
    if report.added or report.changed:
        work.permit_queue.touch_all(at=work.at)  # state and medium of the equipment decide about the work on it
    return report


def position(row: Row) -> tuple[float | None, float | None]:
    lon, lat = row.values.get("lon", ""), row.values.get("lat", "")
    if not lon and not lat:
        return None, None
    if not lon or not lat:
        raise BadRow("经度和纬度要一起填")
    found = number(lat, "纬度"), number(lon, "经度")
    problem = geo.position_problem(*found)
    if problem:
        raise BadRow(problem.split(",")[0].rstrip("。"))
    return found
