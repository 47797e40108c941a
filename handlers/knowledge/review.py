"""Reviewing and looking after cards: the reviewer's buttons, and a few commands (经验卡 K01, 确认 K01, 停用 K01 原因)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.flow import Flow, Press, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards import knowledge as cards
from cards.words import zone
from handlers.knowledge import actions, feedback, tell
from rules.errors import RuleBroken
from rules.knowledge import CardState
from storage.models import KnowledgeCard

FLOW = "knowledge.review"
REASON, FIXING = "reason", "fixing"
WAIT = timedelta(hours=2)
CODE = r"(K\d{2}|JY[-– ]?\d{1,6})"
GONE = "没有找到这张经验卡,请核对编号。"
NO_FIELD = "请按“项目:内容”说,一行一项,如“先做:停机测温”。项目有:设备、声音、怀疑、先做、危险。"


def press(act: Callable[[Turn, KnowledgeCard], None]) -> Press:
    """A button about one card; a broken rule becomes a sentence."""

    def handle(turn: Turn, rest: str) -> None:
        card = turn.work.knowledge.find(int(rest)) if rest.isdigit() else None
        if card is None:
            turn.say(GONE)
            return
        try:
            act(turn, card)
        except RuleBroken as broken:
            turn.say(broken.message_zh, case=(actions.KIND, card.id))

    return handle


def _approve(turn: Turn, card: KnowledgeCard) -> None:
    actions.approve(turn.work, card, by=turn.person, via=turn.via)
    turn.say(f"{card.code} 已发布,现在谁问都能搜到。")


def _check_open(turn: Turn, card: KnowledgeCard) -> None:
    actions.check_reviewer(card, turn.person)
    state = CardState(card.state)
    if state is not CardState.IN_REVIEW:
        by = f",{card.reviewed_by.name}处理的" if card.reviewed_by else ""
        raise RuleBroken("card_state", f"{card.code} 现在是“{state.zh}”{by},不用再审。")


def _reject(turn: Turn, card: KnowledgeCard) -> None:
    _check_open(turn, card)
    turn.ask(
        f"{card.code} 为什么不采用?一句话,会告诉作者。",
        flow=FLOW,
        state=REASON,
        facts={"card": card.id},
        expires_after=WAIT,
    )


def _fix(turn: Turn, card: KnowledgeCard) -> None:
    _check_open(turn, card)
    turn.ask(f"{card.code} 要改什么?{NO_FIELD}", flow=FLOW, state=FIXING, facts={"card": card.id}, expires_after=WAIT)


def _merge(turn: Turn, card: KnowledgeCard) -> None:
    _check_open(turn, card)
    pick = turn.message.press.choice if turn.message.press else ""
    if pick.isdigit():
        into = turn.work.knowledge.find(int(pick))
    else:
        into = next(iter(actions.near(turn.work, card)), None)
    if into is None:
        raise RuleBroken("card_merge", "没有找到很像的卡,可以“通过”或“更正”。")
    actions.merge(turn.work, card, into, by=turn.person, via=turn.via)
    turn.say(f"{card.code} 已并入 {into.code}。")


def reason_given(turn: Turn) -> None:
    _with_card(turn, lambda card: actions.reject(turn.work, card, by=turn.person, reason=turn.text, via=turn.via))


def fields_given(turn: Turn) -> None:
    fields = tell.fields_in(turn.text)
    if not fields:
        turn.say(NO_FIELD)
        return
    _with_card(turn, lambda card: actions.correct(turn.work, card, fields, by=turn.person, via=turn.via))


def stopped(turn: Turn) -> None:
    turn.done()
    turn.say("好的,没有改动。")


def _with_card(turn: Turn, act: Callable[[KnowledgeCard], None]) -> None:
    card = turn.work.knowledge.find(int(turn.facts.get("card", 0)))
    turn.done()
    if card is None:
        turn.say(GONE)
        return
    try:
        act(card)
    except RuleBroken as broken:
        turn.say(broken.message_zh)
        return
    turn.say(
        f"{card.code} 已记下:{CardState(card.state).zh}。" + ("更正后请点“通过”。" if card.state == "in_review" else "")
    )


# -- commands


def _named(turn: Turn, pattern: str, text: str = "") -> tuple[KnowledgeCard | None, str]:
    match = re.match(pattern, text or turn.text, re.IGNORECASE)
    if match is None:
        return None, ""
    code = match.group(1).upper().replace("–", "-").replace(" ", "")
    if code.startswith("JY"):
        code = f"JY-{int(re.sub('[^0-9]', '', code)):04d}"
    return turn.work.knowledge.by_code(code), (
        match.group(2) if match.lastindex and match.lastindex > 1 else ""
    ).strip()


_SHOW, _CONFIRM = rf"^(?:经验卡\s*)?{CODE}$", rf"^确认\s*{CODE}$"
_ORDER = rf"^(?:经验卡\s*)?{CODE}\s*(?:用于|用在|用到)?\s*工单[\s::]*([A-Za-z0-9][A-Za-z0-9-]{{2,39}})$"
_REVISE = rf"^(?:更正|修改)\s*{CODE}[\s,,::]*(.*)$"
_RETIRE = rf"^停用\s*{CODE}[\s,,::]*(.*)$"


def show(turn: Turn) -> None:
    card, _ = _named(turn, _SHOW)
    if card is None or card.state in (CardState.DRAFT.value, CardState.REJECTED.value):
        turn.say(GONE)
        return
    turn.say(cards.full_text(card), case=(actions.KIND, card.id))


def used_in_order(turn: Turn) -> None:
    """«K04 工单 WO-2031»: the card helped in this work order of the maintenance system."""
    card, order = _named(turn, _ORDER)
    if card is None or card.state != CardState.PUBLISHED.value:
        turn.say(GONE)
        return
    turn.work.knowledge.link(card, "work_order", order.upper(), at=turn.at)
    turn.say(f"记下了:{card.code} 用在工单 {order.upper()}。", case=(actions.KIND, card.id))


def confirm(turn: Turn) -> None:
    card, _ = _named(turn, _CONFIRM)
    _command(turn, card, lambda c: actions.confirm(turn.work, c, by=turn.person, via=turn.via), "已确认,复审顺延一年。")


def revise(turn: Turn) -> None:
    """«更正 K01 先做:…»: the next edition of a published card; without fields it is asked what to change."""
    first, _, more = turn.text.partition("\n")
    card, told = _named(turn, _REVISE, first)
    fields = tell.fields_in(f"{told}\n{more}")
    if card is not None and not fields:
        turn.say(f"{card.code} 要改什么?像这样发:更正 {card.code} 先做:停机测温。项目有:设备、声音、怀疑、先做、危险。")
        return
    looked: list[str] = []

    def act(card: KnowledgeCard) -> None:
        looked.extend(actions.revise(turn.work, card, fields, by=turn.person, via=turn.via))

    _command(turn, card, act, "已更正,出了新版,马上能搜到。")
    if looked:
        turn.say("⚠ " + "\n⚠ ".join(looked))


def retire(turn: Turn) -> None:
    card, reason = _named(turn, _RETIRE)
    _command(
        turn,
        card,
        lambda c: actions.retire(turn.work, c, by=turn.person, reason=reason, via=turn.via),
        "已停用,搜不到了。",
    )


def _command(turn: Turn, card: KnowledgeCard | None, act: Callable[[KnowledgeCard], None], done: str) -> None:
    if card is None:
        turn.say(GONE)
        return
    try:
        act(card)
    except RuleBroken as broken:
        turn.say(broken.message_zh)
        return
    turn.say(f"{card.code} {done}")


def mine(turn: Turn) -> None:
    """«我的经验»: my cards, whom they helped this month, my points."""
    own = turn.work.knowledge.of_author(turn.person.id)
    helped = turn.work.knowledge.helped(
        since=month_start(turn.at), until=turn.at + timedelta(seconds=1), person_id=turn.person.id
    )
    lines = [f"{turn.person.name}师傅的经验本月帮到 {helped.get(turn.person.id, 0)} 人。"]
    lines += [cards.line(card) for card in own[:10]]
    lines.append(f"积分 {turn.work.knowledge.points_of(turn.person.id)}。")
    lines.append("说“经验”可以再写一条。" if own else "您还没有写过经验。说“经验”,语音讲一条就行。")
    turn.say("\n".join(lines))


def month_start(at: datetime) -> datetime:
    """Midnight of the first of this month in plant time."""
    return at.astimezone(zone()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def to_review(turn: Turn) -> None:
    """«待审经验»: what waits for a reviewer."""
    waiting = turn.work.knowledge.waiting_for_review()
    if not waiting:
        turn.say("没有等审核的经验卡。")
        return
    for card in waiting[:3]:
        turn.show(actions.review_card(turn.work, card), key=cards.review_key(card.id), case=(actions.KIND, card.id))
    if len(waiting) > 3:
        turn.say(f"还有{len(waiting) - 3}张,审完这些再发“待审经验”。")


flow = Flow(
    name=FLOW,
    starts=[
        said(("我的经验", "经验积分"), mine),
        said(("待审经验", "审核经验"), to_review),
        like(rf"(?i:{_SHOW})", show),
        like(rf"(?i:{_ORDER})", used_in_order),
        like(rf"(?i:{_CONFIRM})", confirm),
        like(rf"(?is:{_REVISE})", revise),
        like(rf"(?i:{_RETIRE})", retire),
    ],
    states={
        REASON: [on(Kind.TEXT, reason_given), on(Kind.VOICE, reason_given)],
        FIXING: [on(Kind.TEXT, fields_given), on(Kind.VOICE, fields_given)],
    },
    anywhere=[said(("取消", "算了", "返回"), stopped)],
    buttons={
        "know.approve": press(_approve),
        "know.reject": press(_reject),
        "know.fix": press(_fix),
        "know.merge": press(_merge),
        **feedback.BUTTONS,
    },
    menus={"knowledge.mine": mine},
)
