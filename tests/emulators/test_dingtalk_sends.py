"""What the bot sends: robot messages, receipts, quick entries, group webhooks, work notices, media, contacts."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from emulators.dingtalk.signing import hmac_sign
from tests.emulators.dingtalk_kit import GROUP, PNG, World

SEND, SEND_GROUP = "/v1.0/robot/oToMessages/batchSend", "/v1.0/robot/groupMessages/send"
NOTICE = "/topapi/message/corpconversation"


@pytest.fixture
def world():
    return World()


def message(key="sampleText", param=None, **more):
    param = {"content": "x"} if param is None else param
    return {"robotCode": "dingrobot", "msgKey": key, "msgParam": json.dumps(param), **more}


def to_people(world, *users, **more):
    return world.new("POST", SEND, message(userIds=list(users), **more))


def test_batch_send_lists_who_did_not_get_it(world):
    world.control("faults", {"flow_controlled": ["user002"], "times": 1})
    answer = to_people(world, "user001", "user002", "nobody")
    assert answer["invalidStaffIdList"] == ["nobody"] and answer["flowControlledStaffIdList"] == ["user002"]
    assert "/" in answer["processQueryKey"] and "+" in answer["processQueryKey"]
    assert len(world.screen("user001")) == 1 and world.screen("user002") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"userIds": []}, "invalidParameter.userIds.empty"),
        ({"userIds": ["user001"] * 21}, "invalidParameter.userIds.overMax"),
        ({"msgParam": {"content": "x"}}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"content":""}'}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": "{"}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": json.dumps({"content": "字" * 5001}, ensure_ascii=False)}, "invalidParameter.msgParam.tooLong"),
        ({"msgKey": ""}, "invalidParameter.msgKey.empty"),
        ({"msgKey": "sampleFeedCard"}, "invalidParameter.msgKey.invalid"),
        ({"robotCode": ""}, "invalidParameter.robotCode.empty"),
        ({"robotCode": "dingnone"}, "invalidParameter.robotCode.notExsit"),
    ],
)
def test_batch_send_refusals(world, change, code):
    body = {**message(userIds=["user001"]), **change}
    assert world.refused("POST", SEND, body) == code
    assert world.screen("user001") == []


def test_twenty_people_are_allowed(world):
    assert len(to_people(world, *["nobody"] * 19, "user001")["invalidStaffIdList"]) == 19


def test_group_send(world):
    world.new("POST", SEND_GROUP, message(openConversationId=GROUP))
    assert world.screen("user002")[0]["chat"] == f"group:{GROUP}" and world.screen("user003") == []
    assert world.refused("POST", SEND_GROUP, message()) == "miss.openConversationId"
    assert world.refused("POST", SEND_GROUP, message(openConversationId="cidx==")) == "invalid.openConversationId"
    world.control("groups", {"group": GROUP, "has_robot": False})
    world.refused("POST", SEND_GROUP, message(openConversationId=GROUP))


def test_every_message_key_is_shown(world):
    upload = {"media": ("p.png", PNG, "image/png")}
    url = f"http://ding.test/x/media/upload?access_token={world.token}&type=image"
    media = world.session.post(url, files=upload).json()["media_id"]
    card = {"title": "t", "text": "x"}
    params = {
        "sampleMarkdown": {"title": "t", "text": f"![p]({media})"},
        "sampleImageMsg": {"photoURL": media},
        "sampleLink": {**card, "picUrl": "http://p", "messageUrl": "http://m"},
        "sampleActionCard": {**card, "singleTitle": "s", "singleURL": "http://s"},
        "sampleActionCard2": {**card, **{f"action{k}{n}": "http://a" for k in ("Title", "URL") for n in (1, 2)}},
        "sampleActionCard6": {**card, **{f"button{k}{n}": "http://a" for k in ("Title", "Url") for n in (1, 2)}},
        "sampleFile": {"mediaId": media, "fileName": "a.xlsx", "fileType": "xlsx"},
        "sampleAudio": {"mediaId": media, "duration": "3000"},
    }
    for key, param in params.items():
        world.new("POST", SEND, message(key, param, userIds=["user001"]))
    shown = world.screen("user001")
    kinds = ["markdown", "image", "link", "card", "card", "card", "file", "voice"]
    assert [item["kind"] for item in shown] == kinds
    assert world.session.get(shown[1]["image_url"]).content == PNG
    assert shown[1]["image_url"] in shown[0]["text"]
    assert len(shown[4]["card"]["buttons"]) == 2 and world.problems() == []
    world.new("POST", SEND, message("sampleImageMsg", {"photoURL": "@lAgone"}, userIds=["user001"]))
    assert world.problems() == ["a message shows an unknown media id"]


def test_silent_drop_looks_like_success(world):
    world.control("faults", {"silent_drop": ["user001"], "times": 1})
    answer = to_people(world, "user001", "user002")
    assert answer["invalidStaffIdList"] == [] and world.screen("user001") == [] and len(world.screen("user002")) == 1


def test_too_fast_is_a_400(world):
    assert world.token
    world.control("faults", {"send_too_fast": True, "times": 1})
    assert world.refused("POST", SEND, message(userIds=["user001"])) == "send.too.fast"


def status(world, key):
    return world.new(
        "GET", f"/v1.0/robot/oToMessages/readStatus?robotCode=dingrobot&processQueryKey={quote(key, safe='')}"
    )


def test_read_status_and_the_read_event(world):
    key = to_people(world, "user001", "user002")["processQueryKey"]
    assert {row["readStatus"] for row in status(world, key)["messageReadInfoList"]} == {"UNREAD"}
    world.control("user001/open")
    world.control("user001/open")
    rows = status(world, key)["messageReadInfoList"]
    assert rows[0]["readStatus"] == "READ" and rows[0]["readTimestamp"] == int(world.clock.now * 1000)
    assert rows[1]["readStatus"] == "UNREAD"
    assert world.read("calls")["pushes"] == {"event robot_msg_read": 1}
    world.control("faults", {"stay_processing": True, "times": 1})
    assert status(world, key)["sendStatus"] == "PROCESSING"
    world.clock.forward(86_401)
    world._token = ""
    path = f"/v1.0/robot/oToMessages/readStatus?robotCode=dingrobot&processQueryKey={quote(key, safe='')}"
    assert world.refused("GET", path) == "processQueryKey.expireTime"


def test_group_readers_are_paged(world):
    key = world.new("POST", SEND_GROUP, message(openConversationId=GROUP))["processQueryKey"]
    world.control("user001/open")
    world.control("user002/read", {"item": world.screen("user002")[0]["id"]})
    body = {"openConversationId": GROUP, "robotCode": "dingrobot", "processQueryKey": key, "maxResults": 1}
    first = world.new("POST", "/v1.0/robot/groupMessages/query", body)
    assert first["readUserIds"] == ["user001"] and first["hasMore"] is True
    second = world.new("POST", "/v1.0/robot/groupMessages/query", {**body, "nextToken": first["nextToken"]})
    assert second["readUserIds"] == ["user002"] and second["hasMore"] is False


def test_recall(world):
    key = to_people(world, "user001")["processQueryKey"]
    body = {"robotCode": "dingrobot", "processQueryKeys": [key, "wrong"]}
    answer = world.new("POST", "/v1.0/robot/otoMessages/batchRecall", body)
    assert answer == {"successResult": [key], "failedResult": {"wrong": "processQueryKey.invalid"}}
    assert world.screen("user001")[0]["recalled"] is True
    assert status(world, key)["sendStatus"] == "RECALLED"
    group_key = world.new("POST", SEND_GROUP, message(openConversationId=GROUP))["processQueryKey"]
    body = {"robotCode": "dingrobot", "openConversationId": GROUP, "processQueryKeys": [group_key]}
    world.clock.forward(86_401)
    world._token = ""
    answer = world.new("POST", "/v1.0/robot/groupMessages/recall", body)
    assert answer["failedResult"] == {group_key: "robot.processQueryKey.expired"}


def test_quick_entries(world):
    path, robot = "/v1.0/robot/plugins", {"robotCode": "dingrobot"}
    entry = {"name": "报隐患", "icon": "@lAx", "mobileUrl": "http://x/h5", "pcUrl": "http://x/h5"}
    assert world.new("POST", f"{path}/set", {**robot, "pluginInfoList": [entry]}) == {"result": True}
    assert world.problems() == ["a quick entry has an icon that was never uploaded"]
    assert world.new("POST", f"{path}/query", robot)["pluginInfoList"] == [entry]
    assert world.control("user001/menu", {"key": "报隐患"})["url"] == "http://x/h5"
    many = {**robot, "pluginInfoList": [entry] * 11}
    assert world.refused("POST", f"{path}/set", many) == "invalidRequest.exceededMaximumLimit"
    assert world.refused("POST", f"{path}/query", {"robotCode": "no"}) == "invalidRequest.robotNotExist"
    world.new("POST", f"{path}/clear", robot)
    world.control("user001/menu", {"key": "报隐患"}, status=404)


def test_group_webhook_security_rate_and_idempotency(world):
    made = world.control("webhooks", {"group": GROUP, "secret": "SECdemo", "keywords": ["隐患"]})
    body = {"msgtype": "text", "text": {"content": "隐患 1"}, "msgUuid": "a"}

    def send(body, at=None):
        stamp = str(int((at or world.clock.now) * 1000))
        sign = quote(hmac_sign(stamp, "SECdemo"), safe="")
        return world.session.post(f"{made['url']}&timestamp={stamp}&sign={sign}", json=body).json()["errcode"]

    assert send(body) == 0 and send(body) == 0
    assert len(world.screen("user001")) == 1
    assert send({**body, "text": {"content": "x"}}) == 310000
    assert send(body, world.clock.now - 3601) == 310000
    assert world.session.post(made["url"] + "&timestamp=1&sign=x", json=body).json()["errcode"] == 310000
    assert [send({**body, "msgUuid": f"u{n}"}) for n in range(19)] == [0] * 18 + [410100]
    world.clock.forward(599)
    assert send({**body, "msgUuid": "later"}) == 410100
    world.clock.forward(1)
    assert send({**body, "msgUuid": "later"}) == 0
    assert world.session.post("http://ding.test/x/robot/send?access_token=no", json=body).json()["errcode"] == 400101


def notice(world, users="user001,user002", content="YH-0001", **more):
    body = {"agent_id": 2001, "userid_list": users, "msg": {"msgtype": "text", "text": {"content": content}}, **more}
    return world.old(f"{NOTICE}/asyncsend_v2", body)


def result(world, task_id):
    return world.old(f"{NOTICE}/getsendresult", {"agent_id": 2001, "task_id": task_id})["send_result"]


def test_the_same_notice_twice_a_day_is_dropped_in_silence(world):
    first, second = notice(world), notice(world)
    assert (first["errcode"], second["errcode"]) == (0, 0)
    assert len(world.screen("user001")) == 1
    dropped = result(world, second["task_id"])
    assert dropped["forbidden_user_id_list"] == ["user001", "user002"]
    assert dropped["forbidden_list"][0] == {"code": "143106", "count": 2, "userid": "user001"}
    world.control("user001/open")
    good = result(world, first["task_id"])
    assert good["read_user_id_list"] == ["user001"] and good["unread_user_id_list"] == ["user002"]
    world.clock.forward(86_400)
    world._token = ""
    notice(world)
    assert len(world.screen("user001")) == 2


def test_the_daily_number_of_notices(world):
    world.control("limits", {"notice_per_day": 2})
    tasks = [notice(world, "user001", f"n{n}")["task_id"] for n in range(3)]
    assert len(world.screen("user001")) == 2
    assert result(world, tasks[2])["forbidden_list"][0]["code"] == "143105"


def test_notice_refusals_recall_and_progress(world):
    assert notice(world, agent_id=9)["errcode"] == 40056
    assert notice(world, content="字" * 700)["errcode"] == 40035
    assert notice(world, ",".join(f"u{n}" for n in range(101)))["errcode"] == 40035
    assert notice(world, "")["errcode"] == 40035
    task = notice(world, "user001,nobody")["task_id"]
    assert result(world, task)["invalid_user_id_list"] == ["nobody"]
    progress = world.old(f"{NOTICE}/getsendprogress", {"agent_id": 2001, "task_id": task})["progress"]
    assert progress == {"progress_in_percent": 100, "status": 2}
    world.old(f"{NOTICE}/recall", {"agent_id": 2001, "msg_task_id": task})
    assert world.screen("user001")[0]["recalled"] is True
    assert world.screen("user001")[0]["chat"] == "notice"


def test_oa_notice_with_a_status_bar(world):
    oa = {
        "message_url": "http://x/1", "head": {"text": "安哨", "bgcolor": "FFBBBBBB"},
        "status_bar": {"status_value": "待整改", "status_bg": "0xFFF65E5E"},
        "body": {"title": "隐患", "form": [{"key": "区域", "value": "罐区"}]},
    }  # fmt: skip
    body = {"agent_id": 2001, "userid_list": "user001", "msg": {"msgtype": "oa", "oa": oa}}
    too_many = {**body, "userid_list": "a,b,c,d,e,f"}
    assert world.old(f"{NOTICE}/asyncsend_v2", too_many)["errcode"] == 41052
    task = world.old(f"{NOTICE}/asyncsend_v2", body)["task_id"]
    update = {"agent_id": 2001, "task_id": task, "status_value": "已闭环", "status_bg": "0xFF00AA00"}
    assert world.old(f"{NOTICE}/status_bar/update", update)["errcode"] == 0
    card = world.screen("user001")[0]["card"]
    assert (card["note"], card["facts"]) == ("已闭环", [["区域", "罐区"]])
    plain = notice(world)["task_id"]
    assert world.old(f"{NOTICE}/status_bar/update", {**update, "task_id": plain})["errcode"] == 40035


def test_upload_limits(world):
    url = f"http://ding.test/x/media/upload?access_token={world.token}"

    def upload(kind, name, data):
        return world.session.post(f"{url}&type={kind}", files={"media": (name, data)}).json()["errcode"]

    assert upload("image", "a.png", PNG) == 0
    assert upload("image", "a.heic", PNG) == 40005
    assert upload("picture", "a.png", PNG) == 40004
    assert upload("voice", "a.amr", b"x" * (2 * 1024 * 1024)) == 0
    assert upload("voice", "a.amr", b"x" * (2 * 1024 * 1024 + 1)) == 40006
    answer = world.session.post(url, files={"media": ("a.png", PNG)}, data={"type": "image"}).json()
    assert answer["media_id"].startswith("@lA") and world.old("/media/upload?type=image")["errcode"] == 41005


def test_contacts(world):
    user = world.old("/topapi/v2/user/get", {"userid": "user001"})["result"]
    assert (user["name"], user["unionid"], user["active"]) == ("李强", "union-liqiang", True)
    assert world.old("/topapi/user/getbyunionid", {"unionid": "union-liqiang"})["result"]["userid"] == "user001"
    assert world.old("/topapi/v2/user/getbymobile", {"mobile": user["mobile"]})["result"]["userid"] == "user001"
    assert world.old("/topapi/v2/user/get", {"userid": "no"})["errcode"] == 60121
    assert world.old("/topapi/v2/user/get", {})["errcode"] == 33012
    assert world.old("/topapi/v2/user/getbymobile", {})["errcode"] == 40104
    depts = world.old("/topapi/v2/department/listsub", {"dept_id": 1})["result"]
    assert [dept["name"] for dept in depts] == ["甲醇罐区"]
    dept, seen, cursor = depts[0]["dept_id"], [], 0
    while True:
        page = world.old("/topapi/v2/user/list", {"dept_id": dept, "cursor": cursor, "size": 2})["result"]
        seen += [row["userid"] for row in page["list"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert seen == ["user001", "user002", "user003"]
    assert world.old("/topapi/user/listsimple", {"dept_id": 1, "size": 101})["errcode"] == 400002
    assert world.old("/topapi/user/listid", {"dept_id": 99})["errcode"] == 60003
    world.control("people", {"user": "user001", "active": False})
    assert world.old("/topapi/v2/user/get", {"userid": "user001"})["errcode"] == 60121
