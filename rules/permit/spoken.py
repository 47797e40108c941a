"""Gas values as people say them: «可燃零点一,氧二十点八», «LEL三个».

A combustible value without a unit is told apart: 0.1 may be %LEL or % vol, and the difference is twenty-fold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rules.permit import gas, sample_points
from rules.permit.spoken_amounts import (
    COMBUSTIBLE,
    NO_VALUE,
    OXYGEN,
    SHORT,
    Amount,
    Group,
    clause_of,
    worst_of,
)
from rules.text import normalise

_GAS_WORDS = (
    *("氧气含量", "含氧量", "氧含量", "含氧", "氧气", "氧", "o2", "可燃气体", "可燃气", "可燃", "爆炸下限", "燃气", "lel", "ex"),
    *("硫化氢", "h2s", "一氧化碳", "co", "氨", "nh3", "氯", "cl2", "苯"),
)  # fmt: skip
_WORDS_OF_GAS = re.compile(
    "|".join(sorted(_GAS_WORDS, key=len, reverse=True))
    + "|现在|含量|浓度|气体|读数|分别|左右|上下|没有|有毒|有害|合格|刚|测|量|是|为|都|气|个|点|毫克|的|[零一二三四五六七八九十百]"
)
MOST_BESIDE = 3
"""Characters of Chinese beside values: the name of a medium, «刚测的»."""
_THOUSANDS = re.compile(r"(?<![\d.])([1-9]\d{0,2}(?:,\d{3})+)(?![\d.])")
_ROW_OF_PLACES = re.compile(r"(?<![\d.])\d{1,4}(?:\s*[、和与及到至~-]\s*\d{1,4})+(?=\s*[号#])")
_UNIT_NEXT = r"(?:lel|vol|ppm|mg/)(?!\s*[是为:=]?\s*\d)"
_POINT_NEXT = r"[上中下左右顶底][部层段侧]|动火点|作业点|设备内|[塔罐釜槽池井仓][顶底内]"
_SPLIT = re.compile(rf"([,,;;、。\n]+|\s+(?!{_UNIT_NEXT})(?=[^\d\s%~到至(-])|(?<=[\d%个lm3])(?={_POINT_NEXT}))")


@dataclass(frozen=True, slots=True)
class SaidValue:
    """One value of a sentence; `unit` is "" when it was not said and cannot be guessed without danger.

    `points`: where it was measured, as in rules/permit/sample_points.py; empty when that was not said.
    `medium`: the id of the medium by whose name a combustible value was told.
    """

    gas: str
    value: float
    unit: str
    points: tuple[str, ...] = ()
    medium: str = ""

    def as_dict(self) -> dict[str, object]:
        where = {"point": sample_points.words_of(self.points)} if self.points else {}
        what = {"medium": self.medium} if self.medium else {}
        return {"gas": self.gas, "value": self.value, "unit": self.unit, **where, **what}


@dataclass(frozen=True, slots=True)
class Heard:
    """`unclear`: numbers were said that may be values and cannot be told apart; then there are no values."""

    values: tuple[SaidValue, ...] = ()
    unclear: bool = False


def said_gas(text: str) -> list[SaidValue]:
    """The values of a sentence; [] when it names no gas with a number, or is unclear (`hear_gas`)."""
    return list(hear_gas(text).values)


def hear_gas(text: str) -> Heard:
    """The values of a sentence. Negative numbers are left to the caller.

    A point holds for the values after it until another is named («上部氧20.5可燃0,下部氧20.8»); points in a row belong
    together («上、中、下可燃0.1%LEL»); said last («可燃0.1%LEL,中部取的») it holds for the values before it, and so does the only one of a sentence
    («氧20.8,动火点可燃0.1%LEL»). Of several values of one gas at one place the worst is kept.
    """
    heard = _Sentence()
    pieces = _SPLIT.split(_joined(normalise(text)))
    for n in range(0, len(pieces), 2):
        heard.take(pieces[n], listed=n > 0 and pieces[n - 1] == "、")
    if heard.unclear:
        return Heard((), bool(heard.found) or heard.names_gas)
    found = heard.worst()
    return Heard((), True) if found is None else Heard(tuple(found))


class _Sentence:
    """A sentence while it is read piece by piece."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, tuple[str, ...]], list[SaidValue]] = {}
        self.points: tuple[str, ...] = ()
        self.waiting = False  # for a value at these points
        self.unclear = False
        self.names_gas = False
        self.named: dict[str, Group] = {}  # since the last points

    def take(self, part: str, *, listed: bool) -> None:
        here, _ = sample_points.points_in(part)
        clause = clause_of(part)
        self.unclear |= clause.unclear
        self.names_gas |= any(group.kind != NO_VALUE for group in clause.groups)
        before = self.named
        if here:
            self.points, self.named = ((*self.points, *here) if self.waiting else here), {}
            self.waiting = True
        for group in clause.groups:
            self.named[group.kind] = group
            self._keep(group, group.amounts)
        if clause.loose:
            self._loose(before if here else self.named, clause.loose, goes_on=listed or bool(here))

    def _loose(self, named: dict[str, Group], amounts: tuple[Amount, ...], *, goes_on: bool) -> None:
        """«上、中、下可燃分别是0.1、0.2、0.3», «上部可燃0.1%LEL,中部0.2»: more of the only gas that was named."""
        if len(named) == 1 and goes_on:
            (group,) = named.values()
            self.named = dict(named)
            self._keep(group, amounts)
        else:
            self.unclear = True

    def _keep(self, group: Group, amounts: tuple[Amount, ...]) -> None:
        if group.kind == NO_VALUE or not amounts:
            # «有毒5» must be told by its name, «有毒0» beside other values harms nobody: what is needed is asked for
            self.unclear |= not group.medium and any(any(amount.values) for amount in amounts)
            return
        value = _value(group, amounts)
        if value is None:
            self.unclear = True
            return
        self.waiting = False
        value = replace(value, points=self.points)
        self.found.setdefault((value.gas, self.points), []).append(value)

    def worst(self) -> list[SaidValue] | None:
        """One value for each gas and place; None when values in several units cannot be held against each other."""
        rows = [value for values in self.found.values() for value in values]
        places = {value.points for value in rows if value.points}
        if self.waiting or len(places) == 1:
            points = self.points if self.waiting else places.pop()
            rows = [value if value.points else replace(value, points=points) for value in rows]
        together: dict[tuple[str, tuple[str, ...], str], list[SaidValue]] = {}
        for value in _one_unit(rows):
            together.setdefault((value.gas, value.points, _of_its_own(value)), []).append(value)
        found = []
        for (kind, _, _), values in together.items():
            if len({value.unit for value in values if value.value}) > 1:
                return None
            worst = worst_of(kind, tuple(value.value for value in values))
            found.append(next(value for value in values if value.value == worst))
        return found


