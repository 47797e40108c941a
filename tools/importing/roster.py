"""`flask import-roster FILE`: the duty roster (值班表、排班表), in the two shapes in which plants keep it.

One line a duty: 日期 班次 角色 区域 值班人 (and 开始/结束 where no shift is named).
One line a person: 姓名 (工号 角色 区域), then a column a day (11-24, 2026-11-24, 24日 …) with the shift in each cell.
A file replaces what the roster said for the roles, areas and days it speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from cards.words import zone
from handlers.hazard import plans
from rules import escalation
from rules.escalation import PolicyError, Span
from rules.terms import Role
from storage.models import Area, Duty, Person
from storage.unit_of_work import UnitOfWork
from tools.importing.people import ROLES
from tools.importing.table import BadRow, ImportReport, Row, TableError, _column, _key, cells_of, take

COLUMNS = {
    "day": ("日期", "值班日期"),
    "shift": ("班次", "时段"),
    "role": ("角色", "岗位", "值班岗位"),
    "area": ("区域", "区域编码"),
    "who": ("值班人", "值班人员", "人员", "姓名"),
    "code": ("工号", "人员编号"),
    "start": ("开始", "开始时间"),
    "end": ("结束", "结束时间"),
}
ALL_DAY = Span(time(0, 0), time(0, 0))
USUAL = {
    "白班": Span(time(8, 0), time(20, 0)),
    "夜班": Span(time(20, 0), time(8, 0)),
    "早班": Span(time(8, 0), time(16, 0)),
    "中班": Span(time(16, 0), time(0, 0)),
    "全天": ALL_DAY,
    "24小时": ALL_DAY,
}
SHORT = {
    "白": "白班",
    "夜": "夜班",
    "早": "早班",
    "中": "中班",
    "全": "全天",
    "日班": "白班",
    "晚班": "夜班",
    "值班": "全天",
    "√": "全天",
    "值": "全天",
}
REST = frozenset({"", "休", "休息", "休假", "请假", "调休", "假", "-", "—", "/", "×", "x", "无"})
WHOLE = frozenset({"", "全厂", "本厂", "全部"})
DAY = re.compile(r"^(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?(?:$|[ T(（周星])")
DAY_ONLY = re.compile(r"^(\d{1,2})(?:日|号)?(?:$|[(（])")
MONTH = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月")


@dataclass(frozen=True, slots=True)
class Line:
    """One duty as the table says it."""

    role: str
    area_id: int | None
    person_id: int
    day: date
    span: Span
    shift: str


class Roster:
    """Collects the lines of a file; what it says of a role, an area and a day replaces what was there."""

    def __init__(self, work: UnitOfWork) -> None:
        self.work = work
        self.areas: dict[str, Area] = {name: a for a in work.plant.areas() for name in (a.code, a.name)}
        _, content = plans.content_of(work, None)
        self.shifts: Mapping[str, Span] = {**USUAL, **escalation.read_hours(content).shifts}
        self.today = work.at.astimezone(zone()).date()
        self.lines: dict[Line, None] = {}

    # -- words

    def day(self, text: str, *, month: tuple[int, int] | None = None) -> date:
        """A day; without a year the one nearest to today. Raises BadRow."""
        try:
            return datetime.fromisoformat(text).date()
        except ValueError:
            pass
        try:
            if match := DAY.match(text):
                year, m, d = match.groups()
                return date(int(year), int(m), int(d)) if year else self._nearest(int(m), int(d))
            if month is not None and (match := DAY_ONLY.match(text)):
                return date(month[0], month[1], int(match.group(1)))
        except ValueError:
            pass
        raise BadRow(f"日期“{text[:16]}”看不懂,请写成 2026-11-24")

    def _nearest(self, month: int, day: int) -> date:
        found = [
            date(year, month, day)
            for year in range(self.today.year - 1, self.today.year + 2)
            if _exists(year, month, day)
        ]
        return min(found, key=lambda one: abs(one - self.today)) if found else date(self.today.year, month, day)

    def span(self, shift: str, start: str = "", end: str = "") -> Span:
        """From the times of the line, else by the shift's name. Raises BadRow."""
        if start or end:
            try:
                return escalation.read_hours({"shifts": {"x": f"{_clock(start)}-{_clock(end)}"}}).shifts["x"]
            except PolicyError:
                raise BadRow(f"时间“{start[:8]}”到“{end[:8]}”不对,应写成 08:00 和 20:00") from None
        if not shift:
            return ALL_DAY
        known = self.shifts.get(SHORT.get(shift, shift))
        if known is not None:
            return known
        try:
            return escalation.read_hours({"shifts": {"x": shift}}).shifts["x"]
        except PolicyError:
            names = "、".join(self.shifts)
            raise BadRow(f"不认识班次“{shift[:12]}”,可写:{names},或时段 08:00-20:00,或在策略的 shifts 里定义") from None

    def role(self, text: str, person: Person) -> str:
        """The role named, else the one role of the person that a roster can be kept for. Raises BadRow."""
        role = ROLES.get(text)
        if text and role is None:
            raise BadRow(f"角色“{text[:12]}”不认识,可填:{'、'.join(r.zh for r in Role)}")
        if role is not None:
            return role.value
        held = {grant.role for grant in person.roles if grant.role in escalation.ROLES}
        if len(held) != 1:
            raise BadRow(f"{person.name}{'有多个' if held else '没有'}角色,请在“角色”列写明按什么角色值班")
        return held.pop()

    def area(self, text: str) -> int | None:
        if text in WHOLE:
            return None
        if text not in self.areas:
            raise BadRow(f"没有区域“{text[:16]}”,请先导入区域或改正编码")
        return self.areas[text].id

    def person(self, name: str, code: str = "") -> Person:
        """By staff number (alone, in brackets after the name, or instead of it), else by a name only one has."""
        inside = re.match(r"^(.+?)[((]([\w-]+)[))]$", name)
        if inside and not code:
            name, code = inside.group(1).strip(), inside.group(2)
        person = self.work.people.by_code(code or name)
        if person is None and code:
            raise BadRow(f"没有工号“{code[:16]}”,请先导入人员")
        if person is not None:
            if not person.active:
                raise BadRow(f"{person.name}已离职,不能排班")
            if code and name and person.name != name:
                raise BadRow(f"工号 {code} 是{person.name},不是{name[:8]}")
            return self.work.people.get(person.id)
        found = self.work.people.by_name(name)
        if len(found) != 1:
            raise BadRow(f"{'没有' if not found else '有多位'}“{name[:12]}”,请写工号")
        return self.work.people.get(found[0].id)

    # -- taking

    def put(self, line: Line) -> None:
        if line in self.lines:
            raise BadRow("和上面某一行重复")
        self.lines[line] = None

    def write(self, report: ImportReport) -> None:
        """Replace the roles, areas and days the file speaks of; `same` counts lines that were there already."""
        before = set[tuple[object, ...]]()
        for role, area_id, day in {(x.role, x.area_id, x.day) for x in self.lines}:
            start = datetime.combine(day, time(0, 0), tzinfo=zone())
            span = (start, start + timedelta(days=1))
            before |= {
                (d.role, d.area_id, d.person_id, d.starts_at, d.ends_at, d.shift)
                for d in self.work.roster.between(*span, limit=5000)
                if (d.role, d.area_id) == (role, area_id) and span[0] <= d.starts_at < span[1]
            }
            self.work.roster.clear(role, area_id, *span)
        for line in self.lines:
            starts, ends = times(line)
            key = (line.role, line.area_id, line.person_id, starts, ends, line.shift)
            report.same += key in before
            report.added += key not in before
            self.work.roster.add(
                Duty(
                    role=line.role,
                    area_id=line.area_id,
                    person_id=line.person_id,
                    starts_at=starts,
                    ends_at=ends,
                    shift=line.shift,
                )
            )
        self.work.flush()


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _clock(text: str) -> str:
    """«08:00» out of what a spreadsheet gives: 08:00, 8:00, 08:00:00, 1900-01-01T08:00:00."""
    found = re.search(r"(\d{1,2}):(\d{2})(?::\d{2})?$", text.replace(":", ":"))
    return f"{int(found.group(1)):02d}:{found.group(2)}" if found else text


