"""When WeCom may be asked to swallow a repeat.

`enable_duplicate_check` hides a message that equals one of the last half hour: after a time-out that is a blessing. But
two different messages may say the same («收到»), and the second must not vanish. So the check is asked for only by the
message that first said these words to this person, and by its own repeats.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

WINDOW = timedelta(minutes=30)
CARD_WINDOW = timedelta(hours=4)  # the longest there is; a card's task_id makes it unlike any other message
CHECK = {"enable_duplicate_check": 1, "duplicate_check_interval": int(WINDOW.total_seconds())}

log = structlog.get_logger(__name__)


class Repeats:
    def __init__(self, redis: Any, *, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    def flags(self, body: Mapping[str, Any], *, key: str) -> dict[str, int]:
        """What to add to that request; nothing when another message said the same, or when nobody knows."""
        window = CARD_WINDOW if body.get("msgtype") == "template_card" else WINDOW
        check = {**CHECK, "duplicate_check_interval": int(window.total_seconds())}
        said = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        name = f"{self._prefix}:said:{said}"
        try:
            if self._redis.set(name, key, ex=window, nx=True):
                return check
            first = self._redis.get(name)
            first = first.decode() if isinstance(first, bytes) else first
            if first == key:
                return check
            self._redis.expire(name, window)
        except RedisError as error:
            log.warning("wecom.repeat_not_checked", error=type(error).__name__)
        return {}
