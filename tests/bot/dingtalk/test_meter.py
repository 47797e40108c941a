"""DingTalk's budgets: the interface's second, the month's quota, and when to warn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.outbox import ALARM, NORMAL
from bot.platforms.base import Failure, PlatformError
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.rates import sending

SEND = "/v1.0/robot/oToMessages/batchSend"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 11, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def called(meter: Meter, method: str = "POST", path: str = SEND, *, failure: Failure | None = None) -> None:
    with meter.call(method, path):
        if failure is not None:
            raise PlatformError(failure, "x")


def test_a_call_too_many_in_a_second_waits_and_other_interfaces_do_not(redis_client):
    clock = Clock()
    meter = Meter(redis_client, prefix="t", clock=clock)
    for _ in range(16):
        called(meter)
    with pytest.raises(PlatformError) as full:
        called(meter)
    assert (full.value.failure, full.value.code) == (Failure.THROTTLED, "interface_second")
    assert 0 < full.value.wait_s <= 1
    with sending(ALARM):
        for _ in range(4):
            called(meter)
        with pytest.raises(PlatformError):
            called(meter)
    called(meter, "PUT", "/v1.0/card/instances")
    clock.now += timedelta(seconds=1, milliseconds=1)
    called(meter)


def test_calls_about_different_people_share_the_interface(redis_client):
    meter = Meter(redis_client, prefix="t", clock=Clock())
    for number in range(16):
        called(meter, path=f"/v1.0/todo/users/unionid-of-person-number-{number:04d}/tasks")
    with pytest.raises(PlatformError):
        called(meter, path="/v1.0/todo/users/unionid-of-person-number-9999/tasks")


def test_the_month_is_counted_without_what_is_free(redis_client):
    meter = Meter(redis_client, prefix="t", clock=Clock())
    for _ in range(10):
        called(meter)
        called(meter, path="/v1.0/oauth2/accessToken")
        called(meter, path="topapi/v2/user/get")
    called(meter, path="topapi/message/corpconversation/asyncsend_v2")
    for failure in (Failure.THROTTLED, Failure.RETRY, Failure.QUOTA, Failure.UNKNOWN, Failure.PERMANENT):
        with pytest.raises(PlatformError):
            called(meter, failure=failure)
    assert meter.uses.used(meter.calls) == 10 + 1 + 2  # perhaps arrived, and refused for good: both may have been paid


def test_the_month_is_chinas(redis_client):
    clock = Clock()
    meter = Meter(redis_client, prefix="t", clock=clock)
    clock.now = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    called(meter)
    assert meter.uses.used(meter.calls) == 1
    clock.now = datetime(2026, 11, 30, 16, 1, tzinfo=UTC)  # 00:01 on the first of December there
    assert meter.uses.used(meter.calls) == 0


def test_what_can_wait_leaves_the_last_tenth_of_the_month(redis_client):
    meter = Meter(redis_client, prefix="t", clock=Clock(), month_calls=10)
    with sending(NORMAL):
        for _ in range(9):
            called(meter)
        with pytest.raises(PlatformError) as held:
            called(meter)
    assert (held.value.failure, held.value.code) == (Failure.QUOTA, "calls_month")
    with sending(ALARM):
        called(meter)


def test_a_blocked_group_robot_is_left_alone(redis_client):
    clock = Clock()
    meter = Meter(redis_client, prefix="t", clock=clock)
    for _ in range(16):
        with meter.webhook("a"):
            pass
    with pytest.raises(PlatformError) as full, meter.webhook("a"):
        pass
    assert full.value.code == "robot_minute"
    with meter.webhook("b"):
        pass
    meter.rates.block("robot:b", 600)
    with pytest.raises(PlatformError) as blocked, meter.webhook("b"):
        pass
    assert (blocked.value.code, round(blocked.value.wait_s)) == ("robot_blocked", 600)
    assert meter.uses.used(meter.messages) == 17
