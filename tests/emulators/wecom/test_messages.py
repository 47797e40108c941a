from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest


def test_recipients_good_bad_and_none(world: Any):
    answer = world.send("text", {"content": "早"}, to="zhangwei|Nobody")
    assert answer["errcode"] == 0 and answer["invaliduser"] == "nobody" and answer["msgid"]
    assert "response_code" not in answer
    assert world.last()["text"] == "早" and world.last()["chat"] == "app"
    assert world.send("text", {"content": "x"}, to="nobody|noone")["errcode"] == 81013
    assert world.send("text", {"content": "x"}, to="")["errcode"] == 82001
    assert world.send("text", {"content": "x"}, to="|".join(f"u{i}" for i in range(1001)))["errcode"] == 40032
    many = {"toparty": "|".join(map(str, range(101)))}
    assert world.send("text", {"content": "x"}, to="", **many)["errcode"] == 82002
    many = {"totag": "|".join(map(str, range(101)))}
    assert world.send("text", {"content": "x"}, to="", **many)["errcode"] == 82003


def test_everyone_a_department_the_unlicensed_and_the_disabled(world: Any):
    world.send("text", {"content": "全员"}, to="@all")
    members = [p["wecom"] for p in world.plant["people"] if p["wecom"]]
    assert all(world.last(user)["text"] == "全员" for user in members)
    world.fault(unlicensed=["ZhangWei"])
    answer = world.send("text", {"content": "二"}, to="ZhangWei|LiuYang")
    assert answer["unlicenseduser"] == "zhangwei" and world.last()["text"] == "全员"
    world.phone("LiuYang", "status", {"status": 2})
    assert world.send("text", {"content": "三"}, to="LiuYang")["errcode"] == 81013


@pytest.mark.parametrize(("size", "shown"), [(2047, 2046), (2048, 2046), (2049, 2046), (2046, 2046)])
def test_text_is_cut_by_bytes_and_never_inside_a_character(world: Any, size: int, shown: int):
    # 682 characters of three bytes are 2046; the rest is filled with single bytes
    text = "漏" * 682 + "a" * (size - 2046)
    world.send("text", {"content": text})
    kept = world.last()["text"].encode()
    assert len(kept) == min(size, 2048)
    world.send("text", {"content": "漏" * 700})
    assert len(world.last()["text"].encode()) == shown


def test_links_in_a_text_are_shown_as_their_labels(world: Any):
    world.send("text", {"content": '请<a href="http://app.test/h5/1">打开定位页</a>'})
    item = world.last()
    assert item["text"] == "请打开定位页"
    opened = world.phone("zhangwei", "press_link", {"item": item["id"], "key": "打开定位页"}).json()
    assert opened["url"] == "http://app.test/h5/1" and "/_phone/ZhangWei/go?url=" in opened["open"]


def test_markdown_textcard_news_and_files(world: Any):
    assert world.send("markdown", {"content": "a" * 2048})["errcode"] == 0
    assert world.send("markdown", {"content": "a" * 2049})["errcode"] == 40058
    card = {"title": "通知", "description": 'x<div class="gray">灰</div>', "url": "http://app.test"}
    assert world.send("textcard", card)["errcode"] == 0
    assert world.last()["card"]["links"][0]["title"] == "详情" and "<div" not in world.last()["card"]["body"]
    assert world.send("textcard", card | {"url": "app.test"})["errcode"] == 45034
    article = {"title": "一", "url": "http://app.test"}
    assert world.send("news", {"articles": [article] * 8})["errcode"] == 0
    assert world.send("news", {"articles": [article] * 9})["errcode"] == 45008
    media_id = world.upload(b"%PDF-1.4 report", kind="file", name="周报.pdf")["media_id"]
    world.send("file", {"media_id": media_id})
    assert world.last()["text"] == "周报.pdf" and world.last()["kind"] == "file"
    assert world.send("text", {"content": ""})["errcode"] == 44004
    assert world.send("hologram", {})["errcode"] == 40008


def test_the_31st_message_in_a_minute_is_dropped_in_silence(world: Any):
    answers = [world.send("text", {"content": str(n)}) for n in range(31)]
    assert {a["errcode"] for a in answers} == {0} and all(a["msgid"] for a in answers)
    assert [i["text"] for i in world.screen()] == [str(n) for n in range(30)]
    assert world.send("text", {"content": "别人"}, to="LiuYang")["errcode"] == 0
    assert world.last("LiuYang")["text"] == "别人"  # per member
    world.now += 60.1
    world.send("text", {"content": "又通"})
    assert world.last()["text"] == "又通"


