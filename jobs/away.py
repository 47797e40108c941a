"""Leaves that have just begun, or are over, and changes of shift: whoever is waited for and is away is replaced, at once.

Each leave is a row with its times; what was entered days ahead is seen to when it begins, like one that begins when it is
entered. A scheduler that was away sees to it when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
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
SHIFT_FRESH = timedelta(minutes=5)  # a scheduler that was away for longer leaves it to whoever comes next
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
    """Shortly after a change of shifts by the duty roster: permits that wait for a signature, for 验票 or 验收 are asked of
    who is on duty now; returns how many wait. Done several times over: who has been asked is not asked again."""
    with services.new_work(read_only=True) as work:
        if not work.roster.changed_between(work.at - SHIFT_FRESH, work.at):
            return 0
        permits = holes.waiting(work)
    for permit_id in permits:
        _try(services, partial(holes.ask_about, permit_id=permit_id))
    if permits:
        services.kick(DELIVERY)
    return len(permits)


def _one(services: Services, leave_id: int) -> bool:
    with services.new_work(read_only=True) as work:
        leave = work.roster.leave(leave_id)
        on_leave = leave.starts_at <= work.at < leave.ends_at
        hazards = work.hazards.waiting_on(work.roster.behind(leave.person_id, work.at)) if on_leave else []
        permits = holes.waiting(work)
        person_id, since = leave.person_id, leave.ends_at if work.at >= leave.ends_at else leave.starts_at
    calm = [_try(services, lambda work: work.permits.touch_people([person_id], at=work.at))]
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
