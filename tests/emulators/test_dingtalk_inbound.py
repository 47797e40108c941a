"""Messages of people: every kind, signatures, groups, replies, sessions, redelivery."""

from __future__ import annotations

import json

import pytest

from emulators.dingtalk.signing import hmac_sign
from tests.emulators.dingtalk_kit import GROUP, PNG, World

ROBOT = "/dingtalk/robot"


@pytest.fixture
def world():
    return World()


def download(world, code, robot="dingrobot"):
    body = {"downloadCode": code, "robotCode": robot}
    url = world.new("POST", "/v1.0/robot/messageFiles/download", body)["downloadUrl"]
    assert ".file?Expires=" in url
    return world.session.get(url)


def test_text_is_signed_and_complete(world):
    body = world.said("user001", "泵漏油")
    assert body["msgtype"] == "text" and body["text"] == {"content": "泵漏油"}
    assert isinstance(body["createAt"], int) and body["createAt"] == int(world.clock.now * 1000)
    assert body["sessionWebhookExpiredTime"] == body["createAt"] + 90 * 60 * 1000
    assert body["conversationType"] == "1" and body["senderStaffId"] == "user001" and "atUsers" not in body
    assert body["senderId"].startswith("$:LWCP_v1:$") and body["robotCode"] == "dingrobot"
    push = world.bot.to(ROBOT)[0]
    assert push.headers["sign"] == hmac_sign(push.headers["timestamp"], "demo secret")
    assert push.headers["timestamp"] == str(int(world.clock.now * 1000))
    mine = world.screen("user001")[0]
    assert (mine["from"], mine["chat"], mine["kind"], mine["text"]) == ("me", "app", "text", "泵漏油")


def test_nothing_happens_before_the_tick(world):
    world.control("user001/say", {"text": "x"})
    assert world.bot.pushes == []
    assert world.tick() == 1 and world.tick() == 0


def test_in_a_group_only_at_messages_arrive_with_a_leading_space(world):
    world.control("user001/say", {"text": "闲聊", "group": GROUP})
    assert world.tick() == 0
    body = world.said("user001", "绑定 合成车间", group=GROUP, at_bot=True)
    assert body["text"]["content"] == " 绑定 合成车间"
    assert body["conversationType"] == "2" and body["conversationId"] == GROUP
    assert body["isInAtList"] is True and body["atUsers"] == [{"dingtalkId": body["chatbotUserId"]}]
    other = world.screen("user002")
    assert [(item["from"], item["text"]) for item in other] == [("李强", "闲聊"), ("李强", "绑定 合成车间")]
    assert world.screen("user003") == []
    world.control("user003/say", {"text": "x", "group": GROUP}, status=404)


def test_one_photo_is_a_picture_and_words_make_it_rich_text(world):
    world.upload_by("user001", "photo", PNG)
    world.tick()
    body = world.bot.robot()[-1]
    assert body["msgtype"] == "picture"
    assert download(world, body["content"]["downloadCode"]).content == PNG
    assert download(world, body["content"]["pictureDownloadCode"]).content == PNG
    world.upload_by("user001", "photo", PNG, PNG + b"2", caption="泵房漏油")
    world.tick()
    parts = world.bot.robot()[-1]["content"]["richText"]
    assert parts[0] == {"text": "泵房漏油"} and [p["type"] for p in parts[1:]] == ["picture", "picture"]
    assert download(world, parts[2]["downloadCode"]).content == PNG + b"2"
    world.upload_by("user001", "photo", PNG, group=GROUP)
    world.tick()
    assert world.bot.robot()[-1]["msgtype"] == "richText"
    shown = world.screen("user002")[-1]
    assert world.session.get(shown["image_url"]).content == PNG


def test_voice_video_and_files_only_in_the_private_chat(world):
    world.upload_by("user001", "voice", b"amr", recognition="三号泵漏油")
    world.upload_by("user001", "voice", b"amr")
    world.upload_by("user001", "video", b"mp4")
    world.upload_by("user001", "file", b"pdf")
    world.tick()
    voice, silent, video, file = (body["content"] for body in world.bot.robot())
    assert voice["recognition"] == "三号泵漏油" and voice["duration"] == 4000 and silent["recognition"] == ""
    assert video["videoType"] == "mp4" and file["fileName"] == "f0.jpg"
    assert [body["msgtype"] for body in world.bot.robot()] == ["audio", "audio", "video", "file"]
    for what in ("voice", "video", "file"):
        world.upload_by("user001", what, b"x", group=GROUP, status=409)


def test_a_location_or_link_arrives_as_unknown_without_coordinates(world):
    world.control("user001/location", {"lat": 37.45, "lon": 118.59, "label": "罐区"})
    world.control("user001/link", {"title": "t", "url": "http://x"})
    world.tick()
    for body in world.bot.robot():
        assert body["msgtype"] == "unknownMsgType" and body["content"]["unknownMsgType"]
        assert "37.45" not in json.dumps(body)
    world.control("user001/location", {"lat": 1, "lon": 1, "group": GROUP}, status=409)


