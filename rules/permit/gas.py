"""Gas figures for permits: units, limits by medium, toxic ratios.

Limits: GB 30871-2022 5.3.2 (LEL >= 4 % vol: 0.5 % vol, below: 0.2 % vol), 6.4 b (GBZ 2.1-2019). The numbers of 5.3.2
stand in the rule table (HW-A03, HW-A04); this module only converts and looks up.
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rules.lexicon import lexicon

MOLAR_VOLUME_20C = 24.05  # L/mol at 20 °C and 101.3 kPa, the reference state of GBZ 2.1


@dataclass(frozen=True, slots=True)
class Medium:
    """LEL in % vol; molar mass in g/mol; occupational limits in mg/m³ (GBZ 2.1-2019)."""

    id: str
    zh: str
    lel_vol: float | None = None
    molar_mass: float | None = None
    mac: float | None = None
    twa: float | None = None
    stel: float | None = None


class BadReading(ValueError):
    """A reading that cannot be used; the text is Chinese and says what to do."""


@cache
def media() -> Mapping[str, Medium]:
    """All media of the lexicon by id, Chinese name and alias (lower case)."""
    with (Path(__file__).parent / "media.toml").open("rb") as file:
        molar_mass = tomllib.load(file)["molar_mass"]
    found: dict[str, Medium] = {}
    for key, entry in lexicon().media.items():
        limits = {limit.kind.lower(): limit.mg_m3 for limit in entry.limits}
        lel_vol = entry.explosive_vol.low if entry.explosive_vol else None
        medium = Medium(key, entry.name_zh, lel_vol, molar_mass.get(key), **limits)
        for name in (key, entry.name_zh, *entry.aliases):
            found.setdefault(name.lower(), medium)
    return found


def find_medium(name: str) -> Medium | None:
    return media().get(name.strip().lower())


def lowest_lel(names: Iterable[str]) -> float | None:
    """Lowest LEL (% vol) of a mixture; None when one medium is unknown or none of them burns.

    Taking the lowest is engineering practice, not a clause of the standard.
    """
    found = [find_medium(name) for name in names]
    if not found or any(medium is None for medium in found):
        return None
    levels = [medium.lel_vol for medium in found if medium is not None and medium.lel_vol is not None]
    return min(levels) if levels else None


_UNITS = {
    "%vol": "%vol", "vol%": "%vol", "%(v/v)": "%vol", "体积分数": "%vol",
    "%lel": "%lel", "lel": "%lel", "lel%": "%lel",
    "ppm": "ppm", "μmol/mol": "ppm",
    "mg/m3": "mg/m3", "mg/m³": "mg/m3",
}  # fmt: skip


_NORMAL = {"%LEL": "%lel", "%vol": "%vol", "ppm": "ppm", "mg/m3": "mg/m3"}


def unit_of(text: Any) -> str:
    """Normal form of a unit: ``%vol``, ``%lel``, ``ppm`` or ``mg/m3``. Raises BadReading, also for a bare ``%``."""
    if type(text) is str and text in _NORMAL:
        return _NORMAL[text]  # as the ledger writes it: asked for every value of three hours
    if not isinstance(text, str) or not text.strip():
        raise BadReading("缺少单位,请说明是 %LEL、%(体积分数)还是 ppm")
    unit = _UNITS.get(text.strip().lower().replace(" ", ""))
    if unit is None:
        raise BadReading("单位不明确,请说明是 %LEL、%(体积分数)、ppm 还是 mg/m³")
    return unit


def to_vol(value: Any, unit: Any, *, lel_vol: float | None) -> float:
    """A combustible reading in % vol: %LEL × LEL / 100, ppm / 10 000. Raises BadReading."""
    number = _number(value)
    return vol_of(unit, lel_vol=lel_vol)(number)


def vol_of(unit: Any, *, lel_vol: float | None) -> Callable[[Any], float]:
    """`to_vol` for many values of one unit. Raises BadReading for the unit at once, for a value when it is asked."""
    kind = unit_of(unit)
    if kind == "%vol":
        times, by = 1.0, 1.0
    elif kind == "ppm":
        times, by = 1.0, 10_000.0
    elif kind == "%lel":
        if lel_vol is None:
            raise BadReading("%LEL 换算需要知道介质,请选择介质")
        times, by = lel_vol, 100.0
    else:
        raise BadReading("可燃气体读数不能用 mg/m³,请用 %LEL 或 %(体积分数)")

    def convert(value: Any) -> float:
        number = value if type(value) is float and 0 <= value < math.inf else _number(value)
        return round(number * times / by, 9)  # keep 10 %LEL of 5 % at exactly 0.5

    return convert


def to_mg_m3(value: Any, unit: Any, *, medium: Medium) -> float:
    """A toxic reading in mg/m³ at 20 °C: ppm × M / 24.05. Raises BadReading."""
    number, kind = _number(value), unit_of(unit)
    if kind == "mg/m3":
        return number
    if kind == "ppm":
        if medium.molar_mass is None:
            raise BadReading(f"{medium.zh}没有摩尔质量,ppm 不能换算,请用 mg/m³")
        return round(number * medium.molar_mass / MOLAR_VOLUME_20C, 9)
    raise BadReading("有毒气体读数请用 ppm 或 mg/m³")


def toxic_limit(medium: Medium, *, basis: str) -> float | None:
    """The limit (mg/m³) a spot reading is held against: MAC if there is one, else TWA or STEL by `basis`."""
    if medium.mac is not None:
        return medium.mac
    if basis == "stel" and medium.stel is not None:
        return medium.stel
    return medium.twa if medium.twa is not None else medium.stel


def toxic_ratio(readings: Iterable[Mapping[str, Any]], *, basis: str) -> float:
    """Largest reading-to-limit ratio (GB 30871-2022 6.4 b). Each reading: medium, value, unit. Raises BadReading.

    A medium without a listed limit raises rather than counting as clean.
    """
    largest = 0.0
    for reading in readings:
        if not isinstance(reading, Mapping):
            raise BadReading("有毒气体读数格式不对")
        medium = find_medium(str(reading.get("medium", "")))
        if medium is None:
            raise BadReading("不认识的有毒介质,请从列表里选")
        limit = toxic_limit(medium, basis=basis)
        if limit is None:
            raise BadReading(f"{medium.zh}没有职业接触限值,请企业安全部门确认")
        largest = max(largest, to_mg_m3(reading.get("value"), reading.get("unit"), medium=medium) / limit)
    return round(largest, 9)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadReading("读数不是数字")
    if not abs(value) <= sys.float_info.max:  # isfinite cannot be asked of an integer beyond every float
        raise BadReading("读数无效(不是有限的数)")
    if value < 0:
        raise BadReading("读数是负数,请检查仪器零点")
    return float(value)
