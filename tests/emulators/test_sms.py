from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask, request

from emulators.demo_plant import SMS_TEMPLATE, demo_plant, demo_secrets
from emulators.sms import SmsEmulator
from emulators.sms.signing import aliyun_signature, percent, tencent_signature
from emulators.wsgi import WsgiAdapter

VALUES = {"grade": "一级隐患", "number": "YH-0001", "area": "甲醇罐区", "time": "14:05"}


class World:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.count = 0
        self.reports: list[Any] = []
        self.pushes: list[list[Any]] = []
        self.answer: dict[str, Any] = {"code": 0, "msg": "接收成功", "result": 0, "errmsg": "OK"}
        self.http = requests.Session()
        self.http.trust_env = False
        self.plant = demo_plant(public_url="http://app.test", secrets=demo_secrets())
        self.plant["sms"]["report_url"] = "http://app.test/receipts"
        receiver = Flask("receiver")
        receiver.add_url_rule("/receipts", view_func=self._receipt, methods=["POST"])
        self.http.mount("http://app.test", WsgiAdapter(receiver))
        self.emulator = SmsEmulator(self.plant, http=self.http, clock=lambda: self.now, background=False)
        self.http.mount("http://sms.test", WsgiAdapter(self.emulator.app))
        self.boss = next(p for p in self.plant["people"] if p["id"] == "zhaojianguo")

    def _receipt(self) -> dict[str, Any]:
        self.pushes.append(request.get_json())
        self.reports += request.get_json()
        return self.answer

    def aliyun(self, *, secret: str | None = None, **override: str) -> dict[str, Any]:
        self.count += 1
        params = {
            "Action": "SendSms",
            "Version": "2017-05-25",
            "Format": "JSON",
            "AccessKeyId": self.plant["sms"]["access_key_id"],
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"n{self.count}",
            "Timestamp": datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "PhoneNumbers": self.boss["mobile"],
            "SignName": "安哨",
            "TemplateCode": SMS_TEMPLATE,
            "TemplateParam": json.dumps(VALUES, ensure_ascii=False),
            **override,
        }
        key = secret or self.plant["sms"]["access_key_secret"]
        params["Signature"] = aliyun_signature(params, secret=key, method="POST")
        return self.http.post("http://sms.test/", data=params).json()

    def tencent(
        self, body: dict[str, Any], *, secret: str | None = None, age: int = 0, action: str = "SendSms", **override: str
    ) -> dict[str, Any]:
        raw, stamp = json.dumps(body).encode(), int(self.now) - age
        sign = tencent_signature(
            secret=secret or self.plant["sms"]["access_key_secret"],
            host="sms.test",
            content_type="application/json",
            timestamp=stamp,
            body=raw,
        )
        date = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d")
        key_id = self.plant["sms"]["access_key_id"]
        headers = {
            "Content-Type": "application/json",
            "X-TC-Action": action,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Timestamp": str(stamp),
            "Authorization": f"TC3-HMAC-SHA256 Credential={key_id}/{date}/sms/tc3_request, "
            f"SignedHeaders=content-type;host, Signature={sign}",
            **override,
        }
        return self.http.post("http://sms.test/", data=raw, headers=headers).json()["Response"]

    def screen(self, user: str = "zhaojianguo") -> list[dict[str, Any]]:
        return self.http.get(f"http://sms.test/_phone/{user}/screen").json()["items"]

    def fault(self, **switches: Any) -> None:
        assert self.http.post("http://sms.test/_phone/faults", json=switches).status_code == 200


@pytest.fixture
def world() -> World:
    return World()


def test_the_aliyun_vector():
    params = {
        "Action": "SendSms",
        "PhoneNumbers": "13800000000",
        "RegionId": "cn-hangzhou",
        "SignName": "阿里云短信测试",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        "TemplateCode": "SMS_154950909",
        "TemplateParam": '{"code":"1234"}',
        "Timestamp": "2026-11-23T12:00:00Z",
        "Version": "2017-05-25",
        "Format": "JSON",
        "AccessKeyId": "testId",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
    }
    assert aliyun_signature(params, secret="testSecret", method="POST") == "S1S+g69ThUVsgQbKqbatmZMHNhQ="
    assert percent("a b*~+/") == "a%20b%2A~%2B%2F"


