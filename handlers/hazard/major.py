"""Major hazards in chat: «YH-0007 核定重大 原因», «五落实 YH-0007 措施:…;资金:…», «评估 YH-0007 结论…»."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards import treatment
from cards.words import local, name_of
from handlers.hazard import actions
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.hazard.evidence import FIVE_FIXES, FIVE_FIXES_ZH
from rules.hazard.treatment import ASKS_ZH
from rules.terms import HazardState
from storage.models import Hazard

FLOW, PART = "hazard.major", "part"
ANSWER_WITHIN = timedelta(minutes=30)
_NUMBER = r"(?i:YH)[-–— ]?(\d{1,7})(?:号|的)?"
_GAP = r"[\s,\uff0c:\uff1a;\uff1b、。]*"
DECIDE = re.compile(
    rf"^\s*{_NUMBER}{_GAP}(?:核定|判定|认定|定)(?:为|是|成)?(不是重大|非重大|重大|一般)(?:事故)?(?:隐患)?{_GAP}(?!(?s:.*)[吗么?\uff1f]\s*$)((?s:.*))$"
)
FIXES = re.compile(rf"^\s*(?:写|补|填|补充|填写)?(?:五落实|五定|治理方案|整改方案){_GAP}(?:{_NUMBER})?{_GAP}((?s:.*))$")
EVALUATE = re.compile(rf"^\s*(?:治理|整改)?评估{_GAP}{_NUMBER}{_GAP}((?s:.*))$")


def _hazard(turn: Turn, digits: str | None) -> Hazard | None:
    hazard = turn.work.hazards.by_number(f"YH-{int(digits):04d}") if digits else None
    if hazard is None:
        turn.say("没有找到这个编号,请核对。" if digits else "请带上编号,例如“五落实 YH-0007”。")
    return hazard


def _answer(turn: Turn, hazard: Hazard, text: str) -> None:
    turn.say(text, case=("hazard", hazard.id))


def decide(turn: Turn) -> None:
    match = DECIDE.match(turn.text)
    hazard = _hazard(turn, match.group(1)) if match else None
    if match is None or hazard is None:
        return
    major, reason = match.group(2) == "重大", match.group(3).strip()
    try:
        actions.decide_major(turn.work, hazard, by=turn.person, major=major, reason=reason, via=turn.via)
    except RuleBroken as broken:
        _answer(turn, hazard, broken.message_zh)
        return
    then = f"\n{status(hazard)}" if major else "等级不变;要调低请发“" + f"{hazard.number} 改为橙 原因”。"
    _answer(turn, hazard, f"{hazard.number} 已核定为{'重大' if major else '一般'}隐患。{then}")


def status(hazard: Hazard) -> str:
    """The five fixes as they stand, a line each."""
    known = treatment.five_fixes(hazard)
    lines = [f"{hazard.number} 五落实:"]
    for part in FIVE_FIXES:
        entry = known.get(part)
        who = f"({name_of(entry.by)} {local(entry.at)})" if entry and entry.by else ""
        lines.append(f"{FIVE_FIXES_ZH[part]}:{entry.words}{who}" if entry else f"{FIVE_FIXES_ZH[part]}:还没写")
    return "\n".join(lines)


def fixes(turn: Turn) -> None:
    """«五落实 YH-0007» shows what is there and asks for what is not; with «措施:…» it is written down at once."""
    match = FIXES.match(turn.text)
    hazard = _hazard(turn, match.group(1)) if match else None
    if match is None or hazard is None:
        return
    said_words = match.group(2).strip()
    parts = rules.read_parts(said_words)
    if said_words and not parts:
        _answer(turn, hazard, "请写明是哪一项:责任、措施、资金、时限还是预案,例如“措施:更换法兰垫片;资金:2万元”。")
        return
    if parts:
        _write(turn, hazard, parts)
    elif not treatment.concerns(hazard):
        _answer(turn, hazard, f"{hazard.number} 是一般隐患,不用写五落实,按整改流程办就行。")
    elif not _may_write(turn, hazard):
        _answer(turn, hazard, status(hazard))
    else:
        _ask_next(turn, hazard, f"{status(hazard)}\n")


def _may_write(turn: Turn, hazard: Hazard) -> bool:
    held = actions.relations(turn.work, hazard, turn.person)
    return Action.TREAT in rules.allowed(state=HazardState(hazard.state), relations=held)


def _write(turn: Turn, hazard: Hazard, parts: dict[str, str]) -> bool:
    try:
        actions.write_treatment(turn.work, hazard, by=turn.person, parts=parts, via=turn.via)
    except RuleBroken as broken:
        _answer(turn, hazard, broken.message_zh)
        return False
    _ask_next(turn, hazard, f"已记下{'、'.join(FIVE_FIXES_ZH[part] for part in FIVE_FIXES if part in parts)}。")
    return True


def _ask_next(turn: Turn, hazard: Hazard, first: str) -> None:
    """Ask for the next missing one; in the middle of another dialogue only say which are missing."""
    known = treatment.five_fixes(hazard)
    lacking = [part for part in FIVE_FIXES if part not in known]
    busy = turn.conversation is not None and turn.conversation.flow != FLOW
    if not lacking:
        if turn.conversation is not None and not busy:
            turn.done()
        _answer(turn, hazard, f"{first}五落实已齐。")
    elif busy:
        _answer(turn, hazard, f"{first}还缺{treatment.missing(hazard)}:补的时候发“五落实 {hazard.number} 措施:…”。")
    else:
        part = lacking[0]
        turn.ask(
            f"{first}{FIVE_FIXES_ZH[part]}:{ASKS_ZH[part]}",
            flow=FLOW,
            state=PART,
            facts={"hazard": hazard.id, "part": part},
            expires_after=ANSWER_WITHIN,
        )


def part_said(turn: Turn) -> None:
    """The answer to the part that was asked for; whoever names the parts may say several at once."""
    hazard = turn.work.hazards.get(int(turn.facts["hazard"]), lock=True)
    parts = rules.read_parts(turn.text) or {str(turn.facts["part"]): turn.text}
    _write(turn, hazard, parts)


def evaluate(turn: Turn) -> None:
    match = EVALUATE.match(turn.text)
    hazard = _hazard(turn, match.group(1)) if match else None
    if match is None or hazard is None:
        return
    words = match.group(2).strip()
    if not words:
        written = treatment.evaluation(hazard)
        now = f"{written.words}({name_of(written.by)} {local(written.at)})" if written else "还没写"
        _answer(
            turn, hazard, f"{hazard.number} 治理评估:{now}\n写评估请发“评估 {hazard.number} 谁评估、怎么查的、结论”。"
        )
        return
    try:
        actions.evaluate(turn.work, hazard, by=turn.person, words=words, via=turn.via)
        _answer(turn, hazard, f"{hazard.number} 的治理评估已记下。")
    except RuleBroken as broken:
        _answer(turn, hazard, broken.message_zh)


def left(turn: Turn) -> None:
    turn.done()
    turn.say("好的,先不写。写好的都已记下。")


flow = Flow(
    name=FLOW,
    first=[like(DECIDE.pattern, decide), like(FIXES.pattern, fixes), like(EVALUATE.pattern, evaluate)],
    states={PART: [on(Kind.TEXT, part_said), on(Kind.VOICE, part_said)]},
    anywhere=[said(("取消", "算了", "返回", "好了", "先不写"), left)],
)
