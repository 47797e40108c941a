"""The 3-hour look-back on detectors: an enterprise check (企业规则) that can only make a verdict worse.

Separate from the <= 30-minute analysis of GB 30871-2022 5.3.1 c: a clean trend never replaces a sample.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.permit.gas import BadReading, vol_of


@dataclass(frozen=True, slots=True)
class Series:
    """One detector's values in its unit, as (time, value, status); a status other than ``ok`` means it is not used."""

    detector: str
    unit: str
    values: Sequence[tuple[datetime, float, str]]


@dataclass(frozen=True, slots=True)
class Trend:
    """What the look-back saw, in % vol and % vol per hour; `count` counts only values of trusted detectors."""

    count: int
    max_vol: float | None
    max_at: datetime | None
    last_vol: float | None
    slope_per_hour: float | None
    untrusted: tuple[str, ...]

    def facts(self) -> dict[str, float | int]:
        """The facts of rules HW-A13 to HW-A15; a value nobody measured is left out."""
        found: dict[str, float | int] = {"trend3h_count": self.count}
        for name, value in (
            ("trend3h_max_vol", self.max_vol),
            ("trend3h_last_vol", self.last_vol),
            ("trend3h_slope", self.slope_per_hour),
        ):
            if value is not None:
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class TrendPolicy:
    window: timedelta = timedelta(minutes=180)
    gap: timedelta = timedelta(minutes=10)
    stuck: timedelta = timedelta(minutes=60)
    skew: timedelta = timedelta(minutes=2)


def look_back(
    series: Iterable[Series], *, at: datetime, lel_vol: float | None, policy: TrendPolicy | None = None
) -> Trend:
    """Judge the detectors' values in the window ending at `at`.

    Values from the future, of a faulty detector, NaN or without unit are dropped and reported. A gap or a value that
    never moves makes the detector untrusted: it no longer counts, but a high value it showed still does.
    """
    policy = policy or TrendPolicy()
    notes: list[str] = []
    kept: dict[str, list[tuple[datetime, float]]] = {}
    for one in series:
        if values := _usable(one, at, lel_vol, policy, notes):
            kept[one.detector] = values
    if not kept:
        return Trend(0, None, None, None, None, tuple(notes))
    trusted = [name for name, values in kept.items() if _trusted(name, values, at, policy, notes)]
    max_vol, max_at = max((vol, time) for values in kept.values() for time, vol in values)
    slopes = [slope for values in kept.values() if (slope := _slope(values)) is not None]
    return Trend(
        count=sum(len(kept[name]) for name in trusted),
        max_vol=max_vol,
        max_at=max_at,
        last_vol=max(values[-1][1] for values in kept.values()),
        slope_per_hour=max(slopes) if slopes else 0.0,
        untrusted=tuple(notes),
    )


def _usable(
    one: Series, at: datetime, lel_vol: float | None, policy: TrendPolicy, notes: list[str]
) -> list[tuple[datetime, float]]:
    """The detector's values of the window in % vol, oldest first; what is left out is noted."""
    oldest, newest = at - policy.window, at + policy.skew
    kept: list[tuple[datetime, float]] = []
    try:
        convert = vol_of(one.unit, lel_vol=lel_vol)
    except BadReading as problem:
        if any(oldest < time <= newest and status == "ok" for time, _, status in one.values):
            _note(notes, f"{one.detector}:{problem}")
        return kept
    if (simple := _all_good(one.values, oldest, newest, convert)) is not None:
        return simple
    for time, value, status in one.values:
        if not oldest < time <= newest:
            if time > newest:
                _note(notes, f"{one.detector}:读数时间晚于当前时间,未采用")
        elif status != "ok":
            _note(notes, f"{one.detector}:探测器状态为 {status},未采用")
        else:
            try:
                kept.append((time, convert(value)))
            except BadReading as problem:
                _note(notes, f"{one.detector}:{problem}")
    kept.sort(key=operator.itemgetter(0))
    return kept


def _all_good(
    values: Sequence[tuple[datetime, float, str]], oldest: datetime, newest: datetime, convert: Callable[[float], float]
) -> list[tuple[datetime, float]] | None:
    """All of them in % vol when there is nothing to leave out and they come in their order; None otherwise.

    What nearly every judgement sees: hundreds of values, few of them different.
    """
    if not values:
        return []
    times = [time for time, _, _ in values]
    if {status for _, _, status in values} != {"ok"} or not oldest < times[0] or not times[-1] <= newest:
        return None
    numbers = [value for _, value, _ in values]
    if set(map(type, numbers)) != {float} or any(map(operator.gt, times, times[1:])):
        return None
    try:
        vols = {value: convert(value) for value in set(numbers)}
    except BadReading:
        return None
    return list(zip(times, map(vols.__getitem__, numbers), strict=True))


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _trusted(
    name: str, values: list[tuple[datetime, float]], at: datetime, policy: TrendPolicy, notes: list[str]
) -> bool:
    times = [at - policy.window, *(time for time, _ in values), at]
    if max(map(operator.sub, times[1:], times)) > policy.gap:
        _note(notes, f"{name}:数据不可信,有超过 {policy.gap.total_seconds() / 60:g} 分钟没有读数")
        return False
    if values[-1][0] - values[0][0] >= policy.stuck and len({value for _, value in values}) == 1:
        _note(notes, f"{name}:数据不可信,读数一直不变")
        return False
    return True


def _slope(values: list[tuple[datetime, float]]) -> float | None:
    """Least-squares slope in % vol per hour; None with fewer than two different times."""
    start, hour = values[0][0], timedelta(hours=1)
    hours = [(time - start) / hour for time, _ in values]
    mean_x, mean_y = sum(hours) / len(hours), sum([vol for _, vol in values]) / len(values)
    away = [x - mean_x for x in hours]
    spread = math.fsum(map(operator.mul, away, away))
    if spread == 0:
        return None
    return math.fsum(map(operator.mul, away, [vol - mean_y for _, vol in values])) / spread
