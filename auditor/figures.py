"""What the auditor counts for /metrics: reports, how soon the first notice was there, how old the queues are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select

from auditor.messages import UNFINISHED
from auditor.tables import delivery, hazard, inbox

WINDOW = timedelta(hours=24)
SAMPLE = 2_000
# filed → first notice at somebody's phone; a promise of docs/reliability.md
ON_TIME_S = {"red": 30.0, "orange": 60.0, "yellow": 300.0}


def read(db: Connection, now: datetime) -> dict[str, Any]:
    """Numbers only; seconds unless the name says otherwise. Shares are None while nothing was filed."""
    waits = _first_notices(db, now)
    known = sorted(wait for wait, _ in waits if wait is not None)
    return {
        "reports": db.scalar(select(func.count()).select_from(hazard).where(hazard.c.number.is_not(None))) or 0,
        "reports_24h": len(waits),
        "first_notice_on_time_share": sum(on_time for _, on_time in waits) / len(waits) if waits else None,
        "first_notice_p50_s": _quantile(known, 0.5),
        "first_notice_p99_s": _quantile(known, 0.99),
        "inbox_oldest_s": _age(now, _oldest_inbox(db)),
        "outbox_oldest_s": _age(now, _oldest_due(db, now, 9)),
        "outbox_urgent_oldest_s": _age(now, _oldest_due(db, now, 1)),
    }


def _first_notices(db: Connection, now: datetime) -> list[tuple[float | None, bool]]:
    """(seconds or None when none arrived yet, on time) of the cases filed in the window. One still in time is left out."""
    arrived = func.min(delivery.c.confirmed_at, type_=delivery.c.confirmed_at.type)
    query = (
        select(hazard.c.grade, hazard.c.reported_at, arrived.label("arrived"))
        .join_from(
            hazard,
            delivery,
            and_(
                delivery.c.case_kind == "hazard",
                delivery.c.case_id == hazard.c.id,
                delivery.c.purpose == "hazard.dispatch",
                delivery.c.state == "confirmed",
            ),
            isouter=True,
        )
        .where(hazard.c.number.is_not(None), hazard.c.reported_at > now - WINDOW)
        .group_by(hazard.c.id, hazard.c.grade, hazard.c.reported_at)
        .order_by(hazard.c.id.desc())
        .limit(SAMPLE)
    )
    out: list[tuple[float | None, bool]] = []
    for grade, reported_at, first_at in db.execute(query):
        limit = ON_TIME_S.get(grade, ON_TIME_S["yellow"])
        if first_at is None:
            if (now - reported_at).total_seconds() > limit:
                out.append((None, False))
            continue
        wait = max(0.0, (first_at - reported_at).total_seconds())
        out.append((wait, wait <= limit))
    return out


def _quantile(ascending: Sequence[float], share: float) -> float | None:
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else None


def _oldest_inbox(db: Connection) -> datetime | None:
    oldest = func.min(inbox.c.received_at, type_=inbox.c.received_at.type)
    return db.scalar(select(oldest).where(inbox.c.state.in_(UNFINISHED)))


def _oldest_due(db: Connection, now: datetime, urgency: int) -> datetime | None:
    oldest = func.min(delivery.c.due_at, type_=delivery.c.due_at.type)
    waiting = delivery.c.state.in_(("due", "claimed", "unknown"))
    return db.scalar(select(oldest).where(waiting, delivery.c.due_at <= now, delivery.c.urgency <= urgency))


def _age(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
