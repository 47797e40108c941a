"""Figures of the running installation, for monitoring. Read-only, cheap, counted by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.hazards import FILED, OPEN
from storage.inbox import UNFINISHED
from storage.models import CardPost, CaseCard, Delivery, Hazard, Inbox
from storage.outbox import WAITING, wanted

RECENT = timedelta(minutes=5)
SAMPLE = 500  # handled messages looked at, the latest


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows waiting and the age of the oldest in seconds (0 when there is none)."""

    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    inbox: Waiting
    inbox_parked: int
    inbox_failed: int
    outbox: dict[str, Waiting]  # by platform
    outbox_refused: dict[str, int]
    cards_stale: int
    hazards: dict[tuple[str, str], int]  # (state, grade) → filed hazards
    reports: int  # hazards ever filed
    overdue: int
    handled_ms: list[float]  # received → handled of recent messages, ascending


def read(db: Session, at: datetime) -> Figures:
    """The figures at this moment."""
    inbox = db.execute(
        select(func.count(), func.min(Inbox.received_at)).select_from(Inbox).where(Inbox.state.in_(UNFINISHED))
    ).one()
    by_state = dict(
        db.execute(
            select(Inbox.state, func.count()).where(Inbox.state.in_(["parked", "failed"])).group_by(Inbox.state)
        ).all()
    )
    hazards = {
        (state, grade): count
        for state, grade, count in db.execute(
            select(Hazard.state, Hazard.grade, func.count())
            .where(Hazard.state.in_(FILED), Hazard.number.is_not(None))
            .group_by(Hazard.state, Hazard.grade)
        )
    }
    return Figures(
        inbox=Waiting(inbox[0], _age(at, inbox[1])),
        inbox_parked=by_state.get("parked", 0),
        inbox_failed=by_state.get("failed", 0),
        outbox=_outbox(db, at),
        outbox_refused=dict(
            db.execute(
                select(Delivery.platform, func.count()).where(Delivery.state == "refused").group_by(Delivery.platform)
            ).all()
        ),
        cards_stale=db.scalar(
            select(func.count())
            .select_from(CardPost)
            .join(CaseCard)
            .where(CardPost.state == "live", CardPost.shown_revision < CaseCard.revision)
        )
        or 0,
        hazards=hazards,
        reports=sum(hazards.values()),
        overdue=db.scalar(select(func.count()).select_from(Hazard).where(Hazard.state.in_(OPEN), Hazard.due_at < at))
        or 0,
        handled_ms=_handled(db, at),
    )


def _outbox(db: Session, at: datetime) -> dict[str, Waiting]:
    rows = db.execute(
        select(Delivery.platform, func.count(), func.min(wanted, type_=wanted.type))
        .where(Delivery.state.in_(WAITING), wanted <= at)
        .group_by(Delivery.platform)
    )
    return {platform: Waiting(count, _age(at, oldest)) for platform, count, oldest in rows}


def _handled(db: Session, at: datetime) -> list[float]:
    rows = db.execute(
        select(Inbox.received_at, Inbox.handled_at).where(Inbox.state == "done").order_by(Inbox.id.desc()).limit(SAMPLE)
    )
    return sorted(
        (handled - received).total_seconds() * 1000
        for received, handled in rows
        if handled is not None and at - handled <= RECENT
    )


def _age(at: datetime, since: datetime | None) -> float:
    return max(0.0, (at - since).total_seconds()) if since is not None else 0.0
