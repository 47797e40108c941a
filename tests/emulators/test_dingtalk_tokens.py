"""Tokens, tickets, log-in codes, error envelopes, quotas and faults."""

from __future__ import annotations

import pytest
import requests

from emulators.dingtalk.signing import jsapi_digests
from tests.emulators.dingtalk_kit import World

APP = {"appKey": "dingkey", "appSecret": "demo secret"}
TICKETS = "/v1.0/oauth2/jsapiTickets"


@pytest.fixture
def world():
    return World()


def test_the_three_token_calls_share_one_token_and_renew_it(world):
    first = world.token
    world.clock.forward(7000)
    old = world.call("GET", "/gettoken?appkey=dingkey&appsecret=demo secret", token="").json()
    assert old["access_token"] == first and old["expires_in"] == 7200
    world.clock.forward(7000)
    body = {"client_id": "dingkey", "client_secret": "demo secret", "grant_type": "client_credentials"}
    assert world.new("POST", "/v1.0/oauth2/dingcorp/token", body, token="")["access_token"] == first
    world.clock.forward(7199)
    world.new("POST", TICKETS)
    world.clock.forward(1)
    assert world.refused("POST", TICKETS) == "InvalidAuthentication"
    assert world.new("POST", "/v1.0/oauth2/accessToken", APP, token="")["accessToken"] != first


def test_wrong_credentials_in_all_three_styles(world):
    wrong = {"appKey": "dingkey", "appSecret": "no"}
    assert world.refused("POST", "/v1.0/oauth2/accessToken", wrong, token="") == "invalidClientIdOrSecret"
    assert world.refused("POST", "/v1.0/oauth2/accessToken", token="") == "MissingBody"
    assert world.old("/gettoken?appkey=dingkey&appsecret=no", method="GET")["errcode"] == 40089
    body = {"client_id": "dingkey", "client_secret": "no", "grant_type": "client_credentials"}
    assert world.refused("POST", "/v1.0/oauth2/dingcorp/token", body, token="", status=401) == "unauthorized.client"
    body["grant_type"] = "password"
    assert world.refused("POST", "/v1.0/oauth2/dingcorp/token", body, token="") == "invalid.client"


def test_missing_token_in_both_styles(world):
    assert world.refused("POST", TICKETS, token="") == "InvalidAuthentication"
    answer = world.call("POST", "/topapi/v2/user/get", {"userid": "user001"}, token="").json()
    assert answer["errcode"] == 40014 and answer["request_id"]


def test_token_lifetime_is_adjustable(world):
    world.control("limits", {"token_ttl_s": 10})
    assert world.new("POST", "/v1.0/oauth2/accessToken", APP, token="")["expireIn"] == 10


def test_the_other_apps_token_is_refused_for_our_robot(world):
    other = {"appKey": "dingother", "appSecret": "other secret"}
    token = world.new("POST", "/v1.0/oauth2/accessToken", other, token="")["accessToken"]
    body = {"robotCode": "dingrobot", "userIds": ["user001"], "msgKey": "sampleText", "msgParam": '{"content":"x"}'}
    code = world.refused("POST", "/v1.0/robot/oToMessages/batchSend", body, token=token)
    assert code == "invalidParameter.robotCode.auth"


def test_ticket_is_renewed_but_never_beyond_a_day(world):
    first = world.new("POST", TICKETS)
    assert first["expireIn"] == 7200
    world.control("limits", {"token_ttl_s": 90_000})
    assert world.old("/get_jsapi_ticket", method="GET")["ticket"] == first["jsapiTicket"]
    world.clock.forward(80_000)
    world._token = ""
    again = world.new("POST", TICKETS)
    assert again == {"jsapiTicket": first["jsapiTicket"], "expireIn": 6400}
    world.clock.forward(6400)
    assert world.new("POST", TICKETS)["jsapiTicket"] != first["jsapiTicket"]


def test_dd_config_accepts_sha256_and_sha1_only_by_switch(world):
    ticket = world.new("POST", TICKETS)["jsapiTicket"]
    digests = jsapi_digests(ticket, "n", "17", "http://x/h5?a=1")
    body = {"corpId": "dingcorp", "agentId": "2001", "timeStamp": "17", "nonceStr": "n", "url": "http://x/h5?a=1#z"}
    assert world.control("jsapi/check", {**body, "signature": digests["sha256"]})["ok"]
    assert world.control("jsapi/check", {**body, "signature": digests["sha1"]})["errorCode"] == "52013"
    world.control("faults", {"jsapi_sha1": True})
    assert world.control("jsapi/check", {**body, "signature": digests["sha1"]})["algorithm"] == "sha1"
    assert world.control("jsapi/check", {**body, "agentId": "1", "signature": "x"})["errorCode"] == "52019"


def test_login_code_works_once_and_five_minutes(world):
    code = world.control("user002/auth_code")["code"]
    result = world.old("/topapi/v2/user/getuserinfo", {"code": code})["result"]
    assert (result["userid"], result["unionid"]) == ("user002", "union-wangfang")
    assert world.old("/topapi/v2/user/getuserinfo", {"code": code})["errcode"] == 40078
    late = world.control("user002/auth_code")["code"]
    world.clock.forward(300)
    assert world.old("/topapi/v2/user/getuserinfo", {"code": late})["errcode"] == 40078


def test_unknown_path_is_404_and_a_problem(world):
    assert world.refused("GET", "/v1.0/nothing/here", status=404) == "InvalidAction.NotFound"
    assert world.refused("GET", "/v1.0/card/instances", status=404) == "InvalidAction.NotFound"
    assert world.problems() == ["unknown path GET /v1.0/nothing/here", "unknown path GET /v1.0/card/instances"]


