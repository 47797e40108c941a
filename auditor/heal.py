"""Putting right what is safe to put right: rows the engine understands, changed only while they still are as found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from auditor.cases import needed_ladders
from auditor.finding import Finding, Kind
from auditor.tables import card_post, delivery, hazard, inbox, ladder_step, roll_call

# how long a case whose ladder was climbed to its end is left in peace before its last people are told again
REST = {"red": timedelta(hours=4), "orange": timedelta(hours=24), "yellow": timedelta(hours=48)}
LAST_RESORT = {"notices": [{"to": "safety_officer", "channels": ["app"]}]}


def heal(db: Connection, found: Finding, now: datetime) -> str:
    """Heal one finding inside the caller's transaction. What was done, "" when it is not so any more or not healable."""
    step = STEPS.get(found.kind)
    return step(db, found, now) if step is not None else ""


def _steps_of(db: Connection, case: Any) -> list[Any]:
    return list(
        db.execute(
            select(ladder_step).where(
                ladder_step.c.case_kind == "hazard",
                ladder_step.c.case_id == case.id,
                ladder_step.c.generation == case.generation,
            )
        )
    )


def _locked(db: Connection, found: Finding) -> Any:
    """The case, held against other writers; None when its ladder was changed since it was looked at."""
    query = select(hazard).where(hazard.c.id == found.row_id, hazard.c.generation == found.facts["generation"])
    return db.execute(query.with_for_update()).one_or_none()


def _anchor(case: Any, ladder: str, now: datetime) -> datetime:
    """When the ladder's clock started."""
    if ladder == "confirm":
        return case.assigned_at or case.reported_at or now
    if ladder == "rectify":
        return case.due_at or now
    hours = float((case.plan or {}).get("accept_hours", 24))
    return (case.submitted_at or now) + timedelta(hours=hours)


def _rearm(db: Connection, found: Finding, now: datetime) -> str:
    """Write the missing steps of the plan; of those whose time is over only the highest, which is due now."""
    case = _locked(db, found)
    if case is None:
        return ""
    present = _steps_of(db, case)
    armed = 0
    for ladder in set(found.facts["ladders"]) & set(needed_ladders(case.state, case.confirmed_at)):
        own = {s.position: s for s in present if s.ladder == ladder}
        if any(s.taken_at is None and s.called_off_at is None for s in own.values()):
            continue
        climbed = max((p for p, s in own.items() if s.taken_at is not None), default=-1)
        times = {
            position: _anchor(case, ladder, now) + timedelta(minutes=int(step["after_minutes"]))
            for position, step in enumerate(case.plan["ladders"][ladder])
            if position > climbed
        }
        over = [position for position, at in times.items() if at <= now]
        for position, at in times.items():
            if position in over[:-1]:
                continue
            notices = case.plan["ladders"][ladder][position]["notices"]
            _arm(db, case, ladder, position, {"notices": notices}, max(at, now), own.get(position))
            armed += 1
    return f"re-armed {armed} steps" if armed else ""


def _arm(
    db: Connection, case: Any, ladder: str, position: int, step: Mapping[str, Any], at: datetime, old: Any
) -> None:
    if old is not None:
        db.execute(
            update(ladder_step)
            .values(called_off_at=None, due_at=at)
            .where(ladder_step.c.id == old.id, ladder_step.c.taken_at.is_(None))
        )
        return
    db.execute(
        insert(ladder_step).values(
            case_kind="hazard", case_id=case.id, generation=case.generation, ladder=ladder, position=position,
            step=dict(step), due_at=at, taken_at=None, called_off_at=None,
        )
    )  # fmt: skip