def times(line: Line) -> tuple[datetime, datetime]:
    """When the duty begins and ends; a shift that ends before it begins ends on the next day."""
    starts = datetime.combine(line.day, line.span.start, tzinfo=zone())
    ends = datetime.combine(line.day, line.span.end, tzinfo=zone())
    if ends <= starts:
        ends = datetime.combine(line.day + timedelta(days=1), line.span.end, tzinfo=zone())
    return starts.astimezone(UTC), ends.astimezone(UTC)


def import_roster(work: UnitOfWork, path: Path) -> ImportReport:
    """Take in a roster of either shape; the caller commits. Raises TableError."""
    roster = Roster(work)
    raw = list(cells_of(path))
    if not any(any(row) for row in raw):
        raise TableError(f"{path.name} 是空的")
    month, heading_at = _heading(raw)
    heading = raw[heading_at]
    days = {n: cell for n, cell in enumerate(heading) if cell and _is_day(cell, month)}
    if len(days) >= 2:
        report = _people_lines(roster, raw[heading_at:], days, month, offset=heading_at)
    else:
        report = _duty_lines(roster, raw, heading_at, path.name)
    roster.write(report)
    work.permit_queue.touch_all(at=work.at)  # who guards a running permit may be off shift now
    return report


def _heading(raw: Sequence[Sequence[str]]) -> tuple[tuple[int, int] | None, int]:
    """(year and month of a title line such as «2026年11月排班表», which row holds the heading)."""
    names = {_key(word) for words in COLUMNS.values() for word in words}
    month = None
    for number, row in enumerate(raw[:5]):
        text = " ".join(cell for cell in row if cell)
        if match := MONTH.search(text):
            month = int(match.group(1)), int(match.group(2))
        if any(_key(cell) in names for cell in row):
            return month, number
    return month, 0


