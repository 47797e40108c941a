"""What lies around a point: zones, detectors and their last hours, wind, other permits, open hazards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from handlers.permit.plan import plan_of
from rules import geo
from rules.geo import Point
from rules.permit import RuleTable, gas, trend
from rules.permit.trend import Series, Trend, TrendPolicy
from rules.permit.wind import BEAUFORT_M_S, beaufort
from storage.models import Area, Detector
from storage.permit_seen import JudgedPermit, SeenArea
from storage.permits import Box, Neighbour
from storage.plain import Asked
from storage.readings import SeenDetector
from storage.unit_of_work import UnitOfWork

REACH_M = 30.0  # the farthest distance any rule looks (7.6, 5.2.9)
LOOK_BACK = timedelta(hours=3)
STRICTEST_VOL = 0.2  # % vol, GB 30871-2022 5.3.2 b
UNSURE_M = 10.0  # a point from a phone this near a hazardous place counts as inside: fixes are not exact
METRES_PER_DEGREE = 111_320.0

WIND_TELLS_M_S = BEAUFORT_M_S[4]  # below force 4 no rule looks at it


@dataclass(frozen=True, slots=True)
class Zones:
    """Which kinds of zone hold the point; None where the plan does not say."""

    hazardous: bool | None
    fixed_hot_work: bool | None
    dike: bool | None
    ban: bool | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """The gas detectors in range: which are alive, and the three hours behind them.

    `alive` None: there is no detector in range; False: the nearest says nothing now (old, faulty, being calibrated).
    `fresh_until`: when it grows too old unless a new value comes.
    """

    detectors: tuple[SeenDetector, ...]
    trend: Trend | None
    alive: bool | None
    over_limit: str  # the code of a detector over the limit now, "" when none
    fresh_until: datetime | None
    notes: tuple[str, ...] = field(default=())


def box(point: Point, radius_m: float) -> Box:
    lat = radius_m / METRES_PER_DEGREE * 1.02
    lon = lat / max(0.1, math.cos(math.radians(point.lat)))
    return Box(south=point.lat - lat, west=point.lon - lon, north=point.lat + lat, east=point.lon + lon)


def asked(work: UnitOfWork, table: RuleTable, permit: JudgedPermit) -> Iterator[Asked]:
    """What the functions here ask the database of the place, for `UnitOfWork.ahead`."""
    point, area = point_of(permit), permit.area_id
    yield work.readings.asked_plan()
    yield from work.readings.asked_weather(WEATHER)
    if point is not None or area is not None:
        yield work.permits.asked_near(box(point, REACH_M) if point else None, area_id=area, but=permit.id)
        yield work.readings.asked_near(box(point, _alarm_reach_m(table)) if point else None, area)
    if area is not None:
        yield work.hazards.asked_beside(area, since=work.at - HAZARDS_OF)


def zones_at(work: UnitOfWork, point: Point | None, area: Area | SeenArea | None, *, exact: bool) -> Zones:
    """Zones of the plan and the area's own kind. A fix that is not exact counts as inside what is 10 m away."""
    plan = plan_of(work)
    kinds = plan.kinds
    inside: dict[str, bool] = {}
    names = []
    for spot, metres in plan.near(point, 0.0 if exact else UNSURE_M) if point is not None else ():
        if spot.kind == "fixed_hot_work" and (metres > 0 or not spot.drawn):
            continue  # doubt never makes a place freer
        inside["hazardous" if not spot.drawn and spot.kind == "dike" else spot.kind] = True
        if spot.drawn:
            names.append(spot.name)
    if area is not None and area.zone not in ("", "none"):
        inside[area.zone] = True
        if area.zone == "dike":
            inside["hazardous"] = True
    if inside.get("hazardous") and inside.pop("fixed_hot_work", False):
        names.append("固定动火区与火灾爆炸危险场所重叠,按危险场所")  # 5.5.2: a fixed zone lies in none

    def says(kind: str, *, sure: bool) -> bool | None:
        if inside.get(kind):
            return True
        return False if sure else None

    placed = point is not None and area is not None
    return Zones(
        hazardous=says("hazardous", sure=area is not None and (point is not None or "hazardous" not in kinds)),
        fixed_hot_work=says("fixed_hot_work", sure=placed or "fixed_hot_work" not in kinds),
        dike=says("dike", sure=placed and ("dike" in kinds or _not_a_tank_farm(area))),
        ban=says("ban", sure=placed or "ban" not in kinds),
        names=tuple(names),
    )


def _not_a_tank_farm(area: Area | SeenArea | None) -> bool:
    return area is not None and area.kind != "tank_farm"


