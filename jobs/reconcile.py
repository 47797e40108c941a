"""A send that may or may not have arrived is repeated in a way that is not shown twice, or that says so."""

from __future__ import annotations

from datetime import datetime

from storage.models import Delivery

MARK = "\n(可能重复)"


def again(row: Delivery, due_at: datetime) -> None:
    """Make the row due once more.

    Every send carries a key made from the row (WeCom duplicate check, DingTalk outTrackId and sourceId), so the platform
    recognises the repeat. DingTalk robot texts have no such key: they say that they may be a repeat.
    """
    if row.what == "text" and row.platform == "dingtalk" and not row.payload.get("maybe_repeat"):
        row.payload = {**row.payload, "text": row.payload["text"] + MARK, "maybe_repeat": True}
    row.state, row.due_at, row.wait_reason, row.lease_until = "due", due_at, "reconcile", None
