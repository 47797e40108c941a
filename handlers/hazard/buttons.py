"""What the buttons of hazard cards do. A press works days later, by whoever may; others are told why not, politely."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.flow import Flow, Press
from bot.turn import Turn
from handlers.hazard import actions, dispatch, filing, place, report
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.terms import HazardState
from storage.models import Hazard

WORK = filing.WORK  # the dialogue about one case: proof, reasons, extension
PROOF, REASON, EXTEND_WHY, EXTEND_MEASURE, CORRECT, MORE, TRANSFER_TO = (
    "proof",
    "reason",
    "extend_why",
    "extend_measure",
    "correct",
    "more",
    "transfer_to",
)
ANSWER_WITHIN = timedelta(hours=2)
GONE = "没有找到这条隐患,可能已被清理。发“待办”看看现在要处理的。"


def press(verb: str, act: Callable[[Turn, Hazard], None]) -> Press:
    """A button about one hazard: load it, run, and turn a broken rule into a sentence."""

    def handle(turn: Turn, rest: str) -> None:
        hazard = turn.work.hazards.find(int(rest)) if rest.isdigit() else None
        if hazard is None:
            turn.say(GONE)
            return
        try:
            act(turn, hazard)
        except RuleBroken as broken:
            turn.say(actions.explain_late_press(turn.work, hazard, verb, broken), case=("hazard", hazard.id))

    return handle


def _confirm(turn: Turn, hazard: Hazard) -> None:
    actions.confirm(turn.work, hazard, by=turn.person, via=turn.via)


def _start(turn: Turn, hazard: Hazard) -> None:
    actions.start(turn.work, hazard, by=turn.person, via=turn.via)
    ask_for_proof(turn, hazard, first="已开始整改。改好后")


def _submit(turn: Turn, hazard: Hazard) -> None:
    rules.check(
        Action.SUBMIT, state=HazardState(hazard.state), relations=actions.relations(turn.work, hazard, turn.person)
    )
    ask_for_proof(turn, hazard, first="")


def ask_for_proof(turn: Turn, hazard: Hazard, *, first: str) -> None:
    turn.ask(
        f"{first}请发 {hazard.number} 整改后的照片(至少1张),再说一句怎么改的。",
        flow=WORK,
        state=PROOF,
        facts={"hazard": hazard.id},
        expires_after=timedelta(days=2),
    )


def _accept(turn: Turn, hazard: Hazard) -> None:
    actions.accept(turn.work, hazard, by=turn.person, via=turn.via)


def _reject(turn: Turn, hazard: Hazard) -> None:
    rules.check(
        Action.REJECT, state=HazardState(hazard.state), relations=actions.relations(turn.work, hazard, turn.person)
    )
    turn.ask(
        f"退回 {hazard.number}:请用一句话说明原因。",
        flow=WORK,
        state=REASON,
        facts={"hazard": hazard.id},
        expires_after=ANSWER_WITHIN,
    )


def _transfer(turn: Turn, hazard: Hazard) -> None:
    choice = turn.message.press.choice if turn.message.press else ""
    if choice.isdigit():
        to = turn.work.people.get(int(choice))
        actions.transfer(turn.work, hazard, by=turn.person, to=to, via=turn.via)
        turn.say(f"{hazard.number} 已转给{to.name}。", case=("hazard", hazard.id))
        return
    reported = hazard.state == HazardState.REPORTED.value
    rules.check(
        Action.ASSIGN if reported else Action.TRANSFER,
        state=HazardState(hazard.state),
        relations=actions.relations(turn.work, hazard, turn.person),
    )
    people = dispatch.candidates(turn.work, hazard)[:6]
    turn.ask(
        f"{hazard.number} 转给谁?点一下,或直接打名字。",
        flow=WORK,
        state=TRANSFER_TO,
        facts={"hazard": hazard.id},
        choices=[(person.name, f"hazard.give:{hazard.id}.{person.id}") for person in people],
        expires_after=ANSWER_WITHIN,
    )


def _extend(turn: Turn, hazard: Hazard) -> None:
    rules.check(
        Action.REQUEST_EXTENSION,
        state=HazardState(hazard.state),
        relations=actions.relations(turn.work, hazard, turn.person),
    )
    turn.ask(
        f"{hazard.number} 要延多久?",
        flow=WORK,
        state=EXTEND_WHY,
        facts={"hazard": hazard.id},
        choices=[(f"{days}天", f"hazard.extendto:{hazard.id}.{days}") for days in (1, 3, 7, 15)],
        expires_after=ANSWER_WITHIN,
    )


def _grant(turn: Turn, hazard: Hazard) -> None:
    actions.decide_extension(turn.work, hazard, by=turn.person, granted=True, via=turn.via)


def _refuse(turn: Turn, hazard: Hazard) -> None:
    actions.decide_extension(turn.work, hazard, by=turn.person, granted=False, via=turn.via)


def _still(turn: Turn, hazard: Hazard) -> None:
    actions.reopen(turn.work, hazard, by=turn.person, via=turn.via)
    turn.say(f"收到。{hazard.number} 已升一级重新派单;方便的话再拍一张现在的照片。", case=("hazard", hazard.id))
    _collect_more(turn, hazard)


def _thanks(turn: Turn, hazard: Hazard) -> None:
    turn.say("好的,谢谢反馈!", case=("hazard", hazard.id))


def _withdraw(turn: Turn, hazard: Hazard) -> None:
    actions.withdraw(turn.work, hazard, by=turn.person, via=turn.via)


def _hide(turn: Turn, hazard: Hazard) -> None:
    actions.hide_reporter(turn.work, hazard, by=turn.person, via=turn.via)
    turn.say(f"{hazard.number} 已改为匿名,以后谁都看不到是您报的。", case=("hazard", hazard.id))


def _correct(turn: Turn, hazard: Hazard) -> None:
    rules.check(
        Action.CORRECT, state=HazardState(hazard.state), relations=actions.relations(turn.work, hazard, turn.person)
    )
    turn.ask(
        "请把正确的描述再说一遍;位置不对就发位置或扫设备码。",
        flow=WORK,
        state=CORRECT,
        facts={"hazard": hazard.id},
        expires_after=ANSWER_WITHIN,
    )


def _more(turn: Turn, hazard: Hazard) -> None:
    rules.check(
        Action.ADD_PHOTO, state=HazardState(hazard.state), relations=actions.relations(turn.work, hazard, turn.person)
    )
    turn.say(f"请把要补充到 {hazard.number} 的照片发来,发完说“好了”。", case=("hazard", hazard.id))
    _collect_more(turn, hazard)


def _collect_more(turn: Turn, hazard: Hazard) -> None:
    turn.stay(flow=WORK, state=MORE, facts={"hazard": hazard.id}, expires_after=report.TOGETHER)


# -- buttons under questions: their action carries two ids, «hazard.area:12.3»


def _pair(act: Callable[[Turn, Hazard, int], None]) -> Press:
    def handle(turn: Turn, rest: str) -> None:
        first, _, second = rest.partition(".")
        hazard = turn.work.hazards.find(int(first)) if first.isdigit() and second.isdigit() else None
        if hazard is None:
            turn.say(GONE)
            return
        try:
            act(turn, hazard, int(second))
        except RuleBroken as broken:
            turn.say(broken.message_zh, case=("hazard", hazard.id))

    return handle


def _is_own_draft(turn: Turn, hazard: Hazard) -> bool:
    if hazard.reporter_id == turn.person.id and hazard.state == HazardState.DRAFT.value:
        return True
    number = f"{hazard.number} " if hazard.number else "这条"
    turn.say(f"{number}已经处理过了。发编号可以查看进度。")
    return False


def _area(turn: Turn, hazard: Hazard, area_id: int) -> None:
    if _is_own_draft(turn, hazard):
        place.choose_area(hazard, turn.work.plant.area(area_id))
        report.told_by_button(turn, hazard)


def _where(turn: Turn, hazard: Hazard, area_id: int) -> None:
    if hazard.reporter_id == turn.person.id and hazard.area is None:
        place.choose_area(hazard, turn.work.plant.area(area_id))
        filing.place_told(turn, hazard)
    else:
        turn.say(f"{hazard.number} 的位置已经有了。发编号可以查看进度。")


def _nophoto(turn: Turn, rest: str) -> None:
    hazard = turn.work.hazards.find(int(rest)) if rest.isdigit() else None
    if hazard is not None and _is_own_draft(turn, hazard):
        turn.data["no_photo"] = True
        report.told_by_button(turn, hazard)


def _join(turn: Turn, hazard: Hazard, other_id: int) -> None:
    if _is_own_draft(turn, hazard):
        filing.join(turn, hazard, turn.work.hazards.get(other_id))


def _separate(turn: Turn, rest: str) -> None:
    hazard = turn.work.hazards.find(int(rest)) if rest.isdigit() else None
    if hazard is not None and _is_own_draft(turn, hazard):
        filing.file_now(turn, hazard, [])


def _give(turn: Turn, hazard: Hazard, person_id: int) -> None:
    to = turn.work.people.get(person_id)
    actions.transfer(turn.work, hazard, by=turn.person, to=to, via=turn.via)
    turn.done()
    turn.say(f"{hazard.number} 已转给{to.name}。", case=("hazard", hazard.id))


def _extend_to(turn: Turn, hazard: Hazard, days: int) -> None:
    rules.check(
        Action.REQUEST_EXTENSION,
        state=HazardState(hazard.state),
        relations=actions.relations(turn.work, hazard, turn.person),
    )
    turn.ask(
        "为什么要延期?一句话说明。",
        flow=WORK,
        state=EXTEND_WHY,
        facts={"hazard": hazard.id, "days": days},
        expires_after=ANSWER_WITHIN,
    )


BUTTONS: dict[str, Press] = {
    "hazard.confirm": press("confirm", _confirm),
    "hazard.start": press("start", _start),
    "hazard.submit": press("submit", _submit),
    "hazard.transfer": press("transfer", _transfer),
    "hazard.extend": press("extend", _extend),
    "hazard.grant": press("grant", _grant),
    "hazard.refuse": press("refuse", _refuse),
    "hazard.accept": press("accept", _accept),
    "hazard.reject": press("reject", _reject),
    "hazard.still": press("still", _still),
    "hazard.thanks": press("thanks", _thanks),
    "hazard.withdraw": press("withdraw", _withdraw),
    "hazard.hide": press("hide", _hide),
    "hazard.correct": press("correct", _correct),
    "hazard.more": press("more", _more),
    "hazard.area": _pair(_area),
    "hazard.where": _pair(_where),
    "hazard.nophoto": _nophoto,
    "hazard.join": _pair(_join),
    "hazard.separate": _separate,
    "hazard.give": _pair(_give),
    "hazard.extendto": _pair(_extend_to),
}

flow = Flow(name="hazard.buttons", buttons=BUTTONS)