def _is_day(cell: str, month: tuple[int, int] | None) -> bool:
    if DAY.match(cell) or (month is not None and DAY_ONLY.match(cell)):
        return True
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _duty_lines(roster: Roster, raw: Sequence[Sequence[str]], heading_at: int, name: str) -> ImportReport:
    """One line a duty; several people in one cell stand beside each other."""
    heading = [_key(cell) for cell in raw[heading_at]]
    where = {key: _column(heading, words) for key, words in COLUMNS.items()}
    if where["day"] is None or (where["who"] is None and where["code"] is None):
        raise TableError(
            f"{name} 看不懂:每行一个值班要有“日期”和“值班人”列(还可有 班次 角色 区域 工号 开始 结束);"
            "每人一行的排班表,日期列要写成 11-24 这样,或在第一行写上“2026年11月”"
        )
    rows = [
        Row(number, {key: cells[at] if at < len(cells) else "" for key, at in where.items() if at is not None})
        for number, cells in enumerate(raw[heading_at + 1 :], start=heading_at + 2)
        if any(cells)
    ]

    def one(row: Row) -> str:
        day = roster.day(row.text("day", limit=32, needed="日期"))
        shift = row.text("shift", limit=24)
        if shift in REST - {""}:
            return "same"
        span = roster.span(shift, row.text("start", limit=24), row.text("end", limit=24))
        codes, names = row.many("code"), row.many("who")
        if not names and not codes:
            raise BadRow("缺少值班人")
        if codes and names and len(codes) != len(names):
            raise BadRow("工号和值班人的个数不同")
        area_id = roster.area(row.text("area", limit=64))
        people = [
            roster.person(name, code)
            for name, code in zip(names or [""] * len(codes), codes or [""] * len(names), strict=True)
        ]
        role = row.text("role", limit=24)
        lines = [Line(roster.role(role, p), area_id, p.id, day, span, SHORT.get(shift, shift)) for p in people]
        for line in lines:
            roster.put(line)
        return "changed"  # counted when written

    report = take(rows, one)
    report.changed = report.same = 0
    return report


def _people_lines(
    roster: Roster, raw: Sequence[Sequence[str]], days: Mapping[int, str], month: tuple[int, int] | None, *, offset: int
) -> ImportReport:
    """One line a person, a column a day, the shift in the cell."""
    heading = [_key(cell) for cell in raw[0]]
    where = {name: _column(heading, COLUMNS[name]) for name in ("who", "code", "role", "area")}
    if where["who"] is None and where["code"] is None:
        raise TableError("排班表缺少“姓名”或“工号”列")
    report = ImportReport()
    for number, cells in enumerate(raw[1:], start=offset + 2):
        if not any(cells):
            continue
        try:
            _person_line(roster, cells, days, month, where)
        except BadRow as bad:
            report.bad.append((number, str(bad)))
    return report


def _person_line(
    roster: Roster,
    cells: Sequence[str],
    days: Mapping[int, str],
    month: tuple[int, int] | None,
    where: Mapping[str, int | None],
) -> None:
    def cell(name: str) -> str:
        at = where[name]
        return cells[at] if at is not None and at < len(cells) else ""

    person = roster.person(cell("who"), cell("code"))
    role, area_id = roster.role(cell("role"), person), roster.area(cell("area"))
    lines = []
    for at, heading in days.items():
        shift = cells[at] if at < len(cells) else ""
        if shift in REST:
            continue
        try:
            span = roster.span(shift)
        except BadRow as bad:
            raise BadRow(f"{heading}:{bad}") from None
        lines.append(Line(role, area_id, person.id, roster.day(heading, month=month), span, SHORT.get(shift, shift)))
    for line in lines:
        roster.put(line)