def tells_gas(text: str) -> bool:
    """Whether a sentence that nobody asked values of says hardly more than values: «氧气瓶2个没固定» is none of a meter."""
    heard = hear_gas(text)
    if not heard.values and not heard.unclear:
        return False
    parts = _SPLIT.split(normalise(text))[::2]
    rests = (sample_points.points_in(part)[1] for part in parts)
    beside = sum(len(re.findall(r"[一-鿿]", _WORDS_OF_GAS.sub("", rest))) for rest in rests)
    return beside <= MOST_BESIDE


def _joined(plain: str) -> str:
    """«1,200ppm» in one piece; the numbers of «3、4号泵房» out of the way before the signs between them part them."""
    return _ROW_OF_PLACES.sub("", _THOUSANDS.sub(lambda m: m.group().replace(",", ""), plain))


def _one_unit(values: list[SaidValue]) -> list[SaidValue]:
    """A unit said once holds for the same gas at the other points of the sentence; one meter shows one unit."""
    units = {value.gas: value.unit for value in values if value.unit and value.value and not _of_its_own(value)}
    takes = (not _of_its_own(v) and (not v.unit or not v.value) for v in values)
    return [replace(v, unit=units.get(v.gas, v.unit)) if one else v for v, one in zip(values, takes, strict=True)]


def _of_its_own(value: SaidValue) -> str:
    """The medium of a value that may be held against its occupational limit, beside the combustible one («甲醇3ppm»)."""
    return value.medium if value.unit == "ppm" or not value.value else ""


def _value(group: Group, amounts: tuple[Amount, ...]) -> SaidValue | None:
    """The worst of the amounts; None when that cannot be said."""
    oxygen = group.kind == OXYGEN
    if any(amount.over or (oxygen and amount.under) for amount in amounts):
        return None
    units = {amount.unit for amount in amounts if amount.unit and (any(amount.values) or amount.unit == "?")}
    several = {value for amount in amounts for value in amount.values}
    if len(units) > 1 or "?" in units:
        return None
    value = worst_of(group.kind, tuple(several))
    unit = units.pop() if units else _hinted(group.hint)
    if oxygen:  # nobody measures oxygen in anything else
        return SaidValue(OXYGEN, value, "%vol") if unit in ("", "%", "%vol") else None
    return _of_medium(group, value, unit)


def _hinted(hint: str) -> str:
    plain = hint.replace(" ", "")
    if "vol" in plain or "体积" in plain:
        return "%vol"
    if "ppm" in plain:
        return "ppm"
    if "mg/m3" in plain or "毫克" in plain:
        return "mg/m3"
    return "%LEL" if "lel" in plain or "爆炸下限" in plain else ""


def _of_medium(group: Group, value: float, unit: str) -> SaidValue | None:
    """A combustible or a toxic value, by the unit where the name leaves it open: 3%LEL of CO is no ratio to a limit."""
    medium = gas.find_medium(group.medium) if group.medium else None
    if unit == "%" and "lel" in group.hint:
        unit = "%LEL"
    if unit == "%" and group.kind == COMBUSTIBLE:
        unit = _hinted(group.hint)
    if group.kind == COMBUSTIBLE:
        if unit == "mg/m3" and medium is not None and gas.toxic_limit(medium, basis="twa") is not None:
            return SaidValue(SHORT.get(medium.id, medium.id), value, unit)
        unit = "" if unit == "mg/m3" else unit
        return SaidValue(COMBUSTIBLE, value, unit or ("" if value else "%vol"), medium=group.medium)
    if unit in ("%LEL", "%vol") and value and medium is not None and medium.lel_vol is not None:
        return SaidValue(COMBUSTIBLE, value, unit, medium=group.medium)
    if unit in ("%", "%vol", "%LEL") and value:
        # % of a gas that does not burn is % vol; of one that does it may be %LEL
        burns = medium is None or medium.lel_vol is not None
        return None if burns or unit == "%LEL" else SaidValue(group.kind, round(value * 10_000, 6), "ppm")
    return SaidValue(group.kind, value, unit if unit in ("ppm", "mg/m3") else "" if value else "ppm")
