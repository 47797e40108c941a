"""Writing down how a send ended: arrived, to be tried again and when, elsewhere, or refused for good."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from bot.outbox import URGENT
from bot.platforms.base import Failure, PlatformError
from handlers import deliveries, frugal
from jobs import reconcile
from jobs.context import Services
from jobs.send import Outcome
from storage.conflicts import CONFLICTS
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

# Seconds before the next try, by what went wrong: longer each time, spread so that many do not come back at once.
BACK_OFF_S: dict[Failure, tuple[float, ...]] = {
    Failure.RETRY: (2, 5, 15, 60, 300),
    Failure.UNKNOWN: (2, 5, 15, 60),
    Failure.THROTTLED: (2, 4),  # a limit frees itself again and says when: what is held back keeps asking soon
    Failure.CONFIG: (5, 30, 120, 300),  # somebody must act
    Failure.QUOTA: (60, 600, 3600),
}
MAX_ATTEMPTS = {Failure.RETRY: 12, Failure.THROTTLED: 2000, Failure.UNKNOWN: 4, Failure.CONFIG: 600, Failure.QUOTA: 400}
LONGEST_S = 3600.0  # even a month's end is looked at once an hour: the limit may have been raised
URGENT_WAITS_S = 10.0  # a red or orange notice that a limit holds up for longer also goes through the next channel
URGENT_TRIES_S = 60.0  # … and one that fails for so long


def confirm(services: Services, arrived: Mapping[int, tuple[Mapping[str, Any], str]]) -> None:
    """Note that these rows arrived: id → (what was sent, the platform's reference)."""
    with services.new_work() as work:
        news = work.outbox.confirm({row_id: ref for row_id, (_, ref) in arrived.items()}, work.at)
        work.commit()
    _log_confirmed(news, {row_id: part for row_id, (part, _) in arrived.items()})


def _log_confirmed(news: Sequence[int], parts: Mapping[int, Mapping[str, Any]]) -> None:
    for row_id in news:
        log.info("delivery.confirmed", id=row_id, what=parts[row_id]["what"], platform=parts[row_id]["platform"])


def write_down(
    services: Services, work: UnitOfWork, job: list[dict[str, Any]], outcome: Outcome
) -> list[tuple[int, str]]:
    """Note the end of one call for every row of it, and its posting. A batch stays together: one time to wait for all.

    Returns (row, remedy) of what the admins must hear of.
    """
    arrived = [part for part in job if outcome.failed is None and _place(part) not in outcome.refused]
    # also when our lease was lost meanwhile: it did arrive, whoever holds the row now
    refs = {part["id"]: outcome.ref for part in arrived}
    _log_confirmed(work.outbox.confirm(refs, work.at) if refs else (), {part["id"]: part for part in arrived})
    spread = random.uniform(1.0, 1.4)
    failed = []
    for part in job:
        if part in arrived:
            continue
        row = work.outbox.get(part["id"])
        # somebody else took it over while our lease was lost: a failure of ours says nothing about their send
        if row.state == "claimed" and row.attempts == part["attempts"]:
            error = outcome.failed or PlatformError(Failure.NOBODY, outcome.refused[_place(part)])
            failed.append((row, error))
    told = [(row.id, error.remedy) for row, error in failed if _failed(services, work, row, error, spread=spread)]
    if outcome.post is not None and outcome.failed is None:
        outcome.post(work)
    return told


def _place(part: dict[str, Any]) -> str:
    return f"group:{part['group_id']}" if part["group_id"] else f"user:{part['user_id']}"


def _back_off(failure: Failure, attempts: int) -> float:
    steps = BACK_OFF_S[failure]
    return steps[min(attempts, len(steps)) - 1]


def _failed(services: Services, work: UnitOfWork, row: Delivery, error: PlatformError, *, spread: float) -> bool:
    """Write down why a send failed; decide what comes next. True when the admins must hear of it."""
    row.error, row.lease_until = f"{error.failure.value} {error.code}"[:100], None
    if error.failure is not Failure.UNKNOWN and not row.payload.get("maybe_repeat"):
        row.payload = {name: value for name, value in row.payload.items() if name != "sent"}  # nothing of it arrived
    again = error.failure in MAX_ATTEMPTS and row.attempts < MAX_ATTEMPTS[error.failure]
    if again and not _goes_elsewhere(services, work, row, error):
        wait_s = min(LONGEST_S, max(error.wait_s, _back_off(error.failure, row.attempts))) * spread
        due_at = work.at + timedelta(seconds=wait_s)
        if error.failure is Failure.UNKNOWN:
            reconcile.again(work, row, due_at)
        else:
            row.state, row.due_at, row.wait_reason = "due", due_at, _reason(error)
            if error.failure is Failure.QUOTA:
                frugal.into_digest(work, row)
        log.warning(
            "delivery.waits", id=row.id, what=row.what, platform=row.platform, code=error.code, wait_s=round(wait_s)
        )
        return error.failure is Failure.CONFIG
    row.state, row.wait_reason = "refused", ""
    log.error("delivery.refused", id=row.id, what=row.what, platform=row.platform, code=error.code)
    replaced = services.fall_back is not None and services.fall_back(work, row)
    # of a used-up budget they hear once (jobs/budgets.py); a right to answer that ran out is nobody's to mend
    return not (replaced and error.failure in (Failure.QUOTA, Failure.EXPIRED))


def _reason(error: PlatformError) -> str:
    """What the message waits for, as cards/deliveries.py words it. Limits by their name."""
    if error.failure in (Failure.THROTTLED, Failure.QUOTA):
        return f"{error.failure.value}:{error.code}"[:48]
    return error.failure.value


def _goes_elsewhere(services: Services, work: UnitOfWork, row: Delivery, error: PlatformError) -> bool:
    """Take the next channel before this one is given up. True when that is in the place of this message.

    A red or orange notice does not wait: it is said elsewhere as well, and still tried here. Of the others only what a
    used-up budget holds back goes to a platform with a budget of its own.
    """
    if services.fall_back is None:
        return False
    waited = (work.at - (row.wanted_at or row.created_at)).total_seconds()
    if row.urgency <= URGENT:
        stuck = (
            error.failure in (Failure.QUOTA, Failure.CONFIG)
            or (error.failure is Failure.THROTTLED and error.wait_s > URGENT_WAITS_S)
            or waited > URGENT_TRIES_S
        )
        if stuck and services.fall_back(work, row, ahead=True):
            log.warning("delivery.said_elsewhere", id=row.id, what=row.what, platform=row.platform, code=error.code)
        return False
    return error.failure is Failure.QUOTA and services.fall_back(work, row, ahead=True)


def tell_admins(services: Services, failed: Sequence[tuple[int, str]]) -> None:
    """Put (row, remedy) on the admins' card, in a transaction of its own: many senders fail at once, and all write to
    one card. What the sends came to must not depend on who is first."""
    for row_id, remedy in failed:
        try:
            with services.new_work() as work:
                deliveries.tell_admins(work, work.outbox.get(row_id), remedy=remedy)
                work.commit()
        except CONFLICTS:
            log.info("delivery.admins_told_by_another", id=row_id)
