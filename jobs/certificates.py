"""Training and certificates from the plant's training system, on a worker: fetched outside any transaction, then put in.

The scheduler only asks whether it is time; a slow training system holds up nothing but this job.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import structlog

from connectors.errors import OutsideError
from connectors.training import Pulled
from handlers import certificates
from handlers.certificates import SyncReport
from jobs.context import Services
from storage.away import AWAY
from storage.conflicts import CONFLICTS

log = structlog.get_logger()

SOURCE = "training"  # its row in source_state
FROM = "rest"  # Certificate.source of what came this way
WHOLE_EVERY = timedelta(hours=24)  # tags or not: what somebody changed here by hand is set right once a day
ATTEMPTS = 4
SHOWN = 20  # rows that were left out, kept for whoever looks


def is_due(services: Services) -> bool:
    """Whether it is time (scheduler)."""
    if services.training is None:
        return False
    with services.new_work(read_only=True) as work:
        return work.certificates.sync_due(SOURCE, work.at, every=_every(services))


def sync_due(services: Services) -> int:
    """Synchronise when it is time and nobody else does; returns how many synchronisations were made."""
    if services.training is None:
        return 0
    with services.new_work() as work:
        mine = work.certificates.claim_sync(SOURCE, work.at, every=_every(services))
        work.commit()
    if not mine:
        return 0
    with suppress(OutsideError):  # written down; the next time will tell
        sync(services)
    return 1


def _every(services: Services) -> timedelta:
    return timedelta(minutes=services.settings.training_every_min)


def sync(services: Services, *, whole: bool = False) -> SyncReport | None:
    """Fetch and put in; None when nothing changed since the last time. `whole`: read everything, tags or not.

    Raises OutsideError when the training system cannot be read; nothing was changed then.
    """
    assert services.training is not None
    now = services.clock()
    with services.new_work(read_only=True) as work:
        state = work.certificates.sync_state(SOURCE)
        facts = dict(state.facts) if state is not None else {}
    fresh = facts.get("whole_at", "") > (now - WHOLE_EVERY).isoformat()
    try:
        pulled = services.training.pull(facts.get("tags") if fresh and not whole else None)
    except OutsideError as error:
        _note_failure(services, error)
        raise
    report = _put_in(services, pulled)
    if report is None:
        log.info("certificates.unchanged", pages=pulled.pages)
    else:
        log.log(
            30 if report.kept else 20,
            "certificates.synced",
            pages=pulled.pages, added=report.added, changed=report.changed, same=report.same, gone=report.gone,
            kept=report.kept, bad=len(report.bad), permits=report.touched,
        )  # fmt: skip
    return report


def _put_in(services: Services, pulled: Pulled) -> SyncReport | None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with services.new_work() as work:
                report = None if pulled.rows is None else certificates.take_all(work, pulled.rows, source=FROM)
                state = work.readings.source(SOURCE)
                state.last_ok_at, state.last_error = work.at, ""
                if report is not None:
                    state.facts = {**state.facts, **_facts(report, pulled), "whole_at": work.at.isoformat()}
                work.commit()
                wake = set(work.wake)
        except (*CONFLICTS, *AWAY):
            if attempt == ATTEMPTS:
                raise
            continue
        for queue in sorted(wake):
            services.kick(queue)
        return report
    raise AssertionError("unreachable")


def _facts(report: SyncReport, pulled: Pulled) -> dict[str, object]:
    return {
        "tags": dict(pulled.tags) if not report.kept else {},
        "pages": pulled.pages,
        "added": report.added,
        "changed": report.changed,
        "same": report.same,
        "gone": report.gone,
        "kept": report.kept,
        "bad": len(report.bad),
        "bad_rows": [[number, why] for number, why in report.bad[:SHOWN]],
    }


def _note_failure(services: Services, error: OutsideError) -> None:
    log.warning("certificates.failed", error=error.code, permanent=error.permanent)
    try:
        with services.new_work() as work:
            state = work.readings.source(SOURCE)
            state.last_error, state.last_error_at = error.code[:200], work.at
            work.commit()
    except (*CONFLICTS, *AWAY) as other:
        log.warning("certificates.failure_not_kept", error=type(other).__name__)
