"""Micro-actions (微动作) of moments that no permit covers: «卸车», «投料», «置换» said in chat, with their evidence.

MA-20 two people check medium and batch before charging; MA-21 bond and earth before unloading, then 15 minutes to settle
(an enterprise figure); MA-22 oxygen at or under the plant's own value before a nitrogen-blanketed start. All three are
enterprise practice: no rule of the product rests on them. What was done stands in the trail of the area.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot import outbox
from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards.card import Button, Card
from cards.words import clock_time, local
from handlers.hazard import place as places
from rules import text as words
from storage.models import Person, TrailLine

FLOW = "moments"
CASE = "moment"  # of the trail; its id is the area's
PLACE, PHOTO, BATCH, SECOND, VALUE = "place", "photo", "batch", "second", "value"
PATIENCE = timedelta(hours=1)
SETTLES = timedelta(minutes=15)
KINDS: Mapping[str, tuple[str, str]] = {
    "卸车": ("MA-21", "接地后卸车"),
    "投料": ("MA-20", "投料双人核对"),
    "置换": ("MA-22", "置换测氧"),
}
BEGINS = r"^(?:准备|开始|要|马上|现在)?(?:氮气)?(卸车|投料|置换)(?:了|啦)?(?:[,,\s]*[A-Za-z]{1,4}-?\d{1,5}[A-Za-z]?)?$"
DONE_ZH = {
    "bonded": "已接地",
    "charge_told": "投料核对,等第二人",
    "charge_agreed": "双人核对无误",
    "charge_differs": "核对不符",
    "purged": "置换测氧",
}
HIGHEST_SET = 15.0  # % vol; a value so near to air is a slip of the tongue, no value of a purge
_OXYGEN = re.compile(r"(?<![\d.-])(\d{1,2}(?:\.\d+)?)")
_SET = re.compile(r"(?:设定值?|要求|标准|不超过|≤)\D{0,4}(\d{1,2}(?:\.\d+)?)")


def begin(turn: Turn) -> None:
    """The moment is named; where it is comes first, then what that moment asks for."""
    found = re.search(BEGINS, turn.text)
    kind = found.group(1) if found else "卸车"
    place = _place(turn, turn.text)
    if place is None:
        _ask_place(turn, kind)
        return
    _ask_proof(turn, {"kind": kind, **place})


def _place(turn: Turn, text: str) -> dict[str, Any] | None:
    for mention in words.equipment_codes(text):
        equipment = turn.work.plant.equipment_by_code(mention.code)
        if equipment is not None:
            return {"area": equipment.area_id, "where": equipment.code}
    area = places.area_named(turn.work, text)
    return {"area": area.id, "where": area.name} if area is not None else None


def _ask_place(turn: Turn, kind: str, *, note: str = "") -> None:
    choices = [(area.name, f"moment.area:{area.id}") for area in list(turn.work.plant.areas())[:6]]
    _ask(turn, f"{kind}:在哪里?说设备位号或点区域。", PLACE, {"kind": kind}, choices=choices, note=note)


def _ask(turn: Turn, question: str, state: str, facts: dict[str, Any], **more: Any) -> None:
    turn.ask(question, flow=FLOW, state=state, facts=facts, expires_after=PATIENCE, **more)


def place_said(turn: Turn) -> None:
    place = _place(turn, turn.text)
    if place is None:
        _ask_place(turn, str(turn.facts["kind"]), note="没有找到这个区域或位号。")
        return
    _ask_proof(turn, {**turn.facts, **place})


def area_tapped(turn: Turn, area_id: str) -> None:
    """A press of an old question finds nothing to go on with."""
    facts = _open(turn)
    if facts is None or not area_id.isdigit():
        turn.say("这个问题已经过去了,请重新说“卸车”“投料”或“置换”。")
        return
    area = turn.work.plant.area(int(area_id))
    _ask_proof(turn, {**facts, "area": area.id, "where": area.name})


def _open(turn: Turn) -> dict[str, Any] | None:
    return turn.facts if turn.conversation is not None and turn.conversation.flow == FLOW else None


def _ask_proof(turn: Turn, facts: dict[str, Any], *, note: str = "") -> None:
    if facts["kind"] == "卸车":
        _ask(turn, f"{facts['where']} 卸车前:夹好静电接地夹,把夹子和接线拍一张发来。", PHOTO, facts, note=note)
    elif facts["kind"] == "投料":
        _ask(turn, f"{facts['where']} 投料:投什么、批号多少?如“甲醇 批号1124-3”。", BATCH, facts, note=note)
    else:
        question = f"{facts['where']} 置换后氧含量多少、本厂设定值多少?如“氧0.4,设定0.5”。"
        _ask(turn, question, VALUE, facts, note=note)


def _leave_line(turn: Turn, facts: Mapping[str, Any], action: str, why: str, **data: object) -> TrailLine:
    micro = KINDS[facts["kind"]][0]
    return turn.work.trail.add(
        CASE,
        int(facts["area"]),
        action,
        at=turn.at,
        by_id=turn.person.id,
        why=why,
        via=turn.via,
        data={"micro": micro, "where": facts["where"], **data},
    )


# -- unloading


def photo_sent(turn: Turn) -> None:
    photo = next((f.sha256 for f in turn.fetched if f.kind == "image" and f.sha256), "")
    if not photo:
        _ask_proof(turn, turn.facts, note="要一张看得清接地夹的照片。")
        return
    facts = turn.facts
    _leave_line(turn, facts, "bonded", f"{facts['where']} 卸车前接地", photo=photo)
    turn.done()
    turn.say(
        f"{facts['where']} 接地已记下({KINDS['卸车'][0]})。静置15分钟,{clock_time(turn.at + SETTLES)}以后再卸(企业做法)。"
    )


# -- charging: two people


def batch_said(turn: Turn) -> None:
    if len(turn.text) < 3 or not any(c.isdigit() for c in turn.text):
        _ask_proof(turn, turn.facts, note="介质和批号都要说。")
        return
    _ask_second(turn, {**turn.facts, "batch": turn.text[:100]})


def _ask_second(turn: Turn, facts: dict[str, Any], *, note: str = "") -> None:
    _ask(turn, "谁和您一起核对?说名字。", SECOND, facts, note=note)


def second_said(turn: Turn) -> None:
    found = [person for person in turn.work.people.by_name(turn.text.strip()) if person.active]
    if len(found) != 1:
        code = turn.work.people.by_code(turn.text.strip())
        found = [code] if code is not None and code.active else found
    if len(found) != 1:
        note = "有重名,请说工号。" if found else f"名册里没有“{turn.text[:8]}”。"
        _ask_second(turn, turn.facts, note=note)
        return
    second = turn.work.people.get(found[0].id)
    address = outbox.address_of(second)
    if second.id == turn.person.id or address is None:
        note = "第二人要是别人。" if second.id == turn.person.id else f"{second.name}没有账号,收不到,请换一位。"
        _ask_second(turn, turn.facts, note=note)
        return
    facts = turn.facts
    line = _leave_line(turn, facts, "charge_told", f"{facts['where']} {facts['batch']}", second=second.id)
    turn.done()
    outbox.post_card(
        turn.work,
        _key(line),
        _card(line, turn.person, second),
        [address],
        purpose="moment.charge",
        urgency=outbox.URGENT,
    )
    turn.say(f"已请{second.name}核对({KINDS['投料'][0]})。{second.name}点“核对无误”之前不要投料。")


def _key(line: TrailLine) -> str:
    return f"moment:{line.case_id}.{line.seq}"


def _card(line: TrailLine, first: Person, second: Person, *, last: str = "") -> Card:
    ref = f"{line.case_id}.{line.seq}"
    buttons = (Button("核对无误", f"moment.agree:{ref}"), Button("不对", f"moment.differ:{ref}"))
    body = f"{line.why}\n{first.name}已核对,请{second.name}到现场对照料桶和工艺单再核对一遍。"
    return Card(
        title="投料双人核对",
        colour="blue",
        body=body,
        note=last,
        buttons=() if last else buttons,
        state=last and "done",
    )


def agreed(turn: Turn, ref: str) -> None:
    _second_signs(turn, ref, "charge_agreed")


def differs(turn: Turn, ref: str) -> None:
    _second_signs(turn, ref, "charge_differs")


def _second_signs(turn: Turn, ref: str, action: str) -> None:
    area, _, seq = ref.partition(".")
    lines = turn.work.trail.of(CASE, int(area)) if area.isdigit() else []
    line = next((one for one in lines if str(one.seq) == seq and one.action == "charge_told"), None)
    if line is None:
        turn.say("没有找到这次投料核对。")
    elif line.data["second"] != turn.person.id:
        turn.say("由被点名的第二人核对。")
    elif any(one.data.get("of") == line.seq for one in lines):
        turn.say("已经核对过了。")
    else:
        _keep_second(turn, line, action)


def _keep_second(turn: Turn, line: TrailLine, action: str) -> None:
    facts = {"kind": "投料", "area": line.case_id, "where": line.data["where"]}
    _leave_line(turn, facts, action, line.why, of=line.seq)
    first = turn.work.people.get(int(line.by_id or 0))
    fine = action == "charge_agreed"
    last = f"{turn.person.name} {local(turn.at)} {'核对无误' if fine else '核对不符'}"
    outbox.redraw(turn.work, _key(line), _card(line, first, turn.person, last=last))
    address = outbox.address_of(first)
    told = f"{line.why}:{turn.person.name}{'核对无误,可以投料。' if fine else '核对不符,不要投料,请一起查清。'}"
    if address is not None:
        outbox.say(
            turn.work,
            address,
            told,
            purpose="moment.charge",
            dedupe_key=f"{_key(line)}:{action}",
            urgency=outbox.URGENT,
        )
    turn.say(f"已记下:{'核对无误' if fine else '核对不符'}。")


# -- purging


def value_said(turn: Turn) -> None:
    """Both values, or the oxygen alone where the plant's value is known from last time."""
    facts, plain = turn.facts, words.normalise(turn.text).replace("o2", "氧")
    given = _SET.search(plain)
    oxygen = _OXYGEN.search(plain.replace(given.group(0), " ") if given else plain)
    limit = float(given.group(1)) if given else _known_limit(turn, int(facts["area"]), str(facts["where"]))
    if oxygen is None or limit is None or limit > HIGHEST_SET:
        note = "没听出氧含量。" if oxygen is None else "还缺本厂的设定值,如“氧0.4,设定0.5”。"
        if limit is not None and limit > HIGHEST_SET:
            note = f"设定值 {limit:g}% 接近空气,请核对。"
        _ask_proof(turn, facts, note=note)
        return
    value = float(oxygen.group(1))
    fine = value <= limit
    why = f"{facts['where']} 氧{value:g}% {'≤' if fine else '>'} 设定{limit:g}%"
    _leave_line(turn, facts, "purged", why, value=value, limit=limit)
    turn.done()
    turn.say(f"{why}:" + ("合格,已记下(MA-22)。" if fine else "不合格,不能开车,继续置换后再测。"))


