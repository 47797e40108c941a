"""Above and below (上下交叉作业): how high each work is, and which works lie over one another.

Work at height always tells its height (8.1). Other work is asked only where somebody works high up beside it, otherwise it
is taken to be on the ground; a height in the words of the job («离地6米», «12米平台») is taken from there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handlers.permit import surroundings
from rules.permit import Work
from rules.permit.facts import fact_dictionary
from rules.permit.life import PermitState
from rules.text import normalise
from storage.models import Permit
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from handlers.permit.judge import Judgement

HIGHEST_M = fact_dictionary()["height"].max
APART_M = 2.0  # works this far apart in height lie over one another; the height from which work is at height (3.8)
BESIDE_M = 10.0  # on the plan; an enterprise figure, as the circle of 5.2.9
AT_HEIGHT = Work.WORK_AT_HEIGHT.value
ASKED = "附近有别的作业,要看是否上下交叉:作业点离地多少米?"
NOT_HEARD = "没听懂高度,请说离地多少米,如“6米”;在地面说“地面”。"
ABOVE = "上方"  # how a note begins that speaks of work over this one
GROUND = ("地面", "地上", "零米", "0米层", "地坪")
_IN_WORDS = re.compile(
    r"(?:离地面?|距地面?|标高|高度?|el)\s*[约:+]*\s*(\d+(?:\.\d+)?)\s*m(?![m²2³3/])"
    r"|(\d+(?:\.\d+)?)\s*m(?=高|层?平台|标高|处)"
)
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.e])\d+(?:\.\d+)?(?!\.?\d|e\d)")  # a number that is no part of a larger one


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


def is_open(work: UnitOfWork, permit: Permit, judged: Judgement) -> bool:
    """Whether the height has to be asked: somebody works high up beside this place and nobody said how high this is."""
    if permit.height_m is not None or permit.work == AT_HEIGHT or judged.gathered.facts.get("cross_work") is not True:
        return False
    near = surroundings.others(work, permit)
    return any((other.height_m or 0.0) > APART_M for other, metres in near if metres <= BESIDE_M)


def forget(permit: Permit) -> None:
    """The place changes: what was said of its height no longer holds."""
    permit.height_m = None
    permit.facts = {name: value for name, value in permit.facts.items() if name != "height"}


def apart(one: Any, other: Any) -> bool:
    """Whether one lies over the other; a height that nobody told is the ground, where most work is."""
    return abs((one.height_m or 0.0) - (other.height_m or 0.0)) > APART_M


def stacked(work: UnitOfWork, permit: JudgedPermit, over: Sequence[Any], notes: list[str]) -> dict[str, Any]:
    """Facts about works beside `permit`, above or below it: stacked work (8.2.8) where one of the two is work at height.

    What falls hurts those below, so both are judged by WH-007. The barrier lies between them: who confirmed it on one
    ticket confirmed it for the other, unless somebody there said otherwise.
    """
    for other in over[:2]:
        high = f"高{other.height_m:g}m" if other.height_m is not None else "高度没说,按地面"
        words = f"有作业 {other.number}{Work(other.work).zh}({high})"
        if is_over(other, permit):
            notes.insert(0, ABOVE + words)
        else:
            notes.append("下方" + words)
    cross = [other for other in over if AT_HEIGHT in (permit.work, other.work if is_over(other, permit) else "")]
    if not cross:
        return {}
    told = work.permits.told([other.id for other in cross])
    guarded = all(told[other.id].get("barrier") is True for other in cross)
    return {"stacked_work": True} | ({"barrier": True} if guarded and permit.facts.get("barrier") is None else {})


def stopped_above(permit: JudgedPermit, beside: Sequence[Any], notes: list[str]) -> None:
    """Work at height over this one that was stopped: nobody works there, but what was left may fall."""
    for other in beside:
        if other.work == AT_HEIGHT and other.state == PermitState.SUSPENDED and is_over(other, permit):
            notes.insert(0, f"{ABOVE} {other.number}高处作业已叫停,先确认上面没有松动的工具、材料")


def is_over(one: Any, other: Any) -> bool:
    return apart(one, other) and (one.height_m or 0.0) > (other.height_m or 0.0)
