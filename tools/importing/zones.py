"""`flask import-zones FILE`: fixed hot-work zones, hazardous places, dikes and absolute bans as outlines."""

from __future__ import annotations

from pathlib import Path

from rules import geo
from storage.models import Zone
from storage.unit_of_work import UnitOfWork
from tools.importing.areas import outline
from tools.importing.table import BadRow, ImportReport, Row, put, read_table, take

COLUMNS = {
    "code": ("编码", "编号"),
    "name": ("名称",),
    "kind": ("类型",),
    "medium": ("介质",),
    "polygon": ("边界", "坐标"),
}
KINDS = {
    "fixed_hot_work": "fixed_hot_work",
    "固定动火区": "fixed_hot_work",
    "hazardous": "hazardous",
    "火灾爆炸危险场所": "hazardous",
    "dike": "dike",
    "防火堤": "dike",
    "重大危险源防火堤": "dike",
    "ban": "ban",
    "绝对禁火区": "ban",
}


def import_zones(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change zones by their code; the caller commits. Raises TableError."""
    seen: set[str] = set()

    def one(row: Row) -> str:
        code = row.text("code", limit=32, needed="编码")
        if code in seen:
            raise BadRow(f"编码 {code} 在表里出现了两次")
        kind = KINDS.get(row.text("kind", limit=24, needed="类型").lower())
        if kind is None:
            raise BadRow(f"类型不认识,可填:{'、'.join(k for k in KINDS if not k.isascii())}")
        ring = outline(row.text("polygon", limit=20_000, needed="边界"))
        problem = geo.polygon_problem(ring)
        if problem:
            raise BadRow(problem.rstrip("。"))
        values = {
            "name": row.text("name", limit=64, needed="名称"),
            "kind": kind,
            "medium": row.text("medium", limit=64),
            "polygon": ring,
            "active": True,
        }
        seen.add(code)
        known = work.readings.zone(code)
        item = known or Zone(code=code)
        outcome = put(item, values, new=known is None)
        if known is None:
            work.db.add(item)
        work.flush()
        return outcome

    report = take(read_table(path, COLUMNS, needed=("code", "name", "kind", "polygon")), one)
    work.readings.plan_changed()
    work.permit_queue.touch_all(at=work.at)
    return report
