"""A send that may or may not have arrived is repeated in a way that is not shown twice, or that says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

MARK = "\n(可能重复)"
WECOM_WINDOW = timedelta(minutes=30)


def again(work: UnitOfWork, row: Delivery, due_at: datetime) -> None:
    """Make the row due once more.

    Every send carries a key made from the row (WeCom duplicate check, DingTalk outTrackId and sourceId), so the platform
    recognises the repeat. DingTalk robot texts have no such key, and WeCom's check cannot be asked for words that another
    message said to the same person in the last half hour: these say that they may be a repeat.
    """
    unknown = row.platform == "dingtalk" or work.outbox.said_before(row, within=WECOM_WINDOW)
    if row.what == "text" and unknown and not row.payload.get("maybe_repeat"):
        row.payload = {**row.payload, "text": row.payload["text"] + MARK, "maybe_repeat": True}
    row.state, row.due_at, row.wait_reason, row.lease_until = "due", due_at, "reconcile", None
