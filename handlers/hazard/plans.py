"""The plan a case goes by: copied from the policy when it opens, its due steps written, moved and written anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from cards.words import zone
from handlers.hazard import hours
from rules import escalation
from rules.escalation import Moment, Notice, Plan, PolicyError, Step
from rules.terms import HazardState
from storage.models import Hazard, LadderStep
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

CONFIRMABLE = (HazardState.REPORTED, HazardState.ASSIGNED)


def moment(at: datetime) -> Moment:
    """What time of day it is in the plant, for the words of a policy."""
    local = at.astimezone(zone())
    return Moment(local.time(), hours.is_workday(local.date()))


def content_of(work: UnitOfWork, version: int | None) -> tuple[int, dict[str, Any]]:
    """(version, content) of that version of the policy, of the one in force for None; 0 is the built-in one."""
    row = work.policies.current() if version is None else work.policies.version(version)
    return (row.version, row.content) if row is not None else (0, escalation.DEFAULT)


def entry_of(work: UnitOfWork, hazard: Hazard, content: dict[str, Any]) -> dict[str, Any]:
    """The plan of this policy that fits the hazard now. A policy that cannot be read never stops a dispatch."""
    facts: dict[str, Any] = {
        "grade": hazard.grade,
        "area": hazard.area.code if hazard.area else "",
        "category": hazard.category,
        "at": moment(work.at),
    }
    try:
        entry = escalation.entry_for(content, **facts)
        escalation.read_plan(entry)
    except (PolicyError, KeyError, TypeError, AttributeError) as problem:
        log.error("policy.unusable", hazard=hazard.id, problem=type(problem).__name__)
        entry = escalation.entry_for(escalation.DEFAULT, **facts)
    return entry


def choose_plan(work: UnitOfWork, hazard: Hazard) -> Plan:
    """Copy the plan that fits onto the hazard and return it.

    The version stays the one of its opening (policy frozen); grade, area and hour are those of now (facts live).
    """
    version, content = content_of(work, hazard.policy_version)
    hazard.plan, hazard.policy_version = entry_of(work, hazard, content), version
    return escalation.read_plan(hazard.plan)


def plan_of(hazard: Hazard) -> Plan:
    """The plan that was copied when the hazard was dispatched."""
    return escalation.read_plan(hazard.plan)


# -- due steps


@dataclass(frozen=True, slots=True)
class Due:
    """A step as it stands: `taken_at` when its people were told before; `at_once`: its time is over, it comes now."""

    ladder: str
    position: int
    step: Step
    due_at: datetime
    taken_at: datetime | None = None
    at_once: bool = False


def starts_of(hazard: Hazard, plan: Plan, *, due_at: datetime | None) -> dict[str, datetime]:
    """The ladders the case needs in its state, with the time each counts from."""
    state, found = HazardState(hazard.state), dict[str, datetime]()
    if state in CONFIRMABLE and hazard.confirmed_at is None and hazard.assigned_at is not None:
        found["confirm"] = hazard.assigned_at
    if state is HazardState.ASSIGNED and hazard.confirmed_at is not None and plan.stale_minutes:
        found["stale"] = hazard.confirmed_at + timedelta(minutes=plan.stale_minutes)
    if state is HazardState.TO_ACCEPT and hazard.submitted_at is not None:
        found["accept"] = hazard.submitted_at + timedelta(hours=plan.accept_hours)
    elif state in (*CONFIRMABLE, HazardState.RECTIFYING) and due_at is not None:
        found["rectify"] = due_at
    return found


def planned(
    hazard: Hazard, plan: Plan, before: Sequence[LadderStep], *, due_at: datetime | None, at: datetime
) -> Iterator[Due]:
    """The steps of every ladder the case needs; `before` are its steps of the generation up to now.

    A step whose time is over counts as taken when one before it told the same people as late. Of the others that are
    over only the highest comes, at once: nobody gets three calls in one minute. A reminder before a deadline that is
    nearer than its lead is left out.
    """
    for name, start in starts_of(hazard, plan, due_at=due_at).items():
        if name == "stale":
            start = _stale_start(before) or start
        told = [(s.taken_at, s.due_at, _whom(s)) for s in before if s.ladder == name and s.taken_at is not None]
        steps = list(enumerate(plan.ladders[name]))
        times = {n: _due_at(plan, start, step) for n, step in steps}
        done: dict[int, datetime] = {}
        for n, step in steps:
            wanted = {notice.to for notice in step.notices}
            whens = [taken for taken, due, whom in told if taken is not None and wanted <= whom and due >= times[n]]
            if times[n] <= at and whens:
                done[n] = min(whens)
        over = [n for n, step in steps if times[n] <= at and n not in done and step.after_minutes >= 0]
        if done and over and max(done) > max(over):
            over = []
        for n, step in steps:
            if n in done:
                yield Due(name, n, step, times[n], taken_at=done[n])
            elif times[n] > at:
                yield Due(name, n, step, times[n])
            elif over and n == over[-1]:
                yield Due(name, n, step, at, at_once=True)


def _stale_start(before: Sequence[LadderStep]) -> datetime | None:
    """Where the clock of a confirmation that was given again counts from; None while it was given once."""
    live = [s for s in before if s.ladder == "stale" and s.taken_at is None and s.called_off_at is None]
    if not live:
        return None
    first = min(live, key=lambda s: s.position)
    return first.due_at - timedelta(minutes=first.step.get("after_minutes", 0))


def _whom(step: LadderStep) -> set[str]:
    return {str(notice["to"]) for notice in step.step["notices"]}


def _due_at(plan: Plan, start: datetime, step: Step) -> datetime:
    due_at = start + timedelta(minutes=step.after_minutes)
    return hours.next_working(due_at, plan.hours.working) if plan.waits_for_working_hours else due_at


def restart(work: UnitOfWork, hazard: Hazard) -> None:
    """A new generation voids every step: write again what the case still needs, as far as it was not told yet."""
    before = work.ladder.of("hazard", hazard.id, generation=hazard.generation)
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    for due in planned(hazard, plan_of(hazard), before, due_at=hazard.due_at, at=work.at):
        _add(work, hazard, due.ladder, due.position, due.step, due.due_at, taken_at=due.taken_at)


def start_ladder(work: UnitOfWork, hazard: Hazard, name: str, *, start: datetime) -> None:
    """Write the due steps of one ladder: "confirm" counts from `start`, "rectify" and "accept" around their deadline.

    A ladder that was climbed in this generation already is written after its old steps.
    """
    plan = plan_of(hazard)
    first = work.ladder.next_position("hazard", hazard.id, hazard.generation, name)
    for position, step in enumerate(plan.ladders[name]):
        if start + timedelta(minutes=step.after_minutes) < work.at:
            continue  # a reminder before a deadline that is nearer than its lead
        _add(work, hazard, name, first + position, step, _due_at(plan, start, step))


def _add(
    work: UnitOfWork,
    hazard: Hazard,
    name: str,
    position: int,
    step: Step,
    due_at: datetime,
    *,
    taken_at: datetime | None = None,
) -> None:
    work.ladder.add(
        LadderStep(
            case_kind="hazard",
            case_id=hazard.id,
            generation=hazard.generation,
            ladder=name,
            position=position,
            step=stored(step),
            due_at=due_at,
            taken_at=taken_at,
        )
    )


def stored(step: Step) -> dict[str, Any]:
    return {"after_minutes": step.after_minutes, "notices": [notice.stored() for notice in step.notices]}


def notices_of(step: LadderStep) -> list[Notice]:
    """The notices of a stored step."""
    return [Notice(n["to"], tuple(n["channels"]), tuple(n.get("time", ()))) for n in step.step["notices"]]


def for_now(work: UnitOfWork, hazard: Hazard, notices: Sequence[Notice]) -> list[Notice]:
    """Those of the notices that are meant for this time of day."""
    now, known = moment(work.at), plan_of(hazard).hours
    return [notice for notice in notices if known.holds(notice.time, now)]
