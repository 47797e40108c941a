"""Leaves that have just begun, or are over, and changes of shift: whoever is waited for and is away is replaced, at once.

Each leave is a row with its times; what was entered days ahead is seen to when it begins, like one that begins when it is
entered. A scheduler that was away sees to it when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

import structlog

from handlers.hazard import away
from handlers.permit import holes
from jobs.context import Services
from jobs.queue import CHAT, DELIVERY
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

FOR_S = 2.0  # other duties of the scheduler must not wait longer
SHIFT_MISSED = timedelta(hours=12)  # how far a scheduler that was away looks back; a shift that began earlier is over
SHIFTS_SEEN = "anshao:shifts_seen"  # until when changes of shift were seen to (epoch seconds)
TRY_FOR = timedelta(minutes=10)  # what fails is tried again meanwhile; then the ladders must do


def hand_over(services: Services) -> int:
    """See to every leave whose time has come; returns how many."""
    with services.new_work(read_only=True) as work:
        due = [leave.id for leave in work.roster.to_feel(services.clock())]
    done, end = 0, monotonic() + FOR_S
    for leave_id in due:
        done += _one(services, leave_id)
        if monotonic() > end:
            break
    if due:
        services.kick(DELIVERY)
    return done


def change_shift(services: Services) -> int:
    """After a change of shifts by the duty roster: permits that wait for a signature, for 验票 or 验收 are asked of who is on
    duty now; returns how many wait. Who has been asked is not asked again, so that a change may be seen to twice."""
    with services.new_work(read_only=True) as work:
        now = work.at
        since = _shifts_seen(services, now)
        permits = holes.waiting(work) if work.roster.changed_between(since, now) else []
    calm = [_try(services, partial(holes.ask_about, permit_id=permit_id)) for permit_id in permits]
    if permits:
        services.kick(DELIVERY)
    if all(calm):
        services.redis.set(SHIFTS_SEEN, now.timestamp())
    return len(permits)


def _shifts_seen(services: Services, now: datetime) -> datetime:
    seen = services.redis.get(SHIFTS_SEEN)
    last = datetime.fromtimestamp(float(seen), UTC) if seen is not None else now
    # a mark from the future was left by a clock that has been set back
    return last if now - SHIFT_MISSED <= last < now else now - SHIFT_MISSED


def _one(services: Services, leave_id: int) -> bool:
    with services.new_work(read_only=True) as work:
        leave = work.roster.leave(leave_id)
        on_leave = leave.starts_at <= work.at < leave.ends_at
        hazards = work.hazards.waiting_on(work.roster.behind(leave.person_id, work.at)) if on_leave else []
        permits = holes.waiting(work)
        person_id, since = leave.person_id, leave.ends_at if work.at >= leave.ends_at else leave.starts_at
    calm = [_try(services, lambda work: work.permit_queue.touch_people([person_id], at=work.at))]
    calm += [_try(services, partial(holes.ask_about, permit_id=permit_id)) for permit_id in permits]
    calm += [_try(services, partial(away.hand_over, hazard_id=hazard_id, leave_id=leave_id)) for hazard_id in hazards]
    services.kick(CHAT)  # the permits whose people are away are judged
    with services.new_work() as work:
        if all(calm) or work.at - since > TRY_FOR:
            work.roster.felt(leave_id, work.at)
            work.commit()
    log.info("leave.felt", leave=leave_id, hazards=len(hazards), permits=len(permits), failed=calm.count(False))
    return all(calm)


def _try(services: Services, act: Callable[[UnitOfWork], object]) -> bool:
    """One that cannot be seen to keeps nobody from the others."""
    try:
        with services.new_work() as work:
            act(work)
            work.commit()
    except Exception as error:
        log.error("leave.not_felt", exc_info=error)
        return False
    return True
