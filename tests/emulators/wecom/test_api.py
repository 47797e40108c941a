from __future__ import annotations

from typing import Any

import pytest
import requests


def test_a_token_is_the_same_until_it_runs_out(world: Any):
    first = world.fetch_token()
    world.now += 7199
    again = world.fetch_token()
    assert again["access_token"] == first["access_token"] and again["expires_in"] == 1
    assert first["expires_in"] == 7200
    world.now += 1
    assert world.api("getcallbackip", access_token=first["access_token"])["errcode"] == 42001
    assert world.fetch_token()["access_token"] != first["access_token"]


def test_each_secret_has_its_own_token(world: Any):
    other = world.fetch_token(corpsecret="other-secret")["access_token"]
    assert other != world.token
    body = {"touser": "ZhangWei", "agentid": world.agent, "msgtype": "text", "text": {"content": "x"}}
    assert world.api("message/send", body, access_token=other)["errcode"] == 301002
    assert world.api("message/send", body | {"agentid": 77})["errcode"] == 40056


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"corpsecret": "no"}, 40001), ({"corpid": "wwno"}, 40013), ({"corpid": ""}, 41002), ({"corpsecret": ""}, 41004)],
)
def test_gettoken_refusals(world: Any, wrong: dict[str, str], code: int):
    assert world.fetch_token(**wrong)["errcode"] == code


def test_token_errors_and_the_expire_switch(world: Any):
    assert world.api("getcallbackip", access_token="")["errcode"] == 41001
    assert world.api("getcallbackip", access_token="garbage")["errcode"] == 40014
    assert world.api("getcallbackip")["errcode"] == 0
    world.control("expire", {"what": "tokens"})
    assert world.api("getcallbackip")["errcode"] == 42001


def test_errmsg_is_long_and_never_twice_the_same(world: Any):
    texts = {world.api("getcallbackip", access_token="x")["errmsg"] for _ in range(3)}
    assert len(texts) == 3
    assert all("hint: [" in t and "from ip:" in t and t.endswith("query?e=40014") for t in texts)


def test_a_body_without_content_type_is_read_and_broken_json_is_named(world: Any):
    url = f"http://wecom.test/cgi-bin/message/recall?access_token={world.token}"
    answer = world.http.post(url, data=b'{"msgid": "x"}').json()
    assert answer["errcode"] == 40058 and "Warning" not in answer["errmsg"]
    broken = world.http.post(url, data=b"{oops").json()
    assert "Warning: wrong json format." in broken["errmsg"]
    assert any("not JSON" in problem for problem in world.problems)


@pytest.mark.parametrize(("name", "value", "code"), [
    ("busy", 1, -1), ("throttle", 1, 45009), ("concurrency", 1, 45033), ("api_error", 48002, 48002),
])  # fmt: skip
@pytest.mark.parametrize("path", ["gettoken", "webhook/send", "webhook/upload_media", "aibot/response"])
def test_faults_strike_also_where_no_token_is_needed(world: Any, path: str, name: str, value: int, code: int):
    world.fault(**{name: value, "times": 1, "path": path})
    call = world.http.get if path == "gettoken" else world.http.post
    assert call(f"http://wecom.test/cgi-bin/{path}").json()["errcode"] == code
    assert call(f"http://wecom.test/cgi-bin/{path}").json()["errcode"] not in (0, code)  # struck once


@pytest.mark.parametrize(("name", "code"), [("robot_disabled", 93004), ("robot_removed", 93008)])
def test_a_group_robot_that_is_gone(world: Any, name: str, code: int):
    url = f"http://wecom.test/cgi-bin/webhook/{{}}?key={world.settings['webhook_key']}"
    text = {"msgtype": "text", "text": {"content": "x"}}
    world.fault(**{name: True})
    assert world.http.post(url.format("send"), json=text).json()["errcode"] == code
    assert world.http.post(url.format("upload_media") + "&type=file").json()["errcode"] == code
    world.fault(clear=True)
    assert world.http.post(url.format("send"), json=text).json()["errcode"] == 0


def test_trusted_ip(world: Any):
    world.fault(trusted_ips=["10.0.0.1"])
    assert world.api("getcallbackip")["errcode"] == 60020


def test_unknown_paths_are_noticed(world: Any):
    assert world.api("message/teleport")["errcode"] != 0
    assert any("message/teleport" in problem for problem in world.problems)


