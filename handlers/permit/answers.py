"""Asking for what no machine knows: statements in groups, confirmed by one tap or set right one by one."""

from __future__ import annotations

import re
from typing import Any

from bot.turn import Turn
from handlers.permit import actions, cast, gas_facts, gas_talk, heights, questions, sampling
from handlers.permit.judge import Judgement
from handlers.permit.questions import NotUnderstood, Question
from handlers.permit.talk import ANSWER, GROUP, ask, ask_about, guarded, permit_of
from rules.errors import RuleBroken
from rules.permit.facts import fact_dictionary
from rules.permit.spoken import tells_gas
from storage.models import Permit

_NUMBERS = re.compile(r"[第\d条号项个、,,。.;;和跟与及是的有不对错没\s]+")
ALL_TRUE = ("都对", "都符合", "对", "符合", "是", "没问题", "全对")
KEEP = ("gas_done", "guardian_done", "photo")


def ask_open(turn: Turn, permit: Permit, judged: Judgement, *, then: str, note: str = "", **memory: Any) -> bool:
    """Ask the next group of open questions; False when none is left. `then`: what goes on afterwards."""
    remembered = turn.work.place_answers.of(actions.place_key(permit), permit.work)
    found = questions.groups(questions.open_questions(permit, judged, remembered))
    if not found:
        return False
    facts = {**memory, "then": then}
    if len(found[0]) == 1 and found[0][0].proposed is None:
        _ask_one(turn, permit, found[0][0].fact, [], note=note, **facts)
    else:
        _ask_group(turn, permit, found[0], left=len(found), note=note, **facts)
    return True


def _ask_group(turn: Turn, permit: Permit, group: list[Question], *, left: int, note: str, **facts: Any) -> None:
    lines = [f"{n}. {one.statement}" for n, one in enumerate(group, start=1)]
    choices = [("都对", f"permit.allright:{permit.id}"), ("有不对的", f"permit.notall:{permit.id}")]
    more = f"(还有{left - 1}组)" if left > 1 else ""
    ask_about(
        turn,
        f"按现场核对,都对吗?{more}",
        lines,
        state=GROUP,
        permit=permit,
        choices=choices,
        note=note,
        group=[[one.fact, one.proposed] for one in group],
        **facts,
    )


def _ask_one(turn: Turn, permit: Permit, fact: str, wrong: list[str], *, note: str = "", **facts: Any) -> None:
    taps = questions.choices(fact, no_meter=not gas_facts.needs_meter(turn.work, permit))
    choices = [(zh, f"permit.answer:{permit.id}.{value}") for zh, value in taps]
    ask(
        turn,
        questions.how_to_answer(fact),
        state=ANSWER,
        permit=permit,
        choices=choices,
        note=note,
        fact=fact,
        wrong=wrong,
        **facts,
    )


# -- groups


def all_right(turn: Turn, permit: Permit) -> None:
    """«都对»: every statement of the group holds, said by this person."""
    facts = _open(turn, permit, "group")
    _set(turn, permit, dict(facts["group"]))
    _go_on(turn, permit, facts)


def not_all(turn: Turn, permit: Permit) -> None:
    facts = _open(turn, permit, "group")
    numbers = [(str(n), f"permit.wrong:{permit.id}.{n}") for n in range(1, len(facts["group"]) + 1)]
    lines = [f"{n}. {questions.question(name, {}).label}" for n, (name, _) in enumerate(facts["group"], start=1)]
    ask_about(
        turn,
        "第几条不对?点一下,几条就说“2 4”。",
        lines,
        state=GROUP,
        permit=permit,
        choices=numbers,
        note="",
        **{k: v for k, v in facts.items() if k != "permit"},
    )


def wrong_one(turn: Turn, permit: Permit, number: str) -> None:
    _wrong(turn, permit, _open(turn, permit, "group"), [int(number)])