def test_quoting_a_person_and_the_robot(world):
    said = world.said("user001", "第一句")
    world.said("user001", "引用", quote=world.screen("user001")[0]["id"])
    text = world.bot.robot()[-1]
    assert text["text"]["isReplyMsg"] is True and text["originalMsgId"] == said["msgId"]
    assert text["text"]["repliedMsg"]["content"] == {"text": "第一句"}
    reply = {"msgtype": "text", "text": {"content": "收到"}}
    world.session.post(said["sessionWebhook"], json=reply)
    bubble = next(item for item in world.screen("user001") if item["from"] == "bot")
    world.said("user001", "引用机器人", quote=bubble["id"])
    assert world.bot.robot()[-1]["originalProcessQueryKey"]


def test_the_answer_to_the_push_is_a_message(world):
    world.bot.answer(ROBOT, {"msgtype": "markdown", "markdown": {"title": "t", "text": "**收到** [看](http://x/1)"}})
    world.said("user001", "x")
    bubble = world.screen("user001")[-1]
    assert (
        bubble["from"] == "bot" and bubble["kind"] == "markdown" and bubble["card"]["links"][0]["url"] == "http://x/1"
    )
    for nothing in ({"msgtype": "empty"}, "", "{}"):
        world.bot.answer(ROBOT, nothing)
        world.said("user001", "y")
    assert sum(item["from"] == "bot" for item in world.screen("user001")) == 1
    assert world.problems() == []
    world.bot.answer(ROBOT, {"msgtype": "text", "text": {}})
    world.said("user001", "z")
    assert len(world.problems()) == 1


def test_session_lives_ninety_minutes_and_is_used_several_times(world):
    url = world.said("user001", "x")["sessionWebhook"]
    ok = {"msgtype": "text", "text": {"content": "1"}}
    assert world.session.post(url, json=ok).json()["errcode"] == 0
    world.clock.forward(90 * 60 - 1)
    assert world.session.post(url, json=ok).json()["errcode"] == 0
    world.clock.forward(1)
    assert world.session.post(url, json=ok).json()["errcode"] == 300001
    assert world.session.post(url + "0", json=ok).json()["errcode"] == 300001
    assert sum(item["from"] == "bot" for item in world.screen("user001")) == 2


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "text", "text": {"content": " "}}, 40035),
        ({"msgtype": "markdown", "markdown": {"text": "x"}}, 40035),
        ({"msgtype": "link", "link": {"title": "t", "text": "x", "messageUrl": "nowhere"}}, 40035),
        ({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "singleTitle": "s"}}, 40035),
        ({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "btns": [{"title": "a"}]}}, 40035),
        ({"msgtype": "feedCard", "feedCard": {"links": []}}, 40035),
        ({"msgtype": "image", "image": {}}, 400105),
        ({"msgtype": "text", "text": {"content": "x"}, "at": {"atUserIds": ["u"] * 51}}, 40035),
        ({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t", "messageURL": "http://x", "picURL": "http://p"}]}}, 0),
        ({"msgtype": "empty"}, 0),
    ],
)  # fmt: skip
def test_replies_are_checked_by_kind(world, body, errcode):
    url = world.said("user001", "x")["sessionWebhook"]
    assert world.session.post(url, json=body).json()["errcode"] == errcode


