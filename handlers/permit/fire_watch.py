"""The fire watch (监火) after hot work: optional, as long as the plant wants it, closed by another look at the point.

The standard asks that no fire is left (GB 30871-2022 5.2.14) and gives no time; 30 to 60 minutes are common practice, so
the length is the plant's setting `fire_watch_minutes`. The one in force when the work ended is kept on the permit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cards import permit as cards
from cards.words import clock_time
from handlers.permit import cast, tables
from handlers.permit.actions import leave_line
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

UNTIL = cards.WATCH_UNTIL


def after_the_end(work: UnitOfWork, permit: Permit) -> dict[str, Any]:
    """The facts of hot work that was just finished: no fire left, or a watch that has to show it."""
    minutes = tables.rules_of(work).table.settings.fire_watch_minutes
    if not minutes:
        return {"residual_fire_checked": True}
    until = work.at + timedelta(minutes=minutes)
    permit.judge_at = until
    return {UNTIL: until.isoformat()}


def need_none(permit: Permit) -> None:
    """Raises RuleBroken while the point is still watched."""
    until = cards.watched_until(permit)
    if until is not None:
        words = f"还在监火(到{clock_time(until)}),监护人点“监火结束”并拍照后再验收。"
        raise RuleBroken("watch", words, source="GB 30871-2022 5.2.14")


def check(work: UnitOfWork, permit: Permit, *, by: Person) -> None:
    """Whether this person may end the watch now. Raises RuleBroken."""
    until = cards.watched_until(permit)
    if until is None or permit.ended_at is None or PermitState(permit.state).is_final:
        raise RuleBroken("state", f"{permit.number} 不在监火。")
    if not cast.may_watch(permit, by):
        raise RuleBroken("who", "您不在这张作业票上,请让票上的人操作。")
    if work.at < until:
        raise RuleBroken("watch", f"监火到{clock_time(until)},还没到时间,请留守现场。")


def end(work: UnitOfWork, permit: Permit, *, by: Person, photo_sha: str, via: str) -> None:
    """The watch is over and the point was looked at once more; acceptance follows. Raises RuleBroken."""
    check(work, permit, by=by)
    if not photo_sha:
        raise RuleBroken("photo", "请把动火点再拍一张发来(确认无残留火种)。", source="GB 30871-2022 5.2.14")
    permit.facts = {**permit.facts, "residual_fire_checked": True}
    permit.approvals.append(
        PermitApproval(
            kind="fire_watch", step="fire_watch", person=by, granted=True, decided_at=work.at, photo_sha=photo_sha
        )
    )
    last = leave_line(work, permit, "watched", by=by, via=via)
    leaders = {p.id: p for p in [*cast.everyone(permit), *cast.shift_leaders(work, permit)]}
    cast.post(work, permit, leaders.values(), purpose="permit.watched", last=last)


def remind(work: UnitOfWork, permit: Permit) -> None:
    """Its time is over: the guardian looks once more and says so."""
    until = cards.watched_until(permit)
    if until is not None and work.at >= until and permit.guardian is not None:
        text = f"{permit.number} 监火时间到,请再检查一遍动火点,点“监火结束”并拍照。"
        cast.tell(work, permit, [permit.guardian], text, tag=f"watch:{until:%d%H%M}")
