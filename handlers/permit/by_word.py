"""What the card's buttons do, said in words: «停止动火», «叫停 ZY-0001 脚手板松动», «报气体», «延期».

A card may lie far up in the chat; who sees something wrong says it. Stopping is heard in the middle of any dialogue, and
one's own only running permit is stopped at the word; with several, or somebody else's, a tap says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.flow import like
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from cards.words import local
from handlers.permit import apply, cast, gas_talk, measure_talk, sign_talk, work_talk
from handlers.permit.talk import GONE, KINDS, NUMBER, guarded, number_said
from rules.permit import Work
from rules.permit.life import PermitState
from storage.models import Permit

Act = Callable[[Turn, Permit], None]
SHOWN = 6
_STOP = (
    rf"(?:请|马上|立即|赶紧|现在)?(?:叫停|停工|停止作业|停止(?:{KINDS})(?:作业)?"
    rf"|(?:{KINDS})(?:作业)?(?:先)?(?:停下来?|停一下|停一停|叫停))"
)
STOP = rf"^(?:{NUMBER})?[,,\s]*{_STOP}[,,\s]*(?:{NUMBER})?$"
STOP_WHY = (
    rf"^(?:(?={NUMBER}|.*{_STOP}[,,\s]*{NUMBER})(?:{NUMBER})?[,,\s]*{_STOP}[,,\s]*(?:{NUMBER})?[,,。::\s]+(.{{2,80}}))$"
)
LONGER = rf"^(?=.*(?:延期|延长|续期|续票|续时间)).*(?:{NUMBER}|作业票|(?:{KINDS})票)"
UNDER_WAY = (PermitState.ACTIVE, PermitState.INTERRUPTED)
EXTENDABLE = (PermitState.APPROVED, *UNDER_WAY, PermitState.SUSPENDED, PermitState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Verb:
    """A button by its label: the states it means something in, and its step. `after`: also when the work is done."""

    name: str
    act: Act
    states: Sequence[PermitState]
    after: bool = False


RUNNING = (*UNDER_WAY, PermitState.SUSPENDED)
VERBS: dict[str, Verb] = {
    "中断": Verb("pause", work_talk.pause, (PermitState.ACTIVE,)),
    "暂停作业": Verb("pause", work_talk.pause, (PermitState.ACTIVE,)),
    "暂停一下": Verb("pause", work_talk.pause, (PermitState.ACTIVE,)),
    "恢复作业": Verb("resume", work_talk.resume, (PermitState.INTERRUPTED, PermitState.SUSPENDED)),
    **{
        said: Verb("finish", work_talk.finish, (*RUNNING, PermitState.EXPIRED))
        for kind in ("作业", *KINDS.split("|"))
        for said in ("收工", "收工了", f"{kind}结束", f"{kind}结束了", f"{kind}完了", f"{kind}干完了")
    },
    "监护打卡": Verb("checkin", work_talk.check_in, (PermitState.APPROVED, *RUNNING)),
    "监护到位": Verb("checkin", work_talk.check_in, (PermitState.APPROVED, *RUNNING)),
    "监护交接": Verb("handover", work_talk.handover, UNDER_WAY),
    "报气体": Verb("gas", gas_talk.pressed, (PermitState.APPROVED, *RUNNING)),
    "开始作业": Verb("start", work_talk.start, (PermitState.APPROVED,)),
    "确认措施": Verb("measures", measure_talk.list_measures, (PermitState.APPROVED,)),
    "接受交底": Verb("briefed", work_talk.briefed, (PermitState.APPROVED, *UNDER_WAY)),
    "确认停工": Verb("confirm", work_talk.confirm, (PermitState.SUSPENDED, PermitState.EXPIRED), after=True),
}
SIGNS: dict[str, Act] = {
    "批准": sign_talk.approve,
    "同意": sign_talk.approve,
    "会签": sign_talk.sign,
    "不批准": sign_talk.refuse,
    "不予批准": sign_talk.refuse,
    "不同意": sign_talk.refuse,
    "退回": sign_talk.give_back,
    "撤回": apply.drop,
    "班长验票": work_talk.leader,
    "验票": work_talk.leader,
}
"""Only with a number: «同意» alone says nothing about which."""
_SIGN = rf"^(?:{NUMBER}[,,\s]*({'|'.join(SIGNS)})|({'|'.join(SIGNS)})[,,\s]*{NUMBER})(?:[,,。\s].{{0,60}})?$"
_DO = rf"^(?:({NUMBER})[,,\s]*)?({'|'.join(VERBS)})[,,\s]*({NUMBER})?$"


def _mine(turn: Turn, states: Sequence[PermitState], *, after: bool = False) -> list[Permit]:
    kind = next((kind.value for kind in Work if kind.zh in turn.text), "")
    return [
        permit
        for permit in turn.work.permits.of_person(turn.person.id)
        if PermitState(permit.state) in states and (after or permit.ended_at is None) and kind in ("", permit.work)
    ]


def _run(turn: Turn, permit: Permit, act: Act) -> None:
    locked = turn.work.permits.get(permit.id, lock=True)
    guarded(turn, locked, lambda: act(turn, locked))


def _choose(turn: Turn, permits: Sequence[Permit], question: str, verb: str) -> None:
    buttons = tuple(Button(permit.number or "", f"permit.{verb}:{permit.id}") for permit in permits[:SHOWN])
    body = "\n".join(cards.line(permit) for permit in permits[:SHOWN])
    card = Card(title=question, colour="red" if verb == "stop" else "blue", body=body, buttons=buttons, state="ask")
    turn.show(card, key=f"ask:{turn.inbox_id}")


# -- stopping


def stop_said(turn: Turn) -> None:
    """Stopped at the word when it is clear which one; the reason is kept when it was said."""
    reason = re.search(STOP_WHY, turn.text)
    why = reason.group(1).strip() if reason else ""
    numbered, permit = number_said(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, UNDER_WAY)
    if len(mine) == 1:
        _run(turn, mine[0], lambda turn, permit: work_talk.stop(turn, permit, why=why))
        return
    others = mine or [
        permit
        for permit in turn.work.permits.live(states=[state.value for state in UNDER_WAY])
        if permit.ended_at is None and cast.may_watch(permit, turn.person)
    ]
    if others:
        _choose(turn, others, "叫停哪一张?点一下马上停。", "stop")
    else:
        turn.say("您不在作业中的作业票上。看到危险先当面叫停,再把现场拍给我上报隐患;紧急的直接说“着火了”“漏了”。")


# -- the other buttons


def verb_said(turn: Turn) -> None:
    """The verb on the permit that was named, or on one's own for which it means something now."""
    found = re.search(_DO, turn.command)
    verb = VERBS[found.group(2)] if found else VERBS["报气体"]
    label = found.group(2) if found else "报气体"
    numbered, permit = number_said(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, verb.states, after=verb.after)
    if len(mine) == 1:
        _run(turn, mine[0], verb.act)
    elif mine:
        _choose(turn, mine, f"{label}:哪一张?", verb.name)
    else:
        turn.say(f"您现在没有可以“{label}”的作业票。发“作业票”看自己的,或说“{label} ZY-0001”。")


