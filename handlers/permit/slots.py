"""The parts of a request as people say them: place, time, people; words in, permit filled."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.turn import Turn
from cards.words import zone
from handlers.hazard import place as places
from handlers.permit import cast
from rules import geo
from rules import text as words
from rules.geo import AreaIndex, Point
from rules.permit.spoken import said_time
from storage.models import Area, Equipment, Permit, Person

USUAL = timedelta(hours=4)
MAX_PEOPLE = 12


def says_what(said: str, permit: Permit) -> bool:
    bare = words.normalise(said)
    for part in (permit.area.name if permit.area else "", permit.equipment.code if permit.equipment else ""):
        bare = bare.replace(part.lower(), "")
    return len(re.sub(r"[^一-鿿]", "", re.sub(r"申请|作业票|作业|我要|动火|办|开|在", "", bare))) >= 3


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


def time_said(turn: Turn, permit: Permit, text: str) -> bool:
    found = said_time(text, now=turn.at, zone=zone())
    if found is None or (found.end is not None and found.end <= turn.at):
        return False
    start = max(found.start, turn.at)
    set_time(permit, start, found.end - start if found.end is not None else USUAL)
    return True


def set_time(permit: Permit, start: datetime, length: timedelta) -> None:
    permit.planned_start, permit.planned_end = start, start + max(length, timedelta(minutes=10))


def named(turn: Turn, text: str) -> tuple[list[Person], str]:
    """(people of the roll, a note on the first name that nobody or more than one has). A staff number is a name too."""
    found, note = [], ""
    for name in [part for part in re.split(r"[,,、;;和\s]+", text) if part][:MAX_PEOPLE]:
        people = [turn.person] if name in ("我", "我自己") else list(turn.work.people.by_name(name))
        if not people:
            known = turn.work.people.by_code(name)
            people = [known] if known is not None and known.active else []
        if len(people) == 1:
            found.append(turn.work.people.get(people[0].id))
        elif people:
            codes = "、".join(person.code for person in people[:4])
            note = note or f"有{len(people)}位“{name[:8]}”,请说工号({codes})。"
        else:
            note = note or f"名册里没有“{name[:8]}”,请说全名或点一下。"
    return found, note


_GUARDIAN = re.compile(r"^监护人?[::是]?\s*([一-鿿]{2,4})$")
_WORKERS = re.compile(r"^(?:作业人员?|干活的|工人)[::是]?\s*([一-鿿]{2,4}(?:[、和][一-鿿]{2,4}){0,9})$")
_CLAUSES = re.compile(r"[,，。;；]+|、(?=监护|作业人)")
_WHEN = re.compile(
    r"^(?:今天|明天|后天|明早|今晚|早上|上午|中午|下午|晚上|现在|\d{1,2}[:：]\d{2}|\d{1,2}[点时](?:半|\d{1,2}分?)?"
    r"|干?[\d一二两三四五六七八]个?小时|到|至|[-—~～]|起|开始|\s)+"
)


def people_told(turn: Turn, permit: Permit, text: str) -> None:
    """Guardian and workers named in a whole request («监护郑凯,作业人吴涛»); who is not clear is asked as ever."""
    for part in _CLAUSES.split(text):
        if found := _GUARDIAN.match(part.strip()):
            people, note = named(turn, found.group(1))
            if len(people) == 1 and not note:
                set_guardian(turn, permit, people[0])
        elif found := _WORKERS.match(part.strip()):
            people, note = named(turn, found.group(1))
            for person in people if not note else []:
                cast.join(permit, person, cast.WORKER, turn.work)


def job_of(text: str, *, at: datetime) -> str:
    """The words for the job in a whole request: without what only says when and who."""
    parts = [part.strip() for part in _CLAUSES.split(text)]
    bare = [_WHEN.sub("", part) for part in parts if not (_GUARDIAN.match(part) or _WORKERS.match(part))]
    kept = [part for part in bare if part]
    job = [part for part in kept if said_time(part, now=at, zone=zone()) is None] or kept
    return ",".join(job) if job and job != parts else text


def clauses_left(turn: Turn, text: str) -> list[str]:
    """The clauses of a sentence that say more than when, or who of the roll guards or works."""
    found = []
    for part in _CLAUSES.split(text):
        who = _GUARDIAN.match(part.strip()) or _WORKERS.match(part.strip())
        if who is not None:
            people, note = named(turn, who.group(1))
            if people and not note:
                continue
        if rest := _WHEN.sub("", part.strip()):
            found.append(rest)
    return found


def guardian_said(turn: Turn, permit: Permit, text: str) -> str:
    found, note = named(turn, text)
    if not found or note:
        return note or "请说监护人的全名或点一下。"
    set_guardian(turn, permit, found[0])
    return "" if len(found) == 1 else f"监护人只能是一位,已记{found[0].name}。"


def set_guardian(turn: Turn, permit: Permit, person: Person) -> None:
    cast.leave(permit, cast.GUARDIAN, turn.work)
    permit.guardian, permit.guardian_id = person, person.id
    cast.join(permit, person, cast.GUARDIAN, turn.work)


def workers_said(turn: Turn, permit: Permit, text: str) -> str:
    found, note = named(turn, text)
    cast.leave(permit, cast.WORKER, turn.work)
    for person in found:
        cast.join(permit, person, cast.WORKER, turn.work)
    return note
