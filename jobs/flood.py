"""A sender who says more than a person can: handled at a steady pace and told so once, while nothing of it is lost.

Words of imminent danger are answered by the callback, are never held, and overtake the sender's own backlog
(`storage/inbox.py:ready_ids`). Other people's messages do not wait for a flood in any case: of each sender only the
first waiting message is looked at.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from bot import outbox
from storage.models import Inbox

log = structlog.get_logger()

SPAN = timedelta(minutes=1)
PAUSE = timedelta(seconds=5)  # then it is looked again whether there is room
TELL_AGAIN_S = 600
WORDS = "您的消息来得太多,我按顺序慢慢处理,一条都不会丢。有人员危险请直接说(如“着火了”),不用排队。"


def hold(work: Any, row: Inbox, *, most: int) -> bool:
    """Whether the message must wait because its sender had `most` handled within the last minute; it is put back then."""
    if row.urgent or not row.sender or not work.inbox.has_crowd_behind(row):
        return False
    if work.inbox.handled_of(row.platform, row.sender, since=work.at - SPAN, before_id=row.id, most=most) < most:
        return False
    row.state, row.lease_until, row.next_try_at = "new", None, work.at + PAUSE
    row.attempts -= 1  # waiting is no failed attempt
    slot = int(work.at.timestamp()) // TELL_AGAIN_S
    outbox.say(
        work,
        outbox.Address(row.platform, user_id=row.sender),
        WORDS,
        purpose="flood",
        dedupe_key=f"flood:{row.platform}:{row.sender}:{slot}"[:160],
        urgency=outbox.REPLY,
    )
    log.warning("inbound.flood_held", id=row.id)
    return True
