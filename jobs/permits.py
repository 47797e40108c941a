"""Live permits whose next judgement is due: after a new fact nearby at once, else when the clock may change them."""

from __future__ import annotations

from datetime import timedelta

import structlog

from handlers.permit import feel
from jobs.context import Services
from jobs.queue import DELIVERY

log = structlog.get_logger()

TRY_AGAIN = timedelta(seconds=30)
AT_A_TIME = 10  # then the queue is looked at again: a danger that came meanwhile goes first
MOST = 200


def judge_due(services: Services) -> int:
    """Judge every due permit, each in a transaction of its own; returns how many were judged.

    Run by the chat worker as soon as a feed kicks it, and by the scheduler each second for what a lost kick left.
    """
    judged = 0
    while judged < MOST:
        with services.new_work(read_only=True) as work:
            due = work.permits.judge_due(services.clock(), limit=AT_A_TIME)
        outcomes = [outcome for outcome in (_judge(services, permit_id) for permit_id in due) if outcome != "not_due"]
        judged += len(outcomes)
        if any(outcome not in ("same", "waits", "suspended") for outcome in outcomes):
            services.kick(DELIVERY)
        if len(due) < AT_A_TIME or not outcomes:  # all done, or another process is at it
            break
    return judged


def _judge(services: Services, permit_id: int) -> str:
    try:
        with services.new_work() as work:
            outcome = feel.judge_again(work, permit_id)
            work.commit()
    except Exception as error:  # one permit that cannot be judged must not keep the others from it
        log.error("permit.judge_failed", permit=permit_id, exc_info=error)
        _put_off(services, permit_id)
        return "failed"
    if outcome == "suspended":
        services.kick(DELIVERY)  # people are called while the rest of the queue is still judged
    if outcome not in ("same", "not_due", "waits"):
        log.info("permit.judged", permit=permit_id, outcome=outcome)
    return outcome


def _put_off(services: Services, permit_id: int) -> None:
    with services.new_work() as work:
        work.permits.judge_later(permit_id, work.at + TRY_AGAIN)
        work.commit()