def watch(
    work: UnitOfWork,
    table: RuleTable,
    point: Point | None,
    area_id: int | None,
    *,
    at: datetime,
    lel_vol: float | None,
    limit_vol: float,
) -> Watch:
    """The combustible detectors in range, their trend, whether the nearest speaks now; any detector over its limit.

    The plant's radius is that of the trend, an extra of its own; an alarm (5.2.6, 6.5) is heard from the fixed reach.
    """
    radius, reach = table.settings.trend_radius_m, _alarm_reach_m(table)
    found = work.readings.detectors_near(box(point, reach) if point else None, area_id)
    away = _away(point)
    reached = [(metres, d) for d in found if (metres := away(d.lat, d.lon)) <= reach]
    combustible = sorted(
        [(metres, d) for metres, d in reached if d.kind == "combustible"], key=lambda pair: (pair[0], pair[1].id)
    )
    near = [d for metres, d in combustible if metres <= radius]
    over = next((d.code for _, d in combustible if _is_over(d, at, lel_vol, limit_vol)), "")
    over = over or next((d.code for _, d in reached if _is_bad_air(d, at)), "")
    if not near:
        return Watch((), None, None, over, None)
    policy = _trend_policy(table)
    spans = work.readings.span([d.id for d in near], "combustible", at - policy.window, at + policy.skew)
    series = [Series(d.code, d.unit, *spans[d.id]) for d in near]
    seen = trend.look_back(series, at=at, lel_vol=lel_vol, policy=policy)
    silent, notes = silence(near[0], at)
    return Watch(
        detectors=tuple(near),
        trend=seen,
        alive=not silent,
        over_limit=over,
        fresh_until=near[0].last_at + timedelta(seconds=near[0].max_age_s) if near[0].last_at else None,
        notes=(*notes, *seen.untrusted),
    )


def _alarm_reach_m(table: RuleTable) -> float:
    return max(REACH_M, table.settings.trend_radius_m)


def _trend_policy(table: RuleTable) -> TrendPolicy:
    found: TrendPolicy | None = table.memory.get(TrendPolicy)
    if found is None:
        found = table.memory[TrendPolicy] = TrendPolicy(
            window=timedelta(minutes=table.settings.trend_window_minutes),
            gap=timedelta(minutes=table.settings.trend_gap_minutes),
            stuck=timedelta(minutes=table.settings.trend_stuck_minutes),
            skew=table.settings.skew,
        )
    return found


def _away(point: Point | None) -> Callable[[float | None, float | None], float]:
    """Metres of a latitude and longitude from the point; 0 where one of the two has no position."""
    if point is None:
        return lambda _lat, _lon: 0.0
    metres = geo.metres_from(point)
    return lambda lat, lon: metres(lat, lon) if lat is not None and lon is not None else 0.0


def silence(detector: Detector | SeenDetector, at: datetime) -> tuple[bool, list[str]]:
    """Whether the detector says nothing now, and why. A pause within its allowed age is no silence."""
    if detector.last_at is None:
        return True, [f"{detector.code} 没有读数"]
    age = at - detector.last_at
    if age > timedelta(seconds=detector.max_age_s):
        return True, [f"{detector.code} 已{int(age.total_seconds() // 60)}分钟没有读数"]
    if detector.last_status != "ok":
        return True, [f"{detector.code} {trend.status_zh(detector.last_status)}"]
    return False, []


def _fresh(detector: Detector | SeenDetector, at: datetime) -> float | None:
    """The detector's value while it counts."""
    if detector.last_at is None or detector.last_status != "ok":
        return None
    return detector.last_value if at - detector.last_at <= timedelta(seconds=detector.max_age_s) else None


def _is_over(detector: Detector | SeenDetector, at: datetime, lel_vol: float | None, limit_vol: float) -> bool:
    value = _fresh(detector, at)
    return value is not None and vol(detector, value, lel_vol=lel_vol) > limit_vol


O2_LOW, O2_HIGH = 19.5, 23.5  # % vol, GB 30871-2022 6.4 a: outside of this nobody stays


def _is_bad_air(detector: Detector | SeenDetector, at: datetime) -> bool:
    value = _fresh(detector, at)
    return value is not None and is_bad_air(detector, value)


def is_bad_air(detector: Detector | SeenDetector, value: float) -> bool:
    """Oxygen or a toxic gas that people must not breathe (GBZ 2.1, the short-time limit for a value of this moment)."""
    if detector.kind in ("combustible", "wind"):
        return False
    if detector.kind == "o2":
        return detector.unit == "%vol" and not O2_LOW <= value <= O2_HIGH
    named = detector.medium or detector.kind
    try:
        return gas.toxic_ratio([{"medium": named, "value": max(0.0, value), "unit": detector.unit}], basis="stel") > 1
    except gas.BadReading:
        return False  # no limit is known for it; its own alarm is a matter of the detector


