from __future__ import annotations

from typing import Any

import pytest
import requests

from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.dingtalk import DingTalk
from bot.platforms.dingtalk.errors import html_error, meaning_of_new, new_error, old_error
from tests.bot.dingtalk.conftest import Server

SEND = "POST /v1.0/robot/oToMessages/batchSend"
USER = "POST /old/topapi/v2/user/get"
QPS = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
DENIED = "Forbidden.AccessDenied.AccessTokenPermissionDenied"

F = Failure


@pytest.mark.parametrize(
    ("status", "code", "failure", "wait_s"),
    [
        (403, QPS, F.THROTTLED, 1),
        (403, "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", F.THROTTLED, 20),
        (403, "Forbidden.AccessDenied.QpsLimitForApi", F.THROTTLED, 2),
        (403, "Forbidden.AccessDenied.QpsLimitForSomethingNew", F.THROTTLED, 2),
        (403, "Forbidden.AccessDenied.ApiCountLimitForOrg", F.QUOTA, 0),
        (403, DENIED, F.CONFIG, 0),
        (403, "Forbidden.AccessDenied.IpNotInWhiteList", F.CONFIG, 0),
        (429, "system.busy", F.THROTTLED, 5),
        (500, "system.busy", F.RETRY, 0),
        (500, "system.error", F.RETRY, 0),
        (502, "whatever", F.RETRY, 0),
        (400, "send.too.fast", F.THROTTLED, 3),
        (400, "too.many.group", F.THROTTLED, 10),
        (400, "invalidParameter.msgParam.tooLong", F.PERMANENT, 0),
        (400, "invalidParameter.robotCode.notExsit", F.CONFIG, 0),
        (400, "invalidParameter.robotCode.downloadCode", F.EXPIRED, 0),
        (400, "param.cardNotExist", F.SPENT, 0),
        (400, "param.templateNotExist", F.CONFIG, 0),
        (400, "param.openSpaceIdInvalid", F.PERMANENT, 0),
        (400, "group.disbanded", F.NOBODY, 0),
        (400, "session.expired", F.EXPIRED, 0),
        (400, "never.seen", F.PERMANENT, 0),
        (401, "never.seen", F.CONFIG, 0),
    ],
)
def test_errors_of_the_new_api(status: int, code: str, failure: Failure, wait_s: float) -> None:
    error = new_error(status, {"code": code, "requestid": "r1", "message": "说明"})
    assert (error.failure, error.wait_s, error.code, error.request_id) == (failure, wait_s, code, "r1")
    assert "说明" not in str(error)


@pytest.mark.parametrize(
    ("errcode", "failure", "wait_s"),
    [
        (90018, F.THROTTLED, 1),
        (90002, F.THROTTLED, 2),
        (90020, F.QUOTA, 0),
        (90003, F.THROTTLED, 5),
        (90017, F.THROTTLED, 5),
        (-1, F.RETRY, 0),
        (15, F.RETRY, 0),
        (88, F.RETRY, 0),
        (410100, F.THROTTLED, 3),
        (143105, F.QUOTA, 0),
        (60011, F.CONFIG, 0),
        (60020, F.CONFIG, 0),
        (60121, F.NOBODY, 0),
        (40078, F.EXPIRED, 0),
        (300001, F.EXPIRED, 0),
        (310000, F.CONFIG, 0),
        (400002, F.PERMANENT, 0),
        (777, F.PERMANENT, 0),
        ("x", F.RETRY, 0),
    ],
)
def test_errors_of_the_old_api(errcode: Any, failure: Failure, wait_s: float) -> None:
    error = old_error({"errcode": errcode, "errmsg": "说明", "request_id": "r"})
    assert error is not None
    assert (error.failure, error.wait_s) == (failure, wait_s)


def test_success_of_the_old_api_is_no_error() -> None:
    assert old_error({"errcode": 0}) is None
    assert old_error({"errcode": "0"}) is None
    assert old_error({}) is None


@pytest.mark.parametrize("spelling", ["sub_code", "subCode"])
def test_the_gateway_envelope_is_looked_into(spelling: str) -> None:
    error = old_error({"errcode": 88, spelling: "60011", "errmsg": "没有权限"})
    assert error is not None and (error.failure, error.code) == (F.CONFIG, "88.60011")
    error = old_error({"errcode": 88, "errmsg": "ding talk error[subcode=40014,submsg=不合法的access_token]"})
    assert error is not None and error.stale_token


