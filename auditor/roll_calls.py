"""Is everybody who is missing in a roll call still being looked for?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from auditor.finding import Finding, Kind, Limits
from auditor.tables import ladder_step, roll_call, roll_call_member

OVER_AFTER = timedelta(hours=24)  # the engine lets the last step come again this long


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """An open call with somebody missing and no step to come; a step that is late."""
    missing = exists().where(roll_call_member.c.call_id == roll_call.c.id, roll_call_member.c.confirmed_at.is_(None))
    steps = (
        ladder_step.c.case_kind == "roll_call",
        ladder_step.c.case_id == roll_call.c.id,
        ladder_step.c.generation == roll_call.c.generation,
        ladder_step.c.taken_at.is_(None),
        ladder_step.c.called_off_at.is_(None),
    )
    lost = select(roll_call.c.id, roll_call.c.generation).where(
        roll_call.c.ended_at.is_(None), roll_call.c.started_at > now - OVER_AFTER, missing, ~exists().where(*steps)
    )
    for row in db.execute(lost):
        yield Finding(Kind.CALL_NO_STEP, f"roll_call:{row.id}", {"generation": row.generation})
    late = (
        select(ladder_step.c.id, roll_call.c.id.label("call_id"))
        .join_from(ladder_step, roll_call, roll_call.c.id == ladder_step.c.case_id)
        .where(*steps, roll_call.c.ended_at.is_(None), ladder_step.c.due_at < now - limits.step)
        .order_by(ladder_step.c.due_at)
        .limit(200)
    )
    for row in db.execute(late):
        yield Finding(Kind.STEP_LATE, f"step:{row.id}", {"roll_call": row.call_id})
