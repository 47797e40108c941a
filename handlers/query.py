"""Questions in chat: 我的隐患, a number, 本周; those about the whole plant are in query_plant."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

from bot import outbox
from bot.flow import Flow, like, said
from bot.turn import Turn
from cards import hazard as cards
from cards.words import local, name_of, place_of, reporter_name, zone
from handlers import query_plant
from handlers.hazard import actions, dispatch
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.terms import OPEN_STATES, Grade, HazardState
from storage.models import Hazard

NUMBER = re.compile(r"^\s*(YH)[-–— ]?(\d{1,7})\s*$", re.IGNORECASE)
ABOUT = re.compile(
    r"^\s*(?:请|帮我|帮忙)?(?:查|看|问|搜)?(?:询|一下|下|看|一查)?\s*(YH)[-–— ]?(\d{1,7})\s*"
    r"(?:号|的|这条|隐患|现在|目前|处理|整改|进度|进展|情况|状态|详情|结果|怎么?样|咋样|到哪|一步|好|改|闭环|完|了|得|吗|呢|没有|没|什么|是)*"
    r"\s*[?\uff1f。]?\s*$",
    re.IGNORECASE,
)
REGRADE = re.compile(
    r"^\s*YH[-–— ]?(\d{1,7})\s*[改定](?:为|成|级)?\s*(红|橙|黄|一级|二级|三级)\S{0,2}[\s,,::]*(.*)$", re.IGNORECASE
)
MINE = (
    "我的隐患",
    "我报的",
    "我的上报",
    "我报的隐患",
    "我报过的",
    "我上报的",
    "我上报的隐患",
    "我的隐患列表",
    "查我的隐患",
)
MINE_ASKED = (
    r"^我(?:之前|昨天|前天|上次|今天)?(?:报|上报|提)的?(?:那[条个])?(?:隐患|问题)(?:现在|都)?"
    r"(?:处理|整改|到哪|进展|进度|结果|修好|闭环|怎么|样|得|了|好|吗|没|有)+[?？]?$"  # no part is made of others: quick on any text
)
WEEK = ("本周", "本周隐患", "这周", "这周隐患", "本周情况", "本周统计", "本周隐患统计", "本周报了多少", "这周报了多少")
GRADES = {
    "红": Grade.RED,
    "一级": Grade.RED,
    "橙": Grade.ORANGE,
    "二级": Grade.ORANGE,
    "黄": Grade.YELLOW,
    "三级": Grade.YELLOW,
}


def mine(turn: Turn) -> None:
    """What I reported and how it stands."""
    hazards = turn.work.hazards.reported_by(turn.person.id)
    if not hazards:
        turn.say("您还没有报过隐患。看到问题,拍张照片发来就行。")
        return
    turn.say("我的隐患:\n" + "\n".join(cards.line(h) for h in hazards) + "\n发编号看详情。")


def _allowed(turn: Turn, hazard: Hazard) -> tuple[rules.Action, ...]:
    return rules.allowed(state=HazardState(hazard.state), relations=actions.relations(turn.work, hazard, turn.person))


DUTY = {
    rules.Action.CONFIRM,
    rules.Action.START,
    rules.Action.SUBMIT,
    rules.Action.ACCEPT,
    rules.Action.TRANSFER,
    rules.Action.ASSIGN,
    rules.Action.APPROVE_EXTENSION,
}


def one(turn: Turn) -> None:
    """A number: how it stands, and the card again for those who have something to do with it."""
    match = ABOUT.match(turn.text)
    hazard = turn.work.hazards.by_number(f"YH-{int(match.group(2)):04d}") if match else None
    if hazard is None:
        turn.say(f"没有找到 {turn.text[:20]},请核对编号;发“我的隐患”可以看自己报的。")
        return
    if DUTY & set(_allowed(turn, hazard)) and not turn.in_group:
        show_duty(turn, hazard)
        return
    turn.say(_status(hazard), case=("hazard", hazard.id))


def show_duty(turn: Turn, hazard: Hazard) -> None:
    """The live card of whoever has something to do with it, at the chat's end."""
    last = f"现在是{HazardState(hazard.state).zh}"
    card = cards.duty_card(hazard, candidates=dispatch.candidates(turn.work, hazard), last=last)
    outbox.post_card(
        turn.work,
        cards.duty_key(hazard.id),
        card,
        [turn.where],
        case=("hazard", hazard.id),
        purpose="hazard.asked",
        urgency=outbox.REPLY,
        batch=f"asked:{turn.inbox_id}",
        again=True,
    )


def _status(hazard: Hazard) -> str:
    lines = [
        f"{hazard.number} {Grade(hazard.grade).zh} {HazardState(hazard.state).zh}",
        f"位置:{place_of(hazard)}",
        f"问题:{hazard.description[:100]}",
        f"上报:{reporter_name(hazard)} {local(hazard.reported_at)}",
        f"责任人:{name_of(hazard.owner)},期限{local(hazard.due_at)}",
    ]
    if hazard.closed_at is not None:
        lines.append(f"闭环:{local(hazard.closed_at)},{name_of(hazard.accepted_by)}验收")
    return "\n".join(lines)


def regrade(turn: Turn) -> None:
    """«YH-0007 改为橙 原因»: change the grade; lowering is for the safety officer."""
    match = REGRADE.match(turn.text)
    hazard = turn.work.hazards.by_number(f"YH-{int(match.group(1)):04d}") if match else None
    if match is None or hazard is None:
        turn.say("没有找到这个编号,请核对。")
        return
    try:
        reason = match.group(3).strip() or "现场核定"
        actions.set_grade(turn.work, hazard, by=turn.person, grade=GRADES[match.group(2)], reason=reason, via=turn.via)
        turn.say(f"{hazard.number} 已改为{Grade(hazard.grade).zh},并按新等级通知。", case=("hazard", hazard.id))
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))


def this_week(turn: Turn) -> None:
    """The plant's week so far, Monday to now."""
    today = turn.at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    hazards = turn.work.hazards.reported_between(monday, turn.at + timedelta(seconds=1))
    by_grade, by_state = Counter(h.grade for h in hazards), Counter(h.state for h in hazards)
    open_count = sum(by_state[state.value] for state in OPEN_STATES)
    late = sum(1 for h in hazards if h.state in {s.value for s in OPEN_STATES} and h.due_at and h.due_at < turn.at)
    turn.say(
        f"本周({monday:%m-%d}起)共报{len(hazards)}条:"
        + "、".join(f"{grade.zh}{by_grade[grade.value]}" for grade in Grade)
        + f"\n已闭环{by_state[HazardState.CLOSED.value]},处理中{open_count},逾期{late}。"
    )


ASKED = [
    said(MINE, mine),
    like(MINE_ASKED, mine),
    said(WEEK, this_week),
    like(NUMBER.pattern.replace("(YH)", "(?i:YH)"), one),
    like(rf"(?i:{ABOUT.pattern})", one),
    *query_plant.ASKED,
]

flow = Flow(
    name="query",
    first=ASKED,  # also in the middle of a dialogue, which then goes on
    starts=[
        *ASKED,
        like(REGRADE.pattern.replace("YH", "(?i:YH)", 1), regrade),
    ],
    menus={"query.mine": mine, "query.week": this_week},
)
