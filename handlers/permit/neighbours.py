"""What goes on around a permit (SIMOPS): other permits, works that disturb each other, open hazards."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from handlers.permit import heights, surroundings
from rules.permit import Work
from rules.permit.life import PermitState
from rules.permit.work_words import works_in
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork

LEAK = re.compile(r"漏|泄|渗|冒烟|着火|起火|异味|气味|喷出")
PAINTING = re.compile(r"喷漆|刷漆|油漆|涂刷|防腐|溶剂|清洗")
CROSS_WORK_M = 15.0  # other works this near are cross work (4.7); an enterprise figure
UNDER_WAY = (PermitState.ACTIVE.value, PermitState.INTERRUPTED.value)
JOBS = 4096  # descriptions whose words are remembered: permits are judged again and again
SAME_PLACE_M = 10.0  # tickets held for one place (4.6), painting beside fire (5.2.9)


def neighbours(work: UnitOfWork, permit: JudgedPermit, notes: list[str], *, running: bool = False) -> dict[str, Any]:
    """Other permits nearby (SIMOPS): distances, tickets held for the same place, works that disturb each other.

    Before the start everything that is approved counts; work that is `running` is disturbed only by work under way.
    """
    near = surroundings.others(work, permit)
    disturbing = UNDER_WAY if running else (PermitState.APPROVED.value, *UNDER_WAY)
    open_near = [(other, metres) for other, metres in near if other.state in disturbing and other.ended_at is None]
    found: dict[str, Any] = {}
    for name, kind, asked_for in (
        ("blind_plate_distance", Work.BLIND_PLATE.value, Work.HOT_WORK.value),
        ("hot_work_distance", Work.HOT_WORK.value, Work.BLIND_PLATE.value),
    ):
        if permit.work == asked_for:
            metres = [m for other, m in open_near if other.work == kind]
            found[name] = round(min(metres), 1) if metres else "none"
    painting = [(other, m) for other, m in open_near if is_painting(other.content)]
    if permit.work == Work.HOT_WORK and painting:
        found["solvent_work_distance"] = round(painting[0][1], 1)
        beside = [other for other, m in painting if m <= SAME_PLACE_M]
        if any(heights.apart(permit, other) for other in beside):
            found["solvent_work_vertical"] = True
    over = [other for other, m in open_near if m <= SAME_PLACE_M and heights.apart(permit, other)]
    found |= heights.stacked(work, permit, over, notes)
    same = [other for other, m in near if m <= SAME_PLACE_M]
    heights.stopped_above(permit, same, notes)
    found["tickets_held"] = sorted({permit.work, *(other.work for other in same)})
    if permit.work == Work.BLIND_PLATE and permit.equipment_id is not None:
        plates = [o for o in same if o.work == permit.work and o.equipment_id == permit.equipment_id]
        found["same_pipe_active"] = 1 + len(plates)
    if permit.work == Work.CONFINED_SPACE:
        found |= {"hot_work_inside": True} if any(o.work == Work.HOT_WORK for o in same) else {}
        found |= {"coating_inside": True} if any(is_painting(o.content) for o in same) else {}
    if permit.work == Work.TEMP_POWER:
        ends = [o.valid_until for o in same if o.work in ("hot_work", "confined_space") and o.valid_until]
        found["for_work_end"] = max(ends).isoformat() if ends else None
    if across := [other.id for other, metres in open_near if metres <= CROSS_WORK_M]:
        found["cross_work"] = True
        if "coordinator_id" not in permit.facts:  # an answer given here stands
            named = work.permits.coordinators(across)
            if coordinator := next((named[other] for other in across if named[other]), None):
                found["coordinator_id"] = coordinator  # whoever was named by the neighbour coordinates both (4.7)
    if open_near:
        seen = [f"{other.number}{Work(other.work).zh}({metres:.0f}m)" for other, metres in open_near[:3]]
        notes.append("附近有作业:" + "、".join(seen))
    involved = involved_works(permit)
    if involved:
        found["involved_works"] = sorted({*involved, *(permit.facts.get("involved_works") or ())})
    return found


def involved_works(permit: JudgedPermit) -> list[str]:
    """Other special works that the words of the job speak of (4.6)."""
    return [kind for kind in _works_of(permit.content) if kind != permit.work]


_works_of = lru_cache(maxsize=JOBS)(works_in)


@lru_cache(maxsize=JOBS)
def is_painting(content: str) -> bool:
    """Whether the words of a job speak of paint or of a solvent (5.2.9)."""
    return PAINTING.search(content) is not None


def hazards(work: UnitOfWork, permit: JudgedPermit, notes: list[str]) -> dict[str, Any]:
    """Open hazards within 15 m are shown; a leak or fire reported after the request is an abnormal state (4.8)."""
    point = surroundings.point_of(permit)
    found: dict[str, Any] = {}
    for hazard in surroundings.hazards_near(work, point, permit.area_id, at=work.at):
        fresh = permit.submitted_at is not None and hazard.reported_at >= permit.submitted_at
        if fresh and (hazard.emergency or LEAK.search(hazard.description)):
            found["abnormal_unit_state"] = True
            notes.append(f"附近隐患 {hazard.number}:{hazard.description[:20]}")
        else:
            notes.append(f"15m内未闭环隐患 {hazard.number}")
    return found
