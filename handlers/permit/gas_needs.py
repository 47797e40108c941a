"""What a gas test must hold before it is whole: oxygen, combustible, and in a confined space what poisons there (6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handlers.permit import gas_facts
from rules.permit import Work, gas
from rules.permit.spoken import COMBUSTIBLE, OXYGEN, SaidValue
from rules.permit.spoken_amounts import SHORT
from rules.text import normalise
from storage.models import Permit

OXYGEN_TOP = 100.0
_NO_TOXIC = re.compile(
    r"(?<!有)(?:没有|没|无)(?:有毒|毒性)(?:有害)?(?:的?(?:介质|气体|物质|物料|成分|东西))?的?(?=$|[,。;、!.\s])"
)
"""The whole phrase and nothing after it: «没有毒气检测仪» says that nothing was measured."""


def says_no_toxic(text: str) -> bool:
    return _NO_TOXIC.search(normalise(text)) is not None


def example(permit: Permit) -> str:
    """Words to say, with the toxic gases of the place."""
    if permit.work != Work.CONFINED_SPACE.value:
        return "可燃0.1%LEL,氧20.8"
    toxic = [f"{medium.zh}0ppm" for medium in gas_facts.toxic_media(permit)] or ["硫化氢0"]
    return ",".join(["中部可燃0.1%LEL", "氧20.8", *toxic[:2]])


def as_toxic(permit: Permit, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In a confined space ppm of a medium with an occupational limit are held against that («甲醇3ppm»), and its zero."""
    kept = []
    rows = list(rows)
    entry = permit.work == Work.CONFINED_SPACE.value
    if not entry:
        rows = _beside_combustible(rows)
    limits = {medium.id: medium for medium in gas_facts.with_limit(row.get("medium", "") for row in rows)}
    for row in rows:
        medium = limits.get(str(row.get("medium", "")))
        toxic = row["unit"] in ("ppm", "mg/m3") or not row["value"]
        if entry and medium is not None and row["gas"] == COMBUSTIBLE and toxic:
            unit = row["unit"] if row["unit"] in ("ppm", "mg/m3") else "ppm"
            row = {**row, "gas": SHORT.get(medium.id, medium.id), "unit": unit}
        kept.append({key: value for key, value in row.items() if key != "medium" or row["gas"] == COMBUSTIBLE})
    return kept


def _beside_combustible(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """«可燃0.1%LEL,甲醇3ppm» of hot work: the medium in the unit of the combustible value, and only where it is the worse."""
    plain = {str(row.get("point", "")): row for row in rows if row["gas"] == COMBUSTIBLE and not row.get("medium")}
    kept = []
    for row in rows:
        beside = plain.get(str(row.get("point", ""))) or next(iter(plain.values()), None)
        if row["gas"] != COMBUSTIBLE or not row.get("medium") or beside is None:
            kept.append(row)
        elif row["value"] and (worse := _worse(row, beside)) is not None:
            kept.append(worse)
    return kept


def _worse(row: Mapping[str, Any], beside: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row in the other's unit when it says more, as it is when that cannot be reckoned; None when it says less."""
    medium, unit = gas.find_medium(str(row["medium"])), beside["unit"]
    lel = medium.lel_vol if medium is not None else None
    if row["unit"] != "ppm" or not lel or unit not in ("%LEL", "%vol"):
        return row
    value = round(row["value"] / 10_000 * (100 / lel if unit == "%LEL" else 1), 6)
    return {**row, "value": value, "unit": unit} if value > beside["value"] else None


def lacking(permit: Permit, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a confined space still needs before a sample is whole (6.4): oxygen, combustible, every toxic gas there."""
    if permit.work != Work.CONFINED_SPACE.value:
        return []
    told = {row["gas"] for row in rows}
    missing = [zh for name, zh in ((OXYGEN, "氧"), (COMBUSTIBLE, "可燃气体")) if name not in told]
    media = gas_facts.toxic_media(permit)
    if media:
        return missing + [f"{m.zh}(ppm)" for m in media if SHORT.get(m.id, m.id) not in told]
    if not told - {OXYGEN, COMBUSTIBLE} and permit.facts.get("toxic_ratio") is None:
        missing.append("有毒气体")
    return missing


def hint(permit: Permit, missing: Sequence[str]) -> str:
    """What is missing, in words, and how to say it."""
    note = f"还缺:{'、'.join(missing)}。"
    return note + ("没有有毒介质就说“没有有毒”。" if "有毒气体" in missing else "")


def refused(permit: Permit) -> str:
    """Why «没有有毒» cannot be so here; "" when it can."""
    names = "、".join(medium.zh for medium in gas_facts.toxic_media(permit))
    return f"这里有{names},有职业接触限值,须报它的读数。" if names else ""


def impossible(values: Sequence[SaidValue]) -> str:
    if any(value.value < 0 for value in values):
        return "读数是负数,请检查仪器零点后重测。"
    if any(value.gas == OXYGEN and value.value > OXYGEN_TOP for value in values):
        return "氧含量超过100%,请核对。"
    return ""


def together(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All values told so far; a gas told again counts with its newest value, at the same point or where none was said."""
    again = {(value["gas"], value.get("point", "")) for value in now}
    kept = [row for row in before if not {(row["gas"], row.get("point", "")), (row["gas"], "")} & again]
    at_points = {gas_name for gas_name, point in again if point}
    return [*(row for row in kept if row.get("point") or row["gas"] not in at_points), *now]


def put_right(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A value said again without its point or unit has those it was told with, when there is one of them."""
    rows = []
    for value in now:
        same = [row for row in before if row["gas"] == value["gas"]]
        points, units = {row.get("point", "") for row in same}, {row["unit"] for row in same}
        where = {"point": points.pop()} if len(points) == 1 and not value.get("point") else {}
        unit = units.pop() if len(units) == 1 and (not value["unit"] or not value["value"]) else value["unit"]
        rows.append({**value, **{key: point for key, point in where.items() if point}, "unit": unit})
    return rows
