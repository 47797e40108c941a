"""A send that may or may not have arrived is repeated in a way that is not shown twice, or that says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

MARK = "(可能重复)"
WECOM_WINDOW = timedelta(minutes=30)
MARGIN = timedelta(minutes=1)


def again(work: UnitOfWork, row: Delivery, due_at: datetime) -> None:
    """Make the row due once more.

    Every send carries a key made from the row (WeCom duplicate check, DingTalk outTrackId and sourceId), so the platform
    recognises the repeat, and a card is repeated with the very content of the first time (jobs/deliver.py keeps it).
    Where the platform cannot recognise it the message says that it may be a repeat: DingTalk robot messages and SMS have
    no key, WeCom groups neither, and WeCom's check looks back half an hour and not at words that another message said.
    """
    if row.what in ("card", "todo", "todo_done") and not row.batch_key.startswith("digest:"):
        row.payload = {**row.payload, "maybe_repeat": True}
    elif not row.payload.get("maybe_repeat") and not _is_recognised(work, row, due_at):
        row.payload = {**row.payload, **_marked(row.what, row.payload), "maybe_repeat": True}
    row.state, row.due_at, row.wait_reason, row.lease_until = "due", due_at, "reconcile", None


def _is_recognised(work: UnitOfWork, row: Delivery, due_at: datetime) -> bool:
    if row.platform != "wecom" or row.group_id:
        return False
    if row.claimed_at is None or due_at - row.claimed_at > WECOM_WINDOW - MARGIN:
        return False
    return row.what != "text" or not work.outbox.said_before(row, within=WECOM_WINDOW)


def _marked(what: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What changes in the payload. Pictures and digests are marked where they are sent (jobs/send.py)."""
    if what == "text":
        return {"text": f"{payload['text']}\n{MARK}"}
    if what == "notice":
        card = payload["card"]
        return {"card": {**card, "note": f"{card.get('note', '')}{MARK}"}}
    if what == "sms":
        params = payload["params"]
        return {"params": {**params, "time": f"{params['time']}{MARK}"}}
    return {}