def _again(db: Connection, found: Finding, now: datetime) -> str:
    """A ladder climbed to its end must not mean that nobody is told any more: its last rung comes again after a rest."""
    case = _locked(db, found)
    if case is None:
        return ""
    present, needed = _steps_of(db, case), needed_ladders(case.state, case.confirmed_at)
    if not needed or any(s.taken_at is None and s.called_off_at is None for s in present if s.ladder in needed):
        return ""
    ladder = needed[-1]
    own = sorted((s for s in present if s.ladder == ladder), key=lambda s: s.position)
    rungs = (case.plan or {}).get("ladders", {}).get(ladder, [])
    taken = [s for s in own if s.taken_at is not None]
    step = taken[-1].step if taken else {"notices": rungs[-1]["notices"]} if rungs else LAST_RESORT
    since = max((s.taken_at for s in taken), default=_anchor(case, ladder, now))
    at = max(now, since + REST.get(case.grade, REST["yellow"]))
    _arm(db, case, ladder, max((s.position for s in own), default=-1) + 1, step, at, None)
    return f"last rung again at {at.isoformat(timespec='seconds')}"


def _call_again(db: Connection, found: Finding, now: datetime) -> str:
    """Somebody is missing in a roll call and nobody would be asked again: its last step comes now."""
    query = select(roll_call).where(roll_call.c.id == found.row_id, roll_call.c.generation == found.facts["generation"])
    call = db.execute(query.with_for_update()).one_or_none()
    if call is None or call.ended_at is not None or not call.plan:
        return ""
    mine = (ladder_step.c.case_kind == "roll_call", ladder_step.c.case_id == call.id)
    last = db.scalar(select(func.max(ladder_step.c.position)).where(*mine, ladder_step.c.generation == call.generation))
    db.execute(
        insert(ladder_step).values(
            case_kind="roll_call", case_id=call.id, generation=call.generation, ladder="everyone",
            position=0 if last is None else last + 1, step={"notices": call.plan[-1]["notices"]}, due_at=now,
            taken_at=None, called_off_at=None,
        )
    )  # fmt: skip
    return "asked again"


def _give_back(db: Connection, found: Finding, now: datetime) -> str:
    """A message taken is handled in one transaction: while it still reads "taken" nothing of it was done."""
    done = db.execute(
        update(inbox)
        .values(state="new", lease_until=None, next_try_at=None)
        .where(inbox.c.id == found.row_id, inbox.c.state == found.facts["state"])
    )
    return "given back" if done.rowcount else ""


def _sooner(db: Connection, found: Finding, now: datetime) -> str:
    done = db.execute(
        update(inbox)
        .values(next_try_at=None)
        .where(inbox.c.id == found.row_id, inbox.c.state == "new", inbox.c.next_try_at > now)
    )
    return "brought forward" if done.rowcount else ""


def _let_go(db: Connection, found: Finding, now: datetime) -> str:
    """It may have arrived: `unknown` makes the engine repeat it in a way that is not shown twice."""
    done = db.execute(
        update(delivery)
        .values(state="unknown", lease_until=None)
        .where(delivery.c.id == found.row_id, delivery.c.state == "claimed")
    )
    return "lease ended, outcome unknown" if done.rowcount else ""


def _send_now(db: Connection, found: Finding, now: datetime) -> str:
    done = db.execute(
        update(delivery)
        .values(due_at=now)
        .where(delivery.c.id == found.row_id, delivery.c.state == "due", delivery.c.due_at > now)
    )
    return "brought forward" if done.rowcount else ""


def _free_card(db: Connection, found: Finding, now: datetime) -> str:
    done = db.execute(
        update(card_post)
        .values(lease_until=None, next_try_at=None)
        .where(card_post.c.id == found.row_id, func.coalesce(card_post.c.lease_until, card_post.c.next_try_at) > now)
    )
    return "lease ended" if done.rowcount else ""


STEPS: dict[Kind, Callable[[Connection, Finding, datetime], str]] = {
    Kind.NO_STEP: _rearm,
    Kind.LADDER_ENDED: _again,
    Kind.CALL_NO_STEP: _call_again,
    Kind.INBOX_HELD: _give_back,
    Kind.INBOX_FAR: _sooner,
    Kind.SEND_HELD: _let_go,
    Kind.SEND_FAR: _send_now,
    Kind.CARD_HELD: _free_card,
}
