from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.message import Inbound, Kind
from bot.platforms.dingtalk.events import event_inbounds
from bot.platforms.dingtalk.parse import robot_message
from bot.platforms.dingtalk.presses import card_press

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ROBOT = "$:LWCP_v1:$robot"


def said(**payload: Any) -> dict[str, Any]:
    return {
        "msgId": "msg1==",
        "createAt": 1795485600000,
        "conversationType": "1",
        "conversationId": "cid1to1==",
        "senderStaffId": "user001",
        "senderNick": "张伟",
        "isAdmin": True,
        "chatbotUserId": ROBOT,
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=1",
        "sessionWebhookExpiredTime": 1795491000000,
        **payload,
    }


def in_group(**payload: Any) -> dict[str, Any]:
    group = {"conversationType": "2", "conversationId": "cid+/g==", "conversationTitle": "合成车间安全群"}
    return said(**group, atUsers=[{"dingtalkId": ROBOT}, {"dingtalkId": "x", "staffId": "user009"}], **payload)


def read(body: dict[str, Any]) -> Inbound:
    return robot_message(body, now=NOW)


def test_text_in_a_group_loses_the_blank_after_the_mention() -> None:
    got = read(in_group(msgtype="text", text={"content": " 绑定 合成车间 "}))
    assert (got.kind, got.text, got.group, got.group_title) == (
        Kind.TEXT,
        "绑定 合成车间",
        "cid+/g==",
        "合成车间安全群",
    )
    assert got.is_platform_admin
    assert got.reply_to["where"] == "group:cid+/g=="
    assert got.reply_to["at"] == "user001"
    assert got.reply_to["mentioned"] == ["user009"]


def test_text_to_the_robot_alone() -> None:
    got = read(said(msgtype="text", text={"content": "待办"}))
    assert (got.key, got.sender, got.group, got.sender_name) == ("msg1==", "user001", "", "张伟")
    assert got.sent_at == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert got.reply_to["where"] == "user:user001"
    assert "at" not in got.reply_to
    assert Inbound.from_json(got.to_json()) == got


def test_a_quote_keeps_what_was_quoted() -> None:
    text = {"content": "修好了", "isReplyMsg": True, "repliedMsg": {"msgType": "text"}}
    got = read(said(msgtype="text", text=text, originalMsgId="m0", originalProcessQueryKey="pqk/+="))
    assert (got.reply_to["quotes"], got.reply_to["quotes_id"]) == ("pqk/+=", "m0")


@pytest.mark.parametrize("field", ["downloadCode", "pictureDownloadCode"])
def test_picture(field: str) -> None:
    got = read(said(msgtype="picture", content={field: "code1"}))
    assert (got.kind, [m.id for m in got.media]) == (Kind.IMAGE, ["code1"])


def test_rich_text_brings_every_picture_and_all_words() -> None:
    parts = [
        {"type": "at", "atName": "@安哨", "atUserId": ROBOT},
        {"text": " 泵密封"},
        {"type": "at", "atName": "李强", "atUserId": "other"},
        {"text": "漏油"},
        {"type": "picture", "downloadCode": "a", "pictureDownloadCode": "b"},
        {"type": "picture", "pictureDownloadCode": "c"},
        {"text": "在3号泵房"},
    ]
    got = read(in_group(msgtype="richText", content={"richText": parts}))
    assert got.kind is Kind.IMAGE
    assert [m.id for m in got.media] == ["a", "c"]
    assert got.text == "泵密封@李强 漏油\n在3号泵房"


def test_rich_text_without_a_picture_is_text() -> None:
    got = read(said(msgtype="richText", content={"richText": [{"text": "你好"}]}))
    assert (got.kind, got.text, got.media) == (Kind.TEXT, "你好", ())