def test_malformed_json_is_refused_and_a_problem(world):
    url, headers = "http://ding.test/x/topapi/v2/user/get", {"Content-Type": "application/json"}
    answer = world.session.post(f"{url}?access_token={world.token}", data=b"{", headers=headers).json()
    assert answer["errcode"] == 40035 and len(world.problems()) == 1


def test_the_old_api_takes_forms(world):
    url = f"http://ding.test/x/topapi/v2/user/get?access_token={world.token}"
    assert world.session.post(url, data={"userid": "user003"}).json()["result"]["name"] == "陈刚"


def test_twenty_calls_a_second_and_interface(world):
    bodies = [world.old("/topapi/v2/user/get", {"userid": "user001"})["errcode"] for _ in range(21)]
    assert bodies == [0] * 20 + [90018]
    assert world.old("/topapi/user/listid", {"dept_id": 1})["errcode"] == 0
    world.clock.forward(1)
    assert world.old("/topapi/v2/user/get", {"userid": "user001"})["errcode"] == 0
    codes = [world.call("POST", TICKETS).status_code for _ in range(21)]
    assert codes == [200] * 20 + [403]


def test_month_of_api_calls(world):
    world.control("limits", {"api_month": 2})
    body = {"robotCode": "dingrobot"}
    path = "/v1.0/robot/plugins/query"
    world.new("POST", path, body)
    world.old("/topapi/v2/user/get", {"userid": "user001"})
    world.new("POST", path, body)
    assert world.refused("POST", path, body, status=403) == "Forbidden.AccessDenied.ApiCountLimitForOrg"
    assert world.read("calls")["month"]["api"] == 2
    world.clock.forward(31 * 86_400)
    world._token = ""
    world.new("POST", path, body)


@pytest.mark.parametrize(
    ("fault", "status", "code", "errcode"),
    [
        ("throttle", 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 90018),
        ("throttle_global", 403, "Forbidden.AccessDenied.QpsLimitForApi", 90002),
        ("busy", 429, "system.busy", 90001),
        ("http_500", 500, "system.error", -1),
        ("no_permission", 403, "Forbidden.AccessDenied.AccessTokenPermissionDenied", 60011),
        ("ip_whitelist", 403, "Forbidden.AccessDenied.IpNotInWhiteList", 60020),
        ("quota_used_up", 403, "Forbidden.AccessDenied.ApiCountLimitForOrg", 90020),
        ("token_expired", 400, "InvalidAuthentication", 40014),
    ],
)
def test_error_faults_in_both_styles(world, fault, status, code, errcode):
    assert world.token
    world.control("faults", {fault: True, "times": 1})
    assert world.refused("POST", TICKETS, status=status) == code
    world._token = ""
    assert world.token
    world.new("POST", TICKETS)
    world.control("faults", {fault: True, "times": 1, "path": "user/get"})
    assert world.old("/topapi/user/listid", {})["errcode"] == 0
    assert world.old("/topapi/v2/user/get", {"userid": "user001"})["errcode"] == errcode


def test_faults_that_are_no_api_answer(world):
    assert world.token
    world.control("faults", {"html_body": True, "times": 1})
    assert world.call("POST", TICKETS).text.startswith("<!DOCTYPE")
    world.control("faults", {"http_504": True, "times": 1})
    assert world.call("POST", TICKETS).status_code == 504
    world.control("faults", {"ip_banned": True, "times": 1})
    assert world.call("POST", TICKETS).json()["status"] == 1111
    world.control("faults", {"gateway_88": True, "times": 1})
    assert world.old("/topapi/v2/user/get", {"userid": "user001"})["sub_code"] == "40014"


def test_reset_and_slow_answers(world):
    path = "/v1.0/robot/groupMessages/send"
    body = {"robotCode": "dingrobot", "openConversationId": "cid+a/b1==", "msgKey": "sampleText"}
    body["msgParam"] = '{"content":"x"}'
    assert world.token
    world.control("faults", {"reset": True, "times": 1})
    with pytest.raises(requests.ConnectionError):
        world.call("POST", path, body)
    assert world.screen("user001") == []
    world.control("faults", {"reset_but_delivered": True, "times": 1})
    with pytest.raises(requests.ConnectionError):
        world.call("POST", path, body)
    assert len(world.screen("user001")) == 1
    world.control("faults", {"timeout_but_delivered": 9, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        world.call("POST", path, body, timeout=3)
    assert len(world.screen("user001")) == 2
    world.control("faults", {"slow_api_s": 4, "times": 2})
    assert world.call("POST", path, body, timeout=5).status_code == 200
    with pytest.raises(requests.ReadTimeout):
        world.call("POST", path, body, timeout=3)


def test_unknown_switches_and_limits_are_refused(world):
    assert "no_such" in world.control("faults", {"no_such": 1}, status=400)["reason"]
    world.control("limits", {"no_such": 1}, status=400)
    world.control("faults", {"throttle": True, "http_500": True})
    world.control("faults", {"throttle": False})
    assert [fault["name"] for fault in world.read("faults")["active"]] == ["http_500"]
    assert world.control("faults", {"clear": True})["active"] == []


def test_calls_are_counted_by_rule(world):
    world.old("/topapi/v2/user/get", {"userid": "user001"})
    calls = world.read("calls")
    assert calls["calls"] == {"POST /v1.0/oauth2/accessToken": 1, "POST /topapi/v2/user/get": 1}
    assert calls["total"] == 2
    world.control("calls/reset")
    assert world.read("calls")["total"] == 0
