"""Leave and substitutes in chat: «请假3天 李强代班», «销假», «代班表»; the duty roster: «谁值班», «明天夜班谁值班»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from bot import outbox
from bot.flow import Flow, like, said
from bot.turn import Turn
from cards.words import local, zone
from handlers import duty
from handlers.permit import holes
from rules.terms import Role
from rules.text import chinese_number
from storage.models import Duty, Person

_BEGINS = r"^我?(?:要|想|得|准备)*从?(今天|明天|后天)?(?:开始|起)?我?(?:要|想|得)*"
_NUMBER = r"(\d{1,2}|[一两二三四五六七八九十]{1,3})"
_SUBSTITUTE = r"[\s,,]*(?:由|请|让|找)?\s*([一-鿿·]{2,8}?)?\s*(?:代班|顶班|代我|替我|顶我)?[。.]?$"
DAYS = re.compile(rf"{_BEGINS}(?:(?:请假|休假|出差|休息)\s*{_NUMBER}\s*天|[请休]\s*{_NUMBER}\s*天假?){_SUBSTITUTE}")
ONE_DAY = re.compile(rf"^我?(?:要|想|得)*(今天|明天|后天)我?(?:要|想|得)*(?:请假|休假|出差|请个假|休息){_SUBSTITUTE}")
AWAY = r"^(?:我(?!的))?(?:要|想|得|准备)*(?:从?(?:今天|明天|后天)(?:开始|起)?)?我?(?:要|想|得)*(?:请假|休假|出差|请个假|请[\d一两二三四五六七八九十]{1,3}天假|休息[\d一两二三四五六七八九十]{1,3}天)"
"""«请假3天», «明天请假一天», «我要请两天假»."""
DATES = re.compile(
    r"^我?(?:要|想|得)*(?:请假|休假|出差)\s*(?:从)?\s*(\d{1,2})[月./-](\d{1,2})[日号]?\s*(?:到|至|-|—|~)\s*(?:(\d{1,2})[月./-])?(\d{1,2})[日号]?"
    r"[\s,,]*(?:由|请)?\s*([一-鿿·]{2,8}?)?\s*(?:代班|顶班|代我)?$"
)
HOW = "请这样说:请假3天 李强代班,或 请假11月28日到30日 李强代班。没有代班人时,隐患会直接通知上一级。"
WHO = re.compile(r"^(今天|今晚|明天|后天|现在)?\s*(\S{0,12}?)\s*(?:是)?(?:谁在?|谁的?)(?:值班|当班|值守)[??]?$")
ASKED = (Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER, Role.EXECUTIVE)
LONGEST = timedelta(days=99)
LISTED = 40


# -- leave


def _span(turn: Turn) -> tuple[datetime, datetime, str] | None:
    """(from, until, the substitute's name) of what was said; None when it cannot be understood."""
    match = DAYS.match(turn.text)
    if match is not None:
        day, count, other, name = match.groups()
        return *_days_from(turn, day or "", _count(count or other)), name or ""
    match = ONE_DAY.match(turn.text)
    if match is not None:
        return *_days_from(turn, match.group(1), 1), match.group(2) or ""
    match = DATES.match(turn.text)
    if match is None:
        return None
    month, first, last_month, last, name = match.groups()
    today = turn.at.astimezone(zone()).date()
    try:
        start = date(today.year, int(month), int(first))
        start = start if start >= today - timedelta(days=180) else start.replace(year=today.year + 1)
        end = date(start.year, int(last_month or month), int(last))
        end = end if end >= start else end.replace(year=end.year + 1)
    except ValueError:
        return None
    begins = max(turn.at, datetime.combine(start, time(0, 0), tzinfo=zone()))
    until = datetime.combine(end + timedelta(days=1), time(0, 0), tzinfo=zone())
    return begins.astimezone(turn.at.tzinfo), until.astimezone(turn.at.tzinfo), name or ""


def _count(said: str) -> int:
    return int(said) if said.isdigit() else int(chinese_number(said) or 0)


def _days_from(turn: Turn, day: str, count: int) -> tuple[datetime, datetime]:
    """So many days from now on; of a day that is named, whole days of the calendar."""
    if not day:
        return turn.at, turn.at + timedelta(days=count)
    midnight = turn.at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + timedelta(days={"明天": 1, "后天": 2}.get(day, 0))
    return max(turn.at, first.astimezone(turn.at.tzinfo)), (first + timedelta(days=count)).astimezone(turn.at.tzinfo)


def away(turn: Turn) -> None:
    """For so many days from now, or between two dates; what would go to me goes to the substitute."""
    found = _span(turn)
    if found is None:
        turn.say(HOW)
        return
    starts, ends, name = found
    if ends <= turn.at or ends - starts > LONGEST:
        turn.say(f"请假时间不对(已经过去,或超过{LONGEST.days}天)。{HOW}")
        return
    substitutes = turn.work.people.by_name(name) if name else []
    if name and len(substitutes) != 1:
        turn.say(f"{'没有找到' if not substitutes else '有多位'}“{name}”,请写代班人的全名。")
        return
    substitute = substitutes[0] if substitutes else None
    if substitute is not None and substitute.id == turn.person.id:
        turn.say("代班人不能是自己,请换一位。")
        return
    turn.work.roster.add_leave(turn.person, starts_at=starts, ends_at=ends, substitute=substitute, at=turn.at)
    _permits_feel(turn)
    who = f"由{substitute.name}代班" if substitute else "没有代班人,期间直接通知上一级"
    first = f"{local(starts)}" if starts > turn.at else ""
    turn.say(f"已登记:{first}到{local(ends)},{who}。提前回来说“销假”。")
    if substitute is not None:
        _tell_substitute(turn, substitute, first, ends)


def _tell_substitute(turn: Turn, substitute: Person, first: str, ends: datetime) -> None:
    address = outbox.address_of(turn.work.people.get(substitute.id))
    if address is None:
        return
    away_too = turn.work.roster.leave_of(substitute.id, turn.at)
    outbox.say(
        turn.work,
        address,
        f"{turn.person.name}请您代班{first}到{local(ends)}:期间他的隐患通知会发给您,您可以替他确认、整改、验收。",
        purpose="roster",
        dedupe_key=f"leave:{turn.inbox_id}",
    )
    if away_too is not None:
        turn.say(f"注意:{substitute.name}到{local(away_too.ends_at)}也在请假,通知会再转给他的代班人。")


def _permits_feel(turn: Turn) -> None:
    """Work that this person guards needs another guardian, or has one again; so do requests that wait for a signature."""
    holes.ask_again(turn.work)
    if turn.work.permit_queue.touch_people([turn.person.id], at=turn.at):
        turn.work.wake.add("chat")


def back(turn: Turn) -> None:
    ended = turn.work.roster.end_leave(turn.person, at=turn.at)
    _permits_feel(turn)
    turn.say("已销假,通知恢复发给您。" if ended else "您没有在请假。")


def substitutes(turn: Turn) -> None:
    """«代班表»: who is away or will be, and who stands in."""
    rows = [row for row in turn.work.roster.away(turn.at) if row.person.active][:LISTED]
    if not rows:
        turn.say("现在没有人请假。请假请说:请假3天 李强代班。")
        return
    lines = [
        f"{row.person.name} {local(row.starts_at)}—{local(row.ends_at)} "
        + (f"{row.substitute.name}代班" if row.substitute is not None else "⚠没有代班人")
        for row in rows
    ]
    turn.say("代班表:\n" + "\n".join(lines))


# -- the duty roster


def who(turn: Turn) -> None:
    """«谁值班», «明天谁值班», «夜班谁值班», «3号泵房谁值班»: who is on duty then, by role and area."""
    match = WHO.match(turn.text)
    when, what = (match.group(1) or "", match.group(2)) if match else ("", "")
    now = turn.at.astimezone(zone())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = {"明天": 1, "后天": 2}.get(when, 0)
    if when in ("", "现在") and not what:
        on_now(turn)
        return
    start, end = midnight + timedelta(days=ahead), midnight + timedelta(days=ahead + 1)
    start = max(start, now) if when == "今晚" else start
    rows = [row for row in turn.work.roster.between(start, end) if row.person.active]
    if what:
        area = next((a for a in turn.work.plant.areas() if what in (a.name, a.code)), None)
        rows = [row for row in rows if _fits(row, what, area.id if area is not None else None)]
    name = f"{when or '今天'}{what}"
    turn.say(
        f"{name}值班:\n" + "\n".join(_line(row) for row in rows[:LISTED]) if rows else f"{name}没有排班。{_how(turn)}"
    )


def _fits(row: Duty, what: str, area_id: int | None) -> bool:
    if area_id is not None:
        return row.area_id in (None, area_id)
    return what in (row.shift, Role(row.role).zh, row.person.name) or (len(what) == 1 and row.shift.startswith(what))


def _line(row: Duty) -> str:
    place = row.area.name if row.area is not None else "全厂"
    shift = f"{row.shift} " if row.shift else ""
    phone = f" {row.person.mobile}" if row.person.mobile else ""
    return f"{Role(row.role).zh} {place} {row.person.name}{phone} {shift}{local(row.starts_at)}—{local(row.ends_at)}"


def on_now(turn: Turn) -> None:
    """«谁值班»: whom the bot would call now: by the roster, else whoever holds the role; stand-ins named."""
    work = turn.work
    lines = [_line(row) for row in work.roster.between(turn.at, turn.at + timedelta(seconds=1)) if row.person.active]
    for role in ASKED:
        if work.roster.on_duty(role, None, turn.at) or any(line.startswith(role.zh) for line in lines):
            continue
        lines += _without_roster(turn, role)
    turn.say("现在值班:\n" + "\n".join(lines[:LISTED]))


def _without_roster(turn: Turn, role: Role) -> Sequence[str]:
    if turn.work.roster.kept(role, None, turn.at):
        return [f"{role.zh} ⚠值班表上现在没有人"]
    people = turn.work.people.with_role(role, area_id=None, exact=True) or _of_areas(turn, role)
    return [f"{role.zh} {_with_stand_in(turn, person)}" for person in people[:8]] or [f"{role.zh} ⚠没有人"]


def _of_areas(turn: Turn, role: Role) -> list[Person]:
    found = [
        p for area in turn.work.plant.areas() for p in turn.work.people.with_role(role, area_id=area.id, exact=True)
    ]
    return list({p.id: p for p in found}.values())


def _with_stand_in(turn: Turn, person: Person) -> str:
    there = duty.present(turn.work, [person])
    if not there:
        return f"{person.name}(请假,没有代班人)"
    return person.name if there[0].id == person.id else f"{there[0].name}(代{person.name})"


def _how(turn: Turn) -> str:
    return (
        "管理员可用 flask import-roster 导入值班表。"
        if not turn.work.roster.between(turn.at - timedelta(days=31), turn.at + timedelta(days=31), limit=1)
        else ""
    )


flow = Flow(
    name="roster",
    starts=[
        said(("代班表", "请假表", "谁请假", "谁代班"), substitutes),
        said(("值班", "值班表", "谁值班", "谁在值班", "当班", "值班查询"), on_now),
        like(WHO.pattern, who),
        like(AWAY, away),
        said(("销假", "回来上班了"), back),
    ],
)
