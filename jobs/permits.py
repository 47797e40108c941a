"""Live permits whose next judgement is due: after a new fact nearby at once, else when the clock may change them.

A judgement that meets another writer is made again at once. One that breaks is tried again soon; when it breaks time after
time, or something dangerous is near, the work is stopped: what cannot be judged is not allowed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from handlers.permit import feel, unjudged
from jobs.context import Services
from jobs.queue import DELIVERY
from storage.away import AWAY
from storage.conflicts import CONFLICTS
from storage.permit_queue import DuePermit

log = structlog.get_logger()

TRY_AGAIN = timedelta(seconds=30)
SOON = timedelta(seconds=2)  # other writers came between at every attempt, or the database was away
ATTEMPTS = 4  # at once, as the pages' and feeds' transactions
MOST_FAILURES = 3  # in a row …
LONGEST = timedelta(minutes=2)  # … or for so long: then the work is stopped
AT_A_TIME = 10  # then the queue is looked at again: a danger that came meanwhile goes first
MOST = 200


def judge_due(services: Services) -> int:
    """Judge every due permit, each in a transaction of its own; returns how many were judged.

    Run by the chat worker as soon as a feed kicks it, and by the scheduler each second for what a lost kick left.
    """
    judged = 0
    while judged < MOST:
        with services.new_work(read_only=True) as work:
            due = work.permit_queue.due(services.clock(), limit=AT_A_TIME)
        outcomes = [outcome for outcome in (_judge(services, permit) for permit in due) if outcome != "not_due"]
        judged += len(outcomes)
        if any(outcome not in ("same", "waits", "suspended") for outcome in outcomes):
            services.kick(DELIVERY)
        if len(due) < AT_A_TIME or not outcomes:  # all done, or another process is at it
            break
    return judged


def _judge(services: Services, permit: DuePermit) -> str:
    try:
        outcome = _at_once(services, permit)
    except Exception as error:  # one permit that cannot be judged must not keep the others from it
        log.error("permit.judge_failed", permit=permit.id, exc_info=error)
        outcome = _not_judged(services, permit, broke=not isinstance(error, (*CONFLICTS, *AWAY)))
    if outcome == "suspended":
        services.kick(DELIVERY)  # people are called while the rest of the queue is still judged
    if outcome not in ("same", "not_due", "waits"):
        log.info("permit.judged", permit=permit.id, outcome=outcome)
    return outcome


def _at_once(services: Services, permit: DuePermit) -> str:
    """The judgement in one transaction, made again when another writer came between."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with services.new_work() as work:
                outcome = feel.judge_again(work, permit.id)
                if permit.unjudged_since is not None and outcome != "not_due":
                    work.permit_queue.judged_again(permit.id)
                work.commit()
        except (*CONFLICTS, *AWAY):
            if attempt == ATTEMPTS:
                raise
            continue
        return outcome
    raise AssertionError("unreachable")


def _not_judged(services: Services, permit: DuePermit, *, broke: bool) -> str:
    """It is due again soon; work that is not judged for too long, or beside a danger, is stopped."""
    try:
        with services.new_work() as work:
            again_at = work.at + (TRY_AGAIN if broke else SOON)
            failures, since = work.permit_queue.not_judged(
                permit.id, work.at, due_at=permit.judge_at, again_at=again_at, broke=broke
            )
            work.commit()
            now = work.at
    except (*CONFLICTS, *AWAY) as error:  # it stays due
        log.warning("permit.not_put_off", permit=permit.id, error=type(error).__name__)
        return "failed"
    return "suspended" if _is_too_long(permit, now, failures, since, broke) and _stop(services, permit.id) else "failed"


def _is_too_long(permit: DuePermit, now: datetime, failures: int, since: datetime | None, broke: bool) -> bool:
    if failures >= MOST_FAILURES or (since is not None and now - since >= LONGEST):
        return True
    return broke and permit.is_danger(now)


def _stop(services: Services, permit_id: int) -> bool:
    """Suspend the permit as not known; tell people when even that breaks. Whether it was stopped now."""
    try:
        with services.new_work() as work:
            stopped = unjudged.stop(work, permit_id)
            work.commit()
    except Exception as error:
        log.error("permit.stop_failed", permit=permit_id, exc_info=error)
        _tell_not_stopped(services, permit_id)
        return False
    return stopped


def _tell_not_stopped(services: Services, permit_id: int) -> None:
    try:
        with services.new_work() as work:
            unjudged.tell_not_stopped(work, permit_id)
            work.commit()
    except Exception as error:  # the other permits are still to be judged; this one is tried again
        log.error("permit.not_told", permit=permit_id, exc_info=error)
        return
    services.kick(DELIVERY)
