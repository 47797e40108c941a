"""Edge terminals (边缘终端): boxes with cameras or sensors that send events with a token of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.plant import Area, Equipment


class EdgeDevice(Base):
    """A registered terminal. Its token is stored as SHA-256 only; where it looks is the place of its alarms."""

    __tablename__ = "edge_device"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64), default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    last_status: Mapped[str] = mapped_column(String(16), default="")
    interval_s: Mapped[int] = mapped_column(default=0)  # how often it is heard at least; 0: nobody said
    silent_at: Mapped[datetime | None]  # when it was told that nothing comes from it; null while it is heard
    silent_hazard_id: Mapped[int | None] = mapped_column(BigId)  # of its last silence
    active: Mapped[bool] = mapped_column(default=True)

    area: Mapped[Area | None] = relationship()
    equipment: Mapped[Equipment | None] = relationship()


class EdgeEvent(Base):
    """One event of one terminal, kept once: a terminal that was off line sends again, newest first and more than once."""

    __tablename__ = "edge_event"
    __table_args__ = (
        UniqueConstraint("device_id", "key"),
        Index("ix_edge_event_hazard", "hazard_id"),
        Index("ix_edge_event_incident", "device_id", "kind", "channel", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("edge_device.id"))
    key: Mapped[str] = mapped_column(String(128))  # the terminal's own event id, else a digest of what happened
    kind: Mapped[str] = mapped_column(String(24))
    level: Mapped[str] = mapped_column(String(16), default="")  # info, warning, alarm
    channel: Mapped[str] = mapped_column(String(64), default="")
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16), default="")  # recorded, opened, joined, late
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # confidence, boxes, gas, words; no face templates
    photo_sha: Mapped[str] = mapped_column(String(64), default="")
    hazard_id: Mapped[int | None] = mapped_column(ForeignKey("hazard.id"))

    device: Mapped[EdgeDevice] = relationship()
