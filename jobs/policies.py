"""Moving open cases to a new version of the policy, each in a transaction of its own, once somebody pressed for it."""

from __future__ import annotations

import structlog

from handlers import policies
from jobs.context import Services
from jobs.queue import DELIVERY

log = structlog.get_logger()

AT_ONCE = 200  # cases a round: other slow work comes in between


def is_due(services: Services) -> bool:
    """Whether somebody pressed for open cases to move (scheduler)."""
    with services.new_work(read_only=True) as work:
        return work.policies.to_move() is not None


def move_due(services: Services) -> int:
    """Move the next cases to the version asked for; returns how many. Two processes are safe: a case moves once."""
    with services.new_work(read_only=True) as work:
        row = work.policies.to_move()
        ids = work.policies.cases_on_others(row.version) if row is not None else []
    if row is None:
        return 0
    failed = [hazard_id for hazard_id in ids[:AT_ONCE] if not _move(services, hazard_id, row.version)]
    if len(ids) <= AT_ONCE:
        with services.new_work() as work:
            if work.policies.finish_move(row.version, work.at):
                found = work.policies.version(row.version)
                if found is not None:
                    policies.moved(work, found, failed)
                log.info("policy.moved", version=row.version, cases=len(ids), failed=len(failed))
            work.commit()
    services.kick(DELIVERY)
    return len(ids[:AT_ONCE]) - len(failed)


def _move(services: Services, hazard_id: int, version: int) -> bool:
    try:
        with services.new_work() as work:
            row = work.policies.version(version)
            if row is not None:
                policies.move(work, work.hazards.get(hazard_id, lock=True), row)
            work.commit()
    except Exception as error:  # one case that cannot be moved keeps its plan and must not keep the others from it
        log.error("policy.move_failed", hazard=hazard_id, exc_info=error)
        return False
    return True
