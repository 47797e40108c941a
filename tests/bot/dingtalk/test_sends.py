"""The calls that go out: their shapes, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
import requests

from bot.message import Kind, MediaRef
from bot.platforms.base import Failure, PlatformError, Posted, Target
from bot.platforms.dingtalk import DingTalk
from bot.platforms.dingtalk.signatures import card_api_secret, js_sign, robot_sign
from cards.card import Button, Card
from tests.bot.dingtalk.conftest import CONFIG, OAPI, PUBLIC, Clock, Server

U, G = Target(user="user001", union_id="union1"), Target(group="cid+/g==")
BATCH, GROUP = "/v1.0/robot/oToMessages/batchSend", "/v1.0/robot/groupMessages/send"
CREATE, CARDS = "/v1.0/card/instances/createAndDeliver", "/v1.0/card/instances"
REGISTER = "/v1.0/card/callbacks/register"
TASKS = "/v1.0/todo/users/union1/tasks"
TO_ONE = {"processQueryKey": "p/+=", "invalidStaffIdList": [], "flowControlledStaffIdList": []}
CARD = Card("隐患 YH-0001", page="/h5/hazards/1", buttons=(Button("开始", "hazard.start:1"),))


def fails(call: Callable[[], Any]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        call()
    return caught.value


# -- text


def session(clock: Clock, **more: Any) -> dict[str, Any]:
    url = f"{OAPI}/robot/sendBySession?session=1"
    return {"webhook": url, "until_ms": clock.ms + 5_400_000, "where": U.key, **more}


@pytest.fixture
def open_session(server: Server) -> Server:
    server.answers["POST /old/robot/sendBySession"] = {"errcode": 0, "errmsg": "ok"}
    server.answers[f"POST {BATCH}"] = TO_ONE
    server.answers[f"POST {GROUP}"] = {"processQueryKey": "g"}
    return server


def test_an_answer_takes_the_session(dingtalk: DingTalk, open_session: Server, clock: Clock) -> None:
    dingtalk.send_text(U, "收到", key="k", reply_to=session(clock))
    assert [one.path for one in open_session.seen] == ["/old/robot/sendBySession"]
    assert open_session.last().query == {"session": "1"}
    assert open_session.last().body == {"msgtype": "text", "text": {"content": "收到"}}


def test_an_answer_in_a_group_mentions_the_person(dingtalk: DingTalk, open_session: Server, clock: Clock) -> None:
    dingtalk.send_text(G, "**收到**", key="k", markdown=True, reply_to=session(clock, where=G.key, at="user001"))
    body = open_session.last().body
    assert body["at"] == {"atUserIds": ["user001"], "isAtAll": False}
    assert body["markdown"] == {"title": "@user001 **收到", "text": "@user001 **收到**"}


@pytest.mark.parametrize(
    "change",
    [
        {"webhook": ""},
        {"until_ms": 0},
        {"where": "group:other"},
        {"webhook": "https://evil.example/robot/sendBySession?session=1"},
        {"webhook": "https://dingtalk.com.evil.example/x"},
        {"webhook": "http://oapi.dingtalk.com/x"},
        {"webhook": "file:///etc/passwd"},
    ],
)
def test_a_session_that_is_over_or_not_ours_is_not_used(
    dingtalk: DingTalk, open_session: Server, clock: Clock, change: dict[str, Any]
) -> None:
    sent = dingtalk.send_text(U, "收到", key="k", reply_to=session(clock, **change))
    assert sent.ref == "p/+="
    assert open_session.last().path == BATCH
    assert not open_session.calls("/old/robot/sendBySession")


@pytest.mark.parametrize(("left_ms", "path"), [(60_001, "/old/robot/sendBySession"), (60_000, BATCH), (-1, BATCH)])
def test_the_session_ends_a_minute_early(
    dingtalk: DingTalk, open_session: Server, clock: Clock, left_ms: int, path: str
) -> None:
    dingtalk.send_text(U, "收到", key="k", reply_to=session(clock, until_ms=clock.ms + left_ms))
    assert open_session.last().path == path


def test_dingtalks_own_session_address_is_used(dingtalk: DingTalk, open_session: Server, clock: Clock) -> None:
    open_session.answers["POST /robot/sendBySession"] = {"errcode": 0}
    url = "https://oapi.dingtalk.com/robot/sendBySession?session=1"
    dingtalk.send_text(U, "收到", key="k", reply_to=session(clock, webhook=url))
    assert open_session.last().host == "oapi.dingtalk.com"


def test_a_gone_session_falls_back_to_the_robot(dingtalk: DingTalk, open_session: Server, clock: Clock) -> None:
    open_session.answers["POST /old/robot/sendBySession"] = {"errcode": 300001, "errmsg": "session 不存在"}
    dingtalk.send_text(G, "收到", key="k", reply_to=session(clock, where=G.key, at="user001"))
    body = open_session.last().body
    assert (open_session.last().path, body["openConversationId"]) == (GROUP, G.group)
    assert (body["msgKey"], json.loads(body["msgParam"])) == ("sampleText", {"content": "收到"})


def test_a_session_send_that_may_have_arrived_is_not_sent_again(
    dingtalk: DingTalk, open_session: Server, clock: Clock
) -> None:
    open_session.answers["POST /old/robot/sendBySession"] = requests.ReadTimeout()
    assert fails(lambda: dingtalk.send_text(U, "x", key="k", reply_to=session(clock))).failure is Failure.UNKNOWN
    assert not open_session.calls(BATCH)


def test_a_message_to_a_person(dingtalk: DingTalk, open_session: Server) -> None:
    dingtalk.send_text(U, "周报\n内容", key="k", markdown=True)
    body = open_session.last().body
    assert (body["robotCode"], body["userIds"], body["msgKey"]) == (CONFIG.robot, ["user001"], "sampleMarkdown")
    assert json.loads(body["msgParam"]) == {"title": "周报", "text": "周报\n内容"}


def test_a_very_long_text_is_cut(dingtalk: DingTalk, open_session: Server) -> None:
    dingtalk.send_text(U, "漏" * 10_000, key="k")
    assert len(open_session.last().body["msgParam"].encode()) <= 15_000


@pytest.mark.parametrize(
    ("field", "failure"),
    [("invalidStaffIdList", Failure.NOBODY), ("flowControlledStaffIdList", Failure.THROTTLED)],
)
def test_a_good_answer_may_have_reached_nobody(
    dingtalk: DingTalk, server: Server, field: str, failure: Failure
) -> None:
    server.answers[f"POST {BATCH}"] = {**TO_ONE, field: ["user001"]}
    assert fails(lambda: dingtalk.send_text(U, "x", key="k")).failure is failure


def test_a_message_to_nobody_is_not_sent(dingtalk: DingTalk, server: Server) -> None:
    assert fails(lambda: dingtalk.send_text(Target(), "x", key="k")).failure is Failure.NOBODY
    assert server.seen == []


# -- files


def test_a_picture_is_uploaded_and_sent(dingtalk: DingTalk, open_session: Server) -> None:
    open_session.answers["POST /old/media/upload"] = {"errcode": 0, "media_id": "@lA1", "type": "image"}
    dingtalk.send_image(U, b"JPEG", name="a.jpg", key="k")
    upload = open_session.calls("/old/media/upload")[0]
    assert upload.query == {"type": "image", "access_token": "old-1"}
    assert b'name="media"; filename="a.jpg"' in upload.body and b"JPEG" in upload.body
    assert json.loads(open_session.last().body["msgParam"]) == {"photoURL": "@lA1"}


def test_a_file_is_uploaded_and_sent(dingtalk: DingTalk, open_session: Server) -> None:
    open_session.answers["POST /old/media/upload"] = {"errcode": 0, "media_id": "@lB1", "type": "file"}
    dingtalk.send_file(G, b"PDF", name="周报.pdf", key="k")
    want = {"mediaId": "@lB1", "fileName": "周报.pdf", "fileType": "pdf"}
    assert json.loads(open_session.last().body["msgParam"]) == want


def test_what_the_robot_cannot_send_is_said_before_the_upload(dingtalk: DingTalk, server: Server) -> None:
    assert fails(lambda: dingtalk.send_file(U, b"x", name="a.exe", key="k")).failure is Failure.PERMANENT
    assert fails(lambda: dingtalk.send_image(U, bytes(20 * 1024 * 1024 + 1), name="a.jpg", key="k")).failure is (
        Failure.PERMANENT
    )
    assert server.seen == []


DOWNLOAD = "POST /v1.0/robot/messageFiles/download"


def test_a_download_goes_to_the_address_given(dingtalk: DingTalk, server: Server) -> None:
    server.answers[DOWNLOAD] = {"downloadUrl": "https://files.test/a.file?Expires=1"}
    server.answers["GET /a.file"] = (200, b"JPEG")
    assert dingtalk.download(MediaRef("code", Kind.IMAGE)) == b"JPEG"
    assert server.calls("/v1.0/robot/messageFiles/download")[0].body == {
        "downloadCode": "code",
        "robotCode": CONFIG.robot,
    }
    assert "x-acs-dingtalk-access-token" not in server.last().headers


@pytest.mark.parametrize(
    ("file", "failure"),
    [
        ((403, b"<xml/>"), Failure.EXPIRED),
        ((500, b""), Failure.RETRY),
        (requests.ReadTimeout(), Failure.RETRY),
        ((200, bytes(25 * 1024 * 1024 + 1)), Failure.PERMANENT),
    ],
)
def test_a_download_that_fails(dingtalk: DingTalk, server: Server, file: Any, failure: Failure) -> None:
    server.answers[DOWNLOAD] = {"downloadUrl": "https://files.test/a.file"}
    server.answers["GET /a.file"] = file
    assert fails(lambda: dingtalk.download(MediaRef("code", Kind.IMAGE))).failure is failure


@pytest.mark.parametrize("answer", [{}, {"downloadUrl": "file:///etc/passwd"}])
def test_a_download_without_an_address_has_expired(dingtalk: DingTalk, server: Server, answer: Any) -> None:
    server.answers[DOWNLOAD] = answer
    assert fails(lambda: dingtalk.download(MediaRef("code", Kind.IMAGE))).failure is Failure.EXPIRED


# -- cards


def delivered(**reasons: str) -> dict[str, Any]:
    spaces = [("IM_ROBOT", "user001"), ("IM_GROUP", G.group)]
    results = [
        {"spaceType": t, "spaceId": i, "success": t not in reasons, "errorMsg": reasons.get(t, "")} for t, i in spaces
    ]
    return {"success": True, "result": {"outTrackId": "card1", "deliverResults": results}}


def test_one_call_posts_a_card_everywhere(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {CREATE}"] = delivered()
    assert dingtalk.post_card(CARD, [U, G], ref="card1") == Posted("card1")
    body = server.last().body
    assert body["openSpaceId"] == "dtv1.card//IM_ROBOT.user001;IM_GROUP.cid+/g=="
    assert (body["cardTemplateId"], body["outTrackId"], body["callbackType"]) == ("demo.schema", "card1", "HTTP")
    assert body["imGroupOpenDeliverModel"] == {"robotCode": CONFIG.robot}
    assert body["imRobotOpenDeliverModel"] == {"spaceType": "IM_ROBOT", "robotCode": CONFIG.robot}
    assert body["imRobotOpenSpaceModel"]["supportForward"] is False
    route = server.calls(REGISTER)[0].body
    assert route["callbackRouteKey"] == body["callbackRouteKey"]
    assert route["callbackUrl"] == f"{PUBLIC}/dingtalk/cards"
    assert route["apiSecret"] == card_api_secret(CONFIG.client_secret)


def test_the_route_is_registered_once(make: Callable[..., DingTalk], server: Server) -> None:
    server.answers[f"POST {CREATE}"] = delivered()
    for dingtalk in (make(), make()):
        dingtalk.post_card(CARD, [U], ref="card1")
    assert len(server.calls(REGISTER)) == 1
    make().cards.register_route(force=True)
    assert len(server.calls(REGISTER)) == 2


def test_without_redis_the_route_is_registered_once_a_process(
    make: Callable[..., DingTalk], server: Server, no_redis: redis.Redis
) -> None:
    server.answers[f"POST {CREATE}"] = delivered()
    dingtalk = make(store=no_redis)
    for _ in range(2):
        dingtalk.post_card(CARD, [U], ref="card1")
    assert len(server.calls(REGISTER)) == 1


def test_a_route_that_exists_is_ours(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {REGISTER}"] = (500, {"code": "param.callbackRouteKeyExist"})
    assert dingtalk.cards.register_route().startswith("anshao-")


def test_in_stream_mode_nothing_is_registered(make: Callable[..., DingTalk], server: Server) -> None:
    server.answers[f"POST {CREATE}"] = delivered()
    make(replace(CONFIG, mode="stream")).post_card(CARD, [U], ref="card1")
    assert server.last().body["callbackType"] == "STREAM"
    assert "callbackRouteKey" not in server.last().body
    assert not server.calls(REGISTER)


def test_a_chat_that_refused_the_card_is_told(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {CREATE}"] = delivered(IM_GROUP="robot is not in the group 张伟")
    assert dingtalk.post_card(CARD, [U, G], ref="card1").refused == {G.key: "refused"}
    server.answers[f"POST {CREATE}"] = delivered(IM_GROUP="robot.notInGroup", IM_ROBOT="user.invalid")
    assert fails(lambda: dingtalk.post_card(CARD, [U, G], ref="card1")).failure is Failure.NOBODY


def test_a_card_that_was_posted_before_is_posted(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {CREATE}"] = (400, {"code": "param.cardAlreadyExist"})
    assert dingtalk.post_card(CARD, [U], ref="card1") == Posted("card1")


def test_a_card_post_may_be_repeated(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {CREATE}"] = requests.ReadTimeout()
    assert fails(lambda: dingtalk.post_card(CARD, [U], ref="card1")).failure is Failure.RETRY


def test_one_call_changes_every_copy(dingtalk: DingTalk, server: Server, clock: Clock) -> None:
    server.answers[f"PUT {CARDS}"] = {"success": True, "result": True}
    dingtalk.redraw_card(replace(CARD, buttons=()), [U, G], ref="card1")
    body = server.last().body
    assert (body["outTrackId"], body["cardUpdateOptions"]) == ("card1", {"updateCardDataByKey": True})
    params = body["cardData"]["cardParamMap"]
    assert (params["buttons"], params["revision"]) == ("[]", str(clock.ms))


def test_a_card_that_is_gone_is_spent(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"PUT {CARDS}"] = (400, {"code": "param.cardNotExist"})
    assert fails(lambda: dingtalk.redraw_card(CARD, [U], ref="card1")).failure is Failure.SPENT


# -- notices


ASYNC = "/old/topapi/message/corpconversation/asyncsend_v2"


def test_a_notice_to_a_person(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {ASYNC}"] = {"errcode": 0, "task_id": 256, "request_id": "r"}
    assert dingtalk.send_notice(U, CARD, key="k").ref == "256"
    body = server.last().body
    assert (body["agent_id"], body["userid_list"], body["to_all_user"]) == (1234, "user001", False)
    assert body["msg"]["action_card"]["single_url"] == f"{PUBLIC}/h5/hazards/1"


def test_a_notice_needs_the_agent_id(make: Callable[..., DingTalk]) -> None:
    error = fails(lambda: make(replace(CONFIG, agent_id=0)).send_notice(U, CARD, key="k"))
    assert error.failure is Failure.CONFIG and "AGENT_ID" in error.remedy


def test_who_did_not_get_the_notice(dingtalk: DingTalk, server: Server) -> None:
    result = {
        "invalid_user_id_list": ["a"],
        "forbidden_user_id_list": ["b"],
        "forbidden_list": [{"code": 143106, "userid": "b", "count": 1}],
    }
    server.answers["POST /old/topapi/message/corpconversation/getsendresult"] = {"errcode": 0, "send_result": result}
    assert dingtalk.notices.dropped("256") == {"user:a": "invalid", "user:b": "143106"}


def test_a_notice_to_a_group_with_a_webhook_robot(dingtalk: DingTalk, server: Server, clock: Clock) -> None:
    server.answers["POST /old/robot/send"] = {"errcode": 0}
    for _ in range(2):
        dingtalk.send_notice(Target(group="safety"), CARD, key="case-1")
    first, second = server.seen
    stamp = str(clock.ms)
    assert first.query == {"access_token": "abc", "timestamp": stamp, "sign": robot_sign(stamp, "SECdemo")}
    assert first.body["msgUuid"] == second.body["msgUuid"]
    assert first.body["actionCard"]["singleURL"] == f"{PUBLIC}/h5/hazards/1"


@pytest.mark.parametrize(
    ("answer", "failure", "wait_s"),
    [
        ({"errcode": 410100, "errmsg": "x"}, Failure.THROTTLED, 600),
        ({"errcode": 300001, "errmsg": "token is not exist"}, Failure.CONFIG, 0),
        ({"errcode": 310000, "errmsg": "sign not match"}, Failure.CONFIG, 0),
        (requests.ReadTimeout(), Failure.RETRY, 0),
        ((502, "<html>"), Failure.RETRY, 0),
    ],
)
def test_a_webhook_robot_that_refuses(
    dingtalk: DingTalk, server: Server, answer: Any, failure: Failure, wait_s: float
) -> None:
    server.answers["POST /old/robot/send"] = answer
    error = fails(lambda: dingtalk.send_notice(Target(group="safety"), CARD, key="k"))
    assert (error.failure, error.wait_s) == (failure, wait_s)


def test_a_notice_to_any_other_group(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {GROUP}"] = {"processQueryKey": "g"}
    dingtalk.send_notice(G, CARD, key="k")
    assert server.last().body["msgKey"] == "sampleActionCard"
    assert set(json.loads(server.last().body["msgParam"])) == {"title", "text", "singleTitle", "singleURL"}
    dingtalk.send_notice(G, replace(CARD, page=""), key="k")
    assert server.last().body["msgKey"] == "sampleMarkdown"


# -- to-dos


def create_todo(dingtalk: DingTalk, owner: Target = U) -> str:
    return dingtalk.create_todo(owner, subject="整改 YH-0001", due_ms=1795600000000, page="/h5/x", key="todo-1")


def test_a_todo(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {TASKS}"] = {"id": "task1"}
    assert create_todo(dingtalk) == "task1"
    body = server.last().body
    assert server.last().query == {"operatorId": "union1"}
    assert (body["sourceId"], body["executorIds"], body["dueTime"]) == ("todo-1", ["union1"], 1795600000000)
    assert body["detailUrl"] == {"appUrl": f"{PUBLIC}/h5/x", "pcUrl": f"{PUBLIC}/h5/x"}


@pytest.mark.parametrize("message", ["task exist", "task existed", "task exist, taskId:task9"])
def test_a_todo_that_exists_is_found(dingtalk: DingTalk, server: Server, message: str) -> None:
    server.answers[f"POST {TASKS}"] = (400, {"code": "todo.taskCreate.paramError", "message": message})
    server.answers[f"GET {TASKS}/sources/todo-1"] = {"id": "task9"}
    assert create_todo(dingtalk) == "task9"


def test_a_todo_that_is_refused_for_another_reason(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"POST {TASKS}"] = (400, {"code": "todo.taskCreate.paramError", "message": "detailUrl is empty"})
    assert fails(lambda: create_todo(dingtalk)).failure is Failure.PERMANENT


def test_the_union_id_is_looked_up(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /old/topapi/v2/user/get"] = {"errcode": 0, "result": {"userid": "u", "unionid": "union1"}}
    server.answers[f"POST {TASKS}"] = {"id": "task1"}
    assert create_todo(dingtalk, Target(user="u")) == "task1"
    server.answers["POST /old/topapi/v2/user/get"] = {"errcode": 60121, "errmsg": "找不到该用户"}
    assert fails(lambda: create_todo(dingtalk, Target(user="u"))).failure is Failure.NOBODY


def test_a_todo_is_ticked_off(dingtalk: DingTalk, server: Server) -> None:
    server.answers[f"PUT {TASKS}/task1"] = {"result": True}
    dingtalk.finish_todo(U, "task1")
    assert (server.last().body, server.last().query) == ({"done": True}, {"operatorId": "union1"})
    server.answers[f"PUT {TASKS}/task1"] = (400, {"code": "todo.taskUpdate.paramError", "message": "task not exist"})
    dingtalk.finish_todo(U, "task1")
    other = (400, {"code": "todo.taskUpdate.paramError", "message": "task not belong to bizTag"})
    server.answers[f"PUT {TASKS}/task1"] = other
    assert fails(lambda: dingtalk.finish_todo(U, "task1")).failure is Failure.PERMANENT


# -- recall and read state


def test_recall_and_read_state(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /v1.0/robot/otoMessages/batchRecall"] = {"successResult": ["a"], "failedResult": {"b": "x"}}
    assert dingtalk.messages.recall(U, ["a", "b"]) == ["b"]
    server.answers["POST /v1.0/robot/groupMessages/recall"] = {"successResult": ["a"]}
    assert dingtalk.messages.recall(G, ["a"]) == []
    assert server.last().body["openConversationId"] == G.group
    infos = [{"userId": "user001", "readStatus": "READ"}, {"userId": "v", "readStatus": "UNREAD"}]
    server.answers["GET /v1.0/robot/oToMessages/readStatus"] = {"sendStatus": "SUCESS", "messageReadInfoList": infos}
    assert dingtalk.messages.read_state(U, "p/+=").readers == ("user001",)
    assert server.last().query["processQueryKey"] == "p/+="
    server.answers["POST /v1.0/robot/groupMessages/query"] = {"sendStatus": "RECALLED", "readUserIds": ["a"]}
    assert dingtalk.messages.read_state(G, "p").recalled


# -- people and pages


def test_the_directory_is_walked_and_its_types_are_coerced(dingtalk: DingTalk, server: Server) -> None:
    departments: dict[int, Any] = {1: [{"dept_id": "2"}, {"dept_id": 3}], 2: {"dept_id": 1}, 3: []}
    pages: dict[tuple[int, int], Any] = {
        (1, 0): {"has_more": "true", "next_cursor": "100", "list": {"userid": "a", "name": "张", "active": "true"}},
        (1, 100): {"has_more": False, "list": [{"userid": "b", "name": "李", "active": False, "unionid": "ub"}]},
        (2, 0): {"has_more": False, "list": [{"userid": "a", "name": "张"}]},
    }
    server.answers["POST /old/topapi/v2/department/listsub"] = lambda seen: {
        "errcode": 0,
        "result": departments[seen.body["dept_id"]],
    }
    server.answers["POST /old/topapi/v2/user/list"] = lambda seen: {
        "errcode": 0,
        "result": pages.get((seen.body["dept_id"], seen.body["cursor"]), {}),
    }
    got = list(dingtalk.members())
    assert [(m.user, m.active, m.union_id) for m in got] == [("a", True, ""), ("b", False, "ub")]
    assert len(server.calls("/old/topapi/v2/department/listsub")) == 3


def test_a_person_who_is_gone_is_none(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /old/topapi/v2/user/get"] = {"errcode": 60121, "errmsg": "x"}
    assert dingtalk.member("u") is None


def test_signing_in_by_code(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /old/topapi/v2/user/getuserinfo"] = {"errcode": 0, "result": {"userid": "user001"}}
    assert dingtalk.h5_user("c") == "user001"
    server.answers["POST /old/topapi/v2/user/getuserinfo"] = {"errcode": 40078, "errmsg": "x"}
    assert fails(lambda: dingtalk.h5_user("c")).failure is Failure.EXPIRED
    assert dingtalk.sign_in_url("https://x", "s") == ""


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
def test_page_config(make: Callable[..., DingTalk], server: Server, digest: Any) -> None:
    server.answers["POST /v1.0/oauth2/jsapiTickets"] = {"jsapiTicket": "T", "expireIn": 7200}
    dingtalk = make(replace(CONFIG, js_signature=digest))
    url = f"{PUBLIC}/h5/place?a=1"
    got = [dingtalk.js_config(url) for _ in range(2)][1]
    assert got["signature"] == js_sign("T", got["nonceStr"], got["timeStamp"], url, digest)
    assert (got["agentId"], got["corpId"], got["clientId"]) == (1234, "dingcorp", "dingdemoappkey")
    assert len(server.calls("/v1.0/oauth2/jsapiTickets")) == 1


def test_quick_entries(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /old/media/upload"] = {"errcode": 0, "media_id": "@lA1"}
    server.answers["POST /v1.0/robot/plugins/set"] = {"result": True}
    dingtalk.set_menu()
    entries = server.calls("/v1.0/robot/plugins/set")[0].body["pluginInfoList"]
    assert [(e["name"], e["mobileUrl"]) for e in entries] == [
        ("位置上报", f"{PUBLIC}/h5/place"),
        ("我的待办", f"{PUBLIC}/h5/tasks"),
    ]
    assert len(server.calls(REGISTER)) == 1


def test_an_installation_is_checked(dingtalk: DingTalk, server: Server) -> None:
    server.answers["POST /old/topapi/v2/user/list"] = {"errcode": 60011, "errmsg": "x"}
    server.answers["POST /v1.0/oauth2/jsapiTickets"] = {"jsapiTicket": "T", "expireIn": 7200}
    found = {what: (ok, remedy) for what, ok, remedy in dingtalk.check()}
    assert found["钉钉:应用凭证(新接口)"] == (True, "")
    assert found["钉钉:读取通讯录"][0] is False
    assert "权限管理" in found["钉钉:读取通讯录"][1]
    assert found["钉钉:卡片回调地址"] == (True, "")
