"""Permits asked after in words: «今天的动火», «现在谁在动火», «3号泵房的作业票», «ZY-0001到哪了»; and who may guard («谁能监护»)."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.flow import Expect, like
from bot.message import Kind
from bot.turn import Turn
from cards import permit as cards
from cards.words import zone
from handlers.hazard import place as places
from handlers.permit import cast, guarding
from handlers.permit.talk import GONE, KINDS, NUMBER, number_said
from rules.permit import Work
from rules.permit.life import PermitState
from rules.permit.work_words import works_in

_DAY = "今天|今日|今晚|明天|明日|后天|现在|当前|正在"
TODAY = (
    rf"^(?:{_DAY})(?:的|有没有|有哪些|有什么|有几个|有几张|有多少|有|谁在|在)?(?:{KINDS}|作业票|作业)(?:作业)?(?:票|的)?"
    r"(?:有哪些|有几个|有几张|吗|没有)?[??]?$"
)
THERE = rf"^.{{2,12}}?(?:今天|今日|现在)?(?:的|有哪些)(?:{KINDS}|作业)(?:作业)?票?[??]?$"
ANYBODY = rf"^(?:现在)?(?:有没有|有无|谁)(?:人)?(?:在|正在).{{0,12}}?(?:{KINDS})(?:作业)?[??]?$"
"""«有人在3号泵房动火» tells something; only these ask."""
NOW = re.compile(r"^(?:现在|当前|正在|有没有|有无|谁)|现在")
DAYS = {"明": (1, "明天"), "后": (2, "后天")}
ASKS = rf"^(?=.*{NUMBER}).{{0,30}}(?:到哪|审批了|批了|进度|怎么样|什么情况|状态|谁在|谁监护|几点|了吗|[??])"
GUARDIANS = 10  # names in an answer

_WHO = r"(?:还有)?(?:谁|哪些人|哪个人|哪几个人|有没有人)"
_FOR = rf"(?:{KINDS}|进罐|焊接)?(?:作业)?(?:的)?"
WHO_GUARDS = (
    rf"^(?:请问)?(?:今天|现在|今晚|明天)?{_FOR}{_WHO}(?:现在|今天)?(?:能|可以|会|有空|有资格|可)?(?:来|去|当|做|担任)?{_FOR}监护(?:人)?(?:有空)?(?:啊|呢|吗)?[??]?$"
    rf"|^(?:请问)?(?:现在|今天)?(?:有哪些|哪些是?|有)?{_FOR}监护人(?:有哪些|有谁|都有谁|是哪些|名单)(?:啊|呢)?[??]?$"
    rf"|^{_WHO}(?:有)?{_FOR}监护(?:人)?(?:证|资格)[??]?$"
)
UNDER_WAY = (PermitState.ACTIVE, PermitState.INTERRUPTED)


def asked(turn: Turn) -> None:
    """A question about a permit by its number: its live card says where it stands and who is awaited."""
    _, permit = number_said(turn)
    if permit is None:
        turn.say(GONE)
    elif turn.in_group:
        turn.say(cards.line(permit), case=cast.case_of(permit))
    else:
        cast.post_here(turn.work, permit, turn.where, batch=f"asked:{turn.inbox_id}")


def today(turn: Turn) -> None:
    """«今天的动火», «现在谁在动火», «3号泵房的作业票»: of the day or under way, of one kind, of one area."""
    kind = next((kind for kind in Work if kind.zh in turn.text), None)
    area, now = places.area_named(turn.work, turn.text), bool(NOW.search(turn.text))
    ahead, day = DAYS.get(turn.text[:1], (0, "今天"))
    start = turn.at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=ahead)
    found = [
        permit
        for permit in turn.work.permits.between(start, start + timedelta(days=1), work=kind.value if kind else "")
        if (area is None or permit.area_id == area.id) and (not now or PermitState(permit.state) in UNDER_WAY)
    ]
    title = f"{area.name if area else ''}{'正在作业' if now else day}的{kind.zh if kind else '作业票'}"
    if not found:
        turn.say(f"{title}:没有。")
        return
    turn.say(f"{title}({len(found)}):\n" + "\n".join(cards.line(permit) for permit in found[:20]) + "\n发编号看详情。")


def who_guards(turn: Turn) -> None:
    """«谁能监护»: hot work unless another work is named."""
    kind = Work(next(iter(works_in(turn.text)), Work.HOT_WORK.value))
    found = guarding.free(turn.work, kind.value, at=turn.at, on=turn.at.astimezone(zone()).date())
    if not found:
        turn.say(f"现在没有空着的{kind.zh}监护人(要持证、当班、没有在监护别的作业)。发“作业票”看谁在监护什么。")
        return
    lines = [
        f"· {row.name},证到{row.valid_until:%Y-%m-%d}" if row.valid_until else f"· {row.name}"
        for row in found[:GUARDIANS]
    ]
    more = f"\n还有{len(found) - GUARDIANS}人。" if len(found) > GUARDIANS else ""
    turn.say(f"现在能监护{kind.zh}的(持证、没在监护别的作业、没请假下班):\n" + "\n".join(lines) + more)


def names_area(turn: Turn) -> bool:
    return places.area_named(turn.work, turn.text) is not None


STARTS = (
    like(TODAY, today),
    like(ANYBODY, today),
    Expect(Kind.TEXT, today, pattern=re.compile(THERE), fits=names_area),
    like(ASKS, asked),
    like(WHO_GUARDS, who_guards),
)