def is_danger(detector: Detector | SeenDetector, value: float) -> bool:
    """Whether some rule may stop work on this value: over the strictest limit, or no air to breathe."""
    if detector.kind == "combustible":
        return vol(detector, value) > STRICTEST_VOL
    return is_bad_air(detector, value)


def vol(detector: Detector | SeenDetector, value: float, *, lel_vol: float | None = None) -> float:
    """A combustible value in % vol. Without any LEL the value is taken at its highest meaning, 15 % vol at 100 %LEL."""
    if lel_vol is None and detector.medium:
        medium = gas.find_medium(detector.medium)
        lel_vol = medium.lel_vol if medium else None
    try:
        return gas.to_vol(max(0.0, value), detector.unit, lel_vol=lel_vol if lel_vol is not None else 15.0)
    except gas.BadReading:
        return 0.0


WEATHER = "weather"  # the service's row in source_state
WEATHER_AGE = timedelta(minutes=60)  # an observation older than this says nothing; it arrives up to 20 minutes old


def weather(work: UnitOfWork, at: datetime) -> tuple[dict[str, Any], datetime | None]:
    """(wind, rain, snow and fog by fact name, until when they count): from the plant's own wind meters first.

    Empty without a fresh value of a meter or of a configured weather service; people are then asked.
    """
    found: dict[str, Any] = {}
    until: list[datetime] = []
    told, meters = work.readings.weather(WEATHER)
    seen = told.get("seen")
    if seen and (ends := datetime.fromisoformat(seen["at"]) + WEATHER_AGE) >= at:
        found |= seen["facts"]
        until.append(ends)
    force, meter_until = _metered(meters, at)
    if force is not None and meter_until is not None:
        found["wind_force"] = force
        until.append(meter_until)
    return found, min(until, default=None)


def _metered(meters: Sequence[SeenDetector], at: datetime) -> tuple[int | None, datetime | None]:
    """(highest force by the plant's own meters, until when it counts); (None, None) without a fresh value."""
    best: tuple[int | None, datetime | None] = None, None
    for meter in meters:
        silent, _ = silence(meter, at)
        if silent or meter.last_value is None or meter.last_at is None:
            continue
        force = int(meter.last_value) if meter.unit == "级" else beaufort(meter.last_value)
        if best[0] is None or force > best[0]:
            best = force, meter.last_at + timedelta(seconds=meter.max_age_s)
    return best


def others(work: UnitOfWork, permit: JudgedPermit) -> list[tuple[Neighbour, float]]:
    """(live permit as `Permits.near` has it, metres) within reach, nearest first; 0 m for one at the same equipment or area without a point."""
    point = point_of(permit)
    near = work.permits.near(box(point, REACH_M) if point else None, area_id=permit.area_id, but=permit.id)
    away = _away(point)
    found = [(other, metres) for other in near if (metres := away(other.lat, other.lon)) <= REACH_M]
    return sorted(found, key=lambda pair: (pair[1], pair[0].id))


def point_of(place: JudgedPermit | Neighbour) -> Point | None:
    return Point(lat=place.lat, lon=place.lon) if place.lat is not None and place.lon is not None else None


def touch(
    work: UnitOfWork, point: Point | None, area_id: int | None, *, but: int | None = None, danger: bool = False
) -> int:
    """Something happened here: live permits in reach (not the caller's own, `but`) are judged at once. How many.

    Those in `danger` come before all others, however many are due.
    """
    here = box(point, REACH_M) if point is not None else None
    touched = work.permit_queue.touch_near(here, area_id, at=work.at, but=but, danger=danger)
    if touched:
        work.wake.add("chat")
    return touched


HAZARD_M = 15.0
HAZARDS_OF = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NearHazard:
    number: str
    emergency: bool
    description: str
    reported_at: datetime


def hazards_near(work: UnitOfWork, point: Point | None, area_id: int | None, *, at: datetime) -> list[NearHazard]:
    """Open hazards within 15 m; those whose place is known only as an area when they are an emergency."""
    if area_id is None:
        return []
    found = []
    for row in work.hazards.open_beside(area_id, since=at - HAZARDS_OF):
        if point is not None and row.lat is not None and row.lon is not None:
            near = geo.distance_m(point, Point(lat=row.lat, lon=row.lon)) <= HAZARD_M
        else:
            near = row.emergency
        if near and row.number:
            found.append(NearHazard(row.number, row.emergency, row.description, row.reported_at))
    return found
