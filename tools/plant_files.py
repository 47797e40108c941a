"""The demo plant as the files a plant's office would hand over: areas and equipment as CSV, people as a workbook."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from openpyxl import Workbook

AREA_COLUMNS = ("编码", "名称", "类型", "车间", "分区", "介质", "点火源", "边界")
EQUIPMENT_COLUMNS = ("位号", "名称", "类型", "区域", "介质", "点火源", "状态", "经度", "纬度")
PEOPLE_COLUMNS = ("工号", "姓名", "手机", "职务", "班组", "企业微信账号", "钉钉账号", "钉钉unionid", "角色")


def write(plant: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Write the three files; returns import command → file, in the order they must be imported."""
    folder.mkdir(parents=True, exist_ok=True)
    areas, equipment, people = folder / "areas.csv", folder / "equipment.csv", folder / "people.xlsx"
    _csv(areas, AREA_COLUMNS, [_area(row) for row in plant["areas"]])
    _csv(equipment, EQUIPMENT_COLUMNS, [_equipment(row) for row in plant["equipment"]])
    _workbook(people, PEOPLE_COLUMNS, [_person(row) for row in plant["people"]])
    return {"import-areas": areas, "import-equipment": equipment, "import-people": people}


def _area(row: dict[str, Any]) -> list[str]:
    outline = ";".join(f"{lon},{lat}" for lon, lat in row["polygon"])
    several = [";".join(row["medium"]), ";".join(row["ignition"])]
    return [row["code"], row["name"], row["kind"], row["workshop"], row["zone"], *several, outline]


def _equipment(row: dict[str, Any]) -> list[str]:
    ignition = "是" if row["ignition"] else "否"
    facts = [row["code"], row["name"], row["kind"], row["area"], row["medium"] or "", ignition, row["state"]]
    return [*facts, str(row["lon"]), str(row["lat"])]


def _person(row: dict[str, Any]) -> list[str]:
    roles = ";".join(f"{r['role']}@{r['area']}" if r["area"] else r["role"] for r in row["roles"])
    accounts = [row["wecom"] or "", row["dingtalk"] or "", row["unionid"] if row["dingtalk"] else ""]
    return [row["id"], row["name"], row["mobile"], row["title"], row["team"], *accounts, roles]


def _csv(path: Path, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # with the mark, as a spreadsheet saves it
        csv.writer(file).writerows([columns, *rows])


def _workbook(path: Path, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "人员"
    for row in [list(columns), *rows]:
        sheet.append(row)
    book.save(path)
