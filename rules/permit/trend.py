"""The 3-hour look-back on detectors: an enterprise check (企业规则) that can only make a verdict worse.

Separate from the <= 30-minute analysis of GB 30871-2022 5.3.1 c: a clean trend never replaces a sample.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.permit.gas import BadReading, vol_of

SECONDS_AN_HOUR = 3600.0

STATUS_ZH = {
    "ok": "正常",
    "fault": "故障",
    "calibrating": "正在标定",
    "offline": "离线",
    "suspect": "数据可疑",
}
"""Every status of a detector, as people read it."""


def status_zh(status: str) -> str:
    return STATUS_ZH.get(status, "状态不明")


@dataclass(frozen=True, slots=True)
class Series:
    """One detector's readings in its unit: times (seconds since 1970, UTC), values and statuses side by side.

    A status other than ``ok`` means that the value is not used; an ``ok`` without a value (None) is no reading.
    """

    detector: str
    unit: str
    times: Sequence[float]
    values: Sequence[float | None]
    statuses: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trend:
    """What the look-back saw, in % vol and % vol per hour; `count` counts only values of trusted detectors."""

    count: int
    max_vol: float | None
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
    kept: dict[str, Kept] = {}
    for one in series:
        times, vols = _usable(one, at, lel_vol, policy, notes)
        if times:
            kept[one.detector] = times, vols
    if not kept:
        return Trend(0, None, None, None, tuple(notes))
    trusted = [name for name, (times, vols) in kept.items() if _trusted(name, times, vols, at, policy, notes)]
    slopes = [slope for times, vols in kept.values() if (slope := _slope(times, vols)) is not None]
    return Trend(
        count=sum(len(kept[name][0]) for name in trusted),
        max_vol=max(max(vols) for _, vols in kept.values()),
        last_vol=max(vols[-1] for _, vols in kept.values()),
        slope_per_hour=max(slopes) if slopes else 0.0,
        untrusted=tuple(notes),
    )


Kept = tuple[Sequence[float], Sequence[float]]
"""Times in seconds, oldest first, and the values of these times in % vol."""


def _usable(one: Series, at: datetime, lel_vol: float | None, policy: TrendPolicy, notes: list[str]) -> Kept:
    """The detector's values of the window; what is left out is noted."""
    oldest, newest = (at - policy.window).timestamp(), (at + policy.skew).timestamp()
    try:
        convert = vol_of(one.unit, lel_vol=lel_vol)
    except BadReading as problem:
        if any(
            oldest < time <= newest and status == "ok" for time, status in zip(one.times, one.statuses, strict=True)
        ):
            _note(notes, f"{one.detector}:{problem}")
        return (), ()
    if (simple := _all_good(one, oldest, newest, convert)) is not None:
        return simple
    kept: list[tuple[float, float]] = []
    for time, value, status in zip(one.times, one.values, one.statuses, strict=True):
        if not oldest < time <= newest:
            if time > newest:
                _note(notes, f"{one.detector}:读数时间晚于当前时间,未采用")
        elif status != "ok":
            _note(notes, f"{one.detector}:探测器状态:{status_zh(status)},读数未采用")
        elif value is not None:
            try:
                kept.append((time, convert(value)))
            except BadReading as problem:
                _note(notes, f"{one.detector}:{problem}")
    kept.sort(key=operator.itemgetter(0))
    return [time for time, _ in kept], [vol for _, vol in kept]


def _all_good(one: Series, oldest: float, newest: float, convert: Callable[[float], float]) -> Kept | None:
    """All of them when there is nothing to leave out and they come in their order; None otherwise.

    What nearly every judgement sees: hundreds of values, few of them different.
    """
    times, values = one.times, one.values
    if not times:
        return (), ()
    if one.statuses.count("ok") != len(times) or not oldest < times[0] or not times[-1] <= newest:
        return None
    different = set(values)
    if set(map(type, different)) != {float} or list(times) != sorted(times):
        return None
    try:
        vols: dict[Any, float] = {value: convert(value) for value in different}  # type: ignore[arg-type]
    except BadReading:
        return None
    return times, list(map(vols.__getitem__, values))


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _trusted(
    name: str, times: Sequence[float], vols: Sequence[float], at: datetime, policy: TrendPolicy, notes: list[str]
) -> bool:
    gap = policy.gap.total_seconds()
    oldest = (at - policy.window).timestamp()
    between = max(map(operator.sub, times[1:], times), default=0.0)
    longest = max(times[0] - oldest, at.timestamp() - times[-1], between)
    if round(longest, 6) > gap:  # times are exact to the microsecond
        _note(notes, f"{name}:数据不可信,有超过 {gap / 60:g} 分钟没有读数")
        return False
    if round(times[-1] - times[0], 6) >= policy.stuck.total_seconds() and vols.count(vols[0]) == len(vols):
        _note(notes, f"{name}:数据不可信,读数一直不变")
        return False
    return True


def _slope(times: Sequence[float], vols: Sequence[float]) -> float | None:
    """Least-squares slope in % vol per hour; None with fewer than two different times."""
    count, start = len(times), times[0]
    hours = [(time - start) / SECONDS_AN_HOUR for time in times]
    sum_x, sum_y = sum(hours), sum(vols)
    spread = sum(map(operator.mul, hours, hours)) - sum_x * sum_x / count
    if times[0] == times[-1]:
        return None
    return round((sum(map(operator.mul, hours, vols)) - sum_x * sum_y / count) / spread, 9)