def test_the_tencent_vector():
    body = (
        '{"PhoneNumberSet":["+8613800000000"],"SmsSdkAppId":"1400006666","SignName":"测试",'
        '"TemplateId":"1234","TemplateParamSet":["红色隐患"]}'
    ).encode()
    sign = tencent_signature(
        secret="testkey",
        host="sms.tencentcloudapi.com",
        content_type="application/json",
        timestamp=1795435200,
        body=body,
    )
    assert sign == "b0d231d5fd48099ab92f81dfe1aceeebf0fb05044486c026f7ba6cff2ab965ae"
    assert hmac.compare_digest(hashlib.sha256(b"").hexdigest()[:8], "e3b0c442")


def test_a_text_appears_on_the_phone_of_that_mobile(world: World):
    answer = world.aliyun(OutId="o1")
    assert answer["Code"] == "OK" and answer["BizId"] and answer["RequestId"]
    item = world.screen()[0]
    assert item["chat"] == "sms" and item["text"] == "【安哨】一级隐患YH-0001:甲醇罐区,14:05上报,请立即处理。"
    assert world.screen("ZhaoJianGuo") == [item]
    assert world.screen("zhangwei") == []


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"AccessKeyId": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"PhoneNumbers": "12345"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"PhoneNumbers": ",".join(["13800000001"] * 1001)}, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"SignName": "别人"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_9"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"grade": 1}'}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"grade": "一级"}'}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": '{"grade": "http://x.cn"}'}, "isv.PARAM_NOT_SUPPORT_URL"),
        ({"TemplateParam": json.dumps(VALUES | {"area": "区" * 500})}, "isv.PARAM_LENGTH_LIMIT"),
    ],
)
def test_aliyun_refusals(world: World, override: dict[str, str], code: str):
    assert world.aliyun(**override)["Code"] == code
    assert world.screen() == []


