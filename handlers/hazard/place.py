"""Where is it? Every position the report brought, the one that is believed, and what they disagree on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.message import Position
from rules import geo
from rules.geo import AreaIndex, Point
from rules.terms import PlaceSource
from storage.models import Account, Area, Equipment, Hazard
from storage.unit_of_work import UnitOfWork

TRUST = list(PlaceSource)  # in the order of trust
NEAR_PLANT_M = 30.0  # outside every polygon but this near counts as that area: polygons are drawn by hand
DISAGREE_M = 50.0  # farther apart than this is shown (risk-and-hazard §3, FC-04)
FRESH = timedelta(minutes=10)  # a silent position older than this says nothing about the report


def to_point(position: Position) -> Point:
    """The position in WGS84, whatever the platform gave."""
    point = Point(lat=position.lat, lon=position.lon)
    return geo.gcj02_to_wgs84(point) if position.datum == "gcj02" else point


def add_position(
    hazard: Hazard, source: PlaceSource, point: Point, *, accuracy_m: float | None, at: datetime, label: str = ""
) -> str:
    """Note a position on the report. Returns a Chinese sentence when it cannot be used, else ""."""
    problem = geo.position_problem(point.lat, point.lon)
    if problem:
        return problem
    verdict = geo.judge_accuracy(accuracy_m, source=source)
    if not verdict.accepted:
        return verdict.message_zh
    entry = {
        "source": source.value,
        "lat": point.lat,
        "lon": point.lon,
        "accuracy_m": accuracy_m,
        "at": at.isoformat(),
        "label": label[:60],
    }
    hazard.places = [*[p for p in hazard.places if p["source"] != source.value], entry]
    return ""


def add_silent_position(hazard: Hazard, account: Account, *, at: datetime, datum: str) -> None:
    """Use the position the client told on opening the chat, when it is fresh and nothing better was given."""
    if account.last_lat is None or account.last_lon is None or account.last_position_at is None:
        return
    if at - account.last_position_at > FRESH or any(
        p["source"] == PlaceSource.LOCATION_EVENT.value for p in hazard.places
    ):
        return
    point = to_point(Position(account.last_lat, account.last_lon, datum=datum))
    add_position(
        hazard, PlaceSource.LOCATION_EVENT, point, accuracy_m=account.last_accuracy_m, at=account.last_position_at
    )


def set_equipment(hazard: Hazard, equipment: Equipment) -> None:
    """The ledger says where a piece of equipment stands."""
    hazard.equipment = equipment
    if equipment.lat is not None and equipment.lon is not None:
        hazard.places = [
            *[p for p in hazard.places if p["source"] != PlaceSource.EQUIPMENT.value],
            {
                "source": PlaceSource.EQUIPMENT.value,
                "lat": equipment.lat,
                "lon": equipment.lon,
                "accuracy_m": None,
                "at": "",
                "label": equipment.code,
            },
        ]


def choose_area(hazard: Hazard, area: Area) -> None:
    """The person tapped or typed the area."""
    hazard.places = [
        *[p for p in hazard.places if p["source"] != PlaceSource.AREA_CHOICE.value],
        {
            "source": PlaceSource.AREA_CHOICE.value,
            "area_id": area.id,
            "lat": None,
            "lon": None,
            "accuracy_m": None,
            "at": "",
            "label": area.name,
        },
    ]


def settle(work: UnitOfWork, hazard: Hazard) -> bool:
    """Decide area and position from all that was given; note disagreements. True when the place is known."""
    areas = {area.id: area for area in work.plant.areas()}
    index = AreaIndex((area.id, area.polygon) for area in areas.values() if area.polygon)
    found = [(entry, _area_of(entry, index, hazard)) for entry in sorted(hazard.places, key=_trust)]
    located = [(entry, area_id) for entry, area_id in found if area_id is not None]
    best = next((entry for entry, _ in found if entry["lat"] is not None), None)
    if best is not None:
        hazard.lat, hazard.lon, hazard.accuracy_m = best["lat"], best["lon"], best["accuracy_m"]
    if not located:
        hazard.area, hazard.place_source = None, best["source"] if best else ""
        hazard.place_notes = ["定位不在厂区任何区域内,请核对"] if best else []
        return False
    chosen, area_id = located[0]
    hazard.area, hazard.place_source = areas[area_id], chosen["source"]
    hazard.place_notes = _disagreements(found, chosen, area_id, areas)
    return True


def _trust(entry: dict[str, Any]) -> tuple[bool, int]:
    """Exact before approximate, then by source. A choice by hand beats a position too rough to tell areas apart."""
    rough = entry["lat"] is not None and (entry["accuracy_m"] or 0) > geo.ACCURACY_LIMIT_M
    return (rough, TRUST.index(PlaceSource(entry["source"])))


def _area_of(entry: dict[str, Any], index: AreaIndex[int], hazard: Hazard) -> int | None:
    if entry["source"] == PlaceSource.AREA_CHOICE.value:
        return int(entry["area_id"])
    if entry["source"] == PlaceSource.EQUIPMENT.value and hazard.equipment is not None and hazard.equipment.area_id:
        return hazard.equipment.area_id
    point = Point(lat=entry["lat"], lon=entry["lon"])
    rough = (entry["accuracy_m"] or 0) > geo.ACCURACY_LIMIT_M
    if rough:  # only when its whole circle touches one area
        touched = index.near(point, within_m=float(entry["accuracy_m"]), limit=2)
        return touched[0][0] if len(touched) == 1 else None
    inside = index.containing(point)
    if inside:
        return inside[0]
    near = index.near(point, within_m=NEAR_PLANT_M, limit=1)
    return near[0][0] if near else None


def _disagreements(
    found: list[tuple[dict[str, Any], int | None]], chosen: dict[str, Any], area_id: int, areas: dict[int, Area]
) -> list[str]:
    notes = []
    for entry, other_id in found:
        if entry is chosen:
            continue
        source, mine = PlaceSource(entry["source"]).zh, PlaceSource(chosen["source"]).zh
        metres = None
        if entry["lat"] is not None and chosen["lat"] is not None:
            metres = geo.distance_m(
                Point(lat=entry["lat"], lon=entry["lon"]), Point(lat=chosen["lat"], lon=chosen["lon"])
            )
        if other_id is not None and other_id != area_id:
            apart = f",相距约{metres:.0f}米" if metres is not None else ""
            notes.append(f"{source}在{areas[other_id].name},与{mine}({areas[area_id].name})不一致{apart},请核对")
        elif metres is not None and metres > DISAGREE_M + (entry["accuracy_m"] or 0):
            notes.append(f"{source}与{mine}相距约{metres:.0f}米,请核对")
        elif other_id is None and entry["lat"] is not None and (entry["accuracy_m"] or 0) <= geo.ACCURACY_LIMIT_M:
            notes.append(f"{source}不在厂区任何区域内,请核对")
    return notes


def choices(work: UnitOfWork, hazard: Hazard) -> list[Area]:
    """Areas to offer, nearest first when a rough position is known, else in the plant's order."""
    areas = list(work.plant.areas())
    if hazard.lat is None or hazard.lon is None:
        return areas
    point = Point(lat=hazard.lat, lon=hazard.lon)
    return sorted(areas, key=lambda a: geo.distance_to_polygon_m(point, a.polygon) if a.polygon else 1e9)


def area_named(work: UnitOfWork, text: str) -> Area | None:
    """The one area whose name or code is said in the text; the longest name wins."""
    named = [area for area in work.plant.areas() if area.name in text or text.strip().upper() == area.code.upper()]
    return max(named, key=lambda area: len(area.name)) if named else None
