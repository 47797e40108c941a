"""What starts a roll call by itself: words of imminent danger, a gas alarm, a permit that is called off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from handlers import duty
from handlers.hazard import plans
from handlers.roll_call import actions
from rules import escalation
from rules import hazard as hazard_rules
from rules.permit import gas
from rules.permit.life import PermitState
from storage.models import Detector, Hazard, Permit, Person, RollCall
from storage.unit_of_work import UnitOfWork

ON_SITE = tuple(
    state.value for state in (PermitState.APPROVED, PermitState.ACTIVE, PermitState.INTERRUPTED, PermitState.SUSPENDED)
)
LEAVES = ("gas_alarm", "evacuation")
QUIET = timedelta(minutes=10)  # an alarm that people have ended does not start again at once


def people_at(work: UnitOfWork, area_id: int | None) -> list[Person]:
    """Who is called for an area: its people, who is on its roster now, who works there on a permit; nobody on leave."""
    rostered = [
        line.person
        for line in work.roster.between(work.at, work.at + timedelta(seconds=1))
        if line.area_id is not None and area_id in (None, line.area_id) and line.person.active
    ]
    found = [*work.roll_calls.people_of(area_id), *rostered, *work.roll_calls.workers_of(area_id, ON_SITE)]
    people = {person.id: person for person in found}
    return [person for person in people.values() if work.roster.leave_of(person.id, work.at) is None]


def for_hazard(work: UnitOfWork, hazard: Hazard, *, via: str) -> RollCall | None:
    """A fire, an explosion or a leak empties its area; which dangers do is the policy's. Once a hazard."""
    if not hazard.emergency or hazard.area_id is None or work.roll_calls.any_of("hazard", hazard.id):
        return None
    danger = hazard_rules.emergency(hazard.description)
    _, content = plans.content_of(work, None)
    if danger is None or danger.kind not in escalation.setting(content, "evacuate"):
        return None
    work.roll_calls.hold()
    if work.roll_calls.open_at(hazard.area_id, LEAVES) is not None:
        return None  # they are called already
    people: list[Person] = people_at(work, hazard.area_id)
    if hazard.reporter is not None and not hazard.anonymous:
        people.append(hazard.reporter)
    why = f"{hazard.number} 有人报{danger.kind_zh}"
    return _start(work, people, kind="evacuation", area_id=hazard.area_id, why=why, case=("hazard", hazard.id), via=via)


def _start(
    work: UnitOfWork, people: Iterable[Person], *, kind: str, area_id: int, why: str, case: tuple[str, int], via: str
) -> RollCall | None:
    called = list(people)
    if not called:
        area = work.plant.area(area_id).name
        text = f"{area}{why},但名册上没有属于该区域的人,没有点名。请马上确认现场有没有人。"
        duty.tell_hole(work, text, case=case, dedupe_key=f"roll:nobody:{case[0]}:{case[1]}:{work.at:%d%H%M}")
        return None
    return actions.start(work, called, kind=kind, area_id=area_id, why=why, case=case, via=via)


# -- gas


def over_alarm(detector: Detector, value: float, content: dict[str, Any]) -> str:
    """Why this value is a gas alarm, "" when it is none or cannot be told (no medium, no limit)."""
    limits = escalation.setting(content, "gas_alarm")
    medium = gas.find_medium(detector.medium or detector.kind)
    try:
        if detector.kind == "combustible":
            lel = medium.lel_vol if medium is not None else None
            vol = gas.to_vol(max(0.0, value), detector.unit, lel_vol=lel if lel is not None else 100.0)
            percent = value if detector.unit == "%LEL" else vol / lel * 100 if lel else 0.0
            return f"{percent:.0f}%LEL" if percent >= limits["lel_percent"] else ""
        if detector.kind in ("wind", "o2") or medium is None:
            return ""
        limit = gas.toxic_limit(medium, basis="stel")
        ratio = gas.to_mg_m3(max(0.0, value), detector.unit, medium=medium) / limit if limit else 0.0
        return f"{ratio:.1f}倍职业接触限值" if ratio >= limits["oel_ratio"] else ""
    except gas.BadReading:
        return ""


def for_readings(work: UnitOfWork, rows: Iterable[tuple[Detector, float | None]], *, via: str = "reading") -> int:
    """Fresh readings over the alarm level call everybody of their areas; returns how many calls were started."""
    wanted = [(detector, value) for detector, value in rows if value is not None and value > 0]
    if not wanted:
        return 0
    _, content = plans.content_of(work, None)
    over = [(d, v, how_much) for d, v in wanted if (how_much := over_alarm(d, v, content))]
    return sum(_alarm(work, d, v, how_much, via=via) is not None for d, v, how_much in over)


def _alarm(work: UnitOfWork, detector: Detector, value: float, how_much: str, *, via: str) -> RollCall | None:
    why = f"探测器 {detector.code} {value:g}{detector.unit}({how_much})"
    if detector.area_id is None:
        duty.tell_hole(
            work,
            f"{why},超过报警值,但它没有登记区域,没有点名。请马上核实。",
            case=("detector", detector.id),
            dedupe_key=f"gas:nowhere:{detector.id}:{work.at:%Y%m%d%H}",
        )
        return None
    ended = work.roll_calls.last_ended("detector", detector.id)
    if ended is not None and work.at - ended < QUIET:
        return None
    work.roll_calls.hold()
    if work.roll_calls.open_at(detector.area_id, LEAVES) is not None:
        return None
    people = people_at(work, detector.area_id)
    case = ("detector", detector.id)
    return _start(work, people, kind="gas_alarm", area_id=detector.area_id, why=why, case=case, via=via)


# -- permits


def for_permit(work: UnitOfWork, permit: Permit, people: Iterable[Person], *, by: Person | None, via: str) -> RollCall:
    """The people of a permit that is called off must each confirm; its own card has told them already."""
    old = work.roll_calls.open_of("permit", permit.id)
    if old is not None:
        actions.end(work, old, by=None, via=via, quiet=True)
    why = f"{permit.number} 叫停:{permit.suspend_why[0]['message'] if permit.suspend_why else ''}"
    return actions.start(
        work,
        people,
        kind="permit_recall",
        area_id=permit.area_id,
        why=why,
        case=("permit", permit.id),
        by=by,
        via=via,
        announce=False,
    )


def permit_confirmed(work: UnitOfWork, permit: Permit, person: Person, *, via: str) -> None:
    """«确认停工» on the permit's card counts for its roll call."""
    call = work.roll_calls.open_of("permit", permit.id)
    member = actions.member_of(call, person) if call is not None else None
    if call is not None and member is not None and member.confirmed_at is None:
        actions.confirm(work, call, person=person, by=person, via=via)


def permit_goes_on(work: UnitOfWork, permit: Permit, *, via: str) -> None:
    call = work.roll_calls.open_of("permit", permit.id)
    if call is not None:
        actions.end(work, call, by=None, via=via, quiet=True)
