"""DingTalk's budgets: 20 calls a second per interface, and the month's 5 000 calls of the standard edition.

Token, login and contact calls are free and never counted (protocol notes §7.1). Counting is shared by all processes
through Redis; without Redis nothing is held back, for a message that waits for ever is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot.platforms.rates import Limit, Rates

log = structlog.get_logger(__name__)

QPS = (Limit(20, 1),)
MONTH_LIMIT = 5000
KEEP = timedelta(days=70)
_ID = re.compile(r"/[^/]*[^a-zA-Z0-9./_][^/]*|/[^/]{20,}")
_FREE = ("/v1.0/oauth2/", "/v1.0/contact/", "/topapi/v2/user/", "/topapi/v2/department/", "/gettoken", "/topapi/user/")


@dataclass(frozen=True, slots=True)
class MonthUse:
    """Calls of this month so far, the limit, and what the month comes to when it goes on like this."""

    used: int
    limit: int
    expected: int

    @property
    def runs_out(self) -> bool:
        return self.expected > self.limit


class Meter:
    def __init__(
        self, redis: Any, *, prefix: str, clock: Callable[[], datetime], month_limit: int = MONTH_LIMIT
    ) -> None:
        self._redis, self._prefix, self._clock, self._limit = redis, prefix, clock, month_limit
        self._rates = Rates(redis, prefix=prefix, clock=clock)

    def count(self, method: str, path: str) -> None:
        """Count one call; raises PlatformError THROTTLED while the interface is full this second."""
        if path.startswith(_FREE):
            return
        self._rates.take([f"{method} {_ID.sub('/*', path)}"], QPS)
        try:
            self._redis.incr(self._key())
            self._redis.expire(self._key(), KEEP)
        except RedisError as error:
            log.warning("dingtalk.not_counted", error=type(error).__name__)

    def month(self) -> MonthUse:
        """How the month stands. Raises RedisError when nobody knows."""
        now = self._clock()
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (start + timedelta(days=32)).replace(day=1)
        used = int(self._redis.get(self._key()) or 0)
        gone = max((now - start) / (following - start), 1 / 60)  # half a day at least, else the first call is a panic
        return MonthUse(used=used, limit=self._limit, expected=round(used / gone))

    def _key(self) -> str:
        return f"{self._prefix}:month:{self._clock():%Y%m}"
