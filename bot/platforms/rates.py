"""Counting what was sent, shared by all processes: above its limits WeCom drops messages and says «ok».

A part of each limit is kept for alarms: an ordinary message waits while the rest is used up, the first notice of a red
or orange hazard never waits behind it. Who asks is told by `sending`, so that no signature of a platform has to.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from redis.exceptions import RedisError

from bot.outbox import REPLY, URGENT
from bot.platforms.base import Failure, PlatformError

log = structlog.get_logger(__name__)

_urgency: ContextVar[int | None] = ContextVar("urgency", default=None)


@contextmanager
def sending(urgency: int) -> Iterator[None]:
    """What is called inside is the send of a message of that urgency (bot/outbox.py)."""
    token = _urgency.set(urgency)
    try:
        yield
    finally:
        _urgency.reset(token)


def may_use_all() -> bool:
    """Whether the part of a rate that is kept for alarms may be used. Calls that are no sends may not."""
    urgency = _urgency.get()
    return urgency is not None and urgency <= URGENT


def may_wait_for_next_period() -> bool:
    """Whether this is a message that the last part of a day's or month's budget is not kept for.

    Answers to people and calls that are no sends (fetching a photo, ticking off a to-do) go on to the end.
    """
    urgency = _urgency.get()
    return urgency is not None and urgency > REPLY


class Limit(NamedTuple):
    """At most so many in so many seconds, of which `kept` are for alarms. `name` is the reason that is shown."""

    most: int
    span_s: int
    kept: int = 0
    name: str = "own_limit"


# From the page on frequency limits (#90454): to one member 30 a minute and 1000 an hour, a group robot 20 a minute.
MEMBER = (Limit(30, 60, 6, "member_minute"), Limit(1000, 3600, 100, "member_hour"))
ROBOT = (Limit(20, 60, 4, "robot_minute"),)

SKEW_S = 60  # a time further ahead than clocks differ was written before a clock was set back: it blocks nobody

# Counts for all keys or for none, and says how long until all have room, and which limit is in the way.
_TAKE = """
local now, one, wait, longest, which = tonumber(ARGV[1]), ARGV[2], 0, 0, 0
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '(' .. (now + tonumber(ARGV[3])), '+inf')
end
for i = 4, #ARGV, 2 do
  local count, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  longest = math.max(longest, span)
  for _, key in ipairs(KEYS) do
    if redis.call('ZCOUNT', key, '(' .. (now - span), '+inf') >= count then
      local blocking = redis.call('ZRANGE', key, -count, -count, 'WITHSCORES')[2]
      local until_free = tonumber(blocking) + span - now
      if until_free > wait then wait, which = until_free, (i - 4) / 2 end
    end
  end
end
if wait > 0 then return {tostring(wait), which} end
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - longest)
  redis.call('ZADD', key, now, one)
  redis.call('EXPIRE', key, longest)
end
return {'0', 0}
"""


class Rates:
    def __init__(self, redis: Any, *, prefix: str, clock: Callable[[], datetime]) -> None:
        self._redis, self._prefix, self._clock = redis, prefix, clock

    def take(self, names: Sequence[str], limits: Sequence[Limit]) -> None:
        """Count one message to each of `names`; raises THROTTLED, counting nothing, while one of them is full.

        The code of the error is the name of the limit. Without Redis nothing is counted: late is better than lost, but
        a message held back for ever is neither.
        """
        keys = [f"{self._prefix}:rate:{name}" for name in dict.fromkeys(names)]
        if not keys:
            return
        free = may_use_all()
        args: list[Any] = [self._clock().timestamp(), secrets.token_hex(8), SKEW_S]
        for limit in limits:
            args += [limit.most if free else limit.most - limit.kept, limit.span_s]
        try:
            said, which = self._redis.eval(_TAKE, len(keys), *keys, *args)
        except RedisError as error:
            log.warning("rate_not_counted", error=type(error).__name__)
            return
        wait = float(said)
        if wait > 0:
            raise PlatformError(Failure.THROTTLED, limits[int(which)].name, wait_s=wait)

    def block(self, name: str, span_s: float) -> None:
        """The platform said that `name` is blocked: nobody asks again before that time is over."""
        try:
            self._redis.set(
                f"{self._prefix}:blocked:{name}", f"{self._clock().timestamp() + span_s}", ex=int(span_s) + 1
            )
        except RedisError as error:
            log.warning("block_not_shared", error=type(error).__name__)

    def check(self, name: str, reason: str) -> None:
        """Raises THROTTLED with `reason` while `name` is blocked."""
        try:
            until = self._redis.get(f"{self._prefix}:blocked:{name}")
        except RedisError as error:
            log.warning("block_not_read", error=type(error).__name__)
            return
        wait = float(until) - self._clock().timestamp() if until else 0.0
        if wait > 0:
            raise PlatformError(Failure.THROTTLED, reason, wait_s=wait)
