"""Asking (异响咨询): a sentence or a voice message, an answer card, and what its buttons do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot import outbox
from bot.flow import Flow, Press, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards import knowledge as cards
from handlers.hazard import report
from handlers.knowledge import answers, ear, feedback, heard, route, rulebook, veterans
from handlers.knowledge.route import Way
from storage.models import Equipment, KnowledgeQuestion, Person

FLOW = "knowledge.ask"
LISTENING, ANSWERED = "listening", "answered"
WAIT = timedelta(minutes=10)
PREFIX = re.compile(r"^(请?问)?(一?下)?老师傅[\s,,::、。!!]*")
LISTEN = ("异响", "听声音", "问经验", "问老师傅", "听诊", "老师傅")
BACK = ("取消", "算了", "不问了")
GONE = "这个问题已经清理了,请把情况再说一遍。"


def begin(turn: Turn) -> None:
    """«异响»: say what you hear."""
    turn.ask(
        "哪台设备、什么声音(味道、抖动也行)?打字或语音都可以。",
        flow=FLOW,
        state=LISTENING,
        facts={},
        note="像“泵里噼里啪啦响”就行;能扫设备码更准。",
        expires_after=WAIT,
    )


def asked_by_name(turn: Turn) -> None:
    """«老师傅 皮带吱吱叫»: meant for the cards, whatever else it could be."""
    text = PREFIX.sub("", turn.text).strip()
    if not text:
        begin(turn)
        return
    _answer(turn, text, forced=True)


def asked(turn: Turn) -> None:
    """Words that the router found to be for us."""
    _answer(turn, turn.text)


def asked_aside(turn: Turn) -> None:
    """A question in the middle of a report, which goes on: said, so that a description that was meant is not lost."""
    _answer(turn, turn.text)
    report.remind(turn)


def listened(turn: Turn) -> None:
    """The answer to «什么声音?»."""
    if turn.text.lower() in BACK:
        stopped(turn)
        return
    _answer(turn, PREFIX.sub("", turn.text).strip() or turn.text, forced=True)


def stopped(turn: Turn) -> None:
    turn.done()
    turn.say("好的。需要时再说“老师傅”加情况。")


def _answer(turn: Turn, text: str, *, forced: bool = False) -> None:
    judged = route.judge(turn)
    equipment = judged.equipment or heard.equipment_in(turn.work, text) or _scanned_before(turn)
    result = judged.result
    if result is None or forced or equipment is not judged.equipment:
        result = ear.search(turn.work, text, equipment_kind=heard.kind_of(equipment))
    if judged.way is Way.RULE or (forced and (result.about_rules or rulebook.asked(text))):
        turn.done()
        turn.say(rulebook.answer(text, ask_whom=veterans.safety_officer_words(turn.work)))
    elif judged.way is Way.BOTH and not forced and not turn.in_group:
        _offer_both(turn, text)
    else:
        question = answers.show(turn, text, result, equipment=equipment)
        turn.stay(flow=FLOW, state=ANSWERED, facts={"question": question.id}, expires_after=WAIT)


def _scanned_before(turn: Turn) -> Equipment | None:
    wanted = turn.facts.get("equipment") if turn.conversation and turn.conversation.flow == FLOW else None
    return turn.work.plant.equipment(int(wanted)) if wanted else None


def _offer_both(turn: Turn, text: str) -> None:
    result = route.judge(turn).result
    best = None
    if result is not None and result.hits:
        hit = result.hits[0]
        row = turn.work.knowledge.by_code(hit.id)
        best = cards.Shown(row, hit.confidence.value, hit.why) if row is not None else None
    turn.stay(flow=FLOW, state=ANSWERED, facts={"text": text[:2000]}, expires_after=WAIT)
    turn.show(cards.either_card(text, best), key=f"ask:{turn.inbox_id}")


def this(turn: Turn, _rest: str) -> None:
    """«问经验» under the two-way question."""
    text = _last_words(turn)
    if not text:
        begin(turn)
        return
    equipment = heard.equipment_in(turn.work, text)
    result = ear.search(turn.work, text, equipment_kind=heard.kind_of(equipment))
    question = answers.show(turn, text, result, equipment=equipment)
    turn.stay(flow=FLOW, state=ANSWERED, facts={"question": question.id}, expires_after=WAIT)


def report_instead(turn: Turn, _rest: str) -> None:
    """«报隐患» under the two-way question: as if the words had been said to the hazard flow."""
    text = _last_words(turn)
    if not text:
        report.begin(turn)
        return
    turn.done()
    turn.conversation = None
    turn.message = replace(turn.message, kind=Kind.TEXT, text=text, press=None)
    report.told(turn)


def _last_words(turn: Turn) -> str:
    """The words kept by the dialogue; a press in a group comes from the presser's own chat, so that is looked at too."""
    for talk in turn.work.conversations.of_person(turn.person.id, at=turn.at):
        if talk.flow == FLOW and talk.facts.get("text"):
            return str(talk.facts["text"])
    return ""


