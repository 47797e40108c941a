"""DingTalk's budgets: 20 calls a second per interface; a month's 5 000 calls and 3 000 messages of the standard edition.

Token, login and contact calls are free and never counted (protocol notes §7.1), nor is a call that was throttled or that
never got through. Messages are what people say to the robot and what goes out through webhooks; the former are counted
where they are stored (jobs/budgets.py), so that no callback waits for Redis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.platforms.base import Failure, PlatformError
from bot.platforms.rates import Limit, Rates
from bot.platforms.uses import Budget, Uses

QPS = (Limit(20, 1, 4, "interface_second"),)
ROBOT = (Limit(20, 60, 4, "robot_minute"),)
MONTH_CALLS, MONTH_MESSAGES = 5000, 3000
NOT_COUNTED = (Failure.THROTTLED, Failure.QUOTA, Failure.RETRY)
_ID = re.compile(r"/[^/]*[^a-zA-Z0-9./_][^/]*|/[^/]{20,}")
_FREE = re.compile(
    r"/v1\.0/(oauth2|contact)/|/(topapi/(v2/)?(user|department)/|gettoken|get_jsapi_ticket|sso/|user/|department/)"
)


class Meter:
    """Two budgets and the rates of one app, shared by all processes."""

    def __init__(
        self,
        redis: Any,
        *,
        prefix: str,
        clock: Callable[[], datetime],
        month_calls: int = MONTH_CALLS,
        month_messages: int = MONTH_MESSAGES,
    ) -> None:
        self.calls = Budget("calls", "接口调用", "month", month_calls)
        self.messages = Budget("messages", "机器人收发消息(Webhook和Stream)", "month", month_messages)
        self.rates = Rates(redis, prefix=prefix, clock=clock)
        self.uses = Uses(redis, prefix=prefix, clock=clock)

    @contextmanager
    def call(self, method: str, path: str) -> Iterator[None]:
        """Around one call. Raises THROTTLED while the interface is full this second, QUOTA for what can wait a month."""
        path = f"/{path.lstrip('/')}"
        if _FREE.match(path):
            yield
            return
        self.uses.check(self.calls)
        self.rates.take([f"{method} {_ID.sub('/*', path)}"], QPS)
        with self._counted(self.calls):
            yield

    @contextmanager
    def webhook(self, robot: str = "") -> Iterator[None]:
        """Around one message through a webhook; `robot` names a group's own robot, which has limits of its own.

        A message too many blocks such a robot for ten minutes: once told so, nobody asks before they are over.
        """
        if robot:
            self.rates.check(f"robot:{robot}", "robot_blocked")
            self.uses.check(self.messages)
            self.rates.take([f"robot:{robot}"], ROBOT)
        with self._counted(self.messages):
            yield

    def heard(self) -> None:
        """An event was pushed that is paid for and not stored."""
        self.uses.add(self.messages)

    @contextmanager
    def _counted(self, budget: Budget) -> Iterator[None]:
        try:
            yield
        except PlatformError as error:
            if error.failure not in NOT_COUNTED:
                self.uses.add(budget)
            raise
        self.uses.add(budget)
