"""Waking the workers. One drain job serves many rows, so a burst costs one enqueue and not one a message.

The database is the truth: a kick that Redis loses only means «later», because the scheduler kicks again
for rows that nobody took (jobs/sweep.py).
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

import redis as redis_module
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

log = structlog.get_logger()

CHAT, MEDIA, DELIVERY, SLOW = "chat", "media", "delivery", "slow"
QUEUES = (CHAT, MEDIA, DELIVERY, SLOW)
DRAINS = {CHAT: "jobs.drain.chat", MEDIA: "jobs.drain.media", DELIVERY: "jobs.drain.delivery", SLOW: "jobs.drain.slow"}

# seconds a job of each kind of slow work may take before it is killed; several times what it takes in a large plant
SLOW_TIMEOUT_S = {
    "policies": 120,
    "receipts": 120,
    "sms_receipts": 120,
    "video": 60,
    "weather": 60,
    "certificates": 180,
    "edge": 60,
    "missed": 120,
    "knowledge": 120,
    "retention": 300,
    "tidy": 300,
}
TIMEOUT_S = 120

RESULT_TTL_S = 0
FAILURE_TTL_S = 14 * 24 * 3600
FLAG_TTL_S = 3  # a flag whose job was lost blocks further kicks no longer than this
SLOW_FLAG_TTL_S = 60  # jobs of the slow queue may wait behind one that hangs: they must not pile up meanwhile


class Kicker(Protocol):
    def __call__(self, queue: str) -> None:
        """Make sure that a drain of this queue starts soon; never raises. Slow work by its kind: «slow:weather»."""
        ...

    def started(self, queue: str) -> None:
        """A drain begins: rows written from now on need a new kick."""
        ...


def flag(queue: str) -> str:
    return f"anshao:kick:{queue}"


class RqKicker:
    """Enqueues a drain job unless one is waiting already. Threads that kick at the same time share one round to Redis.

    Each kind of slow work has a job of its own, so that one that hangs is the only one killed.
    """

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.queues = {name: Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES}
        lanes = (*QUEUES, *(f"{SLOW}:{kind}" for kind in SLOW_TIMEOUT_S))
        self._kicking = {name: threading.Lock() for name in lanes}
        self._wanted = dict.fromkeys(lanes, False)

    def __call__(self, queue: str) -> None:
        self._wanted[queue] = True
        # who finds another thread kicking leaves it to kick once more: it looks again after giving the lock back
        while self._wanted[queue] and self._kicking[queue].acquire(blocking=False):
            try:
                self._wanted[queue] = False
                self._kick(queue)
            finally:
                self._kicking[queue].release()

    def _kick(self, queue: str) -> None:
        name, _, kind = queue.partition(":")
        try:
            if self.redis.set(flag(queue), 1, nx=True, ex=SLOW_FLAG_TTL_S if kind else FLAG_TTL_S):
                self.queues[name].enqueue(
                    DRAINS[name],
                    *([kind] if kind else []),
                    job_timeout=SLOW_TIMEOUT_S.get(kind, TIMEOUT_S),
                    result_ttl=RESULT_TTL_S,
                    failure_ttl=FAILURE_TTL_S,
                )
        except redis_module.RedisError as error:
            log.warning("kick.lost", queue=queue, error=type(error).__name__)

    def started(self, queue: str) -> None:
        """A drain begins: rows written from now on need a new kick."""
        try:
            self.redis.delete(flag(queue))
        except redis_module.RedisError as error:
            log.warning("kick.flag_kept", queue=queue, error=type(error).__name__)


class NoKicker:
    """For tests and tools that drain by hand."""

    def __call__(self, queue: str) -> None:
        return None

    def started(self, queue: str) -> None:
        return None
