"""The 3-hour look-back on detectors: an enterprise check (企业规则) that can only make a verdict worse.

Separate from the <= 30-minute analysis of GB 30871-2022 5.3.1 c: a clean trend never replaces a sample.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.permit.gas import BadReading, to_vol


@dataclass(frozen=True, slots=True)
class TrendReading:
    """One detector value; `status` other than ``ok`` (fault, calibration…) means the value is not used."""

    detector: str
    at: datetime
    value: float
    unit: str
    status: str = "ok"


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
    readings: Iterable[TrendReading], *, at: datetime, lel_vol: float | None, policy: TrendPolicy | None = None
) -> Trend:
    """Judge the detectors' values in the window ending at `at`.

    Values from the future, of a faulty detector, NaN or without unit are dropped and reported. A gap or a value that
    never moves makes the detector untrusted: it no longer counts, but a high value it showed still does.
    """
    policy = policy or TrendPolicy()
    notes: list[str] = []
    series: dict[str, list[tuple[datetime, float]]] = {}
    for reading in sorted(readings, key=lambda item: item.at):
        if reading.at <= at - policy.window:
            continue
        if reading.at > at + policy.skew:
            _note(notes, f"{reading.detector}:读数时间晚于当前时间,未采用")
        elif reading.status != "ok":
            _note(notes, f"{reading.detector}:探测器状态为 {reading.status},未采用")
        else:
            try:
                vol = to_vol(reading.value, reading.unit, lel_vol=lel_vol)
            except BadReading as problem:
                _note(notes, f"{reading.detector}:{problem}")
                continue
            series.setdefault(reading.detector, []).append((reading.at, vol))
    trusted = [name for name, values in series.items() if _trusted(name, values, at, policy, notes)]
    everything = [value for values in series.values() for value in values]
    if not everything:
        return Trend(0, None, None, None, None, tuple(notes))
    max_at, max_vol = max(everything, key=lambda item: (item[1], item[0]))
    slopes = [slope for values in series.values() if (slope := _slope(values)) is not None]
    return Trend(
        count=sum(len(series[name]) for name in trusted),
        max_vol=max_vol,
        max_at=max_at,
        last_vol=max(values[-1][1] for values in series.values()),
        slope_per_hour=max(slopes) if slopes else 0.0,
        untrusted=tuple(notes),
    )


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _trusted(
    name: str, values: list[tuple[datetime, float]], at: datetime, policy: TrendPolicy, notes: list[str]
) -> bool:
    times = [at - policy.window, *(time for time, _ in values), at]
    if any(later - earlier > policy.gap for earlier, later in itertools.pairwise(times)):
        _note(notes, f"{name}:数据不可信,有超过 {policy.gap.total_seconds() / 60:g} 分钟没有读数")
        return False
    if values[-1][0] - values[0][0] >= policy.stuck and len({value for _, value in values}) == 1:
        _note(notes, f"{name}:数据不可信,读数一直不变")
        return False
    return True


def _slope(values: list[tuple[datetime, float]]) -> float | None:
    """Least-squares slope in % vol per hour; None with fewer than two different times."""
    start = values[0][0]
    hours = [(time - start).total_seconds() / 3600 for time, _ in values]
    mean_x, mean_y = sum(hours) / len(hours), sum(vol for _, vol in values) / len(values)
    spread = math.fsum((x - mean_x) ** 2 for x in hours)
    if spread == 0:
        return None
    return math.fsum((x - mean_x) * (vol - mean_y) for x, (_, vol) in zip(hours, values, strict=True)) / spread
