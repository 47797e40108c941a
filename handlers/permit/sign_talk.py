"""Signing in chat: on the spot with the phone's position, countersigns, refusing with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from bot.message import Kind
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from handlers.hazard import place as places
from handlers.permit import cast, signing
from handlers.permit.talk import (
    REASON,
    SITE,
    ask,
    guarded,
    permit_of,
)
from rules.geo import Point
from storage.models import Permit, PermitApproval

UNITS = 6  # buttons of one card; who signs for more is asked again


def approve(turn: Turn, permit: Permit) -> None:
    """«到现场审批»: the position is asked for, it must be at the work."""
    row = signing.check_signer(turn.work, permit, turn.person, "approve")
    note = f"{cards.name(permit)},{cards.place(permit)},由您以{row.words}身份审批。"
    text = f"{permit.number} 请在作业现场发一下位置。"  # the request itself first: a phone cuts long titles
    ask(turn, text, state=SITE, permit=permit, note=note, page=f"/h5/permits/{permit.id}/here")


def position_sent(turn: Turn) -> None:
    permit = permit_of(turn, lock=True)
    if turn.message.position is None:
        turn.say(
            "钉钉里发的位置我收不到,请点上一条里的“打开”定位。"
            if turn.message.kind is Kind.UNKNOWN
            else "请发现场位置(不是文字)。"
        )
        return
    point, accuracy = places.to_point(turn.message.position), turn.message.position.accuracy_m
    guarded(turn, permit, lambda: approve_here(turn, permit, point, accuracy))


def approve_here(turn: Turn, permit: Permit, point: Point, accuracy_m: float | None) -> None:
    signing.approve(turn.work, permit, by=turn.person, here=point, accuracy_m=accuracy_m, via=turn.via)
    turn.done()
    turn.say(
        f"{permit.number} 已批准,{cards.span(permit)}有效。验票、措施、交底做完后由监护人开始。"
        + ("取样已超过30分钟,开始前须重新取样。" if permit.result == "fail" else ""),
        case=cast.case_of(permit),
    )


def sign(turn: Turn, permit: Permit) -> None:
    """«会签»: the only unit that is this person's to sign for, or the question which."""
    rows = signing.units_of(turn.work, permit, turn.person)
    if len(rows) == 1:
        sign_for(turn, permit, str(rows[0].id))
    else:
        _ask_unit(turn, permit, rows)


def sign_for(turn: Turn, permit: Permit, row: str) -> None:
    """One unit's signature; who signs for more is asked for the next."""
    unit = signing.countersign(
        turn.work, permit, by=turn.person, via=turn.via, row_id=int(row) if row.isdecimal() else 0
    )
    turn.say(f"{permit.number} 已会签:{unit}。", case=cast.case_of(permit))
    left = [
        one for one in cast.open_signatures(permit, "countersign") if cast.may_sign(turn.work, permit, turn.person, one)
    ]
    if left:
        _ask_unit(turn, permit, left)


def _ask_unit(turn: Turn, permit: Permit, rows: Sequence[PermitApproval]) -> None:
    buttons = tuple(Button(row.words, f"permit.signfor:{permit.id}.{row.id}") for row in rows[:UNITS])
    note = "一次签一个单位;会签了的人不能再审批这张票。"
    card = Card(title=f"{permit.number} 您代表哪个单位会签?", colour="blue", note=note, buttons=buttons, state="ask")
    turn.show(card, key=f"ask:{turn.inbox_id}")


def refuse(turn: Turn, permit: Permit) -> None:
    signing.check_signer(turn.work, permit, turn.person, "approve")
    ask(turn, f"不批准 {permit.number},请用一句话说明原因。", state=REASON, permit=permit, what="refuse")


def give_back(turn: Turn, permit: Permit) -> None:
    signing.check_signer(turn.work, permit, turn.person, "approve")
    ask(turn, f"退回 {permit.number},请用一句话说明要补充什么。", state=REASON, permit=permit, what="return")
