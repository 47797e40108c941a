"""Where each person is in a dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.models import Conversation


class Conversations:
    def __init__(self, db: Session) -> None:
        self.db = db

    def load(self, chat_key: str, *, at: datetime) -> Conversation | None:
        """The open dialogue of this chat; None when there is none or it ran out."""
        row = self.db.scalar(select(Conversation).where(Conversation.chat_key == chat_key))
        if row is None or not row.flow or (row.expires_at is not None and row.expires_at <= at):
            return None
        return row

    def of_person(self, person_id: int, *, at: datetime) -> Sequence[Conversation]:
        """The person's open dialogues, in the 1:1 chat and in groups, latest first."""
        return self.db.scalars(
            select(Conversation)
            .where(
                or_(
                    Conversation.chat_key == f"person:{person_id}", Conversation.chat_key.like(f"person:{person_id}@%")
                ),
                Conversation.flow != "",
                or_(Conversation.expires_at.is_(None), Conversation.expires_at > at),
            )
            .order_by(Conversation.updated_at.desc())
        ).all()

    def move(
        self, chat_key: str, *, flow: str, state: str, facts: dict[str, Any], at: datetime, expires_at: datetime | None
    ) -> Conversation:
        row = self.db.scalar(select(Conversation).where(Conversation.chat_key == chat_key))
        if row is None:
            row = Conversation(chat_key=chat_key, updated_at=at)
            self.db.add(row)
        row.flow, row.state, row.facts, row.updated_at, row.expires_at = flow, state, dict(facts), at, expires_at
        self.db.flush()
        return row

    def end(self, chat_key: str, *, at: datetime) -> None:
        row = self.db.scalar(select(Conversation).where(Conversation.chat_key == chat_key))
        if row is not None:
            row.flow, row.state, row.facts, row.updated_at, row.expires_at = "", "", {}, at, None
