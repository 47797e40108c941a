from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from flask import Response
from hypothesis import given
from hypothesis import strategies as st

from emulators.wecom import crypto

KEYS = crypto.Keys("TestToken01", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "wwtest00000000001")
VECTOR = (
    "4j/AuRx71kQlxVlzbpsMWJ2rF6mv+DdvGwlAN/rz7kg5ZhElww/hjfwgOCzG0nqA7PowLE3awT9F848nLg5kVKUxJdEyZre0V+aI/G+azRct0n8W"
    "4or/TQa8u2v0KDjT"
)
MESSAGE = "<xml><Content>阀门泄漏</Content></xml>"


def test_the_reference_vector():
    assert crypto.encrypt(KEYS, MESSAGE, random16=b"0123456789abcdef") == VECTOR
    assert crypto.signature("TestToken01", "1700000000", "998877", VECTOR) == "520fdf0e3ae68d7fa8cc95642354fc08acc41946"
    assert crypto.decrypt(KEYS, VECTOR) == MESSAGE


@given(st.text(max_size=200))
def test_what_is_encrypted_comes_back(text: str):
    assert crypto.decrypt(KEYS, crypto.encrypt(KEYS, text)) == text


@pytest.mark.parametrize("size", [31, 32, 33])
def test_padding_fills_blocks_of_32(size: int):
    # random16 + length + id are 37 bytes: the text is chosen so that the plaintext ends around a block's edge
    text = "a" * (64 - 37 + size - 32)
    cipher_bytes = len(crypto.encrypt(KEYS, text)) * 3 // 4 - crypto.encrypt(KEYS, text).count("=")
    assert cipher_bytes % 32 == 0
    assert cipher_bytes > 37 + len(text)  # a full block when already aligned


def test_a_foreign_receiver_is_refused():
    with pytest.raises(crypto.BadEnvelope, match="receiver"):
        crypto.decrypt(KEYS, crypto.encrypt(KEYS, "x", receive_id="wwother"))


def test_a_text_arrives_as_the_protocol_says(world: Any):
    assert world.phone("zhangwei", "say", {"text": "阀门 ]]> 泄漏"}).json()["accepted"]
    assert world.received == []  # nothing happens before the tick
    assert world.tick() == 1
    xml = world.received[0]
    assert xml.findtext("Content") == "阀门 ]]> 泄漏"
    assert xml.findtext("FromUserName") == "ZhangWei"
    assert xml.findtext("ToUserName") == world.settings["corp_id"]
    assert int(xml.findtext("MsgId")) > 2**60
    assert "<![CDATA[" in world.texts[0]
    assert world.last()["from"] == "me" and world.last()["text"] == "阀门 ]]> 泄漏"


def test_events_have_no_msgid_and_come_on_every_opening(world: Any):
    for _ in range(2):
        world.phone("zhangwei", "open", {"lat": 37.4501, "lon": 118.5903, "precision": 12.5})
    world.phone("zhangwei", "open", {"lat": 37.4501, "lon": 118.5903, "precision": 12.5, "consent": False})
    world.tick()
    events = [xml.findtext("Event") for xml in world.received]
    assert events == ["enter_agent", "LOCATION", "enter_agent", "LOCATION", "enter_agent"]
    assert all(xml.find("MsgId") is None for xml in world.received)
    assert world.received[1].findtext("Precision") == "12.5"
    assert len({xml.findtext("CreateTime") for xml in world.received}) == 1  # the same second


def test_coordinates_are_shifted_unless_switched(world: Any):
    place = {"lat": 37.45, "lon": 118.59, "label": "罐区"}
    world.phone("zhangwei", "location", place)
    world.fault(location_coords="wgs84")
    world.phone("zhangwei", "location", place)
    world.tick()
    shifted, true = ((float(x.findtext("Location_X")), float(x.findtext("Location_Y"))) for x in world.received)
    assert true == (37.45, 118.59)
    assert 0.0005 < abs(shifted[1] - 118.59) < 0.01
    assert shifted[0] != 37.45


