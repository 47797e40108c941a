"""The parts of a request as people say them: place, time, job; words in, permit filled. People: `who_said`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.turn import Turn
from cards.words import zone
from handlers.hazard import place as places
from handlers.permit import who_said
from handlers.permit.talk import KINDS
from rules import geo
from rules import text as words
from rules.geo import AreaIndex, Point
from rules.permit.spoken import tells_gas
from rules.permit.spoken_time import LEADING, USUAL, only_time, said_shift, said_time
from storage.models import Area, Equipment, Permit

NO_TIME = "没听懂时间,请说“现在干2小时”或“今天下午2点到5点”。"
OVER = "这个时间已经过了。请说“今晚9点到11点”或“明天上午9点到11点”。"


_ONLY_A_TICKET = re.compile(
    rf"(?:申请|办|开|要|想|准备|安排|打算|[张个份])(?:{KINDS}|动个火|登高)(?:作业)?票?|^(?:{KINDS})(?:作业票?|票|$)|动火|作业票?|票|申请|办|开|[一这]?[张个份]"
    r"|准备|安排|打算|想|能不能|可不可以|可以|能|现在|那边|这边|这里|吗|我们?要?|在|去"
)


def says_what(turn: Turn, said: str, permit: Permit) -> bool:
    """Whether a sentence says more of the job than its kind and place, when and who."""
    bare = words.normalise(",".join(clauses_left(turn, said)))
    for part in (permit.area.name if permit.area else "", permit.equipment.code if permit.equipment else ""):
        bare = bare.replace(part.lower(), "")
    return len(re.sub(r"[^一-鿿]", "", _ONLY_A_TICKET.sub("", bare))) >= 3


_WISH = re.compile(r"^(?:我们?|咱们?|想|要|准备|打算|计划|申请|请|帮我|办(?:一?张)?|在(?=[a-zA-Z\d]|现场)|\s)+")


def place_said(turn: Turn, permit: Permit, text: str, *, only_equipment: bool = False) -> bool:
    for mention in words.equipment_codes(text):
        equipment = turn.work.plant.equipment_by_code(mention.code)
        if equipment is not None and (not only_equipment or equipment.area_id == permit.area_id):
            set_equipment(permit, equipment)
            return True
    area = None if only_equipment else places.area_named(turn.work, text)
    if area is not None:
        set_area(permit, area)
    return area is not None


def scanned(turn: Turn, permit: Permit, codes: list[str]) -> str:
    for code in codes:
        equipment = turn.work.plant.equipment_by_code(code.rsplit("/", 1)[-1].rsplit("=", 1)[-1])
        if equipment is not None:
            set_equipment(permit, equipment)
            return ""
    return "台账里没有这个设备码,请直接说位号。"


def set_equipment(permit: Permit, equipment: Equipment) -> None:
    permit.equipment, permit.equipment_id = equipment, equipment.id
    permit.area, permit.area_id = equipment.area, equipment.area_id
    permit.lat, permit.lon = equipment.lat, equipment.lon


def set_area(permit: Permit, area: Area) -> None:
    permit.area, permit.area_id = area, area.id
    permit.equipment, permit.equipment_id, permit.lat, permit.lon = None, None, None, None


def set_point(turn: Turn, permit: Permit, point: Point) -> str:
    """The point of work from a phone; returns a note when it cannot be in the plant."""
    problem = geo.position_problem(point.lat, point.lon)
    if problem:
        return problem
    areas = {area.id: area for area in turn.work.plant.areas()}
    index = AreaIndex((area.id, area.polygon) for area in areas.values() if area.polygon)
    inside = index.containing(point) or [key for key, _ in index.near(point, within_m=places.NEAR_PLANT_M, limit=1)]
    if not inside:
        return "这个位置不在厂区内,请到现场发位置,或点区域。"
    permit.area, permit.area_id = areas[inside[0]], inside[0]
    permit.lat, permit.lon, permit.equipment, permit.equipment_id = point.lat, point.lon, None, None
    return ""


def time_said(turn: Turn, permit: Permit, text: str) -> str:
    """Take the time of work; returns a note when the words say none, or one that is over.

    «推迟一小时» moves the time that was said before; «干3小时» keeps its beginning unless that has passed,
    «提前到现在» how long it was to last.
    """
    planned = permit.planned_start
    shift = said_shift(text)
    if shift is not None and planned is not None and permit.planned_end is not None:
        start = max(planned + shift, turn.at)
        set_time(permit, start, permit.planned_end - planned)
        return ""
    found = said_time(text, now=turn.at, zone=zone())
    if found is None or shift is not None:
        return NO_TIME
    start = max(found.start, turn.at)
    if found.only_length and found.end is not None and planned is not None and planned > turn.at:
        set_time(permit, planned, found.end - found.start)
        return ""
    if (found.end or found.start + USUAL) <= turn.at:
        return OVER
    before = permit.planned_end - planned if planned is not None and permit.planned_end is not None else USUAL
    set_time(permit, start, found.end - start if found.end is not None else before)
    return ""


def beside(turn: Turn, permit: Permit, text: str) -> bool:
    """Take what a sentence says of people and time besides what it was meant for; whether it said any of it."""
    people = who_said.people_told(turn, permit, text)
    return (bool(people.left) and time_said(turn, permit, people.left) == "") or people.taken


def set_time(permit: Permit, start: datetime, length: timedelta) -> None:
    permit.planned_start, permit.planned_end = start, start + max(length, timedelta(minutes=10))


def is_about(turn: Turn, text: str) -> bool:
    """Whether words told while the verdict stands are for this request: another time, other people, gas values."""
    if tells_gas(text) or any(who_said.says_who(turn, part) for part in _parts(text)):
        return True  # by the roll, not by the form: «现场无人监护» names nobody
    tells = said_shift(text) is not None or said_time(text, now=turn.at, zone=zone()) is not None
    return tells and only_time(text)


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in who_said.CLAUSES.split(text)) if part]


def job_of(turn: Turn, text: str) -> str:
    """The words for the job in a whole request: without what only says when and who."""
    parts = _parts(text)
    bare = [LEADING.sub("", part) for part in parts if not who_said.says_who(turn, part)]
    kept = [part for part in bare if part]
    job = [part for part in kept if said_time(part, now=turn.at, zone=zone()) is None] or kept
    said = ",".join(job) if job and job != parts else text
    wanted = _WISH.sub("", said)
    return wanted if len(wanted) > 1 else said


def clauses_left(turn: Turn, text: str) -> list[str]:
    """The clauses of a sentence that say more than when, or who of the roll guards or works."""
    bare = (LEADING.sub("", part) for part in _parts(text) if not who_said.says_who(turn, part))
    return [part for part in bare if part]
