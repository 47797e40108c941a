"""The platform against the DingTalk emulator, in one process: real wire shapes both ways."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis
import requests
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound

from bot.message import Inbound, Kind
from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.callbacks import Callbacks
from bot.platforms.dingtalk import DingTalk, DingTalkConfig
from cards.card import Button, Card, Fact, Option, Select
from emulators.demo_plant import demo_plant
from emulators.dingtalk import DingTalkEmulator
from emulators.wsgi import WsgiAdapter
from tests.bot.dingtalk.conftest import Clock

BOT, DING = "http://bot.test", "http://ding.test"
SECRETS: dict[str, Any] = {
    "wecom": {},
    "dingtalk": {
        "corp_id": "dingcorp",
        "client_id": "dingdemoappkey",
        "client_secret": "demo client secret",
        "agent_id": 1234,
        "robot_code": "dingrobot",
        "event_token": "tok123",
        "event_aes_key": "1234567890123456789012345678901234567890123",
        "card_template_id": "demo.schema",
    },
    "sms": {},
}
GROUP = "cidStorage0001=="
U1, U2, G = Target(user="user001"), Target(user="user002"), Target(group=GROUP)


@dataclass
class Plant:
    emulator: DingTalkEmulator
    dingtalk: DingTalk
    phones: FlaskClient
    got: list[Inbound]
    clock: Clock

    def does(self, user: str, what: str, **data: Any) -> Any:
        answer = self.phones.post(f"/_phone/{user}/{what}", json=data)
        assert answer.status_code == 200, answer.text
        self.emulator.tick()
        return answer.json

    def uploads(self, user: str, what: str, *names: str, **data: Any) -> None:
        data["file"] = [(io.BytesIO(name.encode()), name) for name in names]
        answer = self.phones.post(f"/_phone/{user}/{what}", data=data)
        assert answer.status_code == 200, answer.text
        self.emulator.tick()

    def screen(self, user: str) -> list[dict[str, Any]]:
        answer = self.phones.get(f"/_phone/{user}/screen").json
        assert answer is not None
        return [item for item in answer["items"] if item["from"] == "bot" or item["chat"] in ("notice", "todo")]

    def last(self, user: str) -> dict[str, Any]:
        return self.screen(user)[-1]

    def fault(self, **switches: Any) -> None:
        assert self.phones.post("/_phone/faults", json=switches).status_code == 200


@pytest.fixture
def plant(redis_client: redis.Redis, clock: Clock) -> Iterator[Plant]:
    got: list[Inbound] = []

    def accept(found: Sequence[Inbound]) -> Sequence[str]:
        got.extend(found)
        return ["立即停止作业,撤离!" if "着火" in inbound.text else "" for inbound in found]

    with requests.Session() as pushes, requests.Session() as calls:
        emulator = DingTalkEmulator(
            demo_plant(public_url=BOT, secrets=SECRETS),
            http=pushes,
            clock=lambda: clock().timestamp(),
            background=False,
            public_url=DING,
        )
        names = "corp_id client_id client_secret agent_id robot_code event_token event_aes_key card_template_id"
        config = DingTalkConfig(**{n: SECRETS["dingtalk"][n] for n in names.split()}, api_base=DING, oapi_base=DING)
        dingtalk = DingTalk(
            config,
            redis=redis_client,
            http=calls,
            clock=clock,
            public_url=BOT,
            picture_url=lambda sha: f"{BOT}/pictures/{sha}",
        )
        pushes.mount(BOT, WsgiAdapter(Callbacks(dingtalk.callbacks(accept), NotFound())))
        calls.mount(DING, WsgiAdapter(emulator.app.wsgi_app))
        yield Plant(emulator, dingtalk, emulator.app.test_client(), got, clock)
        assert emulator.expect_nothing_unexpected() == []
        emulator.close()


def fails(call: Callable[[], Any]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        call()
    return caught.value


def test_a_talk(plant: Plant) -> None:
    plant.does("user001", "say", text="待办")
    asked = plant.got[-1]
    assert (asked.kind, asked.text, asked.sender, asked.group) == (Kind.TEXT, "待办", "user001", "")
    plant.dingtalk.send_text(U1, "没有待办", key="k", reply_to=asked.reply_to)
    assert (plant.last("user001")["text"], plant.last("user001")["chat"]) == ("没有待办", "app")
    plant.clock.forward(6000)
    plant.dingtalk.send_text(U1, "又有了", key="k2", reply_to=asked.reply_to)
    assert plant.last("user001")["text"] == "又有了"


def test_a_talk_in_a_group(plant: Plant) -> None:
    plant.does("user001", "say", text="绑定 储运车间", group=GROUP, at_bot=True)
    asked = plant.got[-1]
    assert (asked.text, asked.group, asked.group_title) == ("绑定 储运车间", GROUP, "储运车间安全群")
    plant.dingtalk.send_text(G, "已绑定", key="k", reply_to=asked.reply_to)
    assert "已绑定" in plant.last("user002")["text"]
    plant.dingtalk.send_text(G, "**周报**", key="k", markdown=True)
    assert plant.last("user003")["kind"] == "markdown"


def test_danger_is_answered_at_once(plant: Plant) -> None:
    plant.does("user001", "say", text="着火了")
    assert plant.last("user001")["text"] == "立即停止作业,撤离!"


def test_photos_and_voice_can_be_fetched(plant: Plant) -> None:
    plant.uploads("user001", "photo", "a.jpg")
    plant.uploads("user001", "photo", "b.jpg", "c.jpg", caption="泵漏油")
    plant.uploads("user001", "voice", "d.amr", recognition="三号泵漏油")
    plant.uploads("user001", "file", "e.xlsx")
    fetched = [[plant.dingtalk.download(m).decode() for m in i.media] for i in plant.got]
    assert fetched == [["a.jpg"], ["b.jpg", "c.jpg"], ["d.amr"], ["e.xlsx"]]
    assert [i.text for i in plant.got] == ["", "泵漏油", "三号泵漏油", ""]
    assert [i.kind for i in plant.got] == [Kind.IMAGE, Kind.IMAGE, Kind.VOICE, Kind.FILE]
    plant.fault(download_code_expired=True, times=1)
    assert fails(lambda: plant.dingtalk.download(plant.got[0].media[0])).failure is Failure.EXPIRED


def test_what_the_robot_cannot_take(plant: Plant) -> None:
    plant.does("user001", "location", lat=37.45, lon=118.59, label="罐区")
    plant.fault(quota_20001=True, times=1)
    plant.does("user001", "say", text="x")
    plant.fault(missing_staff_id=True, times=1)
    plant.does("user001", "say", text="y")
    assert [(i.kind, i.sender) for i in plant.got] == [
        (Kind.UNKNOWN, "user001"),
        (Kind.QUOTA, "user001"),
        (Kind.TEXT, ""),
    ]


def test_a_repeated_push_has_the_same_key(plant: Plant) -> None:
    plant.fault(duplicate_callbacks=5, times=1)
    plant.does("user001", "say", text="x")
    assert (len(plant.got), len({i.key for i in plant.got})) == (5, 1)


@pytest.mark.parametrize("fault", ["bad_signature", "no_signature", "old_timestamp"])
def test_a_push_that_is_not_genuine_is_refused(plant: Plant, fault: str) -> None:
    plant.fault(**{fault: True, "times": 1})
    plant.does("user001", "say", text="x")
    assert plant.got == []


CARD = Card(
    title="隐患 YH-0001 · 二级",
    colour="orange",
    facts=(Fact("区域", "甲醇罐区"),),
    body="泵密封漏油",
    page="/h5/hazards/1",
    buttons=(Button("开始整改", "hazard.start:1", "primary"), Button("转派", "hazard.assign:1")),
    select=Select("转派给", (Option("user002", "李强"), Option("user003", "王芳"))),
)


@pytest.mark.parametrize("shape", ["content", "value", "both"])
def test_a_card_is_posted_pressed_and_changed(plant: Plant, shape: str) -> None:
    posted = plant.dingtalk.post_card(CARD, [U1], ref="card-1")
    assert posted.refused == {}
    item = plant.last("user001")
    assert (item["kind"], item["card"]["title"]) == ("card", CARD.title)
    assert [b["label"] for b in item["card"]["buttons"] if b["kind"] == "callback"] == ["开始整改", "转派"]
    plant.fault(card_shape=shape)
    plant.does("user001", "tap", item=item["id"], key="hazard.assign:1", selected={"choice": ["user003"]})
    press = plant.got[-1].press
    assert press is not None
    assert (press.action, press.choice, press.card_ref) == ("hazard.assign:1", "user003", "card-1")
    assert (plant.got[-1].sender, plant.got[-1].kind) == ("user001", Kind.PRESS)
    plant.dingtalk.redraw_card(Card("隐患 YH-0001 · 已转派", colour="grey"), [U1], ref="card-1")
    changed = plant.last("user001")
    assert (changed["id"], changed["card"]["title"]) == (item["id"], "隐患 YH-0001 · 已转派")
    assert [b for b in changed["card"]["buttons"] if b["kind"] == "callback"] == []


def test_one_call_shows_a_card_to_people_and_a_group(plant: Plant) -> None:
    plant.dingtalk.cards.register_route()
    plant.phones.post("/_phone/calls/reset", json={})
    posted = plant.dingtalk.post_card(CARD, [U1, U2, G, Target(user="nobody")], ref="card-2")
    calls = plant.phones.get("/_phone/calls").json
    assert calls is not None and calls["total"] == 1
    assert posted.refused == {"user:nobody": "refused"}
    assert [i["chat"] for i in plant.screen("user001")] == ["app", f"group:{GROUP}"]
    assert [i["chat"] for i in plant.screen("user002")] == ["app", f"group:{GROUP}"]
    plant.dingtalk.redraw_card(Card("完成", colour="green"), [], ref="card-2")
    assert {i["card"]["title"] for i in plant.screen("user001") + plant.screen("user002")} == {"完成"}


def test_a_card_post_that_was_cut_off_is_shown_once(plant: Plant) -> None:
    plant.fault(reset_but_delivered=True, times=1, path="createAndDeliver")
    plant.dingtalk.cards.register_route()
    error = fails(lambda: plant.dingtalk.post_card(CARD, [U1], ref="card-3"))
    assert error.failure is Failure.RETRY
    plant.dingtalk.post_card(CARD, [U1], ref="card-3")
    assert len(plant.screen("user001")) == 1


def test_a_press_delivered_five_times_is_one_and_a_later_one_another(plant: Plant) -> None:
    plant.dingtalk.post_card(CARD, [U1], ref="card-4")
    item = plant.last("user001")
    plant.fault(duplicate_callbacks=5, times=1, path="card")
    plant.does("user001", "tap", item=item["id"], key="hazard.start:1")
    assert (len(plant.got), len({i.key for i in plant.got})) == (5, 1)
    plant.clock.forward(3)
    plant.does("user001", "tap", item=item["id"], key="hazard.start:1")
    assert len({i.key for i in plant.got}) == 2


def test_a_todo_from_start_to_end(plant: Plant) -> None:
    def create() -> str:
        return plant.dingtalk.create_todo(
            U1, subject="整改 YH-0001", due_ms=plant.clock.ms + 1000, page="/h5/x", key="t1"
        )

    first = create()
    assert create() == first
    shown = [i for i in plant.screen("user001") if i["chat"] == "todo"]
    assert len(shown) == 1
    assert plant.does("user001", f"todo/{first}/open")["url"] == f"{BOT}/h5/x"
    plant.dingtalk.finish_todo(U1, first)
    assert plant.emulator.todo.tasks[first].done


def test_a_todo_rings_only_when_somebody_else_made_it(plant: Plant) -> None:
    def made(key: str) -> str:
        return plant.dingtalk.create_todo(U1, subject="整改 YH-0001", due_ms=None, page="/h5/x", key=key)

    def rings() -> int:
        return len([i for i in plant.screen("user001") if i["text"].startswith("DING")])

    made("t1")
    assert rings() == 0  # in one's own name, as without the setting
    plant.dingtalk.config = replace(plant.dingtalk.config, todo_creator="user002")
    second = made("t2")
    assert rings() == 1
    assert made("t2") == second and rings() == 1
    plant.dingtalk.finish_todo(U1, second)
    assert plant.emulator.todo.tasks[second].done
    assert [i["chat"] for i in plant.screen("user002")] == []  # whose name it bears has nothing to do with it
    plant.dingtalk.config = replace(plant.dingtalk.config, todo_creator="nobody")
    plant.dingtalk._creator = ""
    assert made("t3")  # a wrong setting costs the bell, not the to-do


def test_notices_pictures_and_files(plant: Plant) -> None:
    ref = plant.dingtalk.send_notice(U1, CARD, key="k").ref
    assert plant.last("user001")["chat"] == "notice"
    plant.clock.forward(61)
    assert plant.dingtalk.notices.dropped(ref) == {}
    plant.dingtalk.send_image(U1, b"\xff\xd8jpeg", name="a.jpg", key="k")
    assert plant.last("user001")["kind"] == "image"
    plant.dingtalk.send_file(G, b"%PDF", name="周报.pdf", key="k")
    assert plant.last("user002")["kind"] == "file"
    plant.dingtalk.send_notice(G, CARD, key="k")
    assert plant.last("user002")["chat"] == f"group:{GROUP}"


def test_recall_and_reading(plant: Plant) -> None:
    ref = plant.dingtalk.send_text(U1, "x", key="k").ref
    assert plant.dingtalk.messages.read_state(U1, ref).readers == ()
    plant.does("user001", "read")
    assert plant.dingtalk.messages.read_state(U1, ref).readers == ("user001",)
    assert plant.dingtalk.messages.recall(U1, [ref]) == []
    assert plant.last("user001")["recalled"] is True


def test_people_and_pages(plant: Plant) -> None:
    members = {m.user: m for m in plant.dingtalk.members()}
    assert {"user001", "user002", "user007"} <= set(members)
    found = plant.dingtalk.member("user001")
    assert found == members["user001"] and found.union_id
    assert plant.dingtalk.member("nobody") is None
    code = plant.does("user001", "auth_code")["code"]
    assert plant.dingtalk.h5_user(code) == "user001"
    assert fails(lambda: plant.dingtalk.h5_user(code)).failure is Failure.EXPIRED
    plant.dingtalk.set_menu()
    assert [p["name"] for p in plant.does("user001", "open")["plugins"]] == ["位置上报", "我的待办"]
    assert all(ok for _, ok, _ in plant.dingtalk.check())


def test_the_event_address_is_accepted_and_leavers_are_told(plant: Plant) -> None:
    plant.emulator.check_event_url()
    plant.emulator.tick()
    assert plant.emulator.events.check_results
    plant.emulator.events.fire("user_leave_org", {"userId": ["user007"], "timeStamp": str(plant.clock.ms)})
    plant.emulator.tick()
    assert [(i.kind, i.sender) for i in plant.got] == [(Kind.LEFT, "user007")]


@pytest.mark.parametrize("fault", ["corrupt_cipher", "wrong_receiver"])
def test_an_event_that_is_not_for_us_is_refused(plant: Plant, fault: str) -> None:
    plant.fault(**{fault: True, "times": 1})
    plant.emulator.events.fire("user_leave_org", {"userId": ["user007"]})
    plant.emulator.tick()
    assert plant.got == []


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("http_500", Failure.RETRY),
        ("http_504", Failure.UNKNOWN),
        ("html_body", Failure.THROTTLED),
        ("ip_banned", Failure.THROTTLED),
        ("reset", Failure.UNKNOWN),
        ("reset_but_delivered", Failure.UNKNOWN),
        ("throttle", Failure.THROTTLED),
        ("throttle_global", Failure.THROTTLED),
        ("busy", Failure.THROTTLED),
        ("quota_used_up", Failure.QUOTA),
        ("no_permission", Failure.CONFIG),
        ("ip_whitelist", Failure.CONFIG),
        ("send_too_fast", Failure.THROTTLED),
    ],
)
def test_each_fault_of_the_platform_is_understood(plant: Plant, fault: str, failure: Failure) -> None:
    plant.dingtalk.api.token()
    plant.fault(**{fault: True, "times": 1})
    assert fails(lambda: plant.dingtalk.send_text(U1, "x", key="k")).failure is failure


def test_an_expired_token_is_not_noticed(plant: Plant) -> None:
    for _ in range(2):
        plant.fault(token_expired=True, times=1)
        plant.dingtalk.send_text(U1, "x", key="k")
        plant.fault(token_expired=True, times=1)
        assert plant.dingtalk.member("user001") is not None
        plant.clock.forward(7201)
    assert len(plant.screen("user001")) == 2