@pytest.mark.parametrize(("recognition", "text"), [("三号泵漏油", "三号泵漏油"), ("", ""), (None, "")])
def test_voice_keeps_its_recording(recognition: Any, text: str) -> None:
    got = read(said(msgtype="audio", content={"downloadCode": "v", "recognition": recognition, "duration": 2500}))
    assert (got.kind, got.text, got.media[0].id, got.media[0].seconds) == (Kind.VOICE, text, "v", 2.5)


@pytest.mark.parametrize(("duration", "seconds"), [("5", 5.0), (5000, 5.0), (None, None)])
def test_video_length_is_milliseconds_or_a_string_of_seconds(duration: Any, seconds: float | None) -> None:
    got = read(said(msgtype="video", content={"downloadCode": "v", "duration": duration, "videoType": "mp4"}))
    assert (got.kind, got.media[0].seconds, got.media[0].format) == (Kind.VIDEO, seconds, "mp4")


def test_file() -> None:
    got = read(said(msgtype="file", content={"downloadCode": "f", "fileName": "台账.XLSX"}))
    assert (got.kind, got.media[0].name, got.media[0].format) == (Kind.FILE, "台账.XLSX", "xlsx")


@pytest.mark.parametrize("kind", ["unknownMsgType", "interactiveCard", "chatRecord", "", None])
def test_a_location_or_anything_else_is_unknown(kind: Any) -> None:
    assert read(said(msgtype=kind, content={"unknownMsgType": "不支持"})).kind is Kind.UNKNOWN


@pytest.mark.parametrize("fields", [{"errorCode": 20001}, {"errorCode": "20001"}, {"errCode": 20001}])
@pytest.mark.parametrize("kind", ["text", "picture", "richText"])
def test_the_quota_message_has_no_words(fields: dict[str, Any], kind: str) -> None:
    got = read(said(msgtype=kind, **fields))
    assert (got.kind, got.sender) == (Kind.QUOTA, "user001")


@pytest.mark.parametrize("kind", ["text", "picture", "richText", "audio", "video", "file"])
def test_a_payload_that_is_missing_or_odd_is_unknown(kind: str) -> None:
    for content in ({}, {"content": None, "text": None}, {"content": [], "text": 3}, {"content": {"richText": [1]}}):
        assert read(said(msgtype=kind, **content)).kind is Kind.UNKNOWN


def test_without_a_published_robot_the_sender_is_not_told() -> None:
    body = said(msgtype="text", text={"content": "hi"})
    del body["senderStaffId"]
    assert read(body).sender == ""


def test_no_byte_that_a_database_refuses_gets_through() -> None:
    assert read(said(msgtype="text", text={"content": "a\x00b\ud83d"})).text == "ab?"


@pytest.mark.parametrize("at", [1e400, -5, "x", True, None, 10**30, {"a": 1}])
def test_an_absurd_moment_is_now(at: Any) -> None:
    assert read(said(msgtype="text", text={"content": "x"}, createAt=at)).sent_at == NOW


def test_without_an_id_the_same_body_has_the_same_key() -> None:
    body = said(msgtype="text", text={"content": "x"})
    del body["msgId"]
    assert read(body).key == read(dict(body)).key != read({**body, "createAt": 1}).key


# -- card presses

PARAMS = {"action": "hazard.accept:7", "choice": "user002"}


@pytest.mark.parametrize(
    "shape",
    [
        {
            "content": '{"cardPrivateData":{"actionIds":["btn"],"params":{"action":"hazard.accept:7","choice":"user002"}}}'
        },
        {"value": '{"cardPrivateData":{"actionIds":["btn"]},"params":{"action":"hazard.accept:7","choice":"user002"}}'},
        {"content": {"cardPrivateData": {"params": PARAMS}}},
        {
            "content": '{"cardPrivateData":{"actionIds":["btn"]},"params":{"action":"hazard.accept:7","choice":"user002"}}'
        },
        {"value": '{"cardPrivateData":{"params":{"action":"hazard.accept:7","choice":"user002"}}}'},
        {"content": "not json", "params": PARAMS},
    ],
)
def test_both_shapes_of_a_press(shape: dict[str, Any]) -> None:
    got = card_press({"outTrackId": "card1", "userId": "user002", **shape}, delivery="1795485600000", now=NOW)
    assert got.press is not None
    assert (got.press.action, got.press.choice, got.press.card_ref) == ("hazard.accept:7", "user002", "card1")
    assert (got.sender, got.kind) == ("user002", Kind.PRESS)


