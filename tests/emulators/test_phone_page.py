"""The server side of the phones' page: setup, the feed, the board, ready-made photos, DingTalk's page bridge."""

from __future__ import annotations

import io

import pytest
import requests
import zxingcpp
from PIL import Image
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from cards.images import hashes
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.dingtalk import DingTalkEmulator
from emulators.phone import phone_app
from emulators.phone.photos import MAX_BYTES, PHOTOS, photo_jpeg
from emulators.sms import SmsEmulator
from emulators.wecom import WeComEmulator
from rules.hazard.proof import NEAR_DUPLICATE_BITS

BASE = "http://phones.test"
GROUP = "cidStorage0001=="


@pytest.fixture
def plant():
    return demo_plant(public_url="http://app.test", secrets=demo_secrets())


@pytest.fixture
def wall(plant):
    """A client of the whole server; nothing is delivered unless tick() is called."""
    parts = {
        "/wecom": WeComEmulator(plant, http=requests.Session(), background=False, public_url=f"{BASE}/wecom"),
        "/dingtalk": DingTalkEmulator(plant, http=requests.Session(), background=False, public_url=f"{BASE}/dingtalk"),
        "/sms": SmsEmulator(plant, background=False, public_url=f"{BASE}/sms"),
    }
    apps = {name: part.app.wsgi_app for name, part in parts.items()}
    client = Client(DispatcherMiddleware(phone_app(plant, apps, base=BASE, clock=lambda: 1_772_671_800.0), apps))
    client.parts = parts
    return client


def feed(wall, **phones):
    asked = {key.replace("__", ":"): seen for key, seen in phones.items()}
    return wall.post("/phone/feed", json={"phones": asked}).json


def test_page_loads_nothing_from_elsewhere(wall):
    answer = wall.get("/")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    page = answer.get_data(as_text=True)
    assert "http" not in page
    for name in ("main.js", "phone.js", "page.css", "items.css", "icon.svg", "dd.js"):
        assert wall.get(f"/phone/static/{name}").status_code == 200


def test_setup_names_everybody_with_an_account_and_the_story_first(wall, plant):
    setup = wall.get("/phone/setup").json
    keys = {row["key"] for row in setup["people"]}
    accounts = {f"{p}:{person[p]}" for person in plant["people"] for p in ("wecom", "dingtalk") if person[p]}
    assert keys == accounts
    assert setup["default"][0] == "wecom:ZhangWei" and set(setup["default"]) <= keys
    groups = [*plant["groups"], *plant["wecom"]["bot"]["groups"]]
    assert {group["id"] for group in setup["groups"]} == {group["id"] for group in groups}
    assert len(setup["areas"]) == 6 and len(setup["equipment"]) == 40
    zhang = next(row for row in setup["people"] if row["key"] == "wecom:ZhangWei")
    assert zhang["at"]["lat"] == pytest.approx(37.450314, abs=1e-6)


def test_setup_never_gives_away_a_secret(wall, plant):
    text = wall.get("/phone/setup").get_data(as_text=True)
    hidden = [plant["wecom"]["secret"], plant["wecom"]["aes_key"], plant["dingtalk"]["client_secret"]]
    assert not [value for value in hidden if value in text]


def test_feed_gives_each_phone_only_what_is_new(wall):
    wall.post("/wecom/_phone/ZhangWei/say", json={"text": "法兰在漏"})
    first = feed(wall, wecom__ZhangWei={"after": 0, "sms": 0}, dingtalk__user003={"after": 0, "sms": 0})["phones"]
    assert [item["text"] for item in first["wecom:ZhangWei"]["items"]] == ["法兰在漏"]
    assert first["dingtalk:user003"]["items"] == []
    again = feed(wall, wecom__ZhangWei={"after": first["wecom:ZhangWei"]["seq"], "sms": 0})["phones"]
    assert again["wecom:ZhangWei"]["items"] == []


def test_feed_shows_a_group_message_to_its_members_only(wall):
    wall.post("/dingtalk/_phone/user001/say", json={"text": "先放警戒带", "group": GROUP})
    seen = {"after": 0, "sms": 0}
    phones = feed(wall, dingtalk__user001=seen, dingtalk__user003=seen, dingtalk__user004=seen)["phones"]
    assert phones["dingtalk:user001"]["items"][0]["from"] == "me"
    assert phones["dingtalk:user003"]["items"][0]["chat"] == f"group:{GROUP}"
    assert phones["dingtalk:user004"]["items"] == []


def test_feed_brings_sms_to_the_phone_of_their_number(wall, plant):
    mobile = next(person["mobile"] for person in plant["people"] if person["wecom"] == "ZhaoJianGuo")
    wall.parts["/sms"]._put(mobile, "安哨", "SMS_100001", "一级红YH-0011", "biz", "out", vendor="aliyun")
    seen = {"after": 0, "sms": 0}
    phones = feed(wall, wecom__ZhaoJianGuo=seen, wecom__ZhangWei=seen)["phones"]
    assert [text["text"] for text in phones["wecom:ZhaoJianGuo"]["sms"]] == ["【安哨】一级红YH-0011"]
    assert phones["wecom:ZhangWei"]["sms"] == []
    later = feed(wall, wecom__ZhaoJianGuo={"after": 0, "sms": phones["wecom:ZhaoJianGuo"]["sms_seq"]})["phones"]
    assert later["wecom:ZhaoJianGuo"]["sms"] == []