def test_redelivery_keeps_the_content_and_signs_anew(world: Any):
    def slow(xml: Any) -> str:
        world.now += 5.5
        return ""

    world.answer = slow
    world.phone("zhangwei", "say", {"text": "慢"})
    for _ in range(10):
        world.tick(1.0)
    assert len(world.texts) == 4  # once, and three times again
    assert len(set(world.texts)) == 1
    assert len({e["encrypted"] for e in world.envelopes}) == 4
    assert len({e["msg_signature"] for e in world.envelopes}) == 4
    assert len({e["nonce"] for e in world.envelopes}) == 4
    assert world.control("deliveries")[0]["outcome"] == "lost"


@pytest.mark.parametrize(("took", "attempts"), [(4.9, 1), (5.0, 1), (5.1, 4)])
def test_the_deadline_is_five_seconds(world: Any, took: float, attempts: int):
    def answer(xml: Any) -> str:
        world.now += took
        return world.passive("text", "<Content>好</Content>")

    world.answer = answer
    world.phone("zhangwei", "say", {"text": "喂"})
    for _ in range(8):
        world.tick(1.0)
    assert len(world.texts) == attempts
    assert [i["text"] for i in world.screen() if i["from"] == "bot"] == (["好"] if attempts == 1 else [])


def test_a_connection_that_fails_is_tried_again(world: Any):
    class Broken(requests.adapters.BaseAdapter):
        def send(self, request: Any, **kwargs: Any) -> Any:
            raise requests.ConnectionError("refused")

        def close(self) -> None:
            return None

    good = world.http.adapters.pop("http://app.test")
    world.http.mount("http://app.test", Broken())
    world.phone("zhangwei", "say", {"text": "喂"})
    world.tick()
    world.http.mount("http://app.test", good)
    assert world.tick(0.5) == 0  # not before its time
    assert world.tick(0.6) == 1
    assert len(world.texts) == 1


def test_a_500_is_not_retried_unless_switched(world: Any):
    world.answer = lambda xml: Response("no", status=500)
    world.phone("zhangwei", "say", {"text": "一"})
    for _ in range(6):
        world.tick(1.1)
    assert len(world.texts) == 1
    world.fault(retry_non_200=True)
    world.phone("zhangwei", "say", {"text": "二"})
    for _ in range(6):
        world.tick(1.1)
    assert len(world.texts) == 5


def test_callback_faults(world: Any):
    world.fault(duplicate_callbacks=5, times=1)
    world.phone("zhangwei", "say", {"text": "五遍"})
    world.tick()
    assert len(world.texts) == 5 and len(set(world.texts)) == 1

    world.texts.clear()
    world.fault(reorder=True, times=3)
    for text in "甲乙丙":
        world.phone("zhangwei", "say", {"text": text})
    world.tick()
    assert [re.search("Content><!.CDATA.(.)", t)[1] for t in world.texts] == ["丙", "乙", "甲"]

    world.texts.clear()
    world.fault(drop_callbacks=True, times=1)
    world.phone("zhangwei", "say", {"text": "丢"})
    assert world.tick() == 0

    world.fault(late_callbacks_s=172800, times=1)
    world.phone("zhangwei", "say", {"text": "迟"})
    assert world.tick(172799) == 0
    assert world.tick(2) == 1


@pytest.mark.parametrize("name", ["bad_signature", "wrong_receiver", "corrupt_cipher"])
def test_a_spoiled_envelope_does_not_open(world: Any, name: str):
    world.fault(**{name: True, "times": 1})
    world.phone("zhangwei", "say", {"text": "坏"})
    world.phone("zhangwei", "say", {"text": "好"})
    world.tick()
    assert [xml.findtext("Content") for xml in world.received] == ["好"]


def test_clock_skew_moves_the_timestamp_only(world: Any):
    world.fault(clock_skew_s=-600, times=1)
    world.phone("zhangwei", "say", {"text": "x"})
    world.tick()
    assert int(world.envelopes[0]["timestamp"]) == int(world.now) - 600
    assert int(world.received[0].findtext("CreateTime")) == int(world.now)


@pytest.mark.parametrize(
    ("echo", "good"),
    [
        (lambda plain: plain, True),
        (lambda plain: plain + "\n", False),
        (lambda plain: f'"{plain}"', False),
        (lambda plain: Response(plain, status=201), False),
    ],
)
def test_saving_the_callback_settings(world: Any, echo: Any, good: bool):
    world.echo = echo
    assert world.control("save_callback", {})["accepted"] is good


