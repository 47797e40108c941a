"""What is said while a request is open: an answer to what was asked, to another question, or a change of what stands."""

from __future__ import annotations

from bot.message import Kind
from bot.turn import Turn
from handlers import spoken
from handlers.hazard import place as places
from handlers.permit import apply, cast, gas_talk, heights, sampling, slots, who_said
from handlers.permit.talk import here, permit_of
from rules import text as words
from rules.permit.life import PermitState
from rules.permit.spoken import tells_gas
from storage.models import Permit

NOBODY_YET = ("先不定", "没定", "还没定", "待定", "不知道", "还不知道", "没有")
NOT_HEARD = "没听懂。可以说新的时间、监护人、作业人或气体读数,别的点“改内容”。"


def is_told(turn: Turn) -> bool:
    """While the verdict stands nothing is asked: what is not about the request is a report or a question like any other."""
    if here(turn).get("slot"):
        return True
    message = turn.message
    if message.position is not None or message.scanned or any(f.codes for f in turn.fetched):
        return True
    return bool(turn.text) and (bool(spoken.heard_wrong(turn)) or slots.is_about(turn, turn.text))


def told(turn: Turn) -> None:
    """An answer in the request's dialogue: words, a position, a scanned plate, a picture of one."""
    permit = permit_of(turn, lock=True)
    if PermitState(permit.state) not in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        turn.done()
        turn.say(f"这张票{PermitState(permit.state).zh},不用再填。发编号可以查看。")
        return
    message, note = turn.message, ""
    if message.position is not None:
        note = slots.set_point(turn, permit, places.to_point(message.position))
    elif message.scanned or any(f.codes for f in turn.fetched):
        codes = [message.scanned] if message.scanned else [code for f in turn.fetched for code in f.codes]
        note = slots.scanned(turn, permit, codes)
    elif message.kind is Kind.UNKNOWN:
        note = "钉钉里发的位置我收不到,请说设备位号或点区域。"
    elif (heard := spoken.heard_wrong(turn)) and permit.content == heard[:500]:
        permit.content = spoken.typed(turn)[:500]
        spoken.settled(turn)
    elif turn.text:
        slot = str(turn.facts.get("slot", ""))
        if slot == "edit" and (name := next((key for key, zh in apply.EDITABLE.items() if zh in turn.text), "")):
            apply.change(turn, permit, name)
            return
        if slot not in ("place", "content") and permit.work in sampling.NEEDS_GAS and tells_gas(turn.text):
            slots.beside(turn, permit, gas_talk.without_time(turn))
            gas_talk.told(turn)
            return
        note = _words(turn, permit, slot)
        if note and slot in ("", "edit"):  # the verdict stands as it is
            turn.say(note, case=cast.case_of(permit))
            return
    apply.go_on(turn, permit, note=note)


def _words(turn: Turn, permit: Permit, slot: str) -> str:
    """Take the words as the answer to what was asked, or to another question; returns a note when they are neither."""
    text = turn.text[:500]
    if slot == "place":
        found = slots.place_said(turn, permit, text)
        apply.take_rest(turn, permit, text)
        return "" if found else "没有找到这个区域或位号,请从列表里选一个。"
    if slot == "content":
        return _content(turn, permit, text)
    people = who_said.people_told(turn, permit, text)
    if not people.left:
        return ""
    problem = _answer(turn, permit, slot, people.left)
    if not problem or slot == "when":
        return problem
    if slot in ("", "edit"):
        return "" if people.taken and problem == NOT_HEARD else people.note or problem
    if (about_time := slots.time_said(turn, permit, people.left)) in ("", slots.OVER):
        return about_time
    return people.note or problem


def _content(turn: Turn, permit: Permit, text: str) -> str:
    if words.content_problem(text) is not None:
        return "没看懂,请用一句话说干什么,如“P-102B出口法兰电焊”。"
    slots.place_said(turn, permit, text, only_equipment=True)
    beside = slots.beside(turn, permit, text)
    if not beside or slots.clauses_left(turn, text):
        permit.content = slots.job_of(turn, text)
    return ""


def _answer(turn: Turn, permit: Permit, slot: str, text: str) -> str:
    if slot == "when":
        return slots.time_said(turn, permit, text)
    if slot == "guardian" and text in NOBODY_YET:
        apply.remember(turn, permit, guardian_done=True)
        return ""
    if slot == "guardian":
        return who_said.guardian_said(turn, permit, text)
    if slot == "workers":
        return who_said.workers_said(turn, permit, text)
    if slot == "height":
        return "" if heights.said(permit, text) else heights.NOT_HEARD
    problem = slots.time_said(turn, permit, text)
    return NOT_HEARD if problem == slots.NO_TIME else problem
