"""Due ladder steps (升级): taken one by one, so that one bad row stops nobody."""

from __future__ import annotations

import structlog
from handlers.hazard import ladder

from jobs.context import Services
from jobs.queue import DELIVERY

log = structlog.get_logger()


def escalate_due(services: Services) -> int:
    """Take every due step and tell the next people; returns how many were taken."""
    taken = 0
    with services.new_work(read_only=True) as work:
        due = work.ladder.due_ids(services.clock())
    for step_id in due:
        try:
            with services.new_work() as work:
                if work.ladder.take(step_id, work.at):
                    ladder.climb(work, work.ladder.get(step_id))
                    taken += 1
                work.commit()
        except Exception as error:  # the step stays untaken and is tried again next time; the others go on
            log.error("ladder.step_failed", step=step_id, exc_info=error)
    if taken:
        services.kick(DELIVERY)
        log.info("ladder.climbed", steps=taken)
    return taken
