"""Is every open hazard somebody's, with a time and a next step?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select

from auditor.finding import Finding, Kind, Limits
from auditor.tables import account, delivery, hazard, ladder_step, person, role_grant

OPEN = ("reported", "assigned", "rectifying", "to_accept")
ARRIVING = ("due", "claimed", "unknown", "confirmed")
# ladder → states in which the case needs it
NEEDED = {
    "confirm": ("reported", "assigned"),
    "rectify": ("reported", "assigned", "rectifying"),
    "accept": ("to_accept",),
}


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    yield from owners(db, now, limits)
    yield from deadlines(db)
    yield from ladders(db, now)
    yield from late_steps(db, now, limits)
    yield from unheard(db, now, limits)
    yield from pictures(db, now, limits)


def _of(row_id: int) -> str:
    return f"hazard:{row_id}"


def owners(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """No owner and no safety officer told; or an owner who left."""
    officer_told = exists().where(
        delivery.c.case_kind == "hazard",
        delivery.c.case_id == hazard.c.id,
        delivery.c.state.in_(ARRIVING),
        delivery.c.person_id == role_grant.c.person_id,
        role_grant.c.role == "safety_officer",
    )
    nobody = select(hazard.c.id).where(
        hazard.c.state.in_(OPEN),
        hazard.c.owner_id.is_(None),
        hazard.c.reported_at < now - limits.settle,
        ~officer_told,
    )
    yield from (Finding(Kind.NO_OWNER, _of(row.id)) for row in db.execute(nobody))
    left = (
        select(hazard.c.id, hazard.c.owner_id)
        .join_from(hazard, person, person.c.id == hazard.c.owner_id, isouter=True)
        .where(
            hazard.c.state.in_(OPEN),
            hazard.c.owner_id.is_not(None),
            or_(person.c.id.is_(None), person.c.active.is_(False)),
        )
    )
    yield from (Finding(Kind.OWNER_LEFT, _of(row.id), {"person": row.owner_id}) for row in db.execute(left))


def deadlines(db: Connection) -> Iterator[Finding]:
    """A case that nobody can be late with."""
    unconfirmed = and_(hazard.c.confirmed_at.is_(None), hazard.c.state.in_(NEEDED["confirm"]))
    query = select(hazard.c.id).where(
        hazard.c.state.in_(OPEN),
        or_(hazard.c.due_at.is_(None), and_(unconfirmed, hazard.c.confirm_due_at.is_(None))),
    )
    yield from (Finding(Kind.NO_DUE, _of(row.id)) for row in db.execute(query))


def ladders(db: Connection, now: datetime) -> Iterator[Finding]:
    """Every ladder the state needs has a step to come, or was climbed to its end while another one goes on."""
    suspects: dict[int, Any] = {}
    for ladder, states in NEEDED.items():
        live = exists().where(
            ladder_step.c.case_kind == "hazard",
            ladder_step.c.case_id == hazard.c.id,
            ladder_step.c.generation == hazard.c.generation,
            ladder_step.c.ladder == ladder,
            ladder_step.c.taken_at.is_(None),
            ladder_step.c.called_off_at.is_(None),
        )
        query = select(hazard.c.id, hazard.c.state, hazard.c.generation, hazard.c.confirmed_at, hazard.c.plan).where(
            hazard.c.state.in_(states), ~live
        )
        if ladder == "confirm":
            query = query.where(hazard.c.confirmed_at.is_(None))
        suspects |= {row.id: row for row in db.execute(query)}
    for row in suspects.values():
        yield from _ladder_findings(db, row)


def needed_ladders(state: str, confirmed_at: datetime | None) -> list[str]:
    return [
        name
        for name, states in NEEDED.items()
        if state in states and not (name == "confirm" and confirmed_at is not None)
    ]


def _ladder_findings(db: Connection, row: Any) -> Iterator[Finding]:
    steps = db.execute(
        select(ladder_step).where(
            ladder_step.c.case_kind == "hazard",
            ladder_step.c.case_id == row.id,
            ladder_step.c.generation == row.generation,
        )
    ).all()
    any_live, lost = False, []
    for ladder in needed_ladders(row.state, row.confirmed_at):
        own = [s for s in steps if s.ladder == ladder]
        if any(s.taken_at is None and s.called_off_at is None for s in own):
            any_live = True
            continue
        planned = len((row.plan or {}).get("ladders", {}).get(ladder, []))
        climbed = max((s.position for s in own if s.taken_at is not None), default=-1)
        if planned and climbed < planned - 1:
            lost.append(ladder)
    if lost:
        yield Finding(Kind.NO_STEP, _of(row.id), {"ladders": lost, "generation": row.generation})
    elif not any_live:
        yield Finding(Kind.LADDER_ENDED, _of(row.id), {"generation": row.generation})


def late_steps(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """A step of a living case whose time is over and which nobody took."""
    query = (
        select(ladder_step.c.id, ladder_step.c.case_id, ladder_step.c.ladder)
        .join_from(ladder_step, hazard, hazard.c.id == ladder_step.c.case_id)
        .where(
            ladder_step.c.case_kind == "hazard",
            ladder_step.c.generation == hazard.c.generation,
            ladder_step.c.taken_at.is_(None),
            ladder_step.c.called_off_at.is_(None),
            ladder_step.c.due_at < now - limits.step,
            hazard.c.state.in_(OPEN),
        )
        .order_by(ladder_step.c.due_at)
        .limit(200)
    )
    for row in db.execute(query):
        yield Finding(Kind.STEP_LATE, f"step:{row.id}", {"hazard": row.case_id, "ladder": row.ladder})


def unheard(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """A filed case of which no message to anybody but its reporter arrived or is on its way."""
    heard = exists().where(
        delivery.c.case_kind == "hazard",
        delivery.c.case_id == hazard.c.id,
        delivery.c.purpose.like("hazard.%"),
        delivery.c.purpose != "hazard.receipt",
        delivery.c.state.in_(ARRIVING),
        or_(delivery.c.person_id.is_(None), hazard.c.reporter_id.is_(None), delivery.c.person_id != hazard.c.reporter_id,
            delivery.c.person_id == hazard.c.owner_id),
    )  # fmt: skip
    query = select(hazard.c.id).where(
        hazard.c.state.in_(OPEN), hazard.c.reported_at < now - limits.settle, hazard.c.confirmed_at.is_(None), ~heard
    )
    yield from (Finding(Kind.REACHED_NOBODY, _of(row.id)) for row in db.execute(query))


def pictures(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Handed in, but the acceptors are called only after the picture, and nobody makes it."""
    query = select(hazard.c.id).where(
        hazard.c.state == "to_accept", hazard.c.evidence_state == "due", hazard.c.submitted_at < now - limits.picture
    )
    yield from (Finding(Kind.PICTURE_STUCK, _of(row.id)) for row in db.execute(query))


def reachable(db: Connection, role: str, area_id: int | None) -> list[Any]:
    """(person_id, platform, user_id) of the active holders of a role: for the area, else for the whole plant."""
    query = (
        select(account.c.person_id, account.c.platform, account.c.user_id)
        .join_from(role_grant, person, person.c.id == role_grant.c.person_id)
        .join(account, account.c.person_id == person.c.id)
        .where(
            role_grant.c.role == role, person.c.active.is_(True), account.c.user_id != "", account.c.left_at.is_(None)
        )
        .order_by(account.c.last_seen_at.desc().nulls_last(), account.c.id)
    )
    own = db.execute(query.where(role_grant.c.area_id == area_id)).all() if area_id is not None else []
    return list(own or db.execute(query.where(role_grant.c.area_id.is_(None))).all())
