"""Asking for a permit (申请作业票): where, what, when, who, gas, then what no machine knows; then the verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.flow import Step
from bot.turn import Turn
from cards import permit as cards
from handlers.permit import actions, answers, cast, gas_talk, guarding, heights, judge, sampling, slots, who_said
from handlers.permit.talk import FLOW, GONE, PATIENCE, TELLING, ask, here
from rules.errors import RuleBroken
from rules.permit import Work
from rules.permit.life import PermitState
from rules.terms import Role
from storage.models import Permit

START_WORDS = {
    kind: (Work(kind).zh, f"{Work(kind).zh}作业", f"{Work(kind).zh}作业票", f"申请{Work(kind).zh}") for kind in Work
}
ALSO = {
    "高处作业": Work.WORK_AT_HEIGHT,
    "进罐": Work.CONFINED_SPACE,
    "有限空间": Work.CONFINED_SPACE,
    "登高": Work.WORK_AT_HEIGHT,
}
ON_VERDICT = ("permit.judge:", "permit.fix:")
EDITABLE = {"place": "地点", "content": "内容", "when": "时间", "guardian": "监护人", "workers": "作业人"}


def begin(turn: Turn, kind: str, *, said: str = "", keep_open: bool = False) -> None:
    """A new request; what the first sentence says already is used. `keep_open`: another draft is put aside, not away."""
    permit = actions.open_draft(turn.work, kind=kind, by=turn.person, keep_open=keep_open)
    if said:
        slots.place_said(turn, permit, said)
        take_rest(turn, permit, said)
    go_on(turn, permit, note=_understood(permit) if said else "")


def take_rest(turn: Turn, permit: Permit, said: str) -> None:
    """Time, people and job of a sentence that names the place."""
    slots.time_said(turn, permit, said)
    who_said.people_told(turn, permit, said)
    if slots.says_what(turn, said, permit) and not permit.content:
        permit.content = slots.job_of(turn, said)[:500]


def _understood(permit: Permit) -> str:
    """What the first sentence was taken for, shown with the first question: nobody should ask for the wrong work."""
    place = (
        permit.equipment.code if permit.equipment is not None else permit.area.name if permit.area is not None else ""
    )
    if place in permit.content:
        place = ""
    parts = [f"{Work(permit.work).zh}作业票", place, permit.content]
    if permit.planned_start is not None:
        parts.append(cards.span(permit))
    if permit.guardian is not None:
        parts.append(f"监护{permit.guardian.name}")
    if workers := cast.parties(permit, cast.WORKER):
        parts.append("作业" + "、".join(party.person.name for party in workers))
    return f"{','.join(part for part in parts if part)}。不对就说“取消”。"


def begin_by_word(kind: str) -> Step:
    return lambda turn: begin(turn, kind)


# -- what is missing


def go_on(turn: Turn, permit: Permit, *, note: str = "") -> None:
    """Ask for the next missing thing; with nothing missing, judge."""
    memory = {name: value for name, value in here(turn).items() if name in ("gas_done", "guardian_done")}
    if permit.area_id is None and permit.lat is None:
        _ask_place(turn, permit, note, memory)
    elif not permit.content:
        ask(
            turn,
            "干什么?一句话说清,如“P-102B出口法兰电焊”。",
            state=TELLING,
            permit=permit,
            slot="content",
            note=note,
            **memory,
        )
    elif permit.planned_start is None:
        choices = [("现在,干2小时", f"permit.when:{permit.id}.2"), ("现在,干4小时", f"permit.when:{permit.id}.4")]
        choices.append(("现在,干8小时", f"permit.when:{permit.id}.8"))
        question = "什么时候干,干多久?点一下,或说“今天下午2点到5点”。"
        ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="when", note=note, **memory)
    elif permit.guardian_id is None and not memory.get("guardian_done"):
        _ask_guardian(turn, permit, note, memory)
    elif not cast.parties(permit, cast.WORKER):
        _ask_workers(turn, permit, note, memory)
    elif permit.work in sampling.NEEDS_GAS and not permit.gas_tests and not memory.get("gas_done"):
        if later := sampling.too_early(permit, turn.at):
            sampling.plan(permit, turn.at)
            turn.say(later, case=cast.case_of(permit))
            done = bool(memory.get("guardian_done"))
            resume_request(turn, permit, gas_done=True, guardian_done=done, note=note)
        else:
            gas_talk.ask_gas(turn, permit, then="request", note=note, **memory)
    else:
        heights.from_words(permit)
        judged = judge.judge(turn.work, permit)
        if heights.is_open(turn.work, permit, judged):
            _ask_height(turn, permit, note, memory)
        elif not answers.ask_open(turn, permit, judged, then="request", note=note, **memory):
            show_verdict(turn, permit, note=note)


def _ask_place(turn: Turn, permit: Permit, note: str, memory: dict[str, Any]) -> None:
    areas = list(turn.work.plant.areas())
    choices = [(area.name, f"permit.area:{permit.id}.{area.id}") for area in areas[:6]]
    question = f"{Work(permit.work).zh}作业票:在哪里干?说设备位号、扫码、发位置,或点区域。"
    ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="place", note=note, **memory)


def _ask_guardian(turn: Turn, permit: Permit, note: str, memory: dict[str, Any]) -> None:
    found = guarding.for_permit(turn.work, permit, permit.planned_start or turn.at)
    choices = [(row.name, f"permit.guardian:{permit.id}.{row.person_id}") for row in found[:5]]
    choices.append(("先不定", f"permit.guardian:{permit.id}.0"))
    hint = "有证且空着的如下(近的在前);也可直接说名字。" if found else "现在没有持证又空着的监护人,可以说名字。"
    ask(turn, "谁监护?", state=TELLING, permit=permit, choices=choices, slot="guardian", note=note or hint, **memory)


def _ask_workers(turn: Turn, permit: Permit, note: str, memory: dict[str, Any]) -> None:
    near = turn.work.people.with_role(Role.WORKER, area_id=permit.area_id, exact=permit.area_id is not None)
    people = [person for person in near if person.id not in (permit.guardian_id, turn.person.id)][:4]
    choices = [("我自己", f"permit.worker:{permit.id}.{turn.person.id}")]
    choices += [(person.name, f"permit.worker:{permit.id}.{person.id}") for person in people]
    question = "谁来干?点一下,几个人就说名字(如“吴涛、孙丽”)。"
    ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="workers", note=note, **memory)


def _ask_height(turn: Turn, permit: Permit, note: str, memory: dict[str, Any]) -> None:
    choices = [("地面", f"permit.height:{permit.id}.0")]
    question = f"{heights.ASKED}说个数,地面点一下。"
    ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="height", note=note, **memory)


# -- taps


def tapped_area(turn: Turn, permit: Permit, value: str) -> None:
    need_draft(turn, permit)
    slots.set_area(permit, turn.work.plant.area(int(value)))
    go_on(turn, permit)


def tapped_when(turn: Turn, permit: Permit, value: str) -> None:
    need_draft(turn, permit)
    slots.set_time(permit, turn.at, timedelta(hours=min(int(value), 24)))
    go_on(turn, permit)


def tapped_height(turn: Turn, permit: Permit, value: str) -> None:
    need_draft(turn, permit)
    heights.said(permit, value)
    go_on(turn, permit)


def tapped_guardian(turn: Turn, permit: Permit, value: str) -> None:
    need_draft(turn, permit)
    if value == "0":
        remember(turn, permit, guardian_done=True)
    else:
        who_said.set_guardian(turn, permit, turn.work.people.get(int(value)))
    go_on(turn, permit)


def tapped_worker(turn: Turn, permit: Permit, value: str) -> None:
    need_draft(turn, permit)
    cast.join(permit, turn.work.people.get(int(value)), cast.WORKER, turn.work)
    go_on(turn, permit)


def need_draft(turn: Turn, permit: Permit) -> None:
    if permit.applicant_id != turn.person.id:
        raise RuleBroken("who", "这张票由申请人填写。")
    if PermitState(permit.state) not in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        raise RuleBroken("state", f"这张票{PermitState(permit.state).zh},不能再改。")


def remember(turn: Turn, permit: Permit, **facts: object) -> None:
    turn.work.conversations.move(
        turn.chat_key,
        flow=FLOW,
        state=TELLING,
        facts={**here(turn), **facts, "permit": permit.id},
        at=turn.at,
        expires_at=turn.at + PATIENCE,
    )
    turn.conversation = turn.work.conversations.load(turn.chat_key, at=turn.at)


def resume_request(turn: Turn, permit: Permit, *, gas_done: bool, guardian_done: bool, note: str = "") -> None:
    """Come back into the request after a question of another kind."""
    remember(turn, permit, gas_done=gas_done, guardian_done=guardian_done)
    go_on(turn, permit, note=note)


# -- the verdict


def show_verdict(turn: Turn, permit: Permit, *, note: str = "") -> None:
    """Judge, keep, show: the card with what can be done, and in words what does not fit on it."""
    turn.work.flush()
    judged = actions.judge_request(turn.work, permit, cause="asked")
    sampling.plan(permit, turn.at)
    verdict = {**judged.verdict.as_dict(), "notes": [*judged.gathered.notes, *([note] if note else [])]}
    turn.stay(
        flow=FLOW,
        state=TELLING,
        facts={"permit": permit.id, "gas_done": True, "guardian_done": True},
        expires_after=PATIENCE,
    )
    if len(cards.in_the_way(verdict)) > 1 or cards.fix_lines(verdict):
        turn.say(cards.verdict_text(permit, verdict), case=cast.case_of(permit))
    press = turn.message.press
    on_card = press is not None and press.action.startswith(ON_VERDICT)  # it changes under the finger
    key = cards.verdict_key(permit.id)
    turn.show(cards.verdict_card(permit, verdict), key=key, case=cast.case_of(permit), again=not on_card)


def judge_again(turn: Turn, permit: Permit) -> None:
    """«重新判定»: what is still open is asked, then the verdict."""
    need_draft(turn, permit)
    remember(turn, permit, gas_done=True, guardian_done=True)
    go_on(turn, permit)


def edit(turn: Turn, permit: Permit) -> None:
    need_draft(turn, permit)
    choices = [(zh, f"permit.change:{permit.id}.{name}") for name, zh in EDITABLE.items()]
    ask(
        turn, "改哪一项?", state=TELLING, permit=permit, choices=choices, slot="edit", gas_done=True, guardian_done=True
    )


def change(turn: Turn, permit: Permit, value: str) -> None:
    """Empty one slot and ask for it again."""
    need_draft(turn, permit)
    if value == "place":
        permit.area, permit.area_id, permit.equipment, permit.equipment_id = None, None, None, None
        permit.lat = permit.lon = None
        heights.forget(permit)
    elif value == "content":
        permit.content = ""
    elif value == "when":
        permit.planned_start = permit.planned_end = None
    elif value == "guardian":
        cast.leave(permit, cast.GUARDIAN, turn.work)
        permit.guardian, permit.guardian_id = None, None
        remember(turn, permit, guardian_done=False)
    elif value == "workers":
        cast.leave(permit, cast.WORKER, turn.work)
    go_on(turn, permit)


def submit(turn: Turn, permit: Permit) -> None:
    judged = actions.submit(turn.work, permit, by=turn.person, via=turn.via)
    turn.done()
    names = "、".join(person.name for person in cast.signers(turn.work, permit, "approve")[:3])
    turn.say(
        f"{permit.number} {cards.name(permit)} 已提交({judged.result.zh}),等{names or '审批人'}到现场审批。",
        case=cast.case_of(permit),
    )


def drop(turn: Turn, permit: Permit) -> None:
    actions.withdraw(turn.work, permit, by=turn.person, via=turn.via)
    turn.done()
    turn.say(f"{permit.number or '这张票'}已撤回。", case=cast.case_of(permit))


def cancelled(turn: Turn) -> None:
    """«取消» within the dialogue: a draft is put away, anything else only ends the talk."""
    permit = turn.work.permits.find(int(turn.facts.get("permit", 0)))
    turn.done()
    if permit is not None and permit.number is None and permit.applicant_id == turn.person.id:
        actions.withdraw(turn.work, permit, by=turn.person, via=turn.via)
        turn.say("好的,这张票没有提交。")
    else:
        turn.say("好的。" if permit is not None else GONE)
