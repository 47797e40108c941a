"""Names of the dialogue's states and the small pieces its parts share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.flow import Press
from bot.turn import Turn
from cards.card import Button, Card
from rules.errors import RuleBroken
from storage.models import Permit

FLOW = "permit"
WATCH_PHOTO = "watch_photo"
TELLING, GAS, UNIT, POINT, METER, GROUP, ANSWER = "telling", "gas", "unit", "point", "meter", "group", "answer"
SITE, REASON, MEASURE, START_PHOTO, FINISH_LIST, FINISH_PHOTO, HANDOVER, HANDOVER_ITEM = (
    "site",
    "reason",
    "measure",
    "start_photo",
    "finish_list",
    "finish_photo",
    "handover",
    "handover_item",
)
PATIENCE = timedelta(hours=2)
KINDS = "动火|受限空间|盲板抽堵|盲板|高处|吊装|临时用电|动土|断路"
NUMBER = r"[Zz][Yy][-–— ]?\d{1,7}"
"""A permit's number as it is said, anywhere in a sentence."""
GONE = "没有找到这张作业票。发“作业票”看看现在的。"
MANY_WORDS = 300


def here(turn: Turn) -> dict[str, Any]:
    """What this dialogue remembers; {} when another dialogue is open in the chat."""
    return turn.facts if turn.conversation is not None and turn.conversation.flow == FLOW else {}


def permit_of(turn: Turn, *, lock: bool = False) -> Permit:
    """The permit the dialogue is about."""
    return turn.work.permits.get(int(turn.facts["permit"]), lock=lock)


def number_said(turn: Turn) -> tuple[bool, Permit | None]:
    """(whether a number was said, its permit)."""
    found = re.search(NUMBER, turn.text)
    if found is None:
        return False, None
    digits = "".join(c for c in found.group() if c.isdigit())
    return True, turn.work.permits.by_number(f"ZY-{int(digits):04d}")


def ask(
    turn: Turn,
    question: str,
    *,
    state: str,
    permit: Permit,
    choices: list[tuple[str, str]] | None = None,
    note: str = "",
    page: str = "",
    **facts: Any,
) -> None:
    """Ask within the permit's dialogue and remember `facts` with the permit."""
    turn.ask(
        question,
        flow=FLOW,
        state=state,
        facts={**facts, "permit": permit.id},
        choices=choices,
        note=note,
        page=page,
        expires_after=PATIENCE,
    )


def ask_about(
    turn: Turn,
    question: str,
    lines: list[str],
    *,
    state: str,
    permit: Permit,
    choices: list[tuple[str, str]],
    note: str,
    **facts: Any,
) -> None:
    """Ask about a list of numbered lines: they stand in the card's body, where more fits than in a note."""
    turn.stay(flow=FLOW, state=state, facts={**facts, "permit": permit.id}, expires_after=PATIENCE)
    buttons = tuple(Button(label, action) for label, action in choices[:6])
    card = Card(title=question, colour="blue", body="\n".join(lines), note=note, buttons=buttons, state="ask")
    turn.show(card, key=f"ask:{turn.inbox_id}")


def photo_of(turn: Turn) -> str:
    """The first usable picture of the message; "" when it has none."""
    return next((f.sha256 for f in turn.fetched if f.kind == "image" and f.sha256), "")


def video_of(turn: Turn) -> str:
    """The video of the message; "" when it has none."""
    return next((f.sha256 for f in turn.fetched if f.kind == "video" and f.sha256), "")


def press(act: Callable[[Turn, Permit], None]) -> Press:
    """A button about one permit: load it under its lock, run, turn a broken rule into a sentence."""

    def handle(turn: Turn, rest: str) -> None:
        permit = _load(turn, rest)
        if permit is not None:
            guarded(turn, permit, lambda: act(turn, permit))

    return handle


def pick(act: Callable[[Turn, Permit, str], None]) -> Press:
    """A button that carries a permit and a value: «permit.area:12.3»."""

    def handle(turn: Turn, rest: str) -> None:
        number, _, value = rest.partition(".")
        permit = _load(turn, number)
        if permit is not None:
            guarded(turn, permit, lambda: act(turn, permit, value))

    return handle


def _load(turn: Turn, number: str) -> Permit | None:
    permit = turn.work.permits.find(int(number)) if number.isdigit() else None
    if permit is None:
        turn.say(GONE)
        return None
    return turn.work.permits.get(permit.id, lock=True)


def guarded(turn: Turn, permit: Permit, act: Callable[[], None]) -> None:
    try:
        act()
    except RuleBroken as broken:
        source = (
            f"({broken.source})" if broken.source != "enterprise" and broken.source not in broken.message_zh else ""
        )
        turn.say(f"{broken.message_zh}{source}", case=("permit", permit.id))
