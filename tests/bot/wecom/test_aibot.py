"""The address of the 智能机器人, with envelopes made by hand, and what it answers, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.test import Client, TestResponse

from bot.message import Inbound, Kind, Press
from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.callbacks import Callbacks
from bot.platforms.http import session
from bot.platforms.wecom import WeComConfig
from bot.platforms.wecom.aibot_answers import BotAnswers
from bot.platforms.wecom.callback import Pressed, routes
from bot.platforms.wecom.render import Renderer
from cards.card import Button, Card
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.wecom import WeComEmulator
from emulators.wecom import crypto as theirs
from emulators.wsgi import WsgiAdapter

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
APP_ONLY = WeComConfig(corp_id="wwtest00000000001", agent_id=2, secret="s", token="AppToken", aes_key=KEY)
CONFIG = replace(APP_ONLY, bot_token="TestToken01", bot_aes_key=KEY)
KEYS = theirs.Keys("TestToken01", KEY, "")
NOW = datetime.fromtimestamp(1700000000, UTC)
URL = "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=r1"
MESSAGE: dict[str, Any] = {
    "msgid": "m1",
    "aibotid": "a",
    "chatid": "wr1",
    "chattype": "group",
    "from": {"userid": "ZhangWei"},
    "response_url": URL,
    "msgtype": "text",
    "text": {"content": "@安哨 泵里噼里啪啦响"},
}
PRESSED = {"card_type": "button_interaction", "event_key": "know.helped:7", "task_id": "c1"}
CHOSEN = {"selected_item": [{"question_key": "choice", "option_ids": {"option_id": ["K04"]}}]}


class Product:
    def __init__(self, config: WeComConfig = CONFIG, *, pressed: Pressed | None = None) -> None:
        self.received: list[Inbound] = []
        self.answer = ""
        found = routes(config, accept=self.accept, clock=lambda: NOW, pressed=pressed)
        self.client = Client(Callbacks(found, NotFound()))

    def accept(self, messages: Sequence[Inbound]) -> list[str]:
        self.received += messages
        return [self.answer for _ in messages]

    def post(self, told: Any, *, keys: theirs.Keys = KEYS, signature: str = "", receiver: str = "") -> TestResponse:
        encrypted = theirs.encrypt(keys, told if isinstance(told, str) else json.dumps(told), receive_id=receiver)
        signed = signature or theirs.signature(keys.token, "1700000000", "n1", encrypted)
        query = {"msg_signature": signed, "timestamp": "1700000000", "nonce": "n1"}
        return self.client.post("/wecom/bot", query_string=query, json={"encrypt": encrypted})

    def one(self, told: dict[str, Any]) -> Inbound:
        answer = self.post(told)
        assert (answer.status_code, answer.data) == (200, b"")
        (found,) = self.received
        return found


@pytest.fixture
def product() -> Product:
    return Product()


def test_a_message_of_a_group(product: Product) -> None:
    found = product.one(MESSAGE)
    assert found == Inbound(
        platform="wecom",
        key="bot:m1",
        sender="ZhangWei",
        kind=Kind.TEXT,
        sent_at=NOW,
        text="泵里噼里啪啦响",
        group="aibot:wr1",
        reply_to={"response_url": URL, "user": "ZhangWei"},
    )
    assert Inbound.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_check_of_the_address(product: Product) -> None:
    encrypted = theirs.encrypt(KEYS, "1234567890")
    query = {"timestamp": "1700000000", "nonce": "n", "echostr": encrypted}
    query["msg_signature"] = theirs.signature(KEYS.token, "1700000000", "n", encrypted)
    assert product.client.get("/wecom/bot", query_string=query).data == b"1234567890"


def test_without_settings_there_is_no_such_address() -> None:
    assert Product(APP_ONLY).post(MESSAGE).status_code == 404


@pytest.mark.parametrize(
    "half", [{"bot_token": "t"}, {"bot_aes_key": KEY}, {"bot_token": "t", "bot_aes_key": "k" * 42}]
)
def test_half_a_robot_stops_the_start(half: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="bot_"):
        replace(APP_ONLY, **half)


def test_who_did_not_sign_is_refused(product: Product) -> None:
    assert product.post(MESSAGE, signature="0" * 40).status_code == 403
    assert product.post(MESSAGE, keys=replace(KEYS, token="AppToken")).status_code == 403, "the app's token"
    assert product.post(MESSAGE, receiver="wwtest00000000001").status_code == 403, "meant for the app"
    query = {"msg_signature": "x", "timestamp": "1600000000", "nonce": "n"}
    assert product.client.post("/wecom/bot", query_string=query, json={"encrypt": "x"}).status_code == 403, "too old"
    assert product.received == []


@pytest.mark.parametrize("told", ["", "[]", "no json", "[" * 100_000, "7"])
def test_what_is_no_message_is_refused(product: Product, told: str) -> None:
    assert product.post(told).status_code == 400
    assert product.received == []


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"[]", b'{"encrypt": 7}', b"{", b'{"encrypt": ""}'])
def test_what_is_no_envelope_is_refused(product: Product, body: bytes) -> None:
    query = {"msg_signature": "x", "timestamp": "1700000000", "nonce": "n"}
    assert product.client.post("/wecom/bot", query_string=query, data=body).status_code == 400


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("@安哨 电机响", "电机响"),
        ("@安哨\u2005电机响", "电机响"),
        ("  @安哨   电机响  ", "电机响"),
        ("电机响 @安哨", "电机响"),
        ("电机响 @安哨 咋办", "电机响 咋办"),
        ("@安哨", ""),
        ("电机响", "电机响"),
    ],
)
def test_its_name_is_taken_out_of_the_words(product: Product, said: str, words: str) -> None:
    assert product.one({**MESSAGE, "text": {"content": said}}).text == words


def test_only_its_name_under_a_quote_asks_for_the_quote(product: Product) -> None:
    quote = {"msgtype": "text", "text": {"content": "电机叫得跟杀猪似的"}}
    assert product.one({**MESSAGE, "text": {"content": "@安哨 "}, "quote": quote}).text == "电机叫得跟杀猪似的"


def test_of_a_mixed_message_the_words_are_taken(product: Product) -> None:
    items = [
        {"msgtype": "text", "text": {"content": "@安哨 这里"}},
        {"msgtype": "image", "image": {"url": "https://x.test/1"}},
        "odd",
        {"msgtype": "text", "text": {"content": "一直响"}},
    ]
    told = {**MESSAGE, "msgtype": "mixed", "mixed": {"msg_item": items}}
    reply = product.post(told).json
    (found,) = product.received
    assert (found.kind, found.text) == (Kind.TEXT, "这里\n一直响")
    assert "群里的照片收不到" in theirs.decrypt(KEYS, reply["encrypt"])
    product.answer = "马上撤离!"
    said = theirs.decrypt(KEYS, product.post({**told, "msgid": "m2"}).json["encrypt"])
    assert json.loads(said)["stream"]["content"].startswith("马上撤离!\n群里的照片收不到")
    product.answer, words_only = "", {**told, "mixed": {"msg_item": items[:1]}, "msgid": "m3"}
    assert product.post(words_only).data == b""


@pytest.mark.parametrize(
    "odd",
    [
        {"msgtype": "hologram"},
        {"msgtype": "image", "image": {"url": "https://x.test/1"}},
        {"msgtype": "mixed", "mixed": []},
        {"msgtype": "event", "event": {"eventtype": "new_in_2030"}},
        {"msgtype": "event", "event": {"eventtype": "template_card_event", "template_card_event": {}}},
        {"msgtype": ["text"]},
    ],
)
def test_an_unknown_kind_is_kept_as_unknown(product: Product, odd: dict[str, Any]) -> None:
    found = product.one({**{n: v for n, v in MESSAGE.items() if n != "text"}, **odd})
    assert found.kind is Kind.UNKNOWN or (found.kind, found.text) == (Kind.TEXT, "")


@pytest.mark.parametrize("nested", [True, False])
def test_a_press(product: Product, nested: bool) -> None:
    inner = {**PRESSED, "selected_items": CHOSEN}
    event = {"eventtype": "template_card_event", **({"template_card_event": inner} if nested else inner)}
    found = product.one({**MESSAGE, "msgtype": "event", "event": event})
    assert found.press == Press("know.helped:7", choice="K04", card_ref="c1", response_code=URL)
    assert (found.kind, found.group, found.reply_to) == (Kind.PRESS, "aibot:wr1", {})


@pytest.mark.parametrize(
    "silent",
    [
        {"msgtype": "stream", "stream": {"id": "s"}},
        {"msgtype": "event", "event": {"eventtype": "enter_chat"}},
        {"msgtype": "event", "event": {"eventtype": "feedback_event", "feedback_event": {"id": "f", "type": 1}}},
    ],
)
def test_what_nobody_said_is_not_stored(product: Product, silent: dict[str, Any]) -> None:
    assert (product.post({**MESSAGE, **silent}).data, product.received) == (b"", [])


def test_the_key_is_the_same_for_a_repeat_and_another_for_another(product: Product) -> None:
    nameless = {n: v for n, v in MESSAGE.items() if n != "msgid"}
    for told in (MESSAGE, MESSAGE, nameless, nameless, {**nameless, "text": {"content": "@安哨 别的"}}):
        product.post(told)
    first, again, third, fourth, fifth = (message.key for message in product.received)
    assert first == again and third == fourth and len({first, third, fifth}) == 3


def test_alone_with_it_danger_is_answered_at_once(product: Product) -> None:
    product.answer = "立即撤离!<b>x</b>"
    alone = {**MESSAGE, "chattype": "single", "msgtype": "voice", "voice": {"content": "着火了"}}
    del alone["chatid"]
    envelope = product.post(alone).get_json()
    theirs.check_signature(KEYS, envelope["msgsignature"], str(envelope["timestamp"]), "n1", envelope["encrypt"])
    reply = json.loads(theirs.decrypt(KEYS, envelope["encrypt"]))
    assert envelope["nonce"] == "n1" and reply["msgtype"] == "stream"
    assert reply["stream"]["finish"] is True and reply["stream"]["content"].startswith("立即撤离!")
    (found,) = product.received
    assert (found.kind, found.text, found.group, found.reply_to) == (Kind.VOICE, "着火了", "", {})


# -- what it says

CARD = Card(
    title="先做:听声、测轴承温度,补适量油脂,不要打太多,打多了也会发热,看说明书上的量",
    colour="blue",
    subtitle="很像:电机尖叫",
    body="“叫得厉害”",
    note="只是怀疑",
    page="/h5/knowledge/K01",
    buttons=(Button("有用", "know.helped:1", "primary"), Button("看全文", url="/h5/knowledge/K01")),
)
API = "http://wecom.test"


class Group:
    """The emulator with one message said in the group, and the adapter that may answer it."""

    def __init__(self) -> None:
        self.now = NOW
        self.http = session(user_agent="test")
        self.http.trust_env = False
        plant = demo_plant(public_url="http://app.test", secrets=demo_secrets())
        self.emulator = WeComEmulator(
            plant, http=self.http, clock=lambda: self.now.timestamp(), background=False, public_url=API
        )
        self.http.mount(API, WsgiAdapter(self.emulator.app))
        renderer = Renderer(public_url="https://plant.test", picture_url=lambda sha: sha, source="演示工厂")
        self.bot = BotAnswers(replace(CONFIG, api_base=API), http=self.http, renderer=renderer)

    def asked(self) -> Target:
        body = {"text": "响", "group": "wrRepair0001", "at_bot": True}
        self.http.post(f"{API}/_phone/ZhangWei/say", json=body)
        url = self.emulator.courier.waiting[-1].fields["response_url"]
        return Target(group="aibot:wrRepair0001", answer_url=url)

    def shown(self) -> list[dict[str, Any]]:
        items = self.http.get(f"{API}/_phone/LiuYang/screen").json()["items"]
        return [item for item in items if item["from"] == "bot"]


@pytest.fixture
def group() -> Group:
    return Group()


def fails(group: Group, target: Target) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        group.bot.text(target, "答", markdown=False)
    return caught.value


def test_a_card_in_the_group(group: Group) -> None:
    group.bot.card(CARD, group.asked(), ref="c1")
    (item,) = group.shown()
    assert item["chat"] == "group:wrRepair0001" and item["card"]["task_id"] == "c1"
    assert [b["label"] for b in item["card"]["buttons"]] == ["有用"]
    assert CARD.title in item["card"]["body"], "what the short title loses stands below"
    assert group.emulator.expect_nothing_unexpected() == []


def test_one_right_is_one_answer(group: Group) -> None:
    target = group.asked()
    group.bot.text(target, "一*二*", markdown=False)
    assert fails(group, target).failure is Failure.EXPIRED
    assert [item["text"] for item in group.shown()] == ["一＊二＊"], "no markup of other people"


def test_after_an_hour_it_is_too_late(group: Group) -> None:
    target = group.asked()
    group.now = datetime.fromtimestamp(NOW.timestamp() + 3601, UTC)
    assert fails(group, target).failure is Failure.EXPIRED


def test_a_limit_is_waited_for(group: Group) -> None:
    for _ in range(30):
        group.bot.text(group.asked(), "答", markdown=False)
    target = group.asked()
    error = fails(group, target)
    assert error.failure is Failure.THROTTLED and error.wait_s >= 60
    group.now = datetime.fromtimestamp(NOW.timestamp() + 61, UTC)
    group.bot.text(target, "答", markdown=False)
    assert len(group.shown()) == 31


def test_what_became_of_a_card_is_a_line_under_it(group: Group) -> None:
    target = group.asked()
    group.bot.follow_up(replace(CARD, note="张伟:K01 有用。"), target)
    assert group.shown()[0]["text"] == "很像:电机尖叫\n张伟:K01 有用。"
    with pytest.raises(PlatformError) as caught:
        group.bot.follow_up(CARD, target)
    assert caught.value.failure is Failure.SPENT


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://10.0.0.1/x",
        "https://weixin.qq.com.evil.test/x",
        "https://evilweixin.qq.com/x",
        "http://qyapi.weixin.qq.com/x",
        "https://qyapi.weixin.qq.com:8443/x",
        "https://u:p@qyapi.weixin.qq.com/x",
        "http://wecom.test:81/x",
        "file:///etc/passwd",
        "https://[",
    ],
)
def test_a_foreign_address_is_never_opened(group: Group, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(group.http, "post", opened)
    error = fails(group, Target(group="aibot:wr1", answer_url=url))
    assert (error.failure, error.code) == (Failure.EXPIRED, "nothing_to_answer")


def press_event(**more: Any) -> dict[str, Any]:
    told = {name: value for name, value in MESSAGE.items() if name != "text"}
    return told | {"msgid": "e1", "msgtype": "event", "event": {"eventtype": "template_card_event", **PRESSED} | more}


def open_reply(answer: TestResponse) -> dict[str, Any]:
    outer = answer.get_json(force=True)
    return dict(json.loads(theirs.decrypt(KEYS, outer["encrypt"])))


def test_a_press_is_answered_with_the_pressers_card() -> None:
    change = {"response_type": "update_template_card", "userids": ["ZhangWei"], "template_card": {"task_id": "c1"}}
    product = Product(pressed=lambda inbound: change if inbound.press and inbound.press.card_ref == "c1" else None)
    assert open_reply(product.post(press_event())) == change
    assert product.post(press_event(task_id="other")).data == b""
    assert [found.press and found.press.card_ref for found in product.received] == ["c1", "other"]


def test_a_press_is_taken_also_when_its_card_cannot_be_drawn() -> None:
    def broken(inbound: Inbound) -> dict[str, Any]:
        raise ValueError("no such card")

    product = Product(pressed=broken)
    answer = product.post(press_event())
    assert (answer.status_code, answer.data, len(product.received)) == (200, b"", 1)