def sign_said(turn: Turn) -> None:
    """«批准 ZY-0001», «ZY-0001 不同意»: as the button; place and reason are asked next."""
    found = re.search(_SIGN, turn.text)
    _, permit = number_said(turn)
    if found is None or permit is None:
        turn.say(GONE)
        return
    _run(turn, permit, SIGNS[found.group(1) or found.group(2)])


def longer_said(turn: Turn) -> None:
    """«延期»: never a longer old permit; a new one from the same place, job and people (4.16)."""
    numbered, permit = number_said(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, EXTENDABLE)
    rule = "作业票不能延长,到期须停止作业、重新办票(4.16)。"
    may = [one for one in mine if cast.may_watch(one, turn.person) and PermitState(one.state) in EXTENDABLE]
    if not may:
        turn.say(f"{rule}发“作业票”可以办新的。")
        return
    body = "\n".join(
        [rule, *(f"{one.number} 到{local(one.valid_until)}为止" for one in may[:SHOWN] if one.valid_until)]
    )
    label = "重新办票" if len(may) == 1 else ""
    buttons = tuple(Button(label or f"重办{one.number}", f"permit.renew:{one.id}") for one in may[:SHOWN])
    turn.show(
        Card(title="接着干要重新办票", colour="orange", body=body, buttons=buttons, state="ask"),
        key=f"ask:{turn.inbox_id}",
    )


FIRST = (like(STOP, stop_said), like(STOP_WHY, stop_said))
STARTS = (like(_DO, verb_said), like(_SIGN, sign_said), like(LONGER, longer_said))
