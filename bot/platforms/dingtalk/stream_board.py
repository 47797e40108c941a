"""The state of every stream process on a board in Redis: what /readyz and /metrics show of the links."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

PREFIX = "anshao:stream:"
KEPT_S = 180
SILENT_S = 120.0


@dataclass(frozen=True, slots=True)
class LinkState:
    """One process. Times are Unix seconds; `last_frame_at` 0 when none came yet."""

    process: str
    state: str  # connecting, live, not_storing, refused, stopped
    at: float
    last_frame_at: float
    connects: int
    frames: int
    not_stored: int


class Board:
    """Written by one process; a lost Redis loses the view only, never a message."""

    def __init__(self, redis: Any, *, clock: Callable[[], datetime]) -> None:
        self._redis, self._clock = redis, clock
        self.process = f"{socket.gethostname()}-{os.getpid()}"

    def write(self, *, state: str, last_frame_at: float, connects: int, frames: int, not_stored: int) -> None:
        now = self._clock().timestamp()
        shown = LinkState(self.process, state, now, last_frame_at, connects, frames, not_stored)
        try:
            self._redis.set(PREFIX + self.process, json.dumps(asdict(shown)), ex=KEPT_S)
        except RedisError as error:
            log.warning("dingtalk.stream_board_lost", error=type(error).__name__)

    def remove(self) -> None:
        try:
            self._redis.delete(PREFIX + self.process)
        except RedisError as error:
            log.warning("dingtalk.stream_board_lost", error=type(error).__name__)


def read(redis: Any) -> list[LinkState]:
    """Every process that wrote lately. Raises RedisError."""
    found = []
    for key in sorted(redis.scan_iter(match=PREFIX + "*", count=100)):
        value = redis.get(key)
        if value is not None:
            found.append(LinkState(**json.loads(value)))
    return found


def complaint(redis: Any, now: datetime) -> str:
    """What is wrong with the links in plain words, "" when one of them is live. Raises RedisError."""
    links = read(redis)
    if not links:
        return "dingtalk stream: no process; is `python worker.py --stream` running?"
    live = [link for link in links if link.state == "live"]
    if any(link.state == "not_storing" for link in links):
        return "dingtalk stream: messages cannot be stored; is the database reachable and its disk not full?"
    if not live:
        return f"dingtalk stream: no link ({', '.join(sorted({link.state for link in links}))})"
    silent_s = now.timestamp() - max(max(link.last_frame_at, 0.0) for link in live)
    if silent_s > SILENT_S:
        return f"dingtalk stream: no frame for {silent_s:.0f} s"
    return ""
