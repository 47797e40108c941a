"""Budgets that last a day or a calendar month: counted by day in Redis, shared by all processes.

The last part of a budget is kept for what cannot wait: alarms, answers to people, fetching their photos. Days are the
platforms' own (China). Redis may be emptied: `at_least` puts back what the database remembers (jobs/budgets.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from time import monotonic
from typing import Any, Literal

import structlog
from redis.exceptions import RedisError

from bot.platforms.base import Failure, PlatformError
from bot.platforms.rates import may_wait_for_next_period

log = structlog.get_logger(__name__)

CHINA = timezone(timedelta(hours=8))
KEEP = timedelta(days=70)
KEPT_SHARE = 0.1
NEAR_S = 1.0

_RAISE = """
local used, wanted = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0'), tonumber(ARGV[2])
if wanted > used then
  redis.call('HSET', KEYS[1], ARGV[1], wanted)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return math.max(used, wanted)
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a platform gives for a period. `title` is shown; `kept` of it is for what cannot wait."""

    name: str
    title: str
    period: Literal["day", "month"]
    limit: int

    @property
    def kept(self) -> int:
        return round(self.limit * KEPT_SHARE)


class Uses:
    """The use of one app's budgets. Without Redis nothing is held back: a message that waits for ever is lost."""

    def __init__(self, redis: Any, *, prefix: str, clock: Callable[[], datetime]) -> None:
        self._redis, self._prefix, self._clock = redis, prefix, clock
        self._near: dict[str, tuple[str, int, float]] = {}  # day, used, when asked

    def today(self) -> str:
        return self._clock().astimezone(CHINA).strftime("%Y-%m-%d")

    def add(self, budget: Budget, how_many: int = 1) -> None:
        """Count, after the fact: what a platform throttled or never got costs nothing."""
        day = self.today()
        key = self._key(budget, day)
        try:
            then, used, asked_at = self._near.get(budget.name, ("", 0, 0.0))
            self._near[budget.name] = then, used + how_many, asked_at
            if self._redis.hincrby(key, day, how_many) == how_many:  # the first of the day
                self._redis.expire(key, KEEP)
        except RedisError as error:
            log.warning("use_not_counted", budget=budget.name, error=type(error).__name__)

    def days(self, budget: Budget) -> dict[str, int]:
        """Day → used, of this calendar month. Raises RedisError when nobody knows."""
        found = self._redis.hgetall(self._key(budget, self.today()))
        return {_text(day): int(used) for day, used in found.items()}

    def used(self, budget: Budget) -> int:
        """What the current period has cost so far. Raises RedisError when nobody knows."""
        days = self.days(budget)
        return sum(days.values()) if budget.period == "month" else days.get(self.today(), 0)

    def at_least(self, budget: Budget, day: str, used: int) -> int:
        """Put back what was known before Redis lost it; returns the larger figure. Raises RedisError."""
        key = self._key(budget, day)
        return int(self._redis.eval(_RAISE, 1, key, day, used, int(KEEP.total_seconds())))

    def check(self, budget: Budget, how_many: int = 1) -> None:
        """Raises QUOTA when a message that can wait would use what is kept for those that cannot."""
        if budget.limit <= 0 or not may_wait_for_next_period():
            return
        try:
            used = self._used_lately(budget)
        except RedisError as error:
            log.warning("use_not_known", budget=budget.name, error=type(error).__name__)
            return
        if used + how_many > budget.limit - budget.kept:
            raise PlatformError(Failure.QUOTA, f"{budget.name}_{budget.period}", wait_s=self.left_of(budget))

    def _used_lately(self, budget: Budget) -> int:
        """As `used`, asked for once a second at most: what others send meanwhile is far less than what is kept."""
        day, (then, used, asked_at) = self.today(), self._near.get(budget.name, ("", 0, 0.0))
        if then != day or monotonic() - asked_at >= NEAR_S:
            used = self.used(budget)
            self._near[budget.name] = day, used, monotonic()
        return used

    def left_of(self, budget: Budget) -> float:
        """Seconds until the next period begins."""
        now = self._clock().astimezone(CHINA)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = 1 if budget.period == "day" else 32 - now.day
        following = midnight + timedelta(days=days)
        if budget.period == "month":
            following = following.replace(day=1)
        return (following.astimezone(UTC) - self._clock()).total_seconds()

    def _key(self, budget: Budget, day: str) -> str:
        return f"{self._prefix}:use:{budget.name}:{day[:7]}"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
