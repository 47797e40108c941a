"""The plan of the plant in memory: zones and areas, so that "what holds this point" costs no database rows.

Kept per process and engine; an import that changes outlines moves the plan's version, and the next look reads it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from rules import geo
from rules.geo import AreaIndex, Point
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

POINTS = 10_000  # places whose surroundings are remembered; with more of them all are forgotten


@dataclass(frozen=True, slots=True)
class Spot:
    """One zone or area as the index knows it."""

    kind: str  # hazardous, fixed_hot_work, dike, ban; of an area its zone
    name: str
    drawn: bool  # a zone of the plan, not an area


@dataclass(frozen=True, slots=True)
class Plan:
    signature: tuple[Any, ...]
    kinds: frozenset[str]  # kinds of zone that are drawn at all
    index: AreaIndex[int]
    spots: tuple[Spot, ...]
    areas: AreaIndex[int]
    known: dict[tuple[float, float, float], Sequence[tuple[Spot, float]]] = field(default_factory=dict, compare=False)
    """What lies near: permits are judged again and again, and neither they nor the plan moves meanwhile."""

    def near(self, point: Point, within_m: float) -> Sequence[tuple[Spot, float]]:
        """(zone or area, metres) no farther than that, nearest first."""
        key = point.lat, point.lon, within_m
        found = self.known.get(key)
        if found is None:
            near = self.index.near(point, within_m=within_m, limit=len(self.spots))
            found = tuple([(self.spots[key], metres) for key, metres in near])
            if len(self.known) >= POINTS:
                self.known.clear()
            self.known[key] = found
        return found


_plans: WeakKeyDictionary[Any, Plan] = WeakKeyDictionary()


def plan_of(work: UnitOfWork) -> Plan:
    """The plan as the database has it now."""
    signature = work.readings.plan_version()
    known = _plans.get(work.pool)
    if known is None or known.signature != signature:
        known = _plans[work.pool] = _read(work, signature)
    return known


def _read(work: UnitOfWork, signature: tuple[Any, ...]) -> Plan:
    zones = [zone for zone in work.readings.zones() if _is_ring(zone.polygon, zone=zone.id)]
    areas = [area for area in work.plant.areas() if area.polygon and _is_ring(area.polygon, area=area.id)]
    spots, rings = [], []
    for zone in zones:
        spots.append(Spot(zone.kind, zone.name, True))
        rings.append(zone.polygon)
    for area in areas:
        if area.zone not in ("", "none"):
            spots.append(Spot(area.zone, area.name, False))
            rings.append(area.polygon)
    return Plan(
        signature=signature,
        kinds=frozenset(zone.kind for zone in zones),
        index=AreaIndex(enumerate(rings)),
        spots=tuple(spots),
        areas=AreaIndex((area.id, area.polygon) for area in areas),
    )


def _is_ring(polygon: Any, **what: int) -> bool:
    """An outline that is none must not keep every other place from being judged; somebody has to mend it."""
    problem = geo.polygon_problem(polygon)
    if problem:
        log.error("plan.outline_unusable", **what)
    return problem is None
