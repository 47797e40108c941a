"""Counting what was sent, shared by all processes: above its limits WeCom drops messages and says «ok»."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from redis.exceptions import RedisError

from bot.platforms.base import Failure, PlatformError

log = structlog.get_logger(__name__)


class Limit(NamedTuple):
    most: int
    span_s: int


# From the page on frequency limits (#90454): to one member 30 a minute and 1000 an hour, a group robot 20 a minute.
MEMBER = (Limit(30, 60), Limit(1000, 3600))
ROBOT = (Limit(20, 60),)

# Counts for all keys or for none, and says how long until all have room.
_TAKE = """
local now, one, wait, longest = tonumber(ARGV[1]), ARGV[2], 0, 0
for i = 3, #ARGV, 2 do
  local count, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  longest = math.max(longest, span)
  for _, key in ipairs(KEYS) do
    if redis.call('ZCOUNT', key, '(' .. (now - span), '+inf') >= count then
      local blocking = redis.call('ZRANGE', key, -count, -count, 'WITHSCORES')[2]
      wait = math.max(wait, tonumber(blocking) + span - now)
    end
  end
end
if wait > 0 then return tostring(wait) end
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - longest)
  redis.call('ZADD', key, now, one)
  redis.call('EXPIRE', key, longest)
end
return '0'
"""


class Rates:
    def __init__(self, redis: Any, *, prefix: str, clock: Callable[[], datetime]) -> None:
        self._redis, self._prefix, self._clock = redis, prefix, clock

    def take(self, names: Sequence[str], limits: Sequence[Limit]) -> None:
        """Count one message to each of `names`; raises THROTTLED, counting nothing, while one of them is full.

        Without Redis nothing is counted: late is better than lost, but a message held back for ever is neither.
        """
        keys = [f"{self._prefix}:rate:{name}" for name in dict.fromkeys(names)]
        if not keys:
            return
        args = [self._clock().timestamp(), secrets.token_hex(8), *(part for limit in limits for part in limit)]
        try:
            wait = float(self._redis.eval(_TAKE, len(keys), *keys, *args))
        except RedisError as error:
            log.warning("wecom.rate_not_counted", error=type(error).__name__)
            return
        if wait > 0:
            raise PlatformError(Failure.THROTTLED, "own_limit", wait_s=wait)
