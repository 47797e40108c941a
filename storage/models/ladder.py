"""Dispatch and escalation policies, and the due steps of every open case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, BigId


class Policy(Base):
    """A version of the dispatch policy (grade × area × category × time → people, channels, deadlines). Never edited."""

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    # one press moves the open cases to this version; jobs/policies.py does it case by case
    move_asked_at: Mapped[datetime | None]
    move_by_id: Mapped[int | None]
    move_via: Mapped[str] = mapped_column(String(16), default="", server_default="")
    moved_at: Mapped[datetime | None]
    moved_count: Mapped[int] = mapped_column(default=0, server_default="0")


class LadderStep(Base):
    """One due step of a case's ladder. Taken once; void when the case's generation moved on."""

    __tablename__ = "ladder_step"
    __table_args__ = (
        UniqueConstraint("case_kind", "case_id", "generation", "ladder", "position"),
        Index("ix_ladder_due", "taken_at", "called_off_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_kind: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[int]
    generation: Mapped[int]
    ladder: Mapped[str] = mapped_column(String(16))  # confirm, stale, rectify, accept; everyone (roll call)
    position: Mapped[int]
    step: Mapped[dict[str, Any]]  # copied from the policy: {after_minutes, notices}
    due_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    called_off_at: Mapped[datetime | None]
