"""The one table of periods, and the loop that keeps it. Two schedulers are safe: due work is claimed in the database.

No duty here may take long, since the others wait for it: what takes seconds is woken here and done elsewhere (jobs/slow.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog
from rq import Queue
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from jobs import away, budgets, escalate, permits, slow, sweep
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


# seconds between two looks whether slow work is due; what is not named is looked for once a minute
LOOK_S = {"policies": 1.0, "receipts": 20.0, "sms_receipts": 10.0, "video": 5.0}

DUTIES: tuple[Duty, ...] = (
    Duty("wake", 1.0, sweep.wake),
    Duty("escalate", 1.0, escalate.escalate_due),
    Duty("away", 1.0, away.hand_over),
    Duty("shifts", 20.0, away.change_shift),
    Duty("permits", 1.0, permits.judge_due),
    Duty("leases", 2.0, sweep.leases),
    Duty("rq", 5.0, clean_registries),
    Duty("budgets", 60.0, budgets.keep),
    Duty("budget warnings", 600.0, budgets.warn),
    Duty("slow work missed", 5.0, slow.missed),
    *(Duty(f"slow {name}", LOOK_S.get(name, 60.0), partial(slow.wake, name=name)) for name in slow.CHORES),
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
