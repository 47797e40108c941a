"""Quotas and lifetimes of the platform, all adjustable through the control API."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta, timezone
from typing import Any

CHINA = timezone(timedelta(hours=8))


@dataclass
class Limits:
    """Figures of the standard edition (sources: protocol notes §1.2, 2.3–2.8, 5, 7); seconds unless named otherwise."""

    qps: int = 20
    api_month: int = 5000
    webhook_month: int = 3000
    token_ttl_s: float = 7200
    ticket_max_s: float = 86_400
    session_ttl_s: float = 5400
    auth_code_ttl_s: float = 300
    download_code_ttl_s: float = 7200
    download_url_ttl_s: float = 1800
    receipts_ttl_s: float = 86_400
    group_webhook_per_min: int = 20
    group_webhook_block_s: float = 600
    notice_per_day: int = 500
    card_key_bytes: int = 100
    card_value_bytes: int = 1024
    robot_push_s: float = 2.5
    event_push_s: float = 2.5
    card_push_s: float = 2.0
    stream_event_s: float = 3.0
    stream_ticket_s: float = 90
    stream_ping_s: float = 60
    stream_goodbye_s: float = 10

    def change(self, wanted: dict[str, Any]) -> None:
        """Raises KeyError for a limit that does not exist."""
        names = {field.name for field in fields(self)}
        for name in wanted:
            if name not in names:
                raise KeyError(name)
        for name, value in wanted.items():
            setattr(self, name, type(getattr(self, name))(value))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Meters:
    """Counts calls per second and per calendar month (plant time). The caller holds the emulator's lock."""

    def __init__(self, limits: Limits, clock: Callable[[], float]):
        self._limits, self._clock = limits, clock
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._months: dict[str, Counter[str]] = defaultdict(Counter)
        self._blocked_until: dict[str, float] = {}

    def within_qps(self, interface: str) -> bool:
        """True and counted when fewer than `qps` calls of this interface were let through in the last second."""
        now, recent = self._clock(), self._recent[interface]
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= self._limits.qps:
            return False
        recent.append(now)
        return True

    def webhook_allowed(self, robot: str) -> bool:
        """20 a minute; the message too many blocks the robot for ten minutes."""
        now, recent = self._clock(), self._recent[f"webhook {robot}"]
        if now < self._blocked_until.get(robot, 0):
            return False
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= self._limits.group_webhook_per_min:
            self._blocked_until[robot] = now + self._limits.group_webhook_block_s
            recent.clear()
            return False
        recent.append(now)
        return True

    def month(self) -> Counter[str]:
        return self._months[datetime.fromtimestamp(self._clock(), CHINA).strftime("%Y-%m")]

    def api_left(self) -> bool:
        return self.month()["api"] < self._limits.api_month

    def webhook_left(self) -> bool:
        return self.month()["webhook_stream"] < self._limits.webhook_month


def china_day(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d")
