"""What the plant's video system says about special-grade hot work (5.2.11); only when a hook is configured."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rules.permit import Work
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork

PREFIX = "video:"  # rows in source_state, one a permit that is filmed
MAX_AGE = timedelta(seconds=60)  # older than this the recording is unknown


def is_wanted(permit: JudgedPermit) -> bool:
    """Special-grade hot work that is not over."""
    return permit.work == Work.HOT_WORK and permit.level == "special" and permit.ended_at is None


def source_of(permit_id: int) -> str:
    return f"{PREFIX}{permit_id}"


def seen(work: UnitOfWork, permit: JudgedPermit, at: datetime) -> tuple[dict[str, Any], datetime | None]:
    """(facts, until when they count). Nothing without a hook: then what people confirmed by name stands.

    A hook that has gone silent makes the recording unknown, whatever was confirmed before.
    """
    if not is_wanted(permit):
        return {}, None
    row = work.readings.known_source(source_of(permit.id))
    if row is None:
        return {}, None
    until = datetime.fromisoformat(str(row.facts["at"])) + MAX_AGE
    if until < at:
        return {"video_recording": None}, None
    found: dict[str, Any] = {"video_recording": bool(row.facts["recording"])}
    if row.facts.get("ex_proof") is not None:
        found["camera_ex_proof"] = bool(row.facts["ex_proof"])
    return found, until
