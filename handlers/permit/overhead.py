"""Work at height over other work: those below are told when it begins, goes on, is stopped or ends (4.7, 8.2.8).

What is above stands among a permit's facts as the words of its last judgement, so that every copy of the live card shows
it. Those below are judged in transactions of their own: whoever moves above only makes that due.
"""

from __future__ import annotations

from bot import outbox
from cards import permit as cards
from cards.words import clock_time
from handlers.permit import cast, heights, surroundings
from handlers.permit.judge import Judgement
from storage.models import Permit
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork

OVER = "上方的高处作业已结束或离开"


def changed(work: UnitOfWork, permit: Permit) -> None:
    """Something became of work at height: the works around it are judged at once."""
    if permit.work == heights.AT_HEIGHT:
        work.flush()
        surroundings.touch(work, surroundings.point_of(permit), permit.area_id, but=permit.id)


def differs(permit: JudgedPermit, judged: Judgement) -> bool:
    """Whether something else lies above by this judgement than by the last."""
    return _above(judged) != permit.facts.get(cards.ABOVE, [])


def _above(judged: Judgement) -> list[str]:
    return [text for text in judged.gathered.notes if text.startswith(heights.ABOVE)]


def note(permit: Permit, judged: Judgement) -> None:
    """Keep what lies above by this judgement."""
    rest = {name: value for name, value in permit.facts.items() if name != cards.ABOVE}
    now = _above(judged)
    permit.facts = {**rest, cards.ABOVE: now} if now else rest


def tell(work: UnitOfWork, permit: Permit, judged: Judgement) -> None:
    """Those on a permit under way see on their card, and are told, what changed above them."""
    note(permit, judged)
    now = permit.facts.get(cards.ABOVE, [])
    cast.redraw(work, permit, f"{clock_time(work.at)} {now[0] if now else OVER}")
    if now:
        text = f"{permit.number} {';'.join(now)}。不要站在正下方,有东西可能掉下来就停止作业(8.2.8)。"
        cast.tell(work, permit, cast.everyone(permit), text, tag=f"above:{work.at:%d%H%M%S}", urgency=outbox.URGENT)
