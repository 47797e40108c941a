"""Telling a gas test (报气体): a sentence, perhaps a picture of the meter, unit and point when missing, the meter."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from bot.turn import Turn
from cards.words import local, zone
from handlers.permit import actions, cast, gas_meters, gas_needs, slots
from handlers.permit.talk import GAS, METER, POINT, UNIT, ask, permit_of, photo_of
from rules import text as text_rules
from rules.errors import RuleBroken
from rules.permit import Work, gas, sample_points
from rules.permit.life import PermitState
from rules.permit.spoken import COMBUSTIBLE, hear_gas
from rules.permit.spoken_sample_time import Sampled, sampled_at
from storage.models import Permit

UNCLEAR = "数字没分清:一种气体报一个数,带上单位,有毒气体说名字,如“动火点可燃0.1%LEL,氧20.8,硫化氢0ppm”。"
NOT_YET = ("还没测", "没测", "未测", "稍后测")
UNITS = {"lel": "%LEL", "vol": "%vol", "ppm": "ppm", "mg": "mg/m3"}
UNIT_LABELS = {"lel": "%LEL", "vol": "%(体积分数)", "ppm": "ppm", "mg": "mg/m³"}
ALL_OVER = ("top", "middle", "bottom")
POINTS = {
    Work.CONFINED_SPACE.value: ("top", "middle", "bottom", "opening"),
    Work.HOT_WORK.value: ("around", "inside"),
}
POINT_CHARS = 30
_SAYS_NOTHING = re.compile(
    r"(?:都|全)?(?:对|是|好|行|嗯|可以|没错|没问题)(?:的|了)*[。!！]?"
)  # an answer, but to no question for a place


def ask_gas(turn: Turn, permit: Permit, *, then: str, note: str = "", **memory: Any) -> None:
    """Ask for the values. `then`: what goes on afterwards (request, start, resume, nothing)."""
    choices = [("还没测", f"permit.nogas:{permit.id}.{then}")] if then == "request" else []
    question = f"报一下气体分析,如“{gas_needs.example(permit)}”。可以先发仪器照片。"
    ask(turn, question, state=GAS, permit=permit, choices=choices, note=note, then=then, **memory)


def pressed(turn: Turn, permit: Permit) -> None:
    """«报气体» on a card."""
    actions.need_sampler(turn.work, permit, turn.person)
    draft = PermitState(permit.state) in (PermitState.DRAFT, PermitState.PENDING_FACTS)
    memory: dict[str, Any] = {"gas_done": True, "guardian_done": True} if draft else {}
    ask_gas(turn, permit, then="request" if draft else "nothing", **memory)


def not_yet(turn: Turn, permit: Permit, then: str) -> None:
    """«还没测»: the verdict will say that it must be done, and by when."""
    actions.need_sampler(turn.work, permit, turn.person)
    _go_on(turn, permit, {**_memory(turn), "gas_done": True, "then": then})


def told(turn: Turn) -> None:
    """Words or a picture of the meter, in any order."""
    permit, facts = permit_of(turn, lock=True), turn.facts
    if not _may_go_on(turn, permit):
        return
    photo = photo_of(turn) or str(facts.get("photo", ""))
    if turn.text in NOT_YET:
        not_yet(turn, permit, str(facts.get("then", "request")))
        return
    heard = hear_gas(turn.text or "")
    values = list(heard.values)
    if heard.unclear:
        ask_gas(turn, permit, then=str(facts.get("then", "request")), note=UNCLEAR, **_told_so_far(turn, photo))
        return
    when = sampled_at(turn.text or "", now=turn.at, zone=zone())
    no_toxic = permit.work == Work.CONFINED_SPACE.value and gas_needs.says_no_toxic(turn.text or "")
    refused = gas_needs.refused(permit) if no_toxic else ""
    if no_toxic and not refused:
        _no_toxic(turn, permit)
    elif not values and not refused and not (when and facts.get("values")):
        draft = PermitState(permit.state) in (PermitState.DRAFT, PermitState.PENDING_FACTS)
        other = draft and bool(turn.text) and slots.beside(turn, permit, turn.text)
        note = "照片收到。" if photo_of(turn) else "记下了。" if other else "没听出数值。"
        ask_gas(turn, permit, then=str(facts.get("then", "request")), note=note, **_told_so_far(turn, photo))
        return
    problem = gas_needs.impossible(values)
    if problem:
        ask_gas(turn, permit, then=str(facts.get("then", "request")), note=problem, **_told_so_far(turn, photo))
        return
    now = gas_needs.as_toxic(permit, [value.as_dict() for value in values])
    rows = gas_needs.together(facts.get("values", []), now)
    lacking = gas_needs.lacking(permit, rows)
    known = {**_memory(turn), "photo": photo, "values": rows, **_sampled(turn, when)}
    if lacking or (when and when.problem):
        note = when.problem if when and when.problem else refused + gas_needs.hint(permit, lacking)
        ask_gas(turn, permit, then=str(facts.get("then", "request")), note=note, **known)
        return
    _next(turn, permit, {**known, "said": turn.text[:200], "then": facts.get("then", "request")})


def without_time(turn: Turn) -> str:
    """The words without those that say when the sample was taken: «8点30测的» moves no work."""
    when = sampled_at(turn.text, now=turn.at, zone=zone())
    return when.rest if when is not None else turn.text


def _sampled(turn: Turn, when: Sampled | None) -> dict[str, str]:
    """The time of the sample: as it was said last, else when its first value was told, however late the meter is named."""
    if when is not None and when.at is not None:
        return {"sampled": when.at.isoformat()}
    return {"sampled": str(turn.facts.get("sampled") or turn.at.isoformat())}


def _no_toxic(turn: Turn, permit: Permit) -> None:
    """«没有有毒», of a place whose media have no occupational limit."""
    permit.facts = {**permit.facts, "toxic_ratio": 0.0}
    words, known = "没有有毒介质", {"toxic_ratio": 0}
    actions.leave_line(turn.work, permit, "answered", by=turn.person, via=turn.via, why=words, facts=known)


def _next(turn: Turn, permit: Permit, facts: dict[str, Any]) -> None:
    """Ask for a unit, then where it was, then for the meter, then keep the test."""
    facts = {**facts, "values": gas_needs.as_toxic(permit, facts["values"])}
    open_value = next((value for value in facts["values"] if not value["unit"]), None)
    if open_value is not None:
        name = actions.gas_zh(open_value["gas"])
        keys = ("lel", "vol", "ppm") if open_value["gas"] == COMBUSTIBLE else ("ppm", "mg")
        choices = [(UNIT_LABELS[key], f"permit.unit:{permit.id}.{key}") for key in keys]
        question = f"{name} {open_value['value']:g} 的单位是?"
        ask(
            turn,
            question,
            state=UNIT,
            permit=permit,
            choices=choices,
            **{k: v for k, v in facts.items() if k != "permit"},
        )
        return
    if not sample_points.same_units(facts["values"]):
        note = "同一种气体各部位请用同一个单位报。"
        rest = {k: v for k, v in facts.items() if k not in ("values", "permit", "then")}
        ask_gas(turn, permit, then=str(facts.get("then", "request")), note=note, **rest)
        return
    if permit.work in POINTS and not all(value.get("point") for value in facts["values"]):
        _ask_point(turn, permit, facts)
        return
    if "meter" not in facts and list(turn.work.readings.portable()):
        _ask_meter(turn, permit, facts)
        return
    _keep(turn, permit, facts)


def _ask_meter(turn: Turn, permit: Permit, facts: dict[str, Any], note: str = "") -> None:
    meters = list(turn.work.readings.portable())[: gas_meters.SHOWN]
    choices = [(meter.code, f"permit.meter:{permit.id}.{meter.id}") for meter in meters]
    choices.append(("别的仪器", f"permit.meter:{permit.id}.0"))
    rest = {k: v for k, v in facts.items() if k not in ("permit", "note")}
    ask(turn, "用哪台检测仪测的?", state=METER, permit=permit, choices=choices, note=note, **rest)


def _ask_point(turn: Turn, permit: Permit, facts: dict[str, Any]) -> None:
    """The form's 取样部位. One value for several points is the worst of them."""
    known = POINTS[permit.work]
    choices = [(sample_points.POINT_ZH[point], f"permit.point:{permit.id}.{point}") for point in known]
    choices.append(("上中下都测了", f"permit.point:{permit.id}.all"))
    ask(
        turn,
        "在哪个部位取的样?点一下或直接说,如“中部”。",
        state=POINT,
        permit=permit,
        choices=choices,
        note="上、中、下都测了的,报的应是其中最差的值。",
        **{k: v for k, v in facts.items() if k != "permit"},
    )


