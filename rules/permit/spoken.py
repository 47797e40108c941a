"""Gas values as people say them: «可燃零点一,氧二十点八», «LEL三个».

A combustible value without a unit is told apart: 0.1 may be %LEL or % vol, and the difference is twenty-fold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rules.permit import gas, sample_points
from rules.text import normalise

COMBUSTIBLE, OXYGEN = "combustible", "o2"
_OXYGEN_WORDS = ("氧含量", "含氧", "氧气", "氧", "o2")
_COMBUSTIBLE_WORDS = ("可燃气体", "可燃气", "可燃", "爆炸下限", "燃气", "lel", "ex")
_TOXIC_WORDS: Mapping[str, str] = {
    "硫化氢": "h2s",
    "h2s": "h2s",
    "一氧化碳": "co",
    "co": "co",
    "氨": "nh3",
    "nh3": "nh3",
    "氯": "cl2",
    "cl2": "cl2",
    "苯": "benzene",
}
_WORDS_OF_GAS = re.compile(
    "|".join(sorted((*_OXYGEN_WORDS, *_COMBUSTIBLE_WORDS, *_TOXIC_WORDS), key=len, reverse=True))
    + "|现在|含量|浓度|气体|读数|分别|左右|上下|没有|有毒|有害|合格|刚|测|量|是|为|都|气|个|点|毫克|的|[零一二三四五六七八九十百]"
)
MOST_BESIDE = 3
"""Characters of Chinese beside values: the name of a medium, «刚测的»."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MANY = re.compile(r"([零一二两三四五六七八九十]+)\s*个")
_DIGIT = "零一二三四五六七八九"
_UNIT = re.compile(r"%\s*(?:lel|vol|\(v/v\))|lel\s*%|vol\s*%|ppm|mg/m[3³]|毫克|%|个点|个|点")
_SPLIT = re.compile(r"[,,;;、。\n]+|\s+(?=[^\d\s%])")


@dataclass(frozen=True, slots=True)
class SaidValue:
    """One value of a sentence; `unit` is "" when it was not said and cannot be guessed without danger.

    `points`: where it was measured, as in rules/permit/sample_points.py; empty when that was not said.
    """

    gas: str
    value: float
    unit: str
    points: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        where = {"point": sample_points.words_of(self.points)} if self.points else {}
        return {"gas": self.gas, "value": self.value, "unit": self.unit, **where}


def said_gas(text: str) -> list[SaidValue]:
    """The values of a sentence; [] when it names no gas with a number. Negative numbers are left to the caller.

    A point holds for the values after it until another is named («上部氧20.5可燃0,下部氧20.8»); points in a row belong
    together («上、中、下可燃0.1%LEL»); said last («可燃0.1%LEL,中部取的») it holds for the values before it, and so does the only one of a sentence
    («氧20.8,动火点可燃0.1%LEL»).
    """
    plain = _MANY.sub(lambda m: f"{_small(m.group(1))}个", normalise(text))
    found: dict[tuple[str, tuple[str, ...]], SaidValue] = {}
    points: tuple[str, ...] = ()
    waiting = False  # for a value at these points
    for part in _SPLIT.split(plain):
        here, rest = sample_points.points_in(part)
        if here:
            points, waiting = ((*points, *here) if waiting else here), True
        value = _one(rest)
        if value is not None:
            waiting = False
            found[(value.gas, points)] = replace(value, points=points)
    values = list(found.values())
    places = {value.points for value in values if value.points}
    if waiting or len(places) == 1:
        points = points if waiting else places.pop()
        values = [value if value.points else replace(value, points=points) for value in values]
    return _one_unit(values)


def tells_gas(text: str) -> bool:
    """Whether a sentence that nobody asked values of says hardly more than values: «氧气瓶2个没固定» is none of a meter."""
    if not said_gas(text):
        return False
    rests = (sample_points.points_in(part)[1] for part in _SPLIT.split(normalise(text)))
    beside = sum(len(re.findall(r"[一-鿿]", _WORDS_OF_GAS.sub("", rest))) for rest in rests)
    return beside <= MOST_BESIDE


def _one_unit(values: list[SaidValue]) -> list[SaidValue]:
    """A unit said once holds for the same gas at the other points of the sentence; one meter shows one unit."""
    units = {value.gas: value.unit for value in values if value.unit and value.value}
    return [replace(v, unit=units.get(v.gas, v.unit)) if not v.unit or not v.value else v for v in values]


def _small(words: str) -> int:
    total, digit = 0, 0
    for c in words.replace("两", "二"):
        if c == "十":
            total += (digit or 1) * 10
            digit = 0
        else:
            digit = _DIGIT.index(c)
    return total + digit


def _one(part: str) -> SaidValue | None:
    name = _gas_named(part)
    if name is None:
        return None
    plain = _without_name(part)
    number = _NUMBER.search(plain)
    if number is None:
        return None
    value = float(number.group())
    return SaidValue(name, value, _unit(name, part, plain, value))


def _gas_named(part: str) -> str | None:
    for word, key in _TOXIC_WORDS.items():
        if word.isascii():
            if re.search(rf"(?<![a-z]){word}(?![a-z0-9])", part):
                return key
        elif word in part:
            return key
    if any(word in part for word in _COMBUSTIBLE_WORDS):
        return COMBUSTIBLE
    if any(word in part for word in _OXYGEN_WORDS):
        return OXYGEN
    for word in re.findall(r"[一-鿿]{2,6}", part):
        medium = gas.find_medium(word)
        if medium is not None and medium.lel_vol is not None:
            return COMBUSTIBLE
    return None


def _without_name(part: str) -> str:
    """The part without letters that hold digits of their own (H2S, O2)."""
    return re.sub(r"h2s|o2|nh3|cl2", "", part)


def _unit(name: str, part: str, plain: str, value: float) -> str:
    match = next((m for m in _UNIT.finditer(plain)), None)
    unit = match.group().replace(" ", "") if match else ""
    if name == OXYGEN:
        return "%vol"  # nobody measures oxygen in anything else
    if name != COMBUSTIBLE:
        return "mg/m3" if unit.startswith(("mg", "毫克")) else "ppm" if unit == "ppm" or value == 0 else ""
    if "vol" in unit or "v/v" in unit or "体积" in part:
        return "%vol"
    if unit == "ppm":
        return "ppm"
    if "lel" in part or "爆炸下限" in part:
        return "%LEL"
    return "%vol" if value == 0 else ""  # zero is zero in any unit
