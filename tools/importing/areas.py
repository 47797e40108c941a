"""`flask import-areas FILE`: areas with their outline."""

from __future__ import annotations

from pathlib import Path

from rules import geo
from storage.models import Area
from storage.unit_of_work import UnitOfWork
from tools.importing.table import BadRow, ImportReport, Row, number, put, read_table, take

COLUMNS = {
    "code": ("编码", "区域编码"),
    "name": ("名称", "区域名称"),
    "kind": ("类型",),
    "workshop": ("车间",),
    "zone": ("分区",),
    "media": ("介质", "medium"),
    "ignition": ("点火源",),
    "polygon": ("边界", "outline", "boundary"),
}
ZONES = {
    "": "none",
    "无": "none",
    "none": "none",
    "防爆区": "hazardous",
    "爆炸危险区域": "hazardous",
    "火灾爆炸危险场所": "hazardous",
    "hazardous": "hazardous",
    "固定动火区": "fixed_hot_work",
    "fixed_hot_work": "fixed_hot_work",
    "绝对禁火区": "ban",
    "ban": "ban",
    "防火堤内": "dike",
    "防火堤": "dike",
    "dike": "dike",
}
# every graded hot work is done inside the no-fire zone (GB 30871-2022 3.4): the word alone forbids nothing
NO_FIRE = "“禁火区”不等于禁止动火(GB 30871-2022 3.4):完全不许动火的写“绝对禁火区”,须办动火票的写“火灾爆炸危险场所”"


def import_areas(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change areas by their code; the caller commits. Raises TableError."""
    seen: set[str] = set()

    def one(row: Row) -> str:
        code = row.text("code", limit=32, needed="编码")
        if code in seen:
            raise BadRow(f"编码 {code} 在表里出现了两次")
        name = row.text("name", limit=64, needed="名称")
        zone = row.text("zone", limit=32)
        if zone == "禁火区":
            raise BadRow(NO_FIRE)
        if zone not in ZONES:
            raise BadRow(f"分区“{zone}”不认识,可填:火灾爆炸危险场所、固定动火区、绝对禁火区、防火堤内、无")
        values = {
            "name": name,
            "kind": row.text("kind", limit=32),
            "workshop": row.text("workshop", limit=64),
            "zone": ZONES[zone],
            "media": row.many("media"),
            "ignition": row.many("ignition"),
            "polygon": outline(row.values.get("polygon", "")),
            "active": True,
        }
        seen.add(code)
        known = work.plant.area_by_code(code)
        area = known or Area(code=code)
        outcome = put(area, values, new=known is None)
        if known is None:
            work.db.add(area)
        work.flush()
        return outcome

    report = take(read_table(path, COLUMNS, needed=("code", "name")), one)
    work.readings.plan_changed()
    work.permit_queue.touch_all(at=work.at)
    return report


def outline(text: str) -> list[list[float]]:
    """«lon,lat;lon,lat;…» in WGS84; [] when the area has no outline yet."""
    corners = []
    for part in text.replace("\uff1b", ";").replace("\n", ";").split(";"):
        if not part.strip():
            continue
        pair = part.replace("\uff0c", ",").replace(" ", ",").split(",")
        pair = [p for p in pair if p]
        if len(pair) != 2:
            raise BadRow(f"边界里的“{part.strip()[:24]}”应为 经度,纬度")
        corners.append([number(pair[0], "经度"), number(pair[1], "纬度")])
    problem = geo.polygon_problem(corners) if corners else None
    if problem:
        raise BadRow(problem.rstrip("。"))
    return corners