def point_picked(turn: Turn, permit: Permit, key: str) -> None:
    points = ALL_OVER if key == "all" else (key,)
    _at_point(turn, permit, sample_points.words_of(points))


def point_said(turn: Turn) -> None:
    """«中部», «上、中、下», or words of their own («2号人孔»); values with their points replace the ones told before."""
    permit = permit_of(turn, lock=True)
    if not _may_go_on(turn, permit) or _told_anew(turn, permit):
        return
    points = sample_points.points_said(turn.text)
    words = sample_points.words_of(points) or turn.text.strip().replace("、", ",")[:POINT_CHARS]
    if not points and (_SAYS_NOTHING.fullmatch(words) or text_rules.content_problem(words) is not None):
        turn.say("没听懂部位,请点一下上面的,或说“上部”“中部”“下部”。")
        return
    _at_point(turn, permit, words)


def _at_point(turn: Turn, permit: Permit, words: str) -> None:
    facts = _open_facts(turn, permit)
    _next(turn, permit, {**facts, "values": [{"point": words, **value} for value in facts["values"]]})


def unit_picked(turn: Turn, permit: Permit, key: str) -> None:
    """The unit of the first value without one, and of the same gas at the other points."""
    facts = _open_facts(turn, permit)
    gas_name = next((value["gas"] for value in facts["values"] if not value["unit"]), None)
    values = [
        {**value, "unit": UNITS.get(key, "")} if value["gas"] == gas_name and not value["unit"] else value
        for value in facts["values"]
    ]
    _next(turn, permit, {**facts, "values": values})


