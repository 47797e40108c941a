"""Slow work, a job of its own for each kind: what another system or many rows make take seconds, and no answer waits for.

The scheduler only asks the database whether a kind is due and wakes the worker. A run is written down before it begins:
one that hangs is killed by its time limit, one whose process dies is missed when its lease is over; both are tried again,
and the auditor tells of work that fails time after time or that nobody begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from jobs import (
    certificates,
    edge_watch,
    knowledge,
    missed_events,
    policies,
    receipts,
    retention,
    sms_receipts,
    sweep,
    video,
    weather,
)
from jobs.context import Services
from jobs.queue import SLOW, SLOW_TIMEOUT_S
from storage.away import AWAY
from storage.conflicts import CONFLICTS

log = structlog.get_logger()

NOW_AND_AGAIN = timedelta(0)  # as often as there is something to do
KILL_S = 60  # a job that does not heed its time limit is killed this much later (rq.Worker.monitor_work_horse)
MARGIN_S = 15
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))  # after a failure


@dataclass(frozen=True, slots=True)
class Chore:
    """`due` reads the database only; `run` returns how much was done. Begun at most once in `every`."""

    due: Callable[[Services], bool]
    run: Callable[[Services], int]
    every: timedelta = NOW_AND_AGAIN


def _always(_services: Services) -> bool:
    return True


CHORES: dict[str, Chore] = {
    "policies": Chore(policies.is_due, policies.move_due),
    "receipts": Chore(receipts.is_due, receipts.ask),
    "sms_receipts": Chore(sms_receipts.is_due, sms_receipts.ask),
    "video": Chore(video.is_due, video.look_due),
    "weather": Chore(weather.is_due, weather.look_due),
    "certificates": Chore(certificates.is_due, certificates.sync_due),
    "missed": Chore(missed_events.is_due, missed_events.read),
    "edge": Chore(edge_watch.is_due, edge_watch.look_due),
    "knowledge": Chore(_always, knowledge.keep, timedelta(minutes=10)),
    "retention": Chore(_always, retention.keep, timedelta(hours=1)),
    "tidy": Chore(_always, sweep.tidy, timedelta(hours=1)),
}


def wake(services: Services, name: str) -> bool:
    """Whether the kind is due (scheduler); the worker is woken then. Nothing slow happens here."""
    chore = CHORES[name]
    with services.new_work(read_only=True) as work:
        free = work.chores.may_begin(name, work.at, every=chore.every)
        known = work.chores.is_wanted(name)
    if not free or not chore.due(services):
        return False
    if not known:
        _want(services, name)
    services.kick(f"{SLOW}:{name}")
    return True


def _want(services: Services, name: str) -> None:
    try:
        with services.new_work() as work:
            work.chores.want(name, work.at)
            work.commit()
    except CONFLICTS:
        log.debug("slow.wanted_by_another", name=name)  # the other scheduler came first


def missed(services: Services) -> int:
    """Runs whose end nobody told in time (scheduler): their process was killed. They are due again; how many there were."""
    with services.new_work(read_only=True) as work:
        lost = work.chores.lost(work.at)
    for name, began in lost.items():
        with services.new_work() as work:
            count = work.chores.failed(name, began, work.at, error="killed", waits=WAITS)
            work.commit()
        if count:
            log.error("slow.killed", name=name, times=count)
    return len(lost)


def run(services: Services, name: str) -> int:
    """Do one kind of work when it is due and nobody is at it; how much was done. What it raises is raised again."""
    chore, began = CHORES.get(name), services.clock()
    if chore is None:  # asked for by a scheduler of another release
        log.error("slow.unknown", name=name)
        return 0
    if not chore.due(services) or not _begin(services, name, chore, began):
        return 0
    try:
        done = chore.run(services)
    except Exception as error:  # rq's time limit among them
        with services.new_work() as work:
            count = work.chores.failed(name, began, work.at, error=type(error).__name__, waits=WAITS)
            work.commit()
        log.error("slow.failed", name=name, times=count, error=type(error).__name__)
        raise
    with services.new_work() as work:
        work.chores.ended(name, began, work.at)
        work.commit()
    if done and chore.every == NOW_AND_AGAIN:
        wake(services, name)  # what came meanwhile, or was left for another round
    return done


def _begin(services: Services, name: str, chore: Chore, began: datetime) -> bool:
    lease = timedelta(seconds=SLOW_TIMEOUT_S[name] + KILL_S + MARGIN_S)
    try:
        with services.new_work() as work:
            mine = work.chores.begin(name, began, every=chore.every, lease=lease)
            work.commit()
    except (*CONFLICTS, *AWAY) as error:
        log.warning("slow.not_begun", name=name, error=type(error).__name__)
        return False
    return mine