@pytest.mark.parametrize("key", ["wecom:Nobody", "fax:ZhangWei", ""])
def test_feed_marks_unknown_phones_and_serves_the_others(wall, key):
    phones = wall.post("/phone/feed", json={"phones": {key: {}, "wecom:ZhangWei": {}}}).json["phones"]
    assert phones[key] == {"gone": True}
    assert "items" in phones["wecom:ZhangWei"]


def test_feed_refuses_what_is_no_list_of_phones(wall):
    assert wall.post("/phone/feed", data="[]").status_code == 400
    assert wall.post("/phone/feed", json={"phones": []}).status_code == 400


def test_board_shows_switches_of_all_three_in_one_form(wall):
    wall.post("/wecom/_phone/faults", json={"duplicate_callbacks": 5, "times": 1})
    wall.post("/dingtalk/_phone/faults", json={"slow_api_s": 8})
    wall.post("/sms/_phone/faults", json={"business_limit": True})
    board = wall.get("/phone/board").json
    assert board["wecom"]["active"]["duplicate_callbacks"]["times"] == 1
    assert board["dingtalk"]["active"]["slow_api_s"]["value"] == 8
    assert list(board["sms"]["active"]) == ["business_limit"]
    assert all(board[name]["known"] for name in ("wecom", "dingtalk", "sms"))


# --- photos ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.name)
def test_photos_are_small_jpegs(photo):
    data = photo_jpeg(photo.name)
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG" and image.size == (960, 720)
    assert len(data) <= MAX_BYTES


def test_after_photos_pass_for_new_ones_of_the_same_place():
    for before, after in zip(PHOTOS[::2], PHOTOS[1::2], strict=True):
        assert before.scene is after.scene and after.fixed and not before.fixed
        a, b = (hashes.of(Image.open(io.BytesIO(photo_jpeg(p.name)))) for p in (before, after))
        distance = hashes.hash_distance(a.phash, b.phash)
        assert distance > NEAR_DUPLICATE_BITS, f"{after.name} would be refused as a copy ({distance} bits)"


def test_each_take_is_another_file_of_the_same_picture():
    one, two = photo_jpeg("exit-before", take=1), photo_jpeg("exit-before", take=2)
    assert one != two
    a, b = (hashes.of(Image.open(io.BytesIO(data))) for data in (one, two))
    assert hashes.hash_distance(a.phash, b.phash) <= hashes.SAME_PHASH_BITS


def test_plate_is_read_by_a_code_reader(wall):
    data = wall.get("/phone/photos/plate-V-201.jpg?take=7").data
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(data)))] == ["V-201"]


def test_original_carries_time_and_place(wall):
    data = wall.get("/phone/photos/flange-before.jpg?original=1&lat=37.45&lon=118.59").data
    exif = Image.open(io.BytesIO(data)).getexif()
    assert exif.get_ifd(0x8769)[0x9003] == "2026:03:05 08:50:00"
    degrees = exif.get_ifd(0x8825)[2]
    assert float(degrees[0] + degrees[1] / 60 + degrees[2] / 3600) == pytest.approx(37.45, abs=1e-5)
    plain = Image.open(io.BytesIO(wall.get("/phone/photos/flange-before.jpg?take=2").data))
    assert not plain.getexif()


@pytest.mark.parametrize("path", ["nothing.jpg", "plate-.jpg", "plate-罐.jpg"])
def test_unknown_photo_is_404(wall, path):
    assert wall.get(f"/phone/photos/{path}").status_code == 404


def test_photo_with_a_bad_number_is_400(wall):
    assert wall.get("/phone/photos/flange-before.jpg?take=x").status_code == 400


# --- the bridge of pages opened in DingTalk ----------------------------------------------------------------------
def test_go_notes_whose_phone_it_is_and_the_script_knows(wall):
    answer = wall.get("/phone/dd/user003/go?url=http://app.test/h5/todo")
    assert answer.status_code == 302 and answer.headers["Location"] == "http://app.test/h5/todo"
    script = wall.get("/phone/dd.js").get_data(as_text=True)
    assert '"user": "user003"' in script and "requestAuthCode" in script


def test_code_signs_in_once(wall, plant):
    code = wall.post("/phone/dd/user003/code").json["code"]
    conf = plant["dingtalk"]
    login = {"appKey": conf["client_id"], "appSecret": conf["client_secret"]}
    token = wall.post("/dingtalk/v1.0/oauth2/accessToken", json=login).json["accessToken"]
    path = f"/dingtalk/topapi/v2/user/getuserinfo?access_token={token}"
    assert wall.post(path, json={"code": code}).json["result"]["userid"] == "user003"
    assert wall.post(path, json={"code": code}).json["errcode"] != 0
    assert wall.post("/phone/dd/nobody/code").status_code == 404


def test_device_keeps_its_settings_and_refuses_unknown_ones(wall):
    assert wall.get("/phone/dd/user001/device").json["lat"] is None
    wall.post("/phone/dd/user001/device", json={"lat": 37.45, "lon": 118.59, "accuracy": 200})
    device = wall.get("/phone/dd/user001/device").json
    assert device["accuracy"] == 200 and device["gcj02"]["lon"] != 118.59
    assert wall.post("/phone/dd/user001/device", json={"altitude": 3}).status_code == 400
    assert wall.get("/phone/dd/user002/device").json["lat"] is None


def test_unsigned_dd_config_is_refused(wall):
    body = {"corpId": "x", "agentId": 1, "timeStamp": "1", "nonceStr": "n", "signature": "s", "url": "http://a/h5/"}
    assert wall.post("/phone/dd/user003/check", json=body).json["ok"] is False