def test_directory_reads(world: Any):
    user = world.api("user/get", userid="zhangWEI")
    assert user["userid"] == "ZhangWei" and user["name"] == "张伟" and "mobile" not in user
    assert world.api("user/get", userid="nobody")["errcode"] == 60111
    departments = world.api("department/list")["department"]
    assert departments[0]["id"] == 1
    names = [
        member["name"]
        for row in departments
        for member in world.api("user/simplelist", department_id=row["id"])["userlist"]
    ]
    assert sorted(names) == sorted(p["name"] for p in world.plant["people"] if p["wecom"])
    page = world.api("user/list_id", {"limit": 3})
    assert len(page["dept_user"]) == 3 and page["next_cursor"]
    world.phone("zhangwei", "leave")
    assert world.api("user/get", userid="ZhangWei")["errcode"] == 60011
    world.tick()
    assert world.received[-1].findtext("Event") == "unsubscribe"


def test_media_upload_and_ranges(world: Any, jpg: bytes):
    answer = world.upload(jpg, name="隐患.jpg")
    assert answer["type"] == "image" and answer["created_at"].isdigit()
    url = "http://wecom.test/cgi-bin/media/get"
    params = {"access_token": world.token, "media_id": answer["media_id"]}
    part = world.http.get(url, params=params, headers={"Range": "bytes=4-9"})
    assert part.status_code == 206 and part.content == jpg[4:10]
    assert part.headers["Content-Range"] == f"bytes 4-9/{len(jpg)}"
    world.fault(max_get_bytes=10)
    assert world.http.get(url, params=params).json()["errcode"] == 830002
    assert world.http.get(url, params=params, headers={"Range": "bytes=0-9"}).status_code == 206


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"\xff\xd8\xff12", "image", 40006),
        (b"\xff\xd8\xff123", "image", 0),
        (b"GIF89a" + b"0" * 20, "image", 40123),
        (b"\xff\xd8\xff" + b"0" * (10 * 1024 * 1024 - 3), "image", 0),
        (b"\xff\xd8\xff" + b"0" * (10 * 1024 * 1024 - 2), "image", 40009),
        (b"RIFFWAVE", "voice", 301017),
        (b"#!AMR\n" + (b"\x3c" + b"0" * 31) * 3000, "voice", 0),
        (b"#!AMR\n" + (b"\x3c" + b"0" * 31) * 3001, "voice", 45007),
        (b"123456", "nothing", 40004),
    ],
)
def test_upload_limits(world: Any, data: bytes, kind: str, code: int):
    assert world.upload(data, kind=kind).get("errcode", 0) == code


def test_media_runs_out_after_three_days(world: Any):
    media_id = world.upload()["media_id"]
    world.now += 3 * 86400 - 1
    world._token = None
    assert world.send("image", {"media_id": media_id})["errcode"] == 0
    assert world.send("file", {"media_id": media_id})["errcode"] == 40007  # the type must match
    world.now += 1
    assert world.send("image", {"media_id": media_id})["errcode"] == 40007


def test_uploadimg_gives_a_lasting_url(world: Any, jpg: bytes):
    url = f"http://wecom.test/cgi-bin/media/uploadimg?access_token={world.token}"
    answer = world.http.post(url, files={"media": ("a.jpg", jpg)}).json()
    world.now += 30 * 86400
    assert world.http.get(answer["url"]).content == jpg


def test_api_faults_strike_as_often_as_asked(world: Any):
    assert world.token
    world.fault(http_500=True, times=2, path="getcallbackip")
    url = f"http://wecom.test/cgi-bin/getcallbackip?access_token={world.token}"
    assert [world.http.get(url).status_code for _ in range(3)] == [500, 500, 200]
    world.fault(html_body=True, times=1)
    assert world.http.get(url).text.startswith("<html>")
    world.fault(reset=True, times=1)
    with pytest.raises(requests.ConnectionError):
        world.http.get(url)
    for name, code in (("busy", -1), ("throttle", 45009), ("concurrency", 45033), ("token_invalid", 40014)):
        world.fault(**{name: True, "times": 1})
        assert world.http.get(url).json()["errcode"] == code
        assert world.http.get(url).json()["errcode"] == 0
    assert world.control("calls")["getcallbackip"] >= 13
    assert world.http.post("http://wecom.test/_phone/faults", json={"nonsense": 1}).status_code == 400


