"""DingTalk's budgets: the interface's second, the month's quota, and when to warn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.platforms.base import Failure, PlatformError
from bot.platforms.dingtalk.meter import Meter

SEND = "/v1.0/robot/oToMessages/batchSend"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 11, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_the_twenty_first_call_of_a_second_waits_and_other_interfaces_do_not(redis_client):
    clock = Clock()
    meter = Meter(redis_client, prefix="t", clock=clock)
    for _ in range(20):
        meter.count("POST", SEND)
    with pytest.raises(PlatformError) as full:
        meter.count("POST", SEND)
    assert full.value.failure is Failure.THROTTLED
    assert 0 < full.value.wait_s <= 1
    meter.count("PUT", "/v1.0/card/instances")
    clock.now += timedelta(seconds=1, milliseconds=1)
    meter.count("POST", SEND)


def test_calls_about_different_people_share_the_interface(redis_client):
    meter = Meter(redis_client, prefix="t", clock=Clock())
    for number in range(20):
        meter.count("POST", f"/v1.0/todo/users/unionid-of-person-number-{number:04d}/tasks")
    with pytest.raises(PlatformError):
        meter.count("POST", "/v1.0/todo/users/unionid-of-person-number-9999/tasks")


def test_the_month_is_counted_without_free_calls(redis_client):
    clock = Clock()
    meter = Meter(redis_client, prefix="t", clock=clock, month_limit=30)
    for _ in range(10):
        meter.count("POST", SEND)
        meter.count("POST", "/v1.0/oauth2/accessToken")
    use = meter.month()
    assert (use.used, use.expected, use.runs_out) == (10, 30, False)  # a third of November is gone
    meter.count("POST", SEND)
    assert meter.month().runs_out
    clock.now = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    assert meter.month().used == 0
