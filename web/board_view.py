"""The plan of the plant as a drawing, and the live permits as points on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cards import permit as cards
from handlers.permit import actions
from rules.permit.life import PermitState
from storage.models import Area, Permit
from storage.permits import LIVE
from storage.unit_of_work import UnitOfWork

WIDE = 1000.0  # the drawing's width in its own units
MARGIN = 0.06
EXPIRES_SOON = timedelta(minutes=30)
SHOWN = (*LIVE, PermitState.EXPIRED.value)
TONES = {
    PermitState.ACTIVE: "active",
    PermitState.SUSPENDED: "suspended",
    PermitState.INTERRUPTED: "paused",
    PermitState.APPROVED: "ready",
    PermitState.EXPIRED: "ending",
}
URGENCY = ("suspended", "ending", "active", "paused", "ready")

Ring = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Frame:
    """From WGS84 to the drawing: metres on a small flat piece of the earth, north up."""

    west: float
    north: float
    per_lon: float
    per_lat: float
    height: float

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        return round((lon - self.west) * self.per_lon, 1), round((self.north - lat) * self.per_lat, 1)

    def points(self, ring: Ring) -> str:
        return " ".join("{},{}".format(*self.at(lon, lat)) for lon, lat in ring)


@dataclass(frozen=True, slots=True)
class Shape:
    points: str
    name: str
    kind: str
    x: float
    y: float
    left: float
    top: float


@dataclass(frozen=True, slots=True)
class Plan:
    """`letters`: the size of names in the drawing's units, larger when few areas are shown."""

    width: float
    height: float
    areas: Sequence[Shape]
    zones: Sequence[Shape]
    equipment: Sequence[tuple[float, float, str]]
    letters: str


def frame(rings: Sequence[Ring]) -> Frame | None:
    """The frame around all corners with a margin; None when nothing is drawn."""
    corners = [(float(lon), float(lat)) for ring in rings for lon, lat in ring]
    if not corners:
        return None
    west, east = min(c[0] for c in corners), max(c[0] for c in corners)
    south, north = min(c[1] for c in corners), max(c[1] for c in corners)
    squeeze = max(0.1, math.cos(math.radians((south + north) / 2)))  # a degree of longitude is shorter
    across = max((east - west) * squeeze, (north - south) / 4, 1e-5)
    gap = MARGIN * across
    scale = WIDE / (across + 2 * gap)
    middle = (west + east) / 2
    return Frame(
        west=middle - (across / 2 + gap) / squeeze,
        north=north + gap,
        per_lon=scale * squeeze,
        per_lat=scale,
        height=round((north - south + 2 * gap) * scale, 1),
    )


def _frame_of(work: UnitOfWork, area: Area | None) -> Frame | None:
    areas = [area] if area is not None and area.polygon else work.plant.areas()
    return frame([a.polygon for a in areas if a.polygon])


def plan(work: UnitOfWork, area: Area | None) -> Plan | None:
    """The whole plant, or one area near by; None when no area has a polygon."""
    seen = _frame_of(work, area)
    if seen is None:
        return None
    equipment = [e for e in work.plant.all_equipment() if area is not None and e.area_id == area.id]
    return Plan(
        width=WIDE,
        height=seen.height,
        areas=[_shape(seen, a.polygon, a.name, a.zone) for a in work.plant.areas() if a.polygon],
        zones=[_shape(seen, z.polygon, z.name, z.kind) for z in work.readings.zones() if z.polygon],
        equipment=[(*seen.at(e.lon, e.lat), e.code) for e in equipment if e.lat is not None and e.lon is not None],
        letters="near" if area is not None else "far",
    )


def _shape(seen: Frame, ring: Ring, name: str, kind: str) -> Shape:
    xs, ys = zip(*(seen.at(lon, lat) for lon, lat in ring), strict=True)
    middle = round((min(xs) + max(xs)) / 2, 1), round((min(ys) + max(ys)) / 2, 1)
    return Shape(seen.points(ring), name, kind, *middle, left=min(xs), top=min(ys))


def live_rows(work: UnitOfWork, area: Area | None) -> dict[str, Any]:
    """What the page draws every few seconds: most urgent first, with the time of the server."""
    seen = _frame_of(work, area)
    shown = [p for p in work.permits.live(states=SHOWN) if area is None or p.area_id == area.id]
    rows = [_row(work, permit, seen) for permit in shown]
    rows.sort(key=lambda row: (URGENCY.index(row["tone"]), row["until"] or "9", row["number"]))
    counts = {tone: sum(1 for row in rows if row["tone"] == tone) for tone in URGENCY}
    return {"at": work.at.isoformat(), "permits": rows, "counts": counts}


def _row(work: UnitOfWork, permit: Permit, seen: Frame | None) -> dict[str, Any]:
    until = permit.valid_until or permit.planned_end
    x, y = _spot(permit, seen)
    last = permit.gas_tests[-1] if permit.gas_tests else None
    words = "、".join(f"{actions.gas_zh(v['gas'])}{v['value']:g}{v['unit']}" for v in last.values) if last else ""
    return {
        "number": permit.number,
        "name": cards.name(permit),
        "tone": tone(permit, work),
        "state": PermitState(permit.state).zh,
        "content": permit.content,
        "place": cards.place(permit),
        "guardian": permit.guardian.name if permit.guardian else "",
        "from": permit.valid_from.isoformat() if permit.valid_from else None,
        "until": until.isoformat() if until else None,
        "gas": words,
        "gas_at": last.at.isoformat() if last else None,
        "why": str(permit.suspend_why[0]["message"]) if permit.suspend_why and permit.state == "suspended" else "",
        "x": x,
        "y": y,
    }


def tone(permit: Permit, work: UnitOfWork) -> str:
    """The colour: red stopped, amber ending within half an hour or over, green at work, blue ready to begin."""
    found = TONES[PermitState(permit.state)]
    until = permit.valid_until
    if found in ("active", "paused", "ready") and until is not None and until - work.at <= EXPIRES_SOON:
        return "ending"
    return found


def _spot(permit: Permit, seen: Frame | None) -> tuple[float | None, float | None]:
    """Where the permit is drawn: its point, its equipment, or the middle of its area."""
    if seen is None:
        return None, None
    if permit.lat is not None and permit.lon is not None:
        return seen.at(permit.lon, permit.lat)
    machine = permit.equipment
    if machine is not None and machine.lat is not None and machine.lon is not None:
        return seen.at(machine.lon, machine.lat)
    if permit.area is not None and permit.area.polygon:
        shape = _shape(seen, permit.area.polygon, "", "")
        return shape.x, shape.y
    return None, None