def scanned(turn: Turn) -> None:
    """A plate scanned before or after the question narrows it to that machine."""
    equipment = heard.equipment_scanned(turn.work, turn.message.scanned)
    if equipment is None:
        turn.say(f"台账里没有“{turn.message.scanned[:20]}”这个设备码,请说一下是哪台。")
        return
    known = turn.facts.get("question")
    question = turn.work.knowledge.question(int(known)) if known else None
    text = question.text if question is not None else str(turn.facts.get("text", ""))
    if not text:
        facts = {**turn.facts, "equipment": equipment.id}
        turn.ask(
            f"{equipment.code} {equipment.name}:什么声音、什么情况?",
            flow=FLOW,
            state=LISTENING,
            facts=facts,
            expires_after=WAIT,
        )
        return
    result = ear.search(turn.work, text, equipment_kind=heard.kind_of(equipment))
    again = answers.show(turn, text, result, equipment=equipment)
    turn.stay(flow=FLOW, state=ANSWERED, facts={"question": again.id}, expires_after=WAIT)


# -- buttons


def press(act: Callable[[Turn, KnowledgeQuestion], None]) -> Press:
    """A button about one question."""

    def handle(turn: Turn, rest: str) -> None:
        question = turn.work.knowledge.question(int(rest)) if rest.isdigit() else None
        if question is None:
            turn.say(GONE)
            return
        act(turn, question)

    return handle


def _helped(turn: Turn, question: KnowledgeQuestion) -> None:
    shown = feedback.chosen(turn, question)
    if shown is None:
        turn.say("这条经验已经撤下了,请再问一次。")
        return
    feedback.helped(turn.work, question, shown.card, by=turn.person)
    turn.say(f"记下了,谢谢!{cards.credit(shown.card)}的经验又帮上一次。有工单的话回“{shown.card.code} 工单 单号”。")
    _redraw(turn, question, f"{turn.person.name}:{shown.card.code} 有用。")


def _wrong(turn: Turn, question: KnowledgeQuestion) -> None:
    shown = feedback.chosen(turn, question)
    if shown is not None:
        feedback.wrong(turn.work, question, shown.card, by=turn.person)
    # the card keeps its other buttons: the second one may still be right, and the veteran can be asked
    turn.say("记下了。再多说一点(哪里响、什么时候响、热不热),或点“问老师傅”。", case=("knowledge", question.id))


def _ask(turn: Turn, question: KnowledgeQuestion) -> None:
    if question.state in ("asked", "answered"):
        turn.say("这个问题已经问过老师傅了," + ("答案在上面。" if question.answer else "一有答案就告诉您。"))
        return
    people = route_to_veterans(turn, question)
    if not people:
        turn.say(f"名册里还没有老师傅或设备员,请先问{veterans.safety_officer_words(turn.work)}。")
        return
    turn.say(f"已经问了{'、'.join(p.name for p in people)},有答案马上告诉您。情况变坏先停机。")
    _redraw(turn, question, f"已问{'、'.join(p.name for p in people)}。")


def route_to_veterans(turn: Turn, question: KnowledgeQuestion) -> list[Person]:
    """Send the question to those who may know; returns them."""
    work = turn.work
    area = question.equipment.area if question.equipment is not None else None
    people = veterans.to_ask(
        work, asker_id=question.asker_id, codes=[str(hit["code"]) for hit in question.hits], area=area
    )
    to = [a for p in people if (a := outbox.address_of(p)) is not None]
    if not to:
        return []
    question.state = "asked"
    outbox.post_card(
        work,
        f"{cards.key_of(question.id)}:veteran",
        cards.veteran_card(question, question.asker),
        to,
        case=("knowledge", question.id),
        purpose="knowledge.ask",
        urgency=outbox.URGENT,
    )
    return people


def _redraw(turn: Turn, question: KnowledgeQuestion, last: str) -> None:
    shown = answers.shown_of(turn.work, question)
    outbox.redraw(turn.work, cards.key_of(question.id), answers.card_of(question, shown, last=last))


flow = Flow(
    name=FLOW,
    starts=[
        said(LISTEN, begin),
        like(PREFIX.pattern + r"\S", asked_by_name),
        on(Kind.TEXT, asked, fits=route.is_ours),
        on(Kind.VOICE, asked, fits=route.is_ours),
    ],
    asides=[on(kind, asked_aside, fits=route.is_question) for kind in (Kind.TEXT, Kind.VOICE)],
    states={
        LISTENING: [
            on(Kind.TEXT, listened, fits=route.no_danger),
            on(Kind.VOICE, listened, fits=route.no_danger),
            on(Kind.SCAN, scanned),
        ],
        ANSWERED: [on(Kind.SCAN, scanned)],
    },
    buttons={
        "know.helped": press(_helped),
        "know.wrong": press(_wrong),
        "know.ask": press(_ask),
        "know.this": this,
        "know.report": report_instead,
    },
    menus={"knowledge.ask": begin},
)
