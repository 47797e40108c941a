"""The demo plant as the files a plant's office would hand over: areas and equipment as CSV, people as a workbook."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from openpyxl import Workbook

AREA_COLUMNS = ("编码", "名称", "类型", "车间", "分区", "介质", "点火源", "边界")
EQUIPMENT_COLUMNS = ("位号", "名称", "类型", "区域", "介质", "点火源", "状态", "经度", "纬度")
DETECTOR_COLUMNS = ("编号", "名称", "类型", "单位", "介质", "区域", "经度", "纬度", "最长间隔秒", "检定有效期")
ZONE_COLUMNS = ("编码", "名称", "类型", "介质", "边界")
CERTIFICATE_COLUMNS = ("工号", "证书", "证书编号", "发证日期", "有效期至")
RISK_HEADING = (
    (
        "序号",
        "风险点",
        "作业活动",
        "危险源",
        "可能导致的事故",
        "风险评价",
        "",
        "",
        "",
        "风险等级",
        "控制措施",
        "",
        "责任单位",
        "责任人",
    ),
    ("", "", "", "", "", "L", "E", "C", "D", "", "工程技术", "管理", "", ""),
)
PEOPLE_COLUMNS = ("工号", "姓名", "手机", "职务", "班组", "企业微信账号", "钉钉账号", "钉钉unionid", "角色")


def write(plant: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Write the files; returns import command → file, in the order they must be imported."""
    folder.mkdir(parents=True, exist_ok=True)
    areas, equipment, people = folder / "areas.csv", folder / "equipment.csv", folder / "people.xlsx"
    _csv(areas, AREA_COLUMNS, [_area(row) for row in plant["areas"]])
    _csv(equipment, EQUIPMENT_COLUMNS, [_equipment(row) for row in plant["equipment"]])
    _workbook(people, "人员", PEOPLE_COLUMNS, [_person(row) for row in plant["people"]])
    detectors, zones, certificates = folder / "detectors.csv", folder / "zones.csv", folder / "certificates.xlsx"
    _csv(detectors, DETECTOR_COLUMNS, [_detector(row) for row in plant["detectors"]])
    _csv(zones, ZONE_COLUMNS, [_zone(row) for row in plant["zones"]])
    held = [[c["person"], c["kind"], c["number"], c["issued_on"], c["valid_until"]] for c in plant["certificates"]]
    _workbook(certificates, "证书", CERTIFICATE_COLUMNS, held)
    risks = folder / "risks.xlsx"
    _risk_form(risks, plant["risks"])
    return {
        "import-areas": areas,
        "import-equipment": equipment,
        "import-people": people,
        "import-detectors": detectors,
        "import-zones": zones,
        "import-certificates": certificates,
        "import-risks": risks,
    }


def _area(row: dict[str, Any]) -> list[str]:
    outline = _outline(row)
    several = [";".join(row["medium"]), ";".join(row["ignition"])]
    return [row["code"], row["name"], row["kind"], row["workshop"], row["zone"], *several, outline]


def _outline(row: dict[str, Any]) -> str:
    return ";".join(f"{lon},{lat}" for lon, lat in row["polygon"])


def _detector(row: dict[str, Any]) -> list[str]:
    facts = [row["code"], row["name"], row["kind"], row["unit"], row["medium"], row["area"] or ""]
    where = ["" if row[name] is None else str(row[name]) for name in ("lon", "lat")]
    return [*facts, *where, str(row["max_age_s"]), row["calibrated_until"]]


def _zone(row: dict[str, Any]) -> list[str]:
    return [row["code"], row["name"], row["kind"], row["medium"], _outline(row)]


def _equipment(row: dict[str, Any]) -> list[str]:
    ignition = "是" if row["ignition"] else "否"
    facts = [row["code"], row["name"], row["kind"], row["area"], row["medium"] or "", ignition, row["state"]]
    return [*facts, str(row["lon"]), str(row["lat"])]


def _person(row: dict[str, Any]) -> list[str]:
    roles = ";".join(f"{r['role']}@{r['area']}" if r["area"] else r["role"] for r in row["roles"])
    accounts = [row["wecom"] or "", row["dingtalk"] or "", row["unionid"] if row["dingtalk"] else ""]
    return [row["id"], row["name"], row["mobile"], row["title"], row["team"], *accounts, roles]


def _risk_form(path: Path, rows: list[dict[str, Any]]) -> None:
    """《危险源辨识与风险评价表》 as offices draw it: a title, a heading of two lines, equal places as one merged cell."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["危险源辨识与风险评价表"])
    for line in RISK_HEADING:
        sheet.append(list(line))
    for number, row in enumerate(rows, start=1):
        score = row["l"] * row["e"] * row["c"]
        where = [row[name] for name in ("place", "activity", "hazard", "accident")]
        rest = [row[name] for name in ("level", "engineering", "management", "unit", "owner")]
        sheet.append([number, *where, row["l"], row["e"], row["c"], score, *rest])
    for merged in ("A1:N1", "F2:I2", "K2:L2", *(f"{column}2:{column}3" for column in "ABCDEJMN")):
        sheet.merge_cells(merged)
    first = 4
    for at in range(4, len(rows) + 5):  # a run of equal places
        if at - 4 == len(rows) or rows[at - 4]["place"] != rows[first - 4]["place"]:
            if at - first > 1:
                sheet.merge_cells(f"B{first}:B{at - 1}")
            first = at
    book.save(path)


def _csv(path: Path, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # with the mark, as a spreadsheet saves it
        csv.writer(file).writerows([columns, *rows])


def _workbook(path: Path, title: str, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in [list(columns), *rows]:
        sheet.append(row)
    book.save(path)
