"""DingTalk's events that were pushed in vain while nobody listened: read after a start and every hour, in HTTP mode.

They go the way of a pushed one; what arrived after all is known by its event id.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import structlog

from bot.platforms.base import PlatformError
from jobs.context import Services
from jobs.inbound import accept_into

if TYPE_CHECKING:
    from bot.platforms.dingtalk.platform import DingTalk

log = structlog.get_logger()

EVERY = timedelta(hours=1)
READ = "anshao:dingtalk_missed_read"  # when the list was asked for last (epoch seconds)

_looked = False  # whether this process has been asked: a scheduler that has just started reads at once


def is_due(services: Services) -> bool:
    """Whether it is time (scheduler)."""
    global _looked
    if _dingtalk(services) is None:
        return False
    first, _looked = not _looked, True
    return first or _is_time(services)


def _is_time(services: Services) -> bool:
    read, now = services.redis.get(READ), services.clock()
    return read is None or not timedelta() <= now - datetime.fromtimestamp(float(read), UTC) < EVERY


def _dingtalk(services: Services) -> DingTalk | None:
    """The platform when it pushes events to us: Stream mode has its own way to repeat."""
    platform, settings = services.platforms.get("dingtalk"), services.settings
    if platform is None or settings is None or settings.dingtalk_mode != "http":
        return None
    dingtalk = cast("DingTalk", platform)
    return dingtalk if dingtalk.config.event_token and dingtalk.config.event_aes_key else None


def read(services: Services) -> int:
    """Take in what was missed; returns how many people and changes it told of."""
    dingtalk = _dingtalk(services)
    if dingtalk is None:
        return 0
    services.redis.set(READ, services.clock().timestamp())
    accept = accept_into(services.engine, services.kick, services.clock, lambda _text: "")
    found = 0
    try:
        for messages in dingtalk.missed_events():
            accept(messages)
            found += len(messages)
    except PlatformError as error:  # no reason to try before the next hour, nor for an alarm
        log.warning("dingtalk.missed_events_not_read", error=error.code)
    if found:
        log.info("dingtalk.missed_events_read", count=found)
    return found
