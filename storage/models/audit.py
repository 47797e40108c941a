"""What the auditor found and when it last looked. Written by auditor/ with its own statements, read by web/ and tools/."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, BigId


class AuditFinding(Base):
    """Something that should not be, once for each thing it is about. It stays when it is over, as the record of it."""

    __tablename__ = "audit_finding"
    __table_args__ = (UniqueConstraint("kind", "subject"), Index("ix_audit_finding_open", "cleared_at", "kind"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(48))  # hazard.no_step, delivery.late … (auditor/finding.py)
    subject: Mapped[str] = mapped_column(String(64))  # hazard:12, inbox:7, delivery:33; never a name or a text
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # ids, times and codes that explain it
    times: Mapped[int] = mapped_column(default=1)  # how often it began
    first_seen_at: Mapped[datetime]  # of this beginning
    last_seen_at: Mapped[datetime]
    healed_at: Mapped[datetime | None]
    healed: Mapped[str] = mapped_column(String(100), default="")  # what was done, "" when nothing could be
    told_at: Mapped[datetime | None]  # when the admins were last told
    cleared_at: Mapped[datetime | None]  # null: it is so now


class AuditRun(Base):
    """The last run of the auditor: one row, so that its silence can be seen."""

    __tablename__ = "audit_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    runs: Mapped[int] = mapped_column(default=0)
    took_ms: Mapped[float] = mapped_column(default=0.0)
    open_findings: Mapped[int] = mapped_column(default=0)
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)  # how far the trail is checked
    beat_at: Mapped[datetime | None]  # the outside heartbeat was last taken
    beat_error: Mapped[str] = mapped_column(String(100), default="")
