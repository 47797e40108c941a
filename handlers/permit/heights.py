"""Above and below (上下交叉作业): how high each work is, and which works lie over one another.

Work at height always tells its height (8.1). Other work is asked only where another permit is near enough to be above or
below it; a height in the words of the job («离地6米», «12米平台») is taken from there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rules.permit import Work
from rules.text import normalise
from storage.models import Permit

if TYPE_CHECKING:
    from handlers.permit.judge import Judgement

HIGHEST_M = 500.0
AT_HEIGHT = Work.WORK_AT_HEIGHT.value
GROUND = ("地面", "地上", "零米", "0米层", "地坪")
_IN_WORDS = re.compile(
    r"(?:离地面?|距地面?|标高|高度?|el)\s*[约:+]*\s*(\d+(?:\.\d+)?)\s*m(?![m²2³3/])"
    r"|(\d+(?:\.\d+)?)\s*m(?=高|层?平台|标高|处)"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def from_words(permit: Permit) -> None:
    """A height that the description of the job names."""
    match = _IN_WORDS.search(normalise(permit.content))
    if match is not None and permit.height_m is None:
        _set(permit, float(match.group(1) or match.group(2)))


def from_answers(permit: Permit) -> None:
    """The height of work at height is among its answers (作业高度); it says how high the permit is."""
    told = permit.facts.get("height")
    if permit.work == AT_HEIGHT and isinstance(told, (int, float)):
        _set(permit, float(told))


def said(permit: Permit, text: str) -> bool:
    """An answer to the question for the height: metres, or the ground."""
    plain = normalise(text)
    number = _NUMBER.search(plain)
    if number is None:
        if not any(word in plain for word in GROUND):
            return False
        return _set(permit, 0.0)
    return "-" not in plain and _set(permit, float(number.group()))


def _set(permit: Permit, metres: float) -> bool:
    if not 0 <= metres <= HIGHEST_M:
        return False
    permit.height_m = metres
    return True


def is_open(permit: Permit, judged: Judgement) -> bool:
    """Whether the height has to be asked: another permit is beside this one and nobody said how high this one is."""
    beside = "cross_work" in judged.gathered.machine and judged.gathered.facts.get("cross_work") is True
    return beside and permit.height_m is None and permit.work != AT_HEIGHT


def forget(permit: Permit) -> None:
    """The place changes: what was said of its height no longer holds."""
    permit.height_m = None
    permit.facts = {name: value for name, value in permit.facts.items() if name != "height"}


def stacked(permit: Permit, over: Sequence[Any], notes: list[str]) -> dict[str, Any]:
    """Facts about works beside `permit`, above or below it: for work at height it is stacked work (8.2.8)."""
    for other in over[:2]:
        where = "下方" if other.height_m < permit.height_m else "上方"
        notes.append(f"{where}有作业 {other.number}{Work(other.work).zh}(高{other.height_m:g}m)")
    return {"stacked_work": True} if over and permit.work == AT_HEIGHT else {}
