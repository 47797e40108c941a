"""Roll calls in chat: «撤离 甲醇罐区 原因», «点名», «DM-0001 张伟 安全», and the buttons of the cards."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards import roll_call as cards
from handlers import duty
from handlers.permit import feel
from handlers.roll_call import actions, triggers
from rules.errors import RuleBroken
from rules.terms import Role
from storage.models import Area, Person, RollCall
from storage.unit_of_work import UnitOfWork

START = re.compile(r"^(?:发起|启动|组织)?(?:紧急)?(?:撤离|疏散)(?:点名)?[\s::,,]+(\S+?)(?:[\s,,::]+(.*))?$")
FOR_OTHERS = re.compile(r"^(?i:DM)[-–— ]?(\d{1,6})\s+(\S+?)\s*(?:已?安全|已?撤离|找到了?)$")
FLOW, SURE = "roll_call", "sure"
WHOLE = ("全厂", "本厂", "全员")
STARTERS = {*actions.LEADERS, Role.ADMIN}
GONE = "没有找到这次点名,发“点名”看看正在进行的。"


def _named(turn: Turn, name: str) -> tuple[bool, Area | None]:
    """(whether the words name a place, the area; None: the whole plant)."""
    if name in WHOLE:
        return True, None
    found = next((a for a in turn.work.plant.areas() if name in (a.name, a.code)), None)
    return found is not None, found


def is_order(turn: Turn) -> bool:
    """A leader's order goes before words of danger in it; anybody else's sentence is a report."""
    match = START.match(turn.text)
    if match is None:
        return False
    known, area = _named(turn, match.group(1))
    return known and bool(STARTERS & duty.roles_of(turn.work, turn.person, area.id if area else None))


def start_asked(turn: Turn) -> None:
    """«撤离 甲醇罐区 氨泄漏»: asked once whether it is meant, because everybody there is called."""
    match = START.match(turn.text)
    name, why = (match.group(1), (match.group(2) or "").strip()) if match else ("", "")
    known, area = _named(turn, name)
    if not known:
        names = "、".join(a.name for a in turn.work.plant.areas())
        turn.say(
            f"没有找到区域“{name[:12]}”,可写:全厂、{names}。例如:撤离 {names.split('、')[0]} 氨泄漏。有险情请直接说,我会马上派单。"
        )
        return
    if not STARTERS & duty.roles_of(turn.work, turn.person, area.id if area else None):
        turn.say(
            "撤离点名由班组长、车间主任、安全员或分管领导发起。有险情请直接说(如“3号泵房着火了”),我会马上通知他们。"
        )
        return
    people = triggers.people_at(turn.work, area.id if area else None)
    place = area.name if area is not None else "全厂"
    if not people:
        turn.say(f"名册上没有属于{place}的人,没法点名。请先导入人员和区域角色。")
        return
    turn.ask(
        f"向{place}的{len(people)}人发出撤离点名?",
        flow=FLOW,
        state=SURE,
        facts={"area": area.id if area is not None else 0, "why": why or "负责人发起撤离"},
        choices=[("发出撤离", f"roll.start:{area.id if area is not None else 0}"), ("不发", "roll.no")],
        expires_after=timedelta(minutes=10),
    )


def press_start(turn: Turn, rest: str) -> None:
    if not rest.isdigit() or str(turn.facts.get("area")) != rest or turn.conversation is None:
        turn.say("这个按钮已经失效,请重新说“撤离 区域 原因”。")
        return
    area_id, why = int(rest) or None, str(turn.facts["why"])
    turn.done()
    if not STARTERS & duty.roles_of(turn.work, turn.person, area_id):
        turn.say("撤离点名由班组长、车间主任、安全员或分管领导发起,请联系他们。")
        return
    turn.work.roll_calls.hold()
    already = turn.work.roll_calls.open_at(area_id, triggers.LEAVES)
    if already is not None and already.area_id == area_id:
        turn.say(f"{cards.line(already)}。这次点名还在进行。", case=actions.case_of(already))
        return
    people = triggers.people_at(turn.work, area_id)
    call = actions.start(turn.work, people, kind="evacuation", area_id=area_id, why=why, by=turn.person, via=turn.via)
    turn.say(f"{call.number} 已向{len(call.members)}人发出撤离,{_left(call)}。", case=actions.case_of(call))


def sure_said(turn: Turn) -> None:
    """The same by a typed or spoken word."""
    press_start(turn, str(turn.facts.get("area", "")))


def not_sure(turn: Turn) -> None:
    press_no(turn, "")


def press_no(turn: Turn, _rest: str) -> None:
    turn.done()
    turn.say("好的,没有发出。")


def _left(call: RollCall) -> str:
    left = cards.missing(call)
    return f"还有{len(left)}人没有确认:{cards.names(left)}" if left else "全员已确认"


def press(act: Callable[[Turn, RollCall], None]) -> Callable[[Turn, str], None]:
    def handle(turn: Turn, rest: str) -> None:
        call = turn.work.roll_calls.find(int(rest), lock=True) if rest.isdigit() else None
        if call is None:
            turn.say(GONE)
            return
        try:
            act(turn, call)
        except RuleBroken as broken:
            turn.say(broken.message_zh, case=actions.case_of(call))

    return handle


def safe(turn: Turn, call: RollCall) -> None:
    """«我已撤到安全处»; for a permit that is called off it is its «确认停工» too."""
    if call.case_kind == "permit" and call.case_id is not None:
        feel.confirm(turn.work, turn.work.permits.get(call.case_id, lock=True), by=turn.person, via=turn.via)
    else:
        actions.confirm(turn.work, call, person=turn.person, by=turn.person, via=turn.via)
    turn.say(f"已记下,您安全。{_left(call)}。", case=actions.case_of(call))


def help_wanted(turn: Turn, call: RollCall) -> None:
    actions.ask_help(turn.work, call, by=turn.person, via=turn.via)
    turn.say("已通知负责人来救援,请发您的位置或说在哪里。能动就往上风向走,不要盲目施救。", case=actions.case_of(call))


def again(turn: Turn, call: RollCall) -> None:
    asked = actions.again(turn.work, call, by=turn.person, via=turn.via)
    turn.say(f"已再催{asked}人。" if asked else "全员已确认,不用再催。", case=actions.case_of(call))


def over(turn: Turn, call: RollCall) -> None:
    actions.end(turn.work, call, by=turn.person, via=turn.via)
    turn.say(f"{call.number} 已解除,已告诉所有人。{cards.standing(call)}。", case=actions.case_of(call))


def seen(work: UnitOfWork, call: RollCall, person: Person, *, by: Person, via: str) -> None:
    """Somebody who leads has seen this person. Raises RuleBroken."""
    actions.confirm(work, call, person=person, by=by, via=via)
    if call.case_kind == "permit" and call.case_id is not None:
        feel.seen(work, work.permits.get(call.case_id, lock=True), person, by=by, via=via)


def listed(turn: Turn) -> None:
    """«点名»: what is under way, with who has not confirmed."""
    calls = turn.work.roll_calls.open()
    if not calls:
        turn.say("现在没有进行中的点名。发起撤离请说:撤离 区域 原因。")
        return
    turn.say("\n".join(cards.line(call) for call in calls[:10]))


def safe_for_other(turn: Turn) -> None:
    """«DM-0001 张伟 安全»: somebody who leads has seen them."""
    match = FOR_OTHERS.match(turn.text)
    call = turn.work.roll_calls.find(int(match.group(1)), lock=True) if match else None
    if match is None or call is None:
        turn.say(GONE)
        return
    member = [m for m in call.members if m.person.name == match.group(2)]
    if len(member) != 1:
        turn.say(f"{call.number} 里{'没有' if not member else '有多位'}“{match.group(2)}”。{cards.standing(call)}。")
        return
    try:
        seen(turn.work, call, member[0].person, by=turn.person, via=turn.via)
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=actions.case_of(call))
        return
    turn.say(f"已确认{member[0].person.name}安全,{_left(call)}。", case=actions.case_of(call))


flow = Flow(
    name=FLOW,
    first=[on(Kind.TEXT, start_asked, fits=is_order)],
    starts=[
        said(("点名", "谁没确认", "撤离情况", "点名情况"), listed),
        like(START.pattern, start_asked),
        like(FOR_OTHERS.pattern, safe_for_other),
    ],
    states={
        SURE: [
            said(("发出撤离", "发出", "发", "是", "是的", "确认", "确定"), sure_said),
            said(("不发", "不", "不是", "取消", "算了"), not_sure),
        ]
    },
    buttons={
        "roll.start": press_start,
        "roll.no": press_no,
        "roll.safe": press(safe),
        "roll.help": press(help_wanted),
        "roll.again": press(again),
        "roll.end": press(over),
    },
)
