"""What operators made of SMS, asked of both providers as they document it, against gateways that check every call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.errors import OutsideError
from connectors.sms import AliyunSms, Fate, Receipt, SmsAccount, Taken, TencentSms, outcome
from emulators.demo_plant import SMS_TEMPLATE, demo_plant, demo_secrets
from emulators.sms import SmsEmulator
from emulators.wsgi import WsgiAdapter

VALUES = {"grade": "一级隐患", "number": "YH-0001", "area": "甲醇罐区", "time": "14:05"}
BOTH = pytest.mark.parametrize("vendor", [AliyunSms, TencentSms])
WAITING, DELIVERED = Receipt(Fate.WAITING), Receipt(Fate.DELIVERED)


class World:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
        self.plant = demo_plant(public_url="http://app.test", secrets=demo_secrets())
        http = requests.Session()
        http.trust_env = False
        self.emulator = SmsEmulator(self.plant, http=http, clock=lambda: self.now.timestamp(), background=False)
        http.mount("http://sms.test", WsgiAdapter(self.emulator.app))
        self.http, self.mobile = http, next(p["mobile"] for p in self.plant["people"] if p["mobile"])

    def provider(self, vendor):
        keys = self.plant["sms"]
        account = SmsAccount(
            key_id=keys["access_key_id"],
            key_secret=keys["access_key_secret"],
            sign_name="安哨",
            template=SMS_TEMPLATE,
            app_id="1400006666",
            endpoint="http://sms.test/",
        )
        return vendor(account, self.http, lambda: self.now)

    def fault(self, **wish) -> None:
        assert self.emulator.app.test_client().post("/_phone/faults", json=wish).status_code == 200

    def later(self, seconds: float = 3) -> None:
        self.now += timedelta(seconds=seconds)
        self.emulator.tick()


@pytest.fixture
def world() -> World:
    return World()


def sends(world, sms, key) -> Taken:
    ref = sms.send(world.mobile, VALUES, key=key)
    return Taken(key, ref, first_tried_at=world.now, taken_at=world.now)


@BOTH
def test_delivered_failed_doubled_shuffled_and_never(world, vendor):
    sms = world.provider(vendor)
    world.fault(receipt_never=True, times=1)
    texts = [sends(world, sms, key) for key in ("never", "twice", "good")]
    assert set(sms.receipts(world.mobile, texts).values()) == {WAITING}  # the operator takes a moment
    world.fault(receipt_duplicate=True, times=1)
    world.later()
    world.fault(receipt_fail="MK:0008", times=1)
    texts.append(sends(world, sms, "bad"))
    world.later()
    expected = {"never": WAITING, "twice": DELIVERED, "good": DELIVERED, "bad": Receipt(Fate.FAILED, "MK:0008")}
    assert sms.receipts(world.mobile, texts) == expected
    world.fault(receipt_out_of_order=True)
    assert sms.receipts(world.mobile, texts) == expected
    assert world.emulator.expect_nothing_unexpected() == []


@BOTH
def test_more_than_a_page_and_a_midnight_between(world, vendor):
    sms = world.provider(vendor)
    world.emulator.per_day = 200
    world.now = datetime(2026, 11, 24, 15, 59, 58, tzinfo=UTC)  # 23:59:58 in China
    first = world.now
    texts = [sends(world, sms, f"k{number}") for number in range(60)]
    world.now += timedelta(seconds=3)
    texts.append(Taken("late", sms.send(world.mobile, VALUES, key="late"), first_tried_at=first, taken_at=world.now))
    world.later()
    assert set(sms.receipts(world.mobile, texts).values()) == {DELIVERED}


def test_tencents_time_may_mean_the_sending_or_the_arrival(world):
    sms = world.provider(TencentSms)
    text = sends(world, sms, "k")
    world.later(600)
    for meaning in ("sent", "received"):
        world.plant["sms"]["pull_window"] = meaning
        assert sms.receipts(world.mobile, [text]) == {"k": DELIVERED}


def test_tencents_limit_and_a_failing_gateway_are_errors_that_pass(world):
    sms = world.provider(TencentSms)
    text = sends(world, sms, "k")
    for _ in range(20):
        sms.receipts(world.mobile, [text])
    with pytest.raises(OutsideError) as limited:
        sms.receipts(world.mobile, [text])
    assert (limited.value.code, limited.value.permanent) == ("RequestLimitExceeded", False)
    world.later(1)
    world.fault(http_500=True, times=1)
    with pytest.raises(OutsideError) as failed:
        sms.receipts(world.mobile, [text])
    assert (failed.value.code, failed.value.permanent) == ("http_500", False)


def test_several_reports_of_one_text():
    bad = Receipt(Fate.FAILED, "x")
    assert outcome([]) == outcome([bad, WAITING]) == WAITING
    assert outcome([bad, DELIVERED]) == outcome([DELIVERED, bad]) == DELIVERED
    assert outcome([bad, bad]) == bad