def test_a_thousand_in_an_hour(world: Any):
    world.fault(member_per_minute=10_000)
    for n in range(1001):
        world.send("text", {"content": str(n)})
        world.now += 1
    assert len(world.screen()) == 1000
    world.now += 3600
    world._token = None
    world.send("text", {"content": "又通"})
    assert world.last()["text"] == "又通"


def test_the_day_quota_counts_persons(world: Any):
    world.fault(account_limit=1, member_per_minute=10_000)
    codes = [world.send("text", {"content": str(n)}, to="ZhangWei|LiuYang")["errcode"] for n in range(101)]
    assert codes == [0] * 100 + [45009]


def test_duplicate_check_swallows_the_second(world: Any):
    body = {"content": "一次"}
    assert world.send("text", body, enable_duplicate_check=1)["msgid"]
    again = world.send("text", body, enable_duplicate_check=1)
    assert again["errcode"] == 0 and "msgid" not in again
    assert len(world.screen()) == 1
    world.now += 1801
    world.send("text", body, enable_duplicate_check=1)
    assert len(world.screen()) == 2
    world.send("text", body)
    assert len(world.screen()) == 3


def test_recall_within_a_day(world: Any):
    msgid = world.send("text", {"content": "写错了"})["msgid"]
    seq = world.last()["seq"]
    assert world.api("message/recall", {"msgid": msgid})["errcode"] == 0
    item = world.screen(after=seq)[0]
    assert item["recalled"] and item["text"] == ""
    late = world.send("text", {"content": "旧"})["msgid"]
    world.now += 86401
    world._token = None
    assert world.api("message/recall", {"msgid": late})["errcode"] != 0


def test_appchat_is_unseen_until_the_first_message(world: Any):
    made = world.api("appchat/create", {"name": "应急", "userlist": ["ZhangWei", "LiuYang"], "chatid": "chat1"})
    assert made["chatid"] == "chat1"
    assert "chat1" not in {g["id"] for g in world.control("groups")}
    text = {"chatid": "chat1", "msgtype": "text", "text": {"content": "集合"}}
    assert world.api("appchat/send", text)["errcode"] == 0
    assert world.last("LiuYang")["chat"] == "group:chat1" and "chat1" in {g["id"] for g in world.control("groups")}
    assert world.api("appchat/send", {"chatid": "chat1", "msgtype": "template_card"})["errcode"] == 40008
    assert world.api("appchat/get", chatid="chat1")["chat_info"]["userlist"] == ["ZhangWei", "LiuYang"]
    other = world.fetch_token(corpsecret="other-secret")["access_token"]
    assert world.api("appchat/get", chatid="chat1", access_token=other)["errcode"] == 86003
    assert world.api("appchat/get", chatid="nope")["errcode"] == 86001
    assert world.api("appchat/create", {"userlist": ["ZhangWei"]})["errcode"] == 86008
    world.phone("zhangwei", "say", {"text": "收到", "group": "chat1"})
    assert world.last("LiuYang")["text"] == "收到" and world.tick() == 0  # never reaches the app
    world.fault(root_visible=False)
    assert world.api("appchat/send", text)["errcode"] == 48002


def test_group_robot(world: Any, jpg: bytes):
    key = world.settings["webhook_key"]

    def post(body: dict[str, Any], key: str = key) -> int:
        return world.http.post(f"http://wecom.test/cgi-bin/webhook/send?key={key}", json=body).json()["errcode"]

    mention = {"msgtype": "text", "text": {"content": "一级隐患", "mentioned_list": ["chengang", "@all"]}}
    assert post(mention) == 0
    assert world.last("ChenGang")["text"] == "一级隐患 @陈刚 @所有人"
    assert post(mention, key="wrong") == 93000
    image = {"base64": base64.b64encode(jpg).decode(), "md5": hashlib.md5(jpg).hexdigest()}
    assert post({"msgtype": "image", "image": image}) == 0
    assert post({"msgtype": "image", "image": image | {"md5": "0" * 32}}) == 40058
    buttons = {"card_type": "button_interaction"}
    assert post({"msgtype": "template_card", "template_card": buttons}) == 40058
    codes = [post({"msgtype": "text", "text": {"content": "x"}}) for _ in range(17)]
    assert codes == [0] * 16 + [45009]  # four of the twenty were spent above
    world.now += 60.1
    assert post({"msgtype": "text", "text": {"content": "x"}}) == 0
