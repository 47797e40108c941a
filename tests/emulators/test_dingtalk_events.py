"""Event pushes with retries, and to-dos with their events."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from emulators.dingtalk.signing import BadCipher, EventCrypto
from tests.emulators.dingtalk_kit import EVENT_KEY, World

EVENTS = "/dingtalk/events"
TASKS = "/v1.0/todo/users/union-wangfang/tasks"
OPERATOR = "?operatorId=union-wangfang"


def crypto(owner="dingkey"):
    return EventCrypto("demo token", EVENT_KEY, owner)


def sealed_success(_push):
    encrypt = crypto().encrypt("success")
    signature = crypto().sign("1", "n", encrypt)
    return 200, json.dumps({"msg_signature": signature, "encrypt": encrypt, "timeStamp": "1", "nonce": "n"})


@pytest.fixture
def world():
    made = World()
    made.bot.answers[EVENTS] = sealed_success
    return made


def opened(push):
    return json.loads(crypto().decrypt(push.json["encrypt"]))


def leave(world, user="user003"):
    world.control("people", {"user": user, "active": False})
    world.tick()


def test_events_are_encrypted_for_the_app_key_and_signed(world):
    leave(world)
    push = world.bot.to(EVENTS)[0]
    query = {name: values[0] for name, values in parse_qs(push.query).items()}
    expected = crypto().sign(query["timestamp"], query["nonce"], push.json["encrypt"])
    assert query["msg_signature"] == query["signature"] == expected
    event = opened(push)
    assert (event["EventType"], event["UserId"], event["CorpId"]) == ("user_leave_org", ["user003"], "dingcorp")
    with pytest.raises(BadCipher):
        crypto("dingcorp").decrypt(push.json["encrypt"])
    assert world.problems() == []


def test_check_url_handshake(world):
    world.emulator.check_event_url()
    world.tick()
    assert opened(world.bot.to(EVENTS)[0]) == {"EventType": "check_url"}
    world.bot.answer(EVENTS, "success")
    world.control("check_url")
    world.tick()
    assert world.read("check_url") == [True, False]


def test_retries_after_ten_and_thirty_seconds_then_the_failed_list(world):
    world.bot.answer(EVENTS, "", status=500)
    leave(world)
    world.clock.forward(9.9)
    assert world.tick() == 0
    world.clock.forward(0.1)
    assert world.tick() == 1
    world.clock.forward(29.9)
    assert world.tick() == 0
    world.clock.forward(0.1)
    assert world.tick() == 1
    world.clock.forward(3600)
    assert world.tick() == 0 and len(world.bot.to(EVENTS)) == 3
    assert len({opened(push)["eventId"] for push in world.bot.to(EVENTS)}) == 1
    failed = world.old("/call_back/get_call_back_failed_result", method="GET")
    assert failed["has_more"] is False and failed["failed_list"][0]["user_leave_org"]["UserId"] == ["user003"]
    assert world.old("/call_back/get_call_back_failed_result", method="GET")["failed_list"] == []


def test_a_retry_that_succeeds_ends_it(world):
    world.bot.answer(EVENTS, "", status=503)
    leave(world)
    world.bot.answers[EVENTS] = sealed_success
    world.clock.forward(10)
    world.tick()
    world.clock.forward(100)
    assert world.tick() == 0 and len(world.bot.to(EVENTS)) == 2


@pytest.mark.parametrize(
    "text", ["", "success", "{}", '{"encrypt":"x","nonce":"n","timeStamp":"1","msg_signature":"y"}']
)
def test_a_wrong_answer_is_a_failure_and_a_problem(world, text):
    world.bot.answer(EVENTS, text)
    leave(world)
    assert len(world.problems()) == 1
    world.clock.forward(10)
    assert world.tick() == 1


def test_an_answer_after_two_and_a_half_seconds_is_late(world):
    def slow(push):
        world.clock.forward(2.6)
        return sealed_success(push)

    world.bot.answers[EVENTS] = slow
    leave(world)
    world.clock.forward(10)
    assert world.tick() == 1 and world.problems() == []


def test_event_faults(world):
    world.control("faults", {"corrupt_cipher": True, "times": 1})
    leave(world)
    with pytest.raises((BadCipher, ValueError)):
        opened(world.bot.to(EVENTS)[0])
    world.control("faults", {"wrong_receiver": True, "times": 1})
    world.control("people", {"user": "user003", "active": True})
    world.tick()
    with pytest.raises(BadCipher):
        opened(world.bot.to(EVENTS)[1])
    world.control("faults", {"bad_signature": True, "duplicate_callbacks": 2, "times": 1})
    world.control("people", {"user": "user001", "name": "李小强"})
    world.tick()
    push = world.bot.to(EVENTS)[2]
    query = {name: values[0] for name, values in parse_qs(push.query).items()}
    assert query["signature"] != crypto().sign(query["timestamp"], query["nonce"], push.json["encrypt"])
    assert opened(world.bot.to(EVENTS)[3])["diffInfo"]["curr"]["name"] == "李小强"


def test_only_ticked_events_come_and_contact_events_are_free(world):
    leave(world)
    assert world.read("calls")["month"]["webhook_stream"] == 0
    world.control("subscriptions", {"events": ["robot_msg_read"]})
    world.control("people", {"user": "user003", "active": True})
    assert world.tick() == 0


def test_group_changes(world):
    world.control("groups", {"group": "cid+a/b1==", "members": ["user001", "user003"]})
    world.tick()
    types = {opened(push)["EventType"]: opened(push)["UserId"] for push in world.bot.to(EVENTS)}
    assert types == {"chat_add_member": ["user003"], "chat_remove_member": ["user002"]}


def task_body(**changes):
    body = {
        "sourceId": "case-1", "subject": "整改 YH-0001", "creatorId": "union-wangfang",
        "executorIds": ["union-liqiang"], "detailUrl": {"appUrl": "http://x/h5/1", "pcUrl": "http://x/1"},
        "priority": 40, "dueTime": 1_790_000_000_000,
    }  # fmt: skip
    return {**body, **changes}


def test_a_todo_is_shown_done_by_api_only_and_fires_events(world):
    task = world.new("POST", TASKS + OPERATOR, task_body())
    assert task["done"] is False and task["sourceId"] == "case-1" and task["requestId"]
    item = world.screen("user001")[0]
    assert (item["chat"], item["kind"], item["card"]["note"]) == ("todo", "todo", "未完成")
    assert len(world.screen("user002")) == 1 and world.screen("user003") == []
    opened_url = world.control(f"user001/todo/{task['id']}/open")
    assert opened_url["url"] == "http://x/h5/1"
    assert world.control(f"user001/todo/{item['id']}/open")["url"] == "http://x/h5/1"
    body = {"executorStatusList": [{"id": "union-liqiang", "isDone": True}]}
    assert world.new("PUT", f"{TASKS}/{task['id']}/executorStatus{OPERATOR}", body) == {"result": True}
    assert world.screen("user001")[0]["card"]["note"] == "已完成"
    assert world.new("GET", f"{TASKS}/{task['id']}")["done"] is True
    world.tick()
    seen = [opened(push) for push in world.bot.to(EVENTS)]
    assert [event["EventType"] for event in seen] == ["todo_task_create", "todo_task_update"]
    assert seen[0]["taskId"] == task["id"] and seen[0]["UnionIdList"] == ["union-wangfang", "union-liqiang"]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/v1.0/todo/users/user002/tasks" + OPERATOR, {}),
        (TASKS, {}),
        (TASKS + "?operatorId=user002", {}),
        (TASKS + OPERATOR, {"executorIds": ["user001"]}),
        (TASKS + OPERATOR, {"detailUrl": None}),
        (TASKS + OPERATOR, {"detailUrl": {"appUrl": "http://x"}}),
        (TASKS + OPERATOR, {"subject": ""}),
        (TASKS + OPERATOR, {"subject": "字" * 1025}),
        (TASKS + OPERATOR, {"dueTime": 1_790_000_000}),
        (TASKS + OPERATOR, {"priority": 50}),
    ],
)
def test_todo_refusals(world, path, change):
    assert world.refused("POST", path, task_body(**change)) == "todo.taskCreate.paramError"
    assert world.screen("user001") == []


def test_the_same_source_id_names_the_existing_task(world):
    task = world.new("POST", TASKS + OPERATOR, task_body())
    answer = world.call("POST", TASKS + OPERATOR, task_body(subject="again"))
    assert answer.status_code == 400 and "task exist" in answer.json()["message"]
    assert task["id"] in answer.json()["message"]
    assert world.new("GET", f"{TASKS}/sources/case-1")["id"] == task["id"]
    assert world.refused("GET", f"{TASKS}/sources/case-2") == "todo.taskUpdate.paramError"


def test_reassigning_updating_querying_and_deleting(world):
    task = world.new("POST", TASKS + OPERATOR, task_body(isOnlyShowExecutor=True))
    assert world.screen("user002") == []
    path = f"{TASKS}/{task['id']}{OPERATOR}"
    world.new("PUT", path, {"executorIds": ["union-chengang"], "subject": "改"})
    assert world.screen("user001")[0]["recalled"] is True and world.screen("user003")[0]["text"] == "改"
    query = "/v1.0/todo/users/union-chengang/org/tasks/query"
    assert world.new("POST", query, {"isDone": False})["todoCards"][0]["taskId"] == task["id"]
    world.new("PUT", path, {"done": True})
    assert world.new("POST", query, {"isDone": False})["todoCards"] == []
    assert world.new("POST", query, {"isDone": True})["todoCards"][0]["isDone"] is True
    world.new("DELETE", path)
    assert world.screen("user003")[0]["recalled"] is True
    assert world.refused("PUT", path, {"done": True}) == "todo.taskUpdate.paramError"
    world.tick()
    types = [opened(push)["EventType"] for push in world.bot.to(EVENTS)]
    assert types == ["todo_task_create", "todo_task_update", "todo_task_update", "todo_task_delete"]
