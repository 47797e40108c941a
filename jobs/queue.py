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

RESULT_TTL_S = 0
FAILURE_TTL_S = 14 * 24 * 3600
FLAG_TTL_S = 3  # a flag whose job was lost blocks further kicks no longer than this


class Kicker(Protocol):
    def __call__(self, queue: str) -> None:
        """Make sure that a drain of this queue starts soon; never raises."""
        ...

    def started(self, queue: str) -> None:
        """A drain begins: rows written from now on need a new kick."""
        ...


def flag(queue: str) -> str:
    return f"anshao:kick:{queue}"


class RqKicker:
    """Enqueues a drain job unless one is waiting already. Threads that kick at the same time share one round to Redis."""

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.queues = {name: Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES}
        self._kicking = {name: threading.Lock() for name in QUEUES}
        self._wanted = dict.fromkeys(QUEUES, False)

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
        try:
            if self.redis.set(flag(queue), 1, nx=True, ex=FLAG_TTL_S):
                self.queues[queue].enqueue(
                    DRAINS[queue], job_timeout=120, result_ttl=RESULT_TTL_S, failure_ttl=FAILURE_TTL_S
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
