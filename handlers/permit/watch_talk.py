"""«监火结束» in chat: when the time is over, one more picture of the point."""

from __future__ import annotations

from bot.turn import Turn
from handlers.permit import cast, fire_watch
from handlers.permit.talk import WATCH_PHOTO, ask, guarded, permit_of, photo_of
from storage.models import Permit


def ended(turn: Turn, permit: Permit) -> None:
    fire_watch.check(turn.work, permit, by=turn.person)
    ask(turn, f"{permit.number} 监火结束:请再检查一遍动火点,拍一张发来。", state=WATCH_PHOTO, permit=permit)


def photo_sent(turn: Turn) -> None:
    permit, photo = permit_of(turn, lock=True), photo_of(turn)
    if not photo:
        turn.say("请拍一张动火点的照片发来。", case=cast.case_of(permit))
        return
    guarded(turn, permit, lambda: _end(turn, permit, photo))


def _end(turn: Turn, permit: Permit, photo: str) -> None:
    fire_watch.end(turn.work, permit, by=turn.person, photo_sha=photo, via=turn.via)
    turn.done()
    turn.say(f"{permit.number} 监火结束,等验收签字。", case=cast.case_of(permit))
