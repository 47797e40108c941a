"""«Success» is not arrival: first notices of red and orange that nobody answers are asked about once, where one can ask.

DingTalk tells whether a robot message was read, at the price of one paid call; WeCom tells nothing. Unread after minutes
means dropped or not looked at: either way the person is told through the next channel, before the ladder climbs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from bot.platforms.base import PlatformError, Target
from jobs.context import Services
from jobs.queue import DELIVERY
from rules.terms import Grade

log = structlog.get_logger()

AFTER = {Grade.RED.value: timedelta(minutes=3), Grade.ORANGE.value: timedelta(minutes=20)}


def _readers(services: Services) -> dict[str, Any]:
    return {name: platform.has_read for name, platform in services.platforms.items() if hasattr(platform, "has_read")}


def _due(services: Services) -> list[tuple[int, str, str, str]]:
    """(row, platform, user, handle) of what is to be asked about now."""
    platforms = list(_readers(services))
    if not platforms:
        return []
    with services.new_work(read_only=True) as work:
        return [
            (row.id, row.platform, row.user_id, str(row.payload.get("handle") or row.ref))
            for row, grade in work.outbox.unanswered(platforms, work.at)
            if grade in AFTER and row.confirmed_at is not None and row.confirmed_at + AFTER[grade] <= work.at
        ]


def is_due(services: Services) -> bool:
    """Whether there is something to ask (scheduler): the clock itself never waits for a platform."""
    return bool(_due(services))


def ask(services: Services) -> int:
    """Ask about what is due to be asked about; returns how many people were told another way."""
    readers, told = _readers(services), 0
    for row_id, platform, user, handle in _due(services):
        told += _ask(services, row_id, handle, readers[platform], Target(user=user))
    if told:
        services.kick(DELIVERY)
    return told


def _ask(services: Services, row_id: int, handle: str, has_read: Any, target: Target) -> int:
    try:
        read = bool(has_read(target, handle))
    except PlatformError as error:  # asked once: what cannot be told is left to the ladder
        log.warning("receipt.unknown", id=row_id, code=error.code)
        read = True
    with services.new_work() as work:
        row = work.outbox.get(row_id)
        if row.checked_at is not None:
            return 0
        row.checked_at = work.at
        moved = not read and services.fall_back is not None and services.fall_back(work, row, ahead=True)
        work.commit()
    if not read:
        log.warning("delivery.unread", id=row_id, said_elsewhere=moved)
    return int(moved)
