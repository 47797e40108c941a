"""The fact dictionary: what each fact is, and turning what a caller sent into a usable value.

A value of the wrong type, NaN, infinite, out of range, without unit or from the future is not used: it counts as
unknown, with a Chinese sentence that says what is wrong.
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NOTHING_THERE = "none"
AT, LEVEL = "@at", "@level"
"""What a judgement rests on beside facts: its time and the level asked for."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact; see the head of facts.toml for the meaning of the fields."""

    name: str
    type: str
    zh: str
    unit: str = ""
    good: Any = None
    fix: str = ""
    min: float = 0.0
    max: float = math.inf
    values: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    nullable: bool = False
    none_is: float = math.inf
    optional: bool = False
    future: bool = False

    @property
    def held_to_clock(self) -> bool:
        """Whether it is usable depends on what time it is: something that happened cannot lie ahead."""
        return self.type == "time" and not self.future


@dataclass(frozen=True, slots=True)
class Action:
    """Something people can do that changes several facts at once; see facts.toml."""

    id: str
    works: tuple[str, ...] | None
    zh: str
    set: Mapping[str, Any]
    cost: int
    move: str = ""
    generic: str = ""


class Unusable(ValueError):
    """The value cannot be used; the text is Chinese and says why."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When the facts are judged: `at`, the plant's time zone, and how far clocks may differ."""

    at: datetime
    zone: ZoneInfo
    skew: timedelta


@cache
def _file() -> Mapping[str, Any]:
    with (Path(__file__).parent / "facts.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def fact_dictionary() -> Mapping[str, Fact]:
    """Every fact by name."""
    found = {}
    for name, row in _file()["fact"].items():
        fields: dict[str, Any] = {key: tuple(value) if key == "values" else value for key, value in row.items()}
        found[name] = Fact(name=name, **fields)
    return found


@cache
def actions() -> tuple[Action, ...]:
    rows = []
    for row in _file()["action"]:
        works = None if row["works"] == "any" else tuple(row["works"])
        rows.append(Action(**{**row, "works": works}))
    return tuple(rows)


def usable(fact: Fact, value: Any, clock: Clock) -> Any:
    """The value in the form rules compute with. Raises Unusable.

    number/distance -> float, time/expiry -> aware datetime in UTC, date -> date, list -> tuple.
    """
    return _READ[fact.type](fact, value, clock)


def _bool(fact: Fact, value: Any, _clock: Clock) -> bool:
    if not isinstance(value, bool):
        raise Unusable(f"{fact.zh}:请回答是或否")
    return value


def _number(fact: Fact, value: Any, _clock: Clock) -> float:
    if isinstance(value, Mapping):
        value = _with_unit(fact, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unusable(f"{fact.zh}:请填数值({fact.unit})")
    if not abs(value) <= sys.float_info.max:  # isfinite cannot be asked of an integer beyond every float
        raise Unusable(f"{fact.zh}:数值无效,请重新测量")
    if not fact.min <= value <= fact.max:
        raise Unusable(f"{fact.zh}:{value:g} {fact.unit} 不合理,请核对")
    return float(value)


def _with_unit(fact: Fact, value: Mapping) -> Any:
    unit = value.get("unit")
    if not isinstance(unit, str) or not unit.strip():
        raise Unusable(f"{fact.zh}:缺少单位,请说明单位({fact.unit})")
    if unit.strip().lower() != fact.unit.lower():
        raise Unusable(f"{fact.zh}:单位应为 {fact.unit}")
    return value.get("value")


def _int(fact: Fact, value: Any, clock: Clock) -> int:
    number = _number(fact, value, clock)
    if number != int(number):
        raise Unusable(f"{fact.zh}:请填整数")
    return int(number)


def _distance(fact: Fact, value: Any, clock: Clock) -> float:
    if value == NOTHING_THERE:
        return fact.none_is
    return _number(fact, value, clock)


def _moment(fact: Fact, value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Unusable(f"{fact.zh}:时间格式不对") from None
    if not isinstance(value, datetime):
        raise Unusable(f"{fact.zh}:请填时间")
    if value.tzinfo is None or value.utcoffset() is None:
        raise Unusable(f"{fact.zh}:时间缺少时区")
    if not 1 < value.year < 9999:  # at the ends of the calendar there is no day before or after to reckon with
        raise Unusable(f"{fact.zh}:时间不合理,请核对")
    return value.astimezone(UTC)


def _time(fact: Fact, value: Any, clock: Clock) -> datetime:
    moment = _moment(fact, value)
    if fact.held_to_clock and moment > clock.at + clock.skew:
        raise Unusable(f"{fact.zh}:时间晚于当前时间,请核对时钟")
    return moment


def _date(fact: Fact, value: Any, _clock: Clock) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise Unusable(f"{fact.zh}:日期格式不对") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise Unusable(f"{fact.zh}:请填日期")


def _expiry(fact: Fact, value: Any, clock: Clock) -> datetime:
    """A plain date is good until that day ends at the plant."""
    plain_date = isinstance(value, date) and not isinstance(value, datetime)
    if plain_date or (isinstance(value, str) and len(value) == len("2026-01-01")):
        day = _date(fact, value, clock)
        if day.year >= 9999:
            raise Unusable(f"{fact.zh}:日期不合理,请核对")
        return datetime.combine(day + timedelta(days=1), time(), clock.zone).astimezone(UTC)
    return _moment(fact, value)


def _text(fact: Fact, value: Any, _clock: Clock) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # other systems number their people
    if not isinstance(value, str):
        raise Unusable(f"{fact.zh}:请填文字")
    return value.strip()


def _choice(fact: Fact, value: Any, _clock: Clock) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{fact.zh}:请从列表里选一个")
    value = fact.aliases.get(value, value)
    if value not in fact.values:
        raise Unusable(f"{fact.zh}:请从列表里选一个")
    return value


def _list(fact: Fact, value: Any, _clock: Clock) -> tuple:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise Unusable(f"{fact.zh}:请填清单")
    if not all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in value):
        raise Unusable(f"{fact.zh}:请填清单")
    return tuple(sorted({str(item) for item in value}))


def _records(fact: Fact, value: Any, _clock: Clock) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise Unusable(f"{fact.zh}:请填清单")
    return tuple(value)


def _quantity(fact: Fact, value: Any, _clock: Clock) -> Mapping:
    if not isinstance(value, Mapping):
        raise Unusable(f"{fact.zh}:请填数值和单位")
    return value


_READ = {
    "bool": _bool,
    "number": _number,
    "int": _int,
    "distance": _distance,
    "time": _time,
    "date": _date,
    "expiry": _expiry,
    "text": _text,
    "choice": _choice,
    "list": _list,
    "records": _records,
    "quantity": _quantity,
}
