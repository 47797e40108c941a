"""Access tokens and page tickets: shared by all processes through Redis, fetched by one of them at a time.

Without Redis every process keeps its own: the platforms hand out the same token again while it is valid.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from redis.exceptions import LockError, RedisError

MARGIN_S = 300
NEAR_S = 1.0  # so long a value is taken as just read: many calls a second need not ask Redis each time
LOCK_S = 20.0
WAIT_S = 5.0

log = structlog.get_logger(__name__)

Fetch = Callable[[], tuple[str, int]]
"""Asks the platform; returns the value and the seconds it lives."""


class TokenKeeper:
    """`prefix` separates apps; values are kept until a margin before their end."""

    def __init__(self, redis: Any, *, prefix: str, clock: Callable[[], datetime]) -> None:
        self._redis, self._prefix, self._clock = redis, prefix, clock
        self._own: dict[str, tuple[str, float]] = {}
        self._near: dict[str, tuple[str, float, float]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, name: str, fetch: Fetch) -> str:
        """The value of that name; `fetch` is called by at most one process at a time when there is none."""
        value = self._read_lately(name)
        if value:
            return value
        with self._locks[name], self._shared_lock(name):
            return self._read(name) or self._store(name, *fetch())

    def forget(self, name: str, refused: str) -> None:
        """Drop `refused`, unless somebody has replaced it meanwhile."""
        if self._read(name) != refused:
            return
        self._own.pop(name, None)
        self._near.pop(name, None)
        try:
            self._redis.delete(self._key(name))
        except RedisError as error:
            log.warning("platform.token_not_shared", error=type(error).__name__)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _read(self, name: str) -> str:
        now = self._clock().timestamp()
        try:
            raw = self._redis.get(self._key(name))
        except RedisError:
            value, until = self._own.get(name, ("", 0.0))
        else:
            value, until = json.loads(raw) if raw else ("", 0.0)
        self._near[name] = value, until, monotonic()
        return value if now < until else ""

    def _read_lately(self, name: str) -> str:
        value, until, read_at = self._near.get(name, ("", 0.0, 0.0))
        near = monotonic() - read_at < NEAR_S and self._clock().timestamp() < until
        return value if near else self._read(name)

    def _store(self, name: str, value: str, lives_s: int) -> str:
        kept = timedelta(seconds=max(1, lives_s - min(MARGIN_S, lives_s // 5)))
        until = (self._clock() + kept).timestamp()
        self._own[name] = (value, until)
        try:
            self._redis.set(self._key(name), json.dumps([value, until]), ex=kept)
        except RedisError as error:
            log.warning("platform.token_not_shared", error=type(error).__name__)
        return value

    @contextmanager
    def _shared_lock(self, name: str) -> Iterator[None]:
        """Held while fetching. Not getting it (Redis away, a slow neighbour) costs one more fetch, nothing else."""
        lock = self._redis.lock(f"{self._key(name)}:lock", timeout=LOCK_S, blocking_timeout=WAIT_S)
        try:
            held = lock.acquire()
        except RedisError:
            held = False
        try:
            yield
        finally:
            if held:
                with suppress(LockError, RedisError):  # it ran out: somebody else holds it now
                    lock.release()
