"""Questions about all hazards of the plant: «3号泵房有多少隐患没整改», «超期的隐患», «这个月报了多少», «隐患怎么分级»."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

from bot.flow import Expect, like
from bot.message import Kind
from bot.turn import Turn
from cards import hazard as cards
from cards.words import zone
from handlers import duty
from handlers.hazard import place
from handlers.knowledge import heard
from rules.terms import OPEN_STATES, Grade, HazardState, Role

LISTED = 10

_LATE = r"超期|逾期|过期|超时"
_STILL = r"没整改|未整改|没闭环|未闭环|没处理|未处理|没销号|没解决|待整改|开着|整改中"
OPEN_ONES = (
    rf"^(?:现在|目前|还|查|看|查一下|看一下|看看)*(\S{{0,12}}?)(?:现在|目前|还)?(?:的|有多少|有几个|有几条|有哪些|有)?(?:条|个)?(?:{_LATE}|{_STILL}|没有整改)(?:的)?隐患(?:有多少|有几个|有几条|有哪些|多少)?(?:条|个)?[?？]?$"
    rf"|^(\S{{0,12}}?)(?:现在|目前)?(?:有|还有)(?:多少|几个|几条|哪些|什么)(?:条|个)?隐患(?:{_STILL}|{_LATE}|没有整改)?(?:的)?(?:啊|呢)?[?？]?$"
    rf"|^哪些隐患(?:还)?(?:{_LATE}|{_STILL})(?:了)?[?？]?$"
)
_SPANS = "今天|今日|昨天|昨日|上周|本月|这个?月|当月|上个?月|今年"
REPORTED = rf"^({_SPANS})(?:一共|总共|全厂|我们)?(?:报了|上报了|有|查出|发现|新增)?(?:了)?(?:多少|几条|几个)?(?:条|个)?(?:的)?(?:隐患|问题)(?:统计|情况|数|多少|有多少|有几条)?(?:了)?[?？]?$"
GRADING = r"^(?:隐患)?(?:怎么|如何|是怎么|按什么)(?:分级|定级|分类|分红橙黄)[的吗]?[?？]?$|^隐患(?:的)?(?:怎么|如何|按什么|是怎么)?(?:分级|等级|定级|级别)(?:标准|的|是什么|有哪些|怎么分|怎么定)*[?？]?$|^(?:什么|哪些|啥)(?:是|叫|算)(?:红色|橙色|黄色|一级|二级|三级|重大)隐患[?？]?$|^(?:红|橙|黄)色?(?:和|、|是|代表|什么).{0,8}(?:意思|区别)[?？]?$"
RESPONSIBLE = r"^谁(?:负责|管|是)\S{2,14}[?？]?$|^\S{2,14}?(?:现在)?(?:归谁管|谁负责|谁管|(?:的)?(?:负责人|责任人|班长|班组长|主任)(?:是谁|电话)?)[?？]?$"
GRADES = (
    "隐患分三级,先由我按说的和照片建议,现场和安全员可以改,只有安全员能降:\n"
    "· 一级(红):随时可能伤人、着火、爆炸、中毒。立即停,人撤开;通知分管领导并发短信\n"
    "· 二级(橙):不尽快整改会出事。通知车间主任和车间群\n"
    "· 三级(黄):一般问题。通知班组长\n"
    "期限看每条卡片上写的。重大隐患按法规判定标准,由安全员核定,我只提示线索。\n"
    "看到就报,拿不准级别不要紧。"
)


def open_ones(turn: Turn) -> None:
    """Hazards that are open, of the plant or of an area, those past their time when asked so; nearest deadline first."""
    late = re.search(_LATE, turn.text) is not None
    equipment, area = heard.equipment_in(turn.work, turn.text), place.area_named(turn.work, turn.text)
    count, some = turn.work.hazards.open_of(
        area_id=area.id if area and not equipment else None,
        equipment_id=equipment.id if equipment else None,
        late_at=turn.at if late else None,
        limit=LISTED,
    )
    where = equipment.code if equipment else area.name if area else "全厂"
    what = f"{where}{'超期' if late else ''}没闭环的隐患"
    if not count:
        turn.say(f"{what}:没有。")
        return
    more = f"\n还有{count - len(some)}条。" if count > len(some) else ""
    turn.say(f"{what}({count}):\n" + "\n".join(cards.line(hazard) for hazard in some) + more + "\n发编号看详情。")


def reported(turn: Turn) -> None:
    """How many were reported in that span, by grade, and how they stand."""
    match = re.search(_SPANS, turn.text)
    name = match.group() if match else "今天"
    start, end = _span(name, turn.at)
    hazards = turn.work.hazards.reported_between(start, end)
    by_grade, by_state = Counter(h.grade for h in hazards), Counter(h.state for h in hazards)
    still = sum(by_state[state.value] for state in OPEN_STATES)
    turn.say(
        f"{name}报了{len(hazards)}条隐患:"
        + "、".join(f"{grade.zh}{by_grade[grade.value]}" for grade in Grade)
        + f"\n已闭环{by_state[HazardState.CLOSED.value]},处理中{still}。"
    )


def _span(name: str, at: datetime) -> tuple[datetime, datetime]:
    """From the beginning of that day, week, month or year of the plant until its end or now."""
    today = at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    now, day = at + timedelta(seconds=1), timedelta(days=1)
    month = today.replace(day=1)
    if name.startswith("昨"):
        return today - day, today
    if name == "上周":
        monday = today - today.weekday() * day
        return monday - 7 * day, monday
    if name.startswith("上"):
        return (month - day).replace(day=1), month
    if "月" in name:
        return month, now
    return (today.replace(month=1, day=1) if name == "今年" else today), now


def grading(turn: Turn) -> None:
    turn.say(GRADES)


def responsible(turn: Turn) -> None:
    """Who answers for an area: by their posts there, stand-ins for those away."""
    area = place.area_named(turn.work, turn.text)
    assert area is not None  # `_names_area` looked
    lines = []
    for role in (Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER):
        there = duty.present(turn.work, turn.work.people.with_role(role, area_id=area.id))
        lines += [f"· {role.zh} {person.name}{f' {person.mobile}' if person.mobile else ''}" for person in there[:3]]
    turn.say(f"{area.name}:\n" + "\n".join(lines) if lines else f"{area.name}没有登记负责人,请找安全员。")


def _names_area(turn: Turn) -> bool:
    return place.area_named(turn.work, turn.text) is not None


def _names_a_place(turn: Turn) -> bool:
    return _names_area(turn) or heard.equipment_in(turn.work, turn.text) is not None


ASKED = [
    like(REPORTED, reported),
    like(OPEN_ONES, open_ones),
    Expect(Kind.TEXT, open_ones, pattern=re.compile(r"^\S{2,12}的隐患[?？]?$"), fits=_names_a_place),
    like(GRADING, grading),
    Expect(Kind.TEXT, responsible, pattern=re.compile(RESPONSIBLE), fits=_names_area),
]