def unit_said(turn: Turn) -> None:
    permit = permit_of(turn, lock=True)
    if not _may_go_on(turn, permit) or _told_anew(turn, permit):
        return
    try:
        unit = gas.unit_of(turn.text)
    except gas.BadReading as problem:
        turn.say(f"{problem}。请点一下上面的单位。")
        return
    key = {"%lel": "lel", "%vol": "vol", "ppm": "ppm", "mg/m3": "mg"}[unit]
    unit_picked(turn, permit, key)


def meter_picked(turn: Turn, permit: Permit, meter_id: str) -> None:
    facts = _open_facts(turn, permit)
    meter = next((m for m in turn.work.readings.portable() if str(m.id) == meter_id), None)
    _keep(turn, permit, {**facts, "meter": meter.code if meter is not None else ""})


def meter_said(turn: Turn) -> None:
    """A meter by its whole code, «别的仪器»; values said again («不对,可燃是15%LEL») take the place of the ones told before."""
    permit = permit_of(turn, lock=True)
    if not _may_go_on(turn, permit) or _told_anew(turn, permit):
        return
    meter = gas_meters.named(turn.work.readings.portable(), turn.text)
    if meter is None and not gas_meters.is_another(turn.text):
        _ask_meter(turn, permit, turn.facts, note="没有这台检测仪:请点一下,或说完整的编号;不在台账的说“别的仪器”。")
        return
    _keep(turn, permit, {**turn.facts, "meter": meter.code if meter is not None else ""})


