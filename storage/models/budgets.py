"""What was used of the platforms' budgets, day by day, and small facts of the whole installation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, BigId


class ApiUse(Base):
    """What was used of one budget on one day. Redis counts; this outlives an emptied Redis and draws the page."""

    __tablename__ = "api_use"
    __table_args__ = (UniqueConstraint("platform", "budget", "day"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    budget: Mapped[str] = mapped_column(String(24))  # calls, webhook, messages …
    day: Mapped[str] = mapped_column(String(10))  # 2026-11-24, the platform's day (China)
    used: Mapped[int] = mapped_column(default=0)


class AppNote(Base):
    """One fact of the whole installation by its name: a switch that an admin set, a snapshot that pages show."""

    __tablename__ = "app_note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(48), unique=True)
    value: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