def test_a_timeout_that_delivered(world: Any):
    world.fault(timeout_but_delivered=True, times=1, path="message/send")
    body = {"touser": "ZhangWei", "agentid": world.agent, "msgtype": "text", "text": {"content": "到了"}}
    url = f"http://wecom.test/cgi-bin/message/send?access_token={world.token}"
    with pytest.raises(requests.ReadTimeout):
        world.http.post(url, json=body, timeout=10)
    assert world.last()["text"] == "到了"


def test_oauth_codes_serve_once_and_for_five_minutes(world: Any):
    def sign_in(**override: str) -> requests.Response:
        params = {
            "appid": world.settings["corp_id"],
            "redirect_uri": "http://app.test/h5/place?case=7",
            "response_type": "code",
            "scope": "snsapi_base",
            "state": "abc",
            "_user": "zhangwei",
            **override,
        }
        return world.http.get("http://wecom.test/connect/oauth2/authorize", params=params, allow_redirects=False)

    target = sign_in().headers["Location"]
    assert target.startswith("http://app.test/h5/place?case=7&code=") and target.endswith("state=abc")
    code = target.split("code=")[1].split("&")[0]
    assert world.api("auth/getuserinfo", code=code)["userid"] == "ZhangWei"
    assert world.api("auth/getuserinfo", code=code)["errcode"] == 40029
    late = sign_in().headers["Location"].split("code=")[1].split("&")[0]
    world.now += 300
    assert world.api("auth/getuserinfo", code=late)["errcode"] == 40029
    world.fault(trusted_domains=["plant.example"])
    assert "50001" in sign_in().text
    assert sign_in(appid="wwother").status_code == 200


def test_the_cookie_of_the_phone_signs_in(world: Any):
    where = world.http.get(
        "http://wecom.test/_phone/liuyang/go", params={"url": "http://app.test/h5"}, allow_redirects=False
    )
    assert where.headers["Location"] == "http://app.test/h5" and where.cookies["_user"] == "LiuYang"


def test_jsapi_ticket_signature_and_quota(world: Any):
    from emulators.wecom.tokens import jsapi_signature

    vector = jsapi_signature(
        ticket="sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
        nonce="Wm3WZYTPz0wzccnW",
        timestamp="1414587457",
        url="http://mp.weixin.qq.com?params=value#part",
    )
    assert vector == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    ticket = world.api("get_jsapi_ticket")["ticket"]
    url = "http://app.test/h5/place"
    body = {"kind": "config", "corpid": world.settings["corp_id"], "nonceStr": "n", "timestamp": "1", "url": url}
    sign = jsapi_signature(ticket=ticket, nonce="n", timestamp="1", url=url)
    assert world.control("jssdk/check", body | {"signature": sign})["ok"] is True
    assert world.control("jssdk/check", body | {"signature": sign, "url": url + "?x"})["ok"] is False
    agent_body = body | {"kind": "agentConfig", "agentid": world.agent, "signature": sign}
    assert world.control("jssdk/check", agent_body)["ok"] is False  # the corp's ticket is not the app's
    world.fault(app_ticket_per_hour=2)
    codes = [world.api("ticket/get", type="agent_config")["errcode"] for _ in range(3)]
    assert codes == [0, 0, 45009]


def test_the_bridge_script_names_its_phone(world: Any):
    world.control("zhangwei/device", {"lat": 37.45, "lon": 118.59, "accuracy": 200, "permission": "denied"})
    device = world.control("zhangwei/device")
    assert device["accuracy"] == 200 and device["gcj02"]["lat"] != 37.45
    script = world.http.get("http://wecom.test/_phone/jssdk.js?_user=zhangwei&accuracy=12").text
    assert '"user": "ZhangWei"' in script and '"accuracy": 12.0' in script
    assert world.http.post("http://wecom.test/_phone/zhangwei/device", json={"x": 1}).status_code == 400


def test_waiting_callbacks_go_out_by_themselves_in_the_background(world: Any):
    import threading

    from emulators.wecom import WeComEmulator

    arrived = threading.Event()
    world.answer = lambda xml: arrived.set() or ""
    emulator = WeComEmulator(world.plant, http=world.http, public_url="http://wecom.test")
    try:
        with emulator.core.lock:
            emulator.phones.say(emulator.directory.phone("zhangwei"), "自己走")
        assert arrived.wait(5)
    finally:
        emulator.close()
    assert world.received[-1].findtext("Content") == "自己走"