@pytest.mark.parametrize("choice", ['{"id":"a"}', ["a"], {"value": "a"}, '["a"]', [{"id": "a"}], " a "])
def test_a_choice_in_any_wrapping(choice: Any) -> None:
    got = card_press({"content": {"params": {"action": "x", "choice": choice}}}, delivery="", now=NOW)
    assert got.press is not None and got.press.choice == "a"


def press(delivery: str, **more: Any) -> str:
    body = {"outTrackId": "c", "userId": "u", "content": {"params": {"action": "a"}}, **more}
    return card_press(body, delivery=delivery, now=NOW).key


def test_a_press_repeated_by_the_platform_is_one_and_by_the_person_another() -> None:
    assert press("1000") == press("1000")
    assert press("1000") != press("1001")
    assert press("1000") != press("1000", userId="v")
    assert press("1000", eventId="e") == press("2000", eventId="e") != press("1000", eventId="f")


def test_a_press_in_a_group_and_one_by_union_id() -> None:
    got = card_press(
        {"userId": "u", "spaceType": "IM_GROUP", "spaceId": "dtv1.card//IM_GROUP.cid=="}, delivery="", now=NOW
    )
    assert got.group == "cid=="
    got = card_press({"userId": "u", "userIdType": 2}, delivery="", now=NOW)
    assert (got.sender, got.sender_union_id) == ("", "u")


# -- events


def test_each_leaver_is_told_of_once() -> None:
    event = {"EventType": "user_leave_org", "UserId": ["a", "b"], "eventId": "e1", "EventTime": 1795485600000}
    got = event_inbounds(event, now=NOW)
    assert [(i.key, i.sender, i.kind) for i in got] == [("event:e1:a", "a", Kind.LEFT), ("event:e1:b", "b", Kind.LEFT)]


def test_stream_spelling_and_directory_changes() -> None:
    assert (
        event_inbounds({"eventType": "user_add_org", "userId": ["a"], "eventId": "e"}, now=NOW)[0].kind is Kind.JOINED
    )
    assert event_inbounds({"EventType": "org_dept_modify", "DeptId": [1]}, now=NOW)[0].kind is Kind.ORG_CHANGED


def test_other_events_are_nobodys_message() -> None:
    assert event_inbounds({"EventType": "todo_task_update", "eventId": "e"}, now=NOW) == ()


# -- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "msgtype",
        "msgId",
        "createAt",
        "conversationType",
        "conversationId",
        "senderStaffId",
        "text",
        "content",
        "richText",
        "downloadCode",
        "duration",
        "errorCode",
        "atUsers",
        "sessionWebhook",
        "sessionWebhookExpiredTime",
        "outTrackId",
        "userId",
        "value",
        "params",
        "cardPrivateData",
        "action",
        "choice",
        "userIdType",
        "spaceType",
        "spaceId",
        "EventType",
        "UserId",
        "eventId",
        "EventTime",
        "isReplyMsg",
        "recognition",
        "fileName",
    ]
)
KINDS = st.sampled_from(["text", "picture", "richText", "audio", "video", "file", "user_leave_org", "2", "20001"])
BODY = st.dictionaries(FIELDS, JSON | KINDS | st.dictionaries(FIELDS, JSON | KINDS, max_size=5), max_size=8)


@given(BODY)
def test_no_body_breaks_a_reader(body: dict[str, Any]) -> None:
    found = [read(body), card_press(body, delivery="1", now=NOW), *event_inbounds(body, now=NOW)]
    for inbound in found:
        assert inbound.key
        if inbound.sender:
            assert Inbound.from_json(inbound.to_json()) == inbound
        str(inbound.to_json()).encode()