def test_action_card_buttons_open_links_and_dtmd_speaks(world):
    url = world.said("user001", "x")["sessionWebhook"]
    buttons = [
        {"title": "定位", "actionURL": "http://x/h5"},
        {"title": "3号泵房", "actionURL": "dtmd://dingtalkclient/sendMessage?content=3%E5%8F%B7%E6%B3%B5%E6%88%BF"},
    ]
    world.session.post(url, json={"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "btns": buttons}})
    item = world.screen("user001")[-1]["id"]
    assert world.control("user001/press_link", {"item": item, "key": "0"})["url"] == "http://x/h5"
    world.control("user001/tap", {"item": item, "key": "1"})
    world.tick()
    assert world.bot.robot()[-1]["text"]["content"] == "3号泵房"
    world.control("user001/press_link", {"item": item, "key": "9"}, status=404)


def test_the_used_up_month_sends_pushes_without_text(world):
    world.control("limits", {"webhook_month": 2})
    assert "text" in world.said("user001", "1") and "text" in world.said("user001", "2")
    body = world.said("user001", "3")
    assert body["errorCode"] == 20001 and "text" not in body and body["msgtype"] == "text"
    answer = world.session.post(body["sessionWebhook"], json={"msgtype": "text", "text": {"content": "x"}})
    assert answer.json()["errcode"] == 90020


def test_message_faults(world):
    world.control("faults", {"missing_staff_id": True, "times": 1})
    assert "senderStaffId" not in world.said("user001", "x")
    world.control("faults", {"emoji_nick": True, "quota_20001": True, "times": 1})
    body = world.said("user001", "x")
    assert "🔥" in body["senderNick"] and body["errorCode"] == 20001
    world.control("faults", {"bad_signature": True, "times": 1})
    world.said("user001", "x")
    push = world.bot.to(ROBOT)[-1]
    assert push.headers["sign"] != hmac_sign(push.headers["timestamp"], "demo secret")
    world.control("faults", {"old_timestamp": True, "times": 1})
    world.said("user001", "x")
    push = world.bot.to(ROBOT)[-1]
    assert int(push.headers["timestamp"]) == (int(world.clock.now) - 7200) * 1000
    assert push.headers["sign"] == hmac_sign(push.headers["timestamp"], "demo secret")
    world.control("faults", {"no_signature": True, "times": 1})
    world.said("user001", "x")
    assert "sign" not in world.bot.to(ROBOT)[-1].headers


def test_duplicates_keep_the_id_and_reordering_lets_later_ones_overtake(world):
    world.control("faults", {"duplicate_callbacks": 5, "times": 1})
    world.said("user001", "x")
    assert len({body["msgId"] for body in world.bot.robot()}) == 1 and len(world.bot.robot()) == 5
    world.bot.pushes.clear()
    world.control("faults", {"reorder": 2, "times": 1})
    world.control("user001/say", {"text": "first"})
    world.control("user001/say", {"text": "second"})
    world.tick()
    world.clock.forward(2)
    world.tick()
    assert [body["text"]["content"] for body in world.bot.robot()] == ["second", "first"]
    world.control("faults", {"drop_callbacks": True, "times": 1, "path": "robot"})
    world.control("user001/say", {"text": "lost"})
    assert world.tick() == 0


def test_two_days_late_keeps_the_old_creation_time_and_a_fresh_signature(world):
    world.control("faults", {"delay_callbacks_s": 172_800, "times": 1})
    world.control("user001/say", {"text": "x"})
    said_at = world.clock.now
    world.clock.forward(172_800)
    world.tick()
    push = world.bot.to(ROBOT)[0]
    assert push.json["createAt"] == int(said_at * 1000)
    assert int(push.headers["timestamp"]) == int(world.clock.now * 1000)


def test_a_failed_push_is_repeated_only_by_switch_and_late_is_failed(world):
    world.bot.answer(ROBOT, "", status=500)
    world.said("user001", "x")
    world.clock.forward(600)
    assert world.tick() == 0
    world.control("faults", {"robot_retry_s": 15})

    def slow(_push):
        world.clock.forward(2.6)
        return 200, json.dumps({"msgtype": "text", "text": {"content": "late"}})

    world.bot.answers[ROBOT] = slow
    first = world.said("user001", "y")
    assert world.screen("user001")[-1]["from"] == "me"
    world.clock.forward(15)
    assert world.tick() == 1
    assert world.bot.robot()[-1]["msgId"] == first["msgId"]


def test_download_codes_expire_and_belong_to_one_robot(world):
    world.upload_by("user001", "photo", PNG)
    world.tick()
    code = world.bot.robot()[0]["content"]["downloadCode"]
    path = "/v1.0/robot/messageFiles/download"
    assert world.refused("POST", path, {"downloadCode": code}) == "invalidParameter.robotCode.empty"
    foreign = {"downloadCode": code, "robotCode": "dingrobot2"}
    assert world.refused("POST", path, foreign) == "invalidParameter.robotCode.auth"
    url = world.new("POST", path, {"downloadCode": code, "robotCode": "dingrobot"})["downloadUrl"]
    world.control("limits", {"download_code_ttl_s": 7200})
    world.clock.forward(1799)
    assert world.session.get(url).status_code == 200
    world.clock.forward(1)
    assert world.session.get(url).status_code == 403
    assert world.session.get(url.replace("Signature=", "Signature=0")).status_code == 403
    world.control("faults", {"download_fails": 502, "times": 1})
    assert download(world, code).status_code == 502
    world.clock.forward(5400)
    world._token = ""
    wrong = {"downloadCode": code, "robotCode": "dingrobot"}
    assert world.refused("POST", path, wrong) == "invalidParameter.robotCode.downloadCode"


def test_once_only_codes_by_switch(world):
    world.control("faults", {"download_code_once": True})
    world.upload_by("user001", "photo", PNG)
    world.tick()
    body = {"downloadCode": world.bot.robot()[0]["content"]["downloadCode"], "robotCode": "dingrobot"}
    world.new("POST", "/v1.0/robot/messageFiles/download", body)
    world.refused("POST", "/v1.0/robot/messageFiles/download", body)


def test_odd_kinds_and_people_who_do_not_exist(world):
    world.control("user001/raw", {"payload": {"msgtype": "chatRecord", "content": {"x": 1}}})
    world.tick()
    assert world.bot.robot()[0]["msgtype"] == "chatRecord"
    world.control("ZhangWei/say", {"text": "x"}, status=404)
    world.control("user001/scan", {"result": "V-201", "key": "scan"}, status=409)
    assert [row["user"] for row in world.read("people")] == ["user001", "user002", "user003"]
