"""The people of a request as they are named: «郑凯», «让郑凯来监护», «监护郑凯,吴涛、孙丽干活», «我和吴涛»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.turn import Turn
from handlers.permit import cast
from storage.models import Permit, Person

MAX_PEOPLE = 12
MYSELF = ("我自己", "我")
_HAN = re.compile(r"[一-鿿]+")
_NOT = re.compile(r"不|别|没|除|非")
_AROUND = re.compile(r"(?:[让叫由请就是吧呀来去干活做和跟与及还有加上两俩三四五六个人位名师傅监护作业,,、;;。.\s])*")
_NAMES = r"([一-鿿]{2,4}?(?:[、和][一-鿿]{2,4}?){0,9})"
_GUARDIAN = re.compile(
    r"^(?:监护(?:人|的)?(?:换成?|改成?|改为|是|由|让|[::])?\s*([一-鿿]{2,4})|(?:由|让|叫|换)?([一-鿿]{2,4}?)(?:来|当|做|负责)?监护人?)$"
)
_WORKERS = re.compile(
    rf"^(?:(?:作业(?:人员?)?|干活的?|工人|施工的?)(?:换成?|改成?|改为|是|由|让|[::])?\s*{_NAMES}"
    rf"|(?:由|让|叫)?{_NAMES}(?:来|去|负责)?(?:干活|作业|施工|动手|操作|焊接?|干|[进下上]去|进罐|进))$"
)
CLAUSES = re.compile(r"[,,。;;]+|、(?=监护|作业人|干活)|\s+(?=监护|作业人|干活)")


def named(turn: Turn, text: str) -> tuple[list[Person], str]:
    """(people of the roll, a note on the first name that nobody or more than one has). A staff number is a name too."""
    found, note = _spotted(turn, text)
    if found or note:
        return found, note
    for name in [part for part in re.split(r"[,,、;;和\s]+", text) if part][:MAX_PEOPLE]:
        people = [turn.person] if name in MYSELF else list(turn.work.people.by_name(name))
        if not people:
            known = turn.work.people.by_code(name)
            people = [known] if known is not None and known.active else []
        if len(people) == 1:
            found.append(turn.work.people.get(people[0].id))
        else:
            note = note or (_which(name, people) if people else f"名册里没有“{name[:8]}”,请说全名或点一下。")
    return found, note


def _which(name: str, people: Sequence[Person]) -> str:
    codes = "、".join(person.code for person in people[:4])
    return f"有{len(people)}位“{name[:8]}”,请说工号({codes})。"


def _spotted(turn: Turn, text: str) -> tuple[list[Person], str]:
    """Names of the roll within words that say nothing else («让郑凯来吧», «吴涛孙丽两个人»); ([], "") when there is more.

    A longer name is taken before a shorter one that lies in it; «不是郑凯» names nobody.
    """
    runs = _HAN.findall(text)
    if _NOT.search(text) or sum(map(len, runs)) > 4 * MAX_PEOPLE:
        return [], ""
    parts = {run[at : at + size] for run in runs for size in (2, 3, 4) for at in range(len(run) - size + 1)}
    by_name: dict[str, list[Person]] = {}
    for person in turn.work.people.by_names(parts):
        by_name.setdefault(person.name, []).append(person)
    places: dict[int, str] = {}
    rest = text
    for name in [*sorted(by_name, key=len, reverse=True), *MYSELF]:
        while (at := rest.find(name)) >= 0:
            places[at] = name
            rest = rest[:at] + " " * len(name) + rest[at + len(name) :]
    if not places or not _AROUND.fullmatch(rest):
        return [], ""
    several = next((name for name in places.values() if len(by_name.get(name, ())) > 1), None)
    if several is not None:
        return [], _which(several, by_name[several])
    ids = [turn.person.id if places[at] in MYSELF else by_name[places[at]][0].id for at in sorted(places)]
    return [turn.work.people.get(person_id) for person_id in dict.fromkeys(ids)][:MAX_PEOPLE], ""


def role_and_names(clause: str) -> tuple[str, str] | None:
    """What a clause says of people by its form: («guardian», «郑凯»); whether the roll knows them is not asked."""
    bare = clause.strip()
    for role, pattern in ((cast.GUARDIAN, _GUARDIAN), (cast.WORKER, _WORKERS)):
        if found := pattern.match(bare):
            return role, next(name for name in found.groups() if name)
    return None


def says_who(turn: Turn, clause: str) -> bool:
    """The clause names people of the roll for this permit, and says nothing else."""
    found = role_and_names(clause)
    if found is None:
        return False
    people, note = named(turn, found[1])
    return bool(people) and not note


class Told(NamedTuple):
    """What became of the people of a sentence."""

    taken: bool
    left: str  # what the sentence says besides
    note: str  # the first name that the roll does not have, or has twice; its clause is left


def people_told(turn: Turn, permit: Permit, text: str) -> Told:
    """Take guardian and workers named in a sentence («监护郑凯,作业人吴涛»)."""
    left, notes, taken = [], [], False
    for part in filter(None, (part.strip() for part in CLAUSES.split(text))):
        found = role_and_names(part)
        people, note = named(turn, found[1]) if found is not None else ([], "")
        if found is None or not people or note:
            left.append(part)
            notes += [note] if note else []
            continue
        taken = True
        if found[0] == cast.GUARDIAN:
            set_guardian(turn, permit, people[0])
        else:
            set_workers(turn, permit, people)
    return Told(taken, ",".join(left), notes[0] if notes else "")


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
    set_workers(turn, permit, found)
    return note


def set_workers(turn: Turn, permit: Permit, people: Sequence[Person]) -> None:
    cast.leave(permit, cast.WORKER, turn.work)
    for person in people:
        cast.join(permit, person, cast.WORKER, turn.work)
