"""Is everybody who is missing in a roll call still being looked for?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from auditor.cases import ARRIVING
from auditor.finding import Finding, Kind, Limits
from auditor.tables import delivery, ladder_step, roll_call, roll_call_member

AT_MOST = 500
OVER_AFTER = timedelta(hours=24)  # the engine lets the last step come again this long


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """An open call with somebody missing and no step to come; a step that is late; somebody whom no call reached."""
    missing = exists().where(roll_call_member.c.call_id == roll_call.c.id, roll_call_member.c.confirmed_at.is_(None))
    steps = (
        ladder_step.c.case_kind == "roll_call",
        ladder_step.c.case_id == roll_call.c.id,
        ladder_step.c.generation == roll_call.c.generation,
        ladder_step.c.taken_at.is_(None),
        ladder_step.c.called_off_at.is_(None),
    )
    lost = select(roll_call.c.id, roll_call.c.generation, roll_call.c.area_id).where(
        roll_call.c.ended_at.is_(None), roll_call.c.started_at > now - OVER_AFTER, missing, ~exists().where(*steps)
    )
    for call in db.execute(lost):
        facts = {"generation": call.generation, "roll_call": call.id, "area": call.area_id}
        yield Finding(Kind.CALL_NO_STEP, f"roll_call:{call.id}", facts)
    yield from unheard(db, now, limits)
    late = (
        select(ladder_step.c.id, roll_call.c.id.label("call_id"))
        .join_from(ladder_step, roll_call, roll_call.c.id == ladder_step.c.case_id)
        .where(*steps, roll_call.c.ended_at.is_(None), ladder_step.c.due_at < now - limits.step)
        .order_by(ladder_step.c.due_at)
        .limit(200)
    )
    for row in db.execute(late):
        yield Finding(Kind.STEP_LATE, f"step:{row.id}", {"roll_call": row.call_id})


def unheard(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Whoever was called, has not confirmed, and to whom no call arrived or is on its way, by any channel.

    A permit that is called off is told of by its own notice (`permits.check`).
    """
    notice = exists().where(
        delivery.c.case_kind == "roll_call",
        delivery.c.case_id == roll_call.c.id,
        delivery.c.person_id == roll_call_member.c.person_id,
        delivery.c.purpose == "roll_call." + roll_call.c.kind,
        delivery.c.state.in_(ARRIVING),
    )
    query = (
        select(roll_call.c.id, roll_call.c.area_id, roll_call_member.c.id.label("member_id"), roll_call_member.c.person_id)
        .join_from(roll_call_member, roll_call, roll_call.c.id == roll_call_member.c.call_id)
        .where(
            roll_call.c.ended_at.is_(None),
            roll_call.c.started_at > now - OVER_AFTER,
            roll_call.c.kind != "permit_recall",
            roll_call_member.c.confirmed_at.is_(None),
            roll_call_member.c.called_at < now - limits.settle,
            ~notice,
        )
        .order_by(roll_call_member.c.id)
        .limit(AT_MOST)
    )  # fmt: skip
    for row in db.execute(query):
        facts = {"roll_call": row.id, "person": row.person_id, "area": row.area_id}
        yield Finding(Kind.CALL_UNHEARD, f"member:{row.member_id}", facts)