def _may_go_on(turn: Turn, permit: Permit) -> bool:
    """Whether words are still for this permit: it may have been closed, or its people changed, since the question."""
    try:
        actions.need_sampler(turn.work, permit, turn.person)
    except RuleBroken as broken:
        turn.done()
        turn.say(broken.message_zh, case=cast.case_of(permit))
        return False
    return True


def _told_anew(turn: Turn, permit: Permit) -> bool:
    """Whether words while something else is asked are values; then they were taken, or asked again."""
    heard, facts = hear_gas(turn.text), turn.facts
    if heard.unclear:
        turn.say(UNCLEAR)
        return True
    values = [value.as_dict() for value in heard.values]
    when = sampled_at(turn.text, now=turn.at, zone=zone())
    if problem := gas_needs.impossible(heard.values) or (when.problem if when else ""):
        turn.say(problem)
        return True
    if not values and when is None:
        return False
    meter = gas_meters.named(turn.work.readings.portable(), turn.text)
    known = {**({"meter": meter.code} if meter is not None else {}), **_sampled(turn, when)}
    _next(
        turn,
        permit,
        {**facts, **known, "values": gas_needs.together(facts["values"], gas_needs.put_right(facts["values"], values))},
    )
    return True


def _open_facts(turn: Turn, permit: Permit) -> dict[str, Any]:
    actions.need_sampler(turn.work, permit, turn.person)
    facts = turn.facts
    if facts.get("permit") != permit.id or not facts.get("values"):
        raise RuleBroken("talk", "这个问题已经过去了,请点“报气体”重新报。")
    return facts


def _keep(turn: Turn, permit: Permit, facts: dict[str, Any]) -> None:
    actions.add_gas_test(
        turn.work,
        permit,
        by=turn.person,
        values=facts["values"],
        said=str(facts.get("said", "")),
        meter=str(facts.get("meter", "")),
        photo_sha=str(facts.get("photo", "")),
        at=datetime.fromisoformat(facts["sampled"]) if facts.get("sampled") else None,
        via=turn.via,
    )
    _go_on(turn, permit, {**facts, "gas_done": True})


def _go_on(turn: Turn, permit: Permit, facts: dict[str, Any]) -> None:
    from handlers.permit import apply, work_talk

    then = facts.get("then", "request")
    if then == "request" and PermitState(permit.state) in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        done = bool(facts.get("guardian_done"))
        apply.resume_request(turn, permit, gas_done=True, guardian_done=done, note=_earlier(turn, facts))
        return
    turn.done()
    if permit.judge_at is not None:
        permit.judge_at = turn.at
        turn.work.wake.add("chat")
    cast.redraw(turn.work, permit, f"{turn.person.name}报了气体分析")
    words = actions.gas_words(facts.get("values", []))
    judged = work_talk.gas_judgement(turn, permit)
    turn.say(f"{permit.number} 气体分析已记下:{words}。{_earlier(turn, facts)}{judged}", case=cast.case_of(permit))


def _earlier(turn: Turn, facts: dict[str, Any]) -> str:
    """Which time of sampling was understood, when it is not now."""
    if not facts.get("sampled") or not facts.get("values"):
        return ""
    at = datetime.fromisoformat(facts["sampled"])
    return f"取样时间{local(at)}。" if turn.at - at >= timedelta(minutes=1) else ""


def _told_so_far(turn: Turn, photo: str) -> dict[str, Any]:
    """What a question asked again must not forget: the values told before, and the picture."""
    values = {"values": turn.facts["values"]} if turn.facts.get("values") else {}
    when = {"sampled": turn.facts["sampled"]} if turn.facts.get("sampled") else {}
    return {**_memory(turn), **values, **when, "photo": photo}


def _memory(turn: Turn) -> dict[str, Any]:
    return {k: v for k, v in turn.facts.items() if k in ("gas_done", "guardian_done")}