def group_said(turn: Turn) -> None:
    """«都对», or the numbers of what does not hold."""
    permit, facts = permit_of(turn, lock=True), turn.facts
    if turn.text in ALL_TRUE:
        guarded(turn, permit, lambda: all_right(turn, permit))
        return
    if facts.get("then") == "request" and permit.work in sampling.NEEDS_GAS and tells_gas(turn.text):
        gas_talk.told(turn)  # «可燃2,氧6» are no numbers of lines
        return
    plain = re.sub("[一二三四五六]", lambda m: str("一二三四五六".index(m.group()) + 1), turn.text)
    numbers = [int(n) for n in re.findall(r"\d+", plain)] if _NUMBERS.fullmatch(plain) else []
    if not numbers or any(not 1 <= n <= len(facts["group"]) for n in numbers):
        turn.say(f"请点“都对”,或说不对的是第几条(1到{len(facts['group'])}),如“2 4”。")
        return
    guarded(turn, permit, lambda: _wrong(turn, permit, facts, numbers))


def _wrong(turn: Turn, permit: Permit, facts: dict[str, Any], numbers: list[int]) -> None:
    """The others hold; of these, a yes/no turns round by itself, anything else is asked."""
    chosen = {facts["group"][n - 1][0] for n in numbers}
    answers: dict[str, Any] = {}
    to_ask: list[str] = []
    for name, proposed in facts["group"]:
        if name not in chosen:
            answers[name] = proposed
        elif isinstance(proposed, bool):
            answers[name] = not proposed
        else:
            to_ask.append(name)
    _set(turn, permit, answers)
    rest = {k: v for k, v in facts.items() if k not in ("group", "permit")}
    if to_ask:
        _ask_one(turn, permit, to_ask[0], to_ask[1:], **rest)
    else:
        _go_on(turn, permit, rest)


# -- single answers


def answered(turn: Turn, permit: Permit, text: str) -> None:
    """A tapped answer to a single question."""
    facts = _open(turn, permit, "fact")
    _take(turn, permit, facts, text)


def answer_said(turn: Turn) -> None:
    permit = permit_of(turn, lock=True)
    guarded(turn, permit, lambda: _take(turn, permit, turn.facts, turn.text))


def _take(turn: Turn, permit: Permit, facts: dict[str, Any], text: str) -> None:
    name, wrong = str(facts["fact"]), list(facts.get("wrong", []))
    rest = {k: v for k, v in facts.items() if k not in ("fact", "wrong", "permit", "group")}
    try:
        values = questions.read(name, text, no_meter=not gas_facts.needs_meter(turn.work, permit))
    except NotUnderstood as problem:
        _ask_one(turn, permit, name, wrong, note=str(problem), **rest)
        return
    _set(turn, permit, values)
    if wrong:
        _ask_one(turn, permit, wrong[0], wrong[1:], **rest)
    else:
        _go_on(turn, permit, rest)


def _set(turn: Turn, permit: Permit, values: dict[str, Any]) -> None:
    cast.need_answerer(permit, turn.person)
    known = {name: value for name, value in values.items() if name in fact_dictionary()}
    permit.facts = {**permit.facts, **known}
    heights.from_answers(permit)
    turn.work.flush()
    why = "、".join(fact_dictionary()[name].zh for name in known)[:300]
    actions.leave_line(turn.work, permit, "answered", by=turn.person, via=turn.via, why=why, facts=known)


def _open(turn: Turn, permit: Permit, what: str) -> dict[str, Any]:
    cast.need_answerer(permit, turn.person)
    facts = turn.facts
    if facts.get("permit") != permit.id or what not in facts:
        raise RuleBroken("talk", "这个问题已经过去了,请点“重新判定”接着办。")
    return facts


def _go_on(turn: Turn, permit: Permit, facts: dict[str, Any]) -> None:
    from handlers.permit import apply, work_talk

    memory = {name: facts[name] for name in KEEP if name in facts}
    then = facts.get("then", "request")
    if then == "start":
        work_talk.go_on_start(turn, permit, **memory)
    elif then == "resume":
        work_talk.go_on_resume(turn, permit)
    else:
        apply.resume_request(turn, permit, gas_done=True, guardian_done=bool(memory.get("guardian_done")))
