"""Budgets of the platforms: what was used day by day, and the switches and snapshots that belong to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.models import ApiUse, AppNote, Inbox


class Budgets:
    def __init__(self, db: Session) -> None:
        self.db = db

    def days(self, platform: str, budget: str, *, since: str) -> dict[str, int]:
        """Day → used, from the day `since` on."""
        rows = self.db.execute(
            select(ApiUse.day, ApiUse.used).where(
                ApiUse.platform == platform, ApiUse.budget == budget, ApiUse.day >= since
            )
        )
        return {row.day: row.used for row in rows}

    def raise_to(self, platform: str, budget: str, day: str, used: int) -> int:
        """What is known of the day never shrinks; returns the larger figure."""
        row = self.db.scalar(
            select(ApiUse).where(ApiUse.platform == platform, ApiUse.budget == budget, ApiUse.day == day)
        )
        if row is None:
            row = ApiUse(platform=platform, budget=budget, day=day, used=0)
            self.db.add(row)
        row.used = max(row.used, used)
        self.db.flush()
        return row.used

    def heard_between(self, platform: str, start: datetime, end: datetime) -> int:
        """Robot messages of the platform stored in that time; presses of cards do not count against a budget."""
        query = (
            select(func.count())
            .select_from(Inbox)
            .where(
                Inbox.platform == platform,
                Inbox.received_at >= start,
                Inbox.received_at < end,
                Inbox.key.not_like("card:%"),
                Inbox.key.not_like("event:%"),
            )
        )
        return self.db.scalar(query) or 0

    def note(self, name: str) -> dict[str, Any]:
        """The fact of that name; {} when nobody wrote it yet."""
        return dict(self.db.scalar(select(AppNote.value).where(AppNote.name == name)) or {})

    def write_note(self, name: str, value: dict[str, Any], *, at: datetime, by_id: int | None = None) -> None:
        row = self.db.scalar(select(AppNote).where(AppNote.name == name))
        if row is None:
            self.db.add(AppNote(name=name, value=value, at=at, by_id=by_id))
        else:
            row.value, row.at, row.by_id = value, at, by_id
        self.db.flush()
