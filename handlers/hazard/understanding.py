"""What a report's words mean at its place: grade, category, annotation, written onto the hazard."""

from __future__ import annotations

from rules import geo
from rules import hazard as rules
from rules.geo import Point
from rules.hazard import AreaFacts, EquipmentFacts, NearbyFacts
from rules.terms import Grade
from storage.models import Area, Hazard
from storage.unit_of_work import UnitOfWork

NEAR_M = 30.0  # ignition sources this near are named in the annotation, as lexicon/words.toml has it
BESIDE_M = 50.0  # … of the edge of an area make its neighbour worth a word


def understand(work: UnitOfWork, hazard: Hazard) -> rules.Understanding:
    """Grade, category and annotation from ledger, area, neighbours and words. What is filed is never graded lower."""
    area, equipment = hazard.area, hazard.equipment
    seen = rules.understand(
        hazard.description,
        area=AreaFacts(name=area.name, media=tuple(area.media), explosive=area.zone in ("hazardous", "dike") or None)
        if area
        else None,
        equipment=EquipmentFacts(
            code=equipment.code,
            name=equipment.name,
            kind=equipment.kind,
            media=(equipment.medium,) if equipment.medium else (),
        )
        if equipment
        else None,
        near=_neighbours(work, hazard),
    )
    if not hazard.number or seen.grade.rank < Grade(hazard.grade).rank:
        hazard.grade, hazard.grade_why = seen.grade.value, seen.grade_why
    hazard.category, hazard.category_why = seen.category.value, seen.category_why
    if seen.major_candidate or not hazard.number:
        hazard.major_candidate = (seen.major_codes[0] if seen.major_codes else "待核") if seen.major_candidate else ""
    hazard.annotation = seen.annotation
    hazard.annotations = [{"kind": a.kind.value, "value": a.value, "why": a.why} for a in seen.annotations]
    hazard.emergency = seen.emergency or bool(hazard.number and hazard.emergency)
    return seen


def _neighbours(work: UnitOfWork, hazard: Hazard) -> list[NearbyFacts]:
    """Ignition sources of the ledger near the hazard, else the areas with some beside the hazard's own area."""
    found = _near_point(work, hazard) if hazard.lat is not None and hazard.lon is not None else []
    return found or (_beside_area(work, hazard.area) if hazard.area is not None else [])


def _near_point(work: UnitOfWork, hazard: Hazard) -> list[NearbyFacts]:
    here = Point(lat=hazard.lat, lon=hazard.lon)  # type: ignore[arg-type]
    found = []
    for item in work.plant.ignition_near(here.lat, here.lon, metres=NEAR_M):
        if item.lat is not None and item.lon is not None and item.id != hazard.equipment_id:
            metres = geo.distance_m(here, Point(lat=item.lat, lon=item.lon))
            if metres <= NEAR_M:
                found.append(NearbyFacts(name=item.name, kind=item.kind, distance_m=metres))
    return sorted(found, key=lambda n: n.distance_m or 0)


def _beside_area(work: UnitOfWork, area: Area) -> list[NearbyFacts]:
    """«加热炉区» beside «甲醇罐区»: its sources are within the limit of the area's edge, wherever in it the hazard is."""
    ring = area.polygon
    if not ring:
        return []
    lons, lats = [corner[0] for corner in ring], [corner[1] for corner in ring]
    middle = Point(lat=(min(lats) + max(lats)) / 2, lon=(min(lons) + max(lons)) / 2)
    across = geo.distance_m(middle, Point(lat=max(lats), lon=max(lons)))
    areas = {row.id: row.name for row in work.plant.areas()}
    found: dict[str, NearbyFacts] = {}
    for item in work.plant.ignition_near(middle.lat, middle.lon, metres=across + BESIDE_M):
        if item.area_id not in areas or item.area_id == area.id or item.lat is None or item.lon is None:
            continue
        if geo.distance_to_polygon_m(Point(lat=item.lat, lon=item.lon), ring) <= BESIDE_M:
            name = areas[item.area_id]
            found[name] = NearbyFacts(name=name, kind=item.kind)
    return list(found.values())
