"""The one table of periods, and the loop that keeps it. Two schedulers are safe: due work is claimed in the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import structlog
from rq import Queue
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from jobs import (
    budgets,
    certificates,
    escalate,
    knowledge,
    permits,
    policies,
    receipts,
    retention,
    sweep,
    video,
    weather,
)
from jobs.context import Services
from jobs.queue import QUEUES

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Duty:
    name: str
    every_s: float
    run: Callable[[Services], object]


def clean_registries(services: Services) -> int:
    """RQ notices a killed worker's job only when somebody asks; the defaults would take 808 s."""
    for name in QUEUES:
        StartedJobRegistry(queue=Queue(name, connection=services.redis, serializer=JSONSerializer)).cleanup()
    return len(QUEUES)


DUTIES: tuple[Duty, ...] = (
    Duty("wake", 1.0, sweep.wake),
    Duty("escalate", 1.0, escalate.escalate_due),
    Duty("permits", 1.0, permits.judge_due),
    Duty("policies", 1.0, policies.move_due),
    Duty("leases", 2.0, sweep.leases),
    Duty("rq", 5.0, clean_registries),
    Duty("tidy", 3600.0, sweep.tidy),
    Duty("budgets", 60.0, budgets.keep),
    Duty("budget warnings", 600.0, budgets.warn),
    Duty("receipts", 20.0, receipts.wake_due),
    Duty("knowledge", 600.0, knowledge.keep),
    Duty("certificates", 60.0, certificates.wake_due),
    Duty("retention", 3600.0, retention.keep),
    Duty("weather", 60.0, weather.wake_due),
    Duty("video", 5.0, video.wake_due),
)


def run(services: Services, stop: threading.Event, duties: tuple[Duty, ...] = DUTIES) -> None:
    """Keep the duties until `stop` is set. A duty that fails is logged and tried again at its next time."""
    due = {duty.name: monotonic() for duty in duties}
    while not stop.is_set():
        for duty in duties:
            if monotonic() < due[duty.name]:
                continue
            due[duty.name] = monotonic() + duty.every_s
            try:
                duty.run(services)
            except Exception as error:
                log.error("duty.failed", duty=duty.name, exc_info=error)
        stop.wait(max(0.05, min(due.values()) - monotonic()))
