"""Cards of a roll call: one for those who are called, one for those who lead it, with who has not confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cards.card import Button, Card, Colour, Fact
from cards.words import clock_time, local, short
from rules.escalation import ROLL_CALLS
from storage.models import RollCall, RollCallMember

SAFE = {"gas_alarm": "我已撤到安全处", "evacuation": "我已撤到安全处", "permit_recall": "确认停工"}
MUST = {
    "gas_alarm": "马上停止作业,往上风向撤离,不要开关电器。到安全处后点“我已撤到安全处”。",
    "evacuation": "马上撤到集合点。到安全处后点“我已撤到安全处”。",
    "permit_recall": "立即停止作业、撤到安全处,再点“确认停工”。",
}
NAMED = 12


def member_key(call_id: int) -> str:
    return f"roll:{call_id}:member"


def leader_key(call_id: int) -> str:
    return f"roll:{call_id}:leader"


def page_of(call: RollCall) -> str:
    return f"/h5/roll-calls/{call.id}"


def kind_zh(call: RollCall) -> str:
    return ROLL_CALLS[call.kind]


def place(call: RollCall) -> str:
    return call.area.name if call.area is not None else "全厂"


def missing(call: RollCall) -> list[RollCallMember]:
    """Who has not confirmed, those who ask for help first."""
    return sorted((m for m in call.members if m.confirmed_at is None), key=lambda m: (m.help_at is None, m.id))


def helpless(call: RollCall) -> list[RollCallMember]:
    """Who asked for help and is not safe yet."""
    return [m for m in call.members if m.help_at is not None and m.confirmed_at is None]


def names(members: Sequence[RollCallMember], *, most: int = NAMED) -> str:
    listed = "、".join(m.person.name for m in members[:most])
    return listed + (f" 等{len(members)}人" if len(members) > most else "")


def standing(call: RollCall) -> str:
    """«已确认3/5,未确认:张伟、李强»."""
    left = missing(call)
    done = len(call.members) - len(left)
    head = f"已确认{done}/{len(call.members)}"
    return f"{head},未确认:{names(left)}" if left else f"{head},全员已确认"


def _colour(call: RollCall) -> Colour:
    return "green" if call.ended_at is not None else "red"


def _facts(call: RollCall) -> tuple[Fact, ...]:
    by = call.started_by.name if call.started_by is not None else "系统"
    facts = (
        Fact("范围", place(call)),
        Fact("原因", short(call.why, 30)),
        Fact("发起", f"{by} {local(call.started_at)}"),
    )
    if call.ended_at is None:
        return facts
    who = call.ended_by.name if call.ended_by is not None else "系统"
    return (*facts, Fact("解除", f"{who} {local(call.ended_at)}"))


def member_card(call: RollCall) -> Card:
    """What everybody who is called gets; redrawn only when the call is over."""
    n, over = call.id, call.ended_at is not None
    buttons = () if over else (
        Button(SAFE[call.kind], f"roll.safe:{n}", "primary"),
        Button("需要救援", f"roll.help:{n}", "danger"),
    )  # fmt: skip
    return Card(
        title=f"{kind_zh(call)}已解除" if over else f"⚠ {kind_zh(call)} · {place(call)}",
        colour=_colour(call),
        subtitle=short(call.why, 40),
        facts=_facts(call),
        body="" if over else MUST[call.kind],
        note=f"{call.number} · 每个人都要确认" if not over else f"{call.number} 已解除,谢谢配合",
        page=page_of(call),
        buttons=buttons,
        state="roll.over" if over else "roll.member",
    )


def leader_card(call: RollCall) -> Card:
    """What those who lead get: who has not confirmed."""
    over, left, lost = call.ended_at is not None, missing(call), helpless(call)
    lines = [f"需要救援:{names(lost)}"] if lost else []
    lines.append(f"未确认({len(left)}):{names(left)}" if left else "全员已确认")
    buttons = () if over else (
        Button("再催一次", f"roll.again:{call.id}", "primary"),
        Button("解除", f"roll.end:{call.id}", "danger"),
    )  # fmt: skip
    return Card(
        title=f"{call.number} {kind_zh(call)}点名 · {'已解除' if over else place(call)}",
        colour="green" if over or not left else "red",
        subtitle=short(call.why, 40),
        facts=(Fact("已确认", f"{len(call.members) - len(left)}/{len(call.members)}"), *_facts(call)),
        body="\n".join(lines),
        note=f"更新于 {clock_time(_newest(call))}",
        page=page_of(call),
        buttons=buttons,
        state="roll.over" if over else "roll.leader",
    )


def _newest(call: RollCall) -> datetime:
    return max(
        [
            call.started_at,
            *(m.confirmed_at for m in call.members if m.confirmed_at),
            *([call.ended_at] if call.ended_at else []),
        ]
    )


def line(call: RollCall) -> str:
    """«DM-0001 撤离 甲醇罐区 已确认3/5,未确认:张伟、李强(12分钟)»."""
    return f"{call.number} {kind_zh(call)} {place(call)} {standing(call)}"


def sms_params(call: RollCall) -> dict[str, str]:
    """The variables of the approved SMS template. No names: an SMS passes through others' hands."""
    return {
        "grade": f"{kind_zh(call)}点名",
        "number": call.number,
        "area": place(call),
        "time": local(call.started_at),
    }
