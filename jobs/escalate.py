"""Due ladder steps (升级): taken one by one, so that one bad row stops nobody."""

from __future__ import annotations

import structlog

from handlers.hazard import ladder
from jobs.context import Services
from jobs.queue import DELIVERY

log = structlog.get_logger()


def escalate_due(services: Services) -> int:
    """Take every due step and tell the next people; returns how many were taken."""
    taken, seen = 0, set[int]()
    while True:  # a rung with nobody on it brings the next one in the same tick
        with services.new_work(read_only=True) as work:
            due = [step_id for step_id in work.ladder.due_ids(services.clock()) if step_id not in seen]
        if not due:
            break
        seen.update(due)
        taken += sum(_take(services, step_id) for step_id in due)
    if taken:
        services.kick(DELIVERY)
        log.info("ladder.climbed", steps=taken)
    return taken


def _take(services: Services, step_id: int) -> int:
    try:
        with services.new_work() as work:
            won = work.ladder.take(step_id, work.at)
            if won:
                ladder.climb(work, work.ladder.get(step_id))
            work.commit()
            return int(won)
    except Exception as error:  # the step stays untaken and is tried again next time; the others go on
        log.error("ladder.step_failed", step=step_id, exc_info=error)
        return 0
