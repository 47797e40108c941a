"""Reading what the auditor left: for /metrics, /readyz and the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from storage.models import AuditFinding, AuditRun


@dataclass(frozen=True, slots=True)
class Audit:
    """The auditor's last run. `age_s` counts from it to now; `open_by_kind` is what is wrong at this moment."""

    age_s: float
    runs: int
    took_ms: float
    figures: dict[str, Any]
    open_by_kind: dict[str, int]
    beat_at: datetime | None
    beat_error: str


def read(db: Session, at: datetime) -> Audit | None:
    """The last run; None when no auditor ever ran on this database (or its schema is older than the auditor)."""
    if not inspect(db.connection()).has_table(AuditRun.__tablename__):
        return None
    row = db.scalar(select(AuditRun).order_by(AuditRun.at.desc()).limit(1))
    if row is None:
        return None
    found = db.execute(
        select(AuditFinding.kind, func.count()).where(AuditFinding.cleared_at.is_(None)).group_by(AuditFinding.kind)
    )
    return Audit(
        age_s=max(0.0, (at - row.at).total_seconds()),
        runs=row.runs,
        took_ms=row.took_ms,
        figures=row.figures,
        open_by_kind={str(kind): int(count) for kind, count in found},
        beat_at=row.beat_at,
        beat_error=row.beat_error,
    )