def test_a_missing_permission_names_its_scope() -> None:
    detail = {"requiredScopes": ["qyapi_robot_sendmsg"]}
    error = new_error(403, {"code": DENIED, "requestId": "r2", "accessdenieddetail": detail})
    assert "qyapi_robot_sendmsg" in error.remedy
    assert error.request_id == "r2"
    assert "{" not in new_error(403, {"code": DENIED}).remedy


def test_a_banned_address_waits_five_minutes() -> None:
    notice = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": ""}
    for error in (new_error(403, notice), old_error(notice), html_error(200), html_error(403)):
        assert error is not None and (error.failure, error.wait_s) == (F.THROTTLED, 300)
    assert html_error(502).failure is F.RETRY


def test_a_busy_service_is_told_from_a_throttle_by_its_status() -> None:
    assert meaning_of_new("systemBusy", 429).failure is F.THROTTLED


# -- through the clients


def failing(dingtalk: DingTalk) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        dingtalk.send_text(Target(user="u"), "hi", key="k")
    return caught.value


CUT = requests.exceptions.ConnectionError("RemoteDisconnected")
NO_SERVER = requests.exceptions.ConnectionError("Max retries: NewConnectionError(refused)")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (requests.exceptions.ConnectTimeout(), F.RETRY),
        (NO_SERVER, F.RETRY),
        (requests.exceptions.ReadTimeout(), F.UNKNOWN),
        (CUT, F.UNKNOWN),
        (ConnectionResetError(), F.UNKNOWN),
        ((504, "<html>"), F.UNKNOWN),
        ((504, {"code": "system.error"}), F.UNKNOWN),
        ((502, "<html>"), F.RETRY),
        ((200, "<html>"), F.THROTTLED),
        ((200, [1]), F.THROTTLED),
        ((302, {"a": 1}), F.PERMANENT),
    ],
)
def test_a_send_that_may_have_arrived_is_told_apart(
    dingtalk: DingTalk, server: Server, answer: Any, failure: Failure
) -> None:
    server.answers[SEND] = answer
    assert failing(dingtalk).failure is failure


@pytest.mark.parametrize("answer", [requests.exceptions.ReadTimeout(), CUT, ConnectionResetError(), (504, "<html>")])
def test_what_may_be_repeated_is_to_be_repeated(dingtalk: DingTalk, server: Server, answer: Any) -> None:
    server.answers[USER] = answer
    server.answers["POST /v1.0/robot/messageFiles/download"] = answer
    for call in (lambda: dingtalk.member("u"), lambda: dingtalk.api.call("GET", "/v1.0/x")):
        server.answers["GET /v1.0/x"] = answer
        with pytest.raises(PlatformError) as caught:
            call()
        assert caught.value.failure is F.RETRY


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ((502, "<html>"), F.RETRY),
        ((200, "<html>ban</html>"), F.THROTTLED),
        ((200, {"status": 1111, "punish": "deny"}), F.THROTTLED),
        ({"errcode": 60011, "errmsg": "x"}, F.CONFIG),
        ({"errcode": 88, "sub_code": "90018", "errmsg": "x"}, F.THROTTLED),
    ],
)
def test_the_sdk_hides_no_error(dingtalk: DingTalk, server: Server, answer: Any, failure: Failure) -> None:
    server.answers[USER] = answer
    with pytest.raises(PlatformError) as caught:
        dingtalk.member("u")
    assert caught.value.failure is failure


def test_a_wrong_secret_is_for_an_admin(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /v1.0/oauth2/accessToken"] = (400, {"code": "invalidClientIdOrSecret", "requestid": "r"})
    server.answers["GET /old/gettoken"] = {"errcode": 40089, "errmsg": "不合法的corpid或corpsecret"}
    error = failing(dingtalk)
    assert error.failure is F.CONFIG
    assert "ANSHAO_DINGTALK_CLIENT_SECRET" in error.remedy
    with pytest.raises(PlatformError) as caught:
        dingtalk.member("u")
    assert caught.value.failure is F.CONFIG


def test_no_secret_reaches_the_log(dingtalk: DingTalk, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.answers["GET /old/gettoken"] = (500, "<html>")
    with pytest.raises(PlatformError):
        dingtalk.member("u")
    server.answers["GET /old/gettoken"] = {"errcode": 40089, "errmsg": "secret"}
    with pytest.raises(PlatformError):
        dingtalk.member("u")
    assert "this is a secret" not in caplog.text
