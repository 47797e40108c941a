"""Due ladder steps (升级): taken one by one, so that one bad row stops nobody, and for a while only: after a long stop
the scheduler's other duties must not wait until the last of very many is taken."""

from __future__ import annotations

from time import monotonic

import structlog

from handlers.hazard import ladder
from handlers.roll_call import ladder as roll_calls
from jobs.context import Services
from jobs.queue import DELIVERY

log = structlog.get_logger()

FOR_S = 2.0
MOST_FAILED = 1000
MANY = 500  # due at once: a long stop. Then those nobody needs any more go first, all together


def escalate_due(services: Services) -> int:
    """Take due steps, longest due first, and tell the next people; returns how many were taken or called off."""
    taken, failed, end = 0, list[int](), monotonic() + FOR_S
    # a rung with nobody on it brings the next one in the same tick
    while monotonic() < end and len(failed) < MOST_FAILED:
        with services.new_work(read_only=True) as work:
            due = work.ladder.due_ids(services.clock(), limit=MANY, without=failed)
        if not due:
            break
        if len(due) == MANY and (void := _call_off_void(services)):
            taken += void
            continue
        for step_id in due:
            if _take(services, step_id):
                taken += 1
            else:
                failed.append(step_id)
            if monotonic() > end:
                break
    if taken:
        services.kick(DELIVERY)
        log.info("ladder.climbed", steps=taken)
    return taken


def _call_off_void(services: Services) -> int:
    """How many were called off; 0 also when it failed: then they are taken one by one, and nobody's step waits for it."""
    try:
        with services.new_work() as work:
            void = work.ladder.call_off_void(work.at)
            work.commit()
            return void
    except Exception as error:
        log.error("ladder.void_not_called_off", exc_info=error)
        return 0


def _take(services: Services, step_id: int) -> int:
    try:
        with services.new_work() as work:
            won = work.ladder.take(step_id, work.at)
            if won:
                step = work.ladder.get(step_id)
                (roll_calls.climb if step.case_kind == "roll_call" else ladder.climb)(work, step)
            work.commit()
            return int(won)
    except Exception as error:  # the step stays untaken and is tried again next time; the others go on
        log.error("ladder.step_failed", step=step_id, exc_info=error)
        return 0