def _known_limit(turn: Turn, area_id: int, where: str) -> float | None:
    lines = turn.work.trail.of(CASE, area_id)
    found = [line.data.get("limit") for line in lines if line.action == "purged" and line.data.get("where") == where]
    return float(found[-1] or 0) if found else None


# -- looking back


def today(turn: Turn) -> None:
    """«微动作»: what was done in the last day, area by area."""
    since = turn.at - timedelta(days=1)
    lines = [line for area in turn.work.plant.areas() for line in turn.work.trail.of(CASE, area.id) if line.at > since]
    if not lines:
        turn.say("最近一天没有卸车、投料、置换的微动作。作业票的微动作在票上。")
        return
    rows = [
        f"{local(line.at)} {line.data['micro']} {line.why} {DONE_ZH[line.action]}({turn.work.people.get(line.by_id or 0).name})"
        for line in sorted(lines, key=lambda line: line.at)[-10:]
    ]
    turn.say("最近一天的微动作:\n" + "\n".join(rows))


def cancelled(turn: Turn) -> None:
    turn.done()
    turn.say("好的,没有记。")


_TOLD = (Kind.TEXT, Kind.VOICE)
flow = Flow(
    name=FLOW,
    starts=[like(BEGINS, begin), said(("微动作", "今天的微动作"), today)],
    states={
        PLACE: [on(kind, place_said) for kind in _TOLD],
        PHOTO: [on(kind, photo_sent) for kind in (Kind.IMAGE, *_TOLD)],
        BATCH: [on(kind, batch_said) for kind in _TOLD],
        SECOND: [on(kind, second_said) for kind in _TOLD],
        VALUE: [on(kind, value_said) for kind in _TOLD],
    },
    anywhere=[said(("取消", "算了"), cancelled)],
    buttons={"moment.area": area_tapped, "moment.agree": agreed, "moment.differ": differs},
)