@pytest.mark.parametrize(
    ("age", "code"), [(900, "OK"), (901, "InvalidTimeStamp.Expired"), (-901, "InvalidTimeStamp.Expired")]
)
def test_aliyun_clock(world: World, age: int, code: str):
    stamp = datetime.fromtimestamp(world.now - age, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert world.aliyun(Timestamp=stamp)["Code"] == code


def test_a_nonce_serves_once(world: World):
    assert world.aliyun(SignatureNonce="same")["Code"] == "OK"
    assert world.aliyun(SignatureNonce="same")["Code"] == "SignatureNonceUsed"


def test_fifty_a_day_to_one_number(world: World):
    codes = [world.aliyun()["Code"] for _ in range(51)]
    assert codes == ["OK"] * 50 + ["isv.BUSINESS_LIMIT_CONTROL"]
    world.now += 86400
    assert world.aliyun()["Code"] == "OK"


def test_another_limit_a_day(world: World):
    client = world.emulator.app.test_client()
    assert client.post("/_phone/limits", json={"per_day": 2}).json == {"per_day": 2}
    assert [world.aliyun()["Code"] for _ in range(3)] == ["OK", "OK", "isv.BUSINESS_LIMIT_CONTROL"]
    for wrong in ({}, {"per_day": "3"}, {"per_day": -1}, {"per_day": True}):
        assert client.post("/_phone/limits", json=wrong).status_code == 400
    assert client.get("/_phone/limits").json == {"per_day": 2}


def test_receipts_good_bad_and_never(world: World):
    world.aliyun(OutId="good")
    assert world.emulator.tick() == 0
    world.now += 3
    assert world.emulator.tick() == 1
    world.aliyun(OutId="bad")
    world.fault(receipt_fail=True, times=1)
    world.now += 3
    world.emulator.tick()
    world.aliyun(OutId="never")
    world.fault(receipt_never=True, times=1)
    world.now += 3
    assert world.emulator.tick() == 0
    world.now += 9999
    assert world.emulator.tick() == 0
    assert [(r["out_id"], r["success"]) for r in world.reports] == [("good", True), ("bad", False)]
    day = datetime.fromtimestamp(world.now, UTC).strftime("%Y%m%d")
    rows = world.aliyun(Action="QuerySendDetails", PhoneNumber=world.boss["mobile"], SendDate=day, PageSize="10")
    states = {row["OutId"]: row["SendStatus"] for row in rows["SmsSendDetailDTOs"]["SmsSendDetailDTO"]}
    assert states == {"good": 3, "bad": 2, "never": 1}


def test_faults(world: World):
    world.fault(business_limit=True, times=1)
    assert [world.aliyun()["Code"] for _ in range(2)] == ["isv.BUSINESS_LIMIT_CONTROL", "OK"]
    world.fault(reject_code="isv.AMOUNT_NOT_ENOUGH", times=1)
    assert world.aliyun()["Code"] == "isv.AMOUNT_NOT_ENOUGH"


TENCENT = {"SmsSdkAppId": "1400006666", "SignName": "安哨", "TemplateId": "1234", "TemplateParamSet": ["一级", "罐区"]}


def test_tencent_answers_per_number(world: World):
    answer = world.tencent({**TENCENT, "PhoneNumberSet": ["+86" + world.boss["mobile"], "+8612"]})
    codes = [row["Code"] for row in answer["SendStatusSet"]]
    assert codes == ["Ok", "InvalidParameterValue.IncorrectPhoneNumber"]
    assert world.screen()[0]["text"] == "【安哨】一级 罐区"


@pytest.mark.parametrize(("age", "good"), [(300, True), (301, False), (-301, False)])
def test_tencent_clock_and_signature(world: World, age: int, good: bool):
    body = {**TENCENT, "PhoneNumberSet": ["+86" + world.boss["mobile"]]}
    answer = world.tencent(body, age=age)
    assert ("Error" not in answer) is good
    assert world.tencent(body, secret="wrong")["Error"]["Code"] == "AuthFailure.SignatureFailure"


# --- receipts


def sends(world: World, vendor: str, tag: str) -> str:
    """One text to the boss; returns the vendor's handle."""
    if vendor == "aliyun":
        return str(world.aliyun(OutId=tag)["BizId"])
    body = {**TENCENT, "PhoneNumberSet": ["+86" + world.boss["mobile"]], "SessionContext": tag}
    return str(world.tencent(body)["SendStatusSet"][0]["SerialNo"])


def pulled(world: World, *, app: str = "1400006666", begin: int | None = None, **override: Any) -> Any:
    """Tencent's receipts of the boss's number."""
    body = {
        "SmsSdkAppId": app,
        "PhoneNumber": "+86" + world.boss["mobile"],
        "BeginTime": int(world.now) - 3600 if begin is None else begin,
        "Offset": 0,
        "Limit": 100,
        **override,
    }
    answer = world.tencent(body, action="PullSmsSendStatusByPhoneNumber")
    return answer["Error"]["Code"] if "Error" in answer else answer["PullSmsSendStatusSet"]


def listed(world: World, vendor: str) -> list[tuple[str, str, str]]:
    """(our tag, state, code) of the boss's texts, as the vendor's pull interface lists them."""
    if vendor == "tencent":
        return [(row["SessionContext"], row["ReportStatus"], row["Description"]) for row in pulled(world)]
    day = datetime.fromtimestamp(world.now, UTC).strftime("%Y%m%d")
    rows = world.aliyun(Action="QuerySendDetails", PhoneNumber=world.boss["mobile"], SendDate=day, PageSize="50")
    return [
        (row["OutId"], str(row["SendStatus"]), row["ErrCode"]) for row in rows["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    ]


def test_tencent_reports_are_of_tencents_own_shape(world: World):
    serial = sends(world, "tencent", "t1")
    world.fault(receipt_fail="MK:0008", times=1)
    world.now += 3
    assert world.emulator.tick() == 1
    assert world.reports == [
        {
            "user_receive_time": "2027-01-15 16:00:03",
            "nationcode": "86",
            "mobile": world.boss["mobile"],
            "report_status": "FAIL",
            "errmsg": "MK:0008",
            "description": "用户短信送达失败",
            "sid": serial,
        }
    ]
    sends(world, "tencent", "t2")
    sends(world, "aliyun", "a1")
    world.now += 3
    world.emulator.tick()
    assert [[sorted(report)[0] for report in push] for push in world.pushes[1:]] == [["biz_id"], ["description"]]


@pytest.mark.parametrize(("vendor", "wrong"), [("aliyun", {"result": 0}), ("tencent", {"code": 0, "msg": "接收成功"})])
def test_an_answer_that_is_not_the_vendors_own_is_a_problem(world: World, vendor: str, wrong: dict[str, Any]):
    world.answer = wrong
    sends(world, vendor, "x")
    world.now += 3
    world.emulator.tick()
    assert world.emulator.expect_nothing_unexpected() == [f"{vendor}: the receipt's answer is not the documented one"]


GOOD = {"aliyun": ("3", "DELIVERED"), "tencent": ("SUCCESS", "DELIVRD")}
BAD = {"aliyun": ("2", "UNDELIVERED"), "tencent": ("FAIL", "UNDELIV")}


@pytest.mark.parametrize("vendor", ["aliyun", "tencent"])
def test_receipts_fail_come_twice_in_another_order_and_never(world: World, vendor: str):
    world.fault(receipt_never=True, times=1)
    sends(world, vendor, "never")
    sends(world, vendor, "twice")
    sends(world, vendor, "good")
    world.fault(receipt_duplicate=True, times=1)
    world.now += 3
    world.emulator.tick()
    world.fault(receipt_fail=True, times=1)
    sends(world, vendor, "bad")
    world.now += 3
    world.emulator.tick()
    waiting = [("never", "1", "")] if vendor == "aliyun" else []  # Tencent lists what has a receipt
    rows = [
        *waiting,
        ("twice", *GOOD[vendor]),
        ("twice", *GOOD[vendor]),
        ("good", *GOOD[vendor]),
        ("bad", *BAD[vendor]),
    ]
    assert listed(world, vendor) == rows
    assert [len(push) for push in world.pushes] == [3, 1]
    world.fault(receipt_out_of_order=True)
    assert listed(world, vendor) == rows[::-1]
    first, second = sends(world, vendor, "1st"), sends(world, vendor, "2nd")
    world.now += 3
    world.emulator.tick()
    name = "biz_id" if vendor == "aliyun" else "sid"
    assert [[report[name] for report in push] for push in world.pushes[2:]] == [[second], [first]]


def test_tencents_pull_is_bound_to_app_number_time_and_rate(world: World):
    sends(world, "tencent", "t1")
    assert pulled(world) == []  # no receipt yet
    world.now += 3
    world.emulator.tick()
    (row,) = pulled(world)
    assert (row["PhoneNumber"], row["SubscriberNumber"], row["UserReceiveTime"]) == (
        "+86" + world.boss["mobile"],
        world.boss["mobile"],
        int(world.now),
    )
    assert pulled(world, app="1400000000") == pulled(world, begin=int(world.now) - 1) == []
    world.plant["sms"]["pull_window"] = "received"
    assert pulled(world, begin=int(world.now) - 1) == [row]
    for wrong in ({"Offset": 1}, {"Limit": 101}, {"BeginTime": "x"}, {"BeginTime": int(world.now) - 8 * 86400}):
        assert pulled(world, **wrong) == "InvalidParameterValue"
    assert pulled(world, PhoneNumber=world.boss["mobile"]) == "InvalidParameterValue.IncorrectPhoneNumber"
    world.now += 2
    assert [pulled(world) == [row] for _ in range(20)] == [True] * 20
    assert pulled(world) == "RequestLimitExceeded"


def test_tencents_other_pull_gives_a_receipt_once(world: World):
    sends(world, "tencent", "t1")
    world.now += 3
    world.emulator.tick()
    body = {"SmsSdkAppId": "1400006666", "Limit": 100}
    rows = [world.tencent(body, action="PullSmsSendStatus")["PullSmsSendStatusSet"] for _ in range(2)]
    assert [len(found) for found in rows] == [1, 0]
    assert world.tencent(body, action="PullSmsSendStatus", **{"X-TC-Region": ""})["Error"]["Code"] == "MissingParameter"
