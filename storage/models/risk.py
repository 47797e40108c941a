"""The plant's register of risks (危险源辨识与风险评价表), row by row as it was written, with what was found to check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area


class Risk(Base):
    """One hazard source at one activity and place. `colour` is what the table says; `computed` what L × E × C gives."""

    __tablename__ = "risk"
    __table_args__ = (Index("ix_risk_area_colour", "area_id", "colour"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # digest of place, activity and hazard
    seq: Mapped[str] = mapped_column(String(32), default="")
    place: Mapped[str] = mapped_column(String(128), default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    activity: Mapped[str] = mapped_column(String(200), default="")
    hazard: Mapped[str] = mapped_column(Text)
    accidents_written: Mapped[str] = mapped_column(String(200), default="")
    accidents: Mapped[list[Any]] = mapped_column(default=list)  # names of GB 6441-2025
    likelihood: Mapped[float | None]
    exposure: Mapped[float | None]
    consequence: Mapped[float | None]
    score_written: Mapped[float | None]
    level_written: Mapped[str] = mapped_column(String(32), default="")
    scheme: Mapped[str] = mapped_column(String(2), default="A")
    score: Mapped[float | None]
    computed: Mapped[str] = mapped_column(String(8), default="")  # red, orange, yellow, blue; "" without D
    colour: Mapped[str] = mapped_column(String(8), index=True)
    residual_written: Mapped[str] = mapped_column(String(48), default="")
    measures: Mapped[dict[str, Any]] = mapped_column(default=dict)  # existing, engineering, management, training …
    control_level: Mapped[str] = mapped_column(String(64), default="")
    unit: Mapped[str] = mapped_column(String(64), default="")
    owner_name: Mapped[str] = mapped_column(String(64), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    cycle: Mapped[str] = mapped_column(String(64), default="")
    remark: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[list[Any]] = mapped_column(default=list)  # [{code, words}]: what a person has to look at
    to_check: Mapped[bool] = mapped_column(default=False)  # whether there are notes
    source: Mapped[str] = mapped_column(String(128), default="")  # name of the file
    imported_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=True)

    area: Mapped[Area | None] = relationship()
    owner: Mapped[Person | None] = relationship()
