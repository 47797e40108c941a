"""Events whose push failed three times: kept by the platform for a while, read once, in HTTP mode (protocol notes §6.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog

from bot.message import Inbound
from bot.platforms.dingtalk.events import event_inbounds
from bot.platforms.dingtalk.oapi import OldApi
from bot.platforms.dingtalk.values import as_bool, as_dict, as_list, as_text

log = structlog.get_logger(__name__)

PATH = "call_back/get_call_back_failed_result"
MOST_PAGES = 50  # of 200: the list ends, whatever the answer says


def missed_events(oapi: OldApi, *, now: datetime) -> Iterator[tuple[Inbound, ...]]:
    """What each of the events means, page by page: a call takes its page off the list, so store it before the next."""
    for _ in range(MOST_PAGES):
        answer = oapi.read(PATH)
        rows = [as_dict(row) for row in as_list(answer.get("failed_list"))]
        yield tuple(found for row in rows for found in event_inbounds(_event(row), now=now))
        if not rows or not as_bool(answer.get("has_more")):
            return


def _event(row: dict[str, Any]) -> dict[str, Any]:
    """The event as it would have been pushed: it stands under its own name, beside its time."""
    tag = as_text(row.get("call_back_tag"))
    event = as_dict(row.get(tag))
    if not event:
        log.warning("dingtalk.missed_event_unread", tag=tag[:40])
    return {"EventType": tag, "EventTime": row.get("event_time"), **event}