@pytest.mark.parametrize(("took", "good"), [(0.9, True), (1.1, False)])
def test_the_url_check_has_one_second(world: Any, took: float, good: bool):
    def slow(plain: str) -> str:
        world.now += took
        return plain

    world.echo = slow
    assert world.control("save_callback", {})["accepted"] is good


def test_photos_voices_links_files_and_unknown_types(world: Any, jpg: bytes):
    world.phone("zhangwei", "photo", files=[("file", ("1.jpg", jpg)), ("file", ("2.jpg", jpg))], data={"caption": "漏"})
    world.phone("zhangwei", "voice", files={"file": ("v.amr", b"#!AMR\n" + b"\x7c" * 99)})
    world.phone("zhangwei", "link", {"url": "http://x.test", "title": "标题"})
    world.phone("zhangwei", "file", files={"file": ("a.pdf", b"%PDF-1.4")})
    world.phone("zhangwei", "raw", {"msgtype": "sticker", "fields": {"StickerId": "9"}})
    world.tick()
    assert [x.findtext("MsgType") for x in world.received] == ["image", "image", "text", "voice", "link", "sticker"]
    media = world.received[0].findtext("MediaId")
    url = "http://wecom.test/cgi-bin/media/get"
    got = world.http.get(url, params={"access_token": world.token, "media_id": media})
    assert got.content == jpg and got.headers["Content-Type"] == "image/jpeg"
    assert world.http.get(world.received[0].findtext("PicUrl")).content == jpg
    assert world.received[3].findtext("Format") == "amr" and world.received[3].find("Recognition") is None


def test_menu_buttons(world: Any, jpg: bytes):
    menu = {
        "button": [
            {"type": "click", "name": "我的", "key": "mine"},
            {
                "name": "上报",
                "sub_button": [
                    {"type": "scancode_waitmsg", "name": "扫码", "key": "scan"},
                    {"type": "pic_sysphoto", "name": "拍照", "key": "pic"},
                    {"type": "location_select", "name": "位置", "key": "loc"},
                ],
            },
        ]
    }
    assert world.api("menu/get", agentid=world.agent)["errcode"] == 46003
    assert world.api("menu/create", menu, agentid=world.agent)["errcode"] == 0
    world.phone("zhangwei", "menu", {"key": "mine"})
    world.phone("zhangwei", "scan", {"result": "P-101A"})
    world.phone("zhangwei", "menu", files=[("file", ("1.jpg", jpg)), ("file", ("2.jpg", jpg))], data={"key": "pic"})
    world.phone("zhangwei", "menu", {"key": "loc", "lat": 37.45, "lon": 118.59, "label": "罐区"})
    world.tick()
    kinds = [x.findtext("Event") or x.findtext("MsgType") for x in world.received]
    assert kinds == ["click", "scancode_waitmsg", "pic_sysphoto", "image", "image", "location_select", "location"]
    assert world.received[1].findtext("ScanCodeInfo/ScanResult") == "P-101A"
    assert len(world.received[2].findall("SendPicsInfo/PicList/item/PicMd5Sum")) == 2
    assert world.phone("zhangwei", "menu", {"key": "none"}).status_code == 404
    assert world.api("menu/delete", agentid=world.agent)["errcode"] == 0
    assert world.api("menu/create", {"button": menu["button"] * 2}, agentid=world.agent)["errcode"] == 40016


def test_a_stranger_and_an_event_of_an_unknown_kind(world: Any):
    assert world.control("people", {"user": "NewGuy", "name": "新人"})["accepted"]
    assert world.http.post("http://wecom.test/_phone/people", json={"user": "newguy", "name": "x"}).status_code == 409
    world.phone("NewGuy", "say", {"text": "我是谁"})
    world.phone("NewGuy", "raw", {"msgtype": "event", "fields": {"Event": "low_active", "Level": 3}})
    world.tick()
    assert world.received[0].findtext("FromUserName") == "NewGuy"
    event = world.received[1]
    assert event.findtext("Event") == "low_active" and event.findtext("Level") == "3" and event.find("MsgId") is None
