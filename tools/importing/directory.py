"""`flask export-people FILE`: the platforms' directories as a table that import-people reads, to fill in and hand back.

Nobody has to type user ids: the visible range of each app is the list to begin with, and later the list to compare with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openpyxl import Workbook

from bot.platforms.base import Member
from storage.models import Person
from storage.people import account_key
from storage.unit_of_work import UnitOfWork
from tools.importing.people import COLUMNS

ORDER = ("code", "name", "mobile", "title", "team", "wecom", "dingtalk", "union", "roles")


@dataclass(slots=True)
class Found:
    """One person of the table: known to the roster or not, with the accounts that are theirs."""

    person: Person | None
    name: str
    mobile: str = ""
    title: str = ""
    users: dict[str, str] = field(default_factory=dict)
    union_id: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """known: in the roster already; new: rows to fill in; gone: staff numbers whose account no directory has."""

    known: int
    new: int
    gone: tuple[str, ...]


def export_people(work: UnitOfWork, directories: Mapping[str, Iterable[Member]], path: Path) -> Exported:
    """Write the table; nothing in the database changes. `directories`: platform name → its members."""
    members = {name: [m for m in rows if m.active and m.user] for name, rows in directories.items()}
    found = _together(work, members)
    codes = {person.code for person in work.people.everyone()}
    areas = work.plant.area_codes()
    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise RuntimeError("a new workbook has no sheet")
    sheet.title = "人员"
    sheet.append([COLUMNS[name][0] for name in ORDER])
    for at, row in enumerate(found, start=2):
        for column, value in enumerate(_cells(row, codes, areas), start=1):
            sheet.cell(
                at, column, value
            ).data_type = "s"  # words that begin with = stay words, numbers keep their zeros
    sheet.freeze_panes = "C2"
    book.save(path)
    known = sum(1 for row in found if row.person is not None)
    return Exported(known, len(found) - known, tuple(_gone(work, members)))


def _together(work: UnitOfWork, members: Mapping[str, list[Member]]) -> list[Found]:
    """Accounts of one person in one row: by the roster, by the mobile number, by a name that each side has once."""
    alone = [Counter(member.name for member in rows) for rows in members.values()]
    rows: list[Found] = []
    seats: dict[object, Found] = {}
    for platform, people in members.items():
        for member in people:
            account = work.people.account(platform, account_key(platform, member.user))
            person = account.person if account is not None else None
            keys: list[object] = [person.id] if person is not None else []
            keys += [f"mobile:{member.mobile}"] if member.mobile else []
            keys += [f"name:{member.name}"] if all(names[member.name] <= 1 for names in alone) else []
            row = next((seats[key] for key in keys if key in seats and platform not in seats[key].users), None)
            if row is None:
                row = Found(person, member.name)
                rows.append(row)
            row.person = row.person or person
            row.users[platform] = member.user
            row.mobile, row.title = row.mobile or member.mobile, row.title or member.title
            row.union_id = member.union_id or row.union_id
            seats.update(dict.fromkeys(keys, row))
    return rows


def _cells(row: Found, codes: set[str], areas: Mapping[int, str]) -> list[str]:
    person = row.person
    roles = ""
    if person is not None:
        roles = ";".join(f"{g.role}@{areas[g.area_id]}" if g.area_id else g.role for g in person.roles)
    return [
        person.code if person is not None else _new_code(row, codes),
        person.name if person is not None else row.name,
        (person.mobile if person is not None else "") or row.mobile,
        (person.title if person is not None else "") or row.title,
        person.team if person is not None else "",
        row.users.get("wecom", ""),
        row.users.get("dingtalk", ""),
        row.union_id,
        roles,
    ]


def _new_code(row: Found, codes: set[str]) -> str:
    """A staff number to begin with: the account's; never one that somebody else has."""
    code = row.users.get("wecom") or row.users.get("dingtalk") or ""
    while code in codes:
        code += "-2"
    codes.add(code)
    return code[:64]


def _gone(work: UnitOfWork, members: Mapping[str, list[Member]]) -> list[str]:
    """Active people with an account on a platform that was read, none of whose accounts is there any more."""
    there = {(p, account_key(p, member.user)) for p, rows in members.items() for member in rows}
    gone = []
    for person in work.people.all_active():
        own = [(a.platform, account_key(a.platform, a.user_id)) for a in person.accounts if a.platform in members]
        if own and not any(account in there for account in own):
            gone.append(person.code)
    return gone
