"""The three addresses: what is refused, what is answered, and that nothing sent to them breaks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.test import Client

from bot.message import Inbound, Kind
from bot.platforms.callbacks import MAX_BODY_BYTES, Callbacks
from bot.platforms.dingtalk import DingTalk, DingTalkConfig
from bot.platforms.dingtalk.signatures import card_api_secret, card_sign, event_sign, robot_sign
from tests.bot.dingtalk.conftest import CONFIG, START, Clock


class Inbox:
    """Keeps what was accepted; answers or fails as told."""

    def __init__(self) -> None:
        self.got: list[Inbound] = []
        self.answer = ""
        self.broken = False

    def __call__(self, found: Sequence[Inbound]) -> Sequence[str]:
        if self.broken:
            raise RuntimeError("database is away")
        self.got += found
        return [self.answer] * len(found)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def client_of(dingtalk: DingTalk, inbox: Inbox) -> Client:
    return Client(Callbacks(dingtalk.callbacks(inbox), NotFound()))


@pytest.fixture
def web(inbox: Inbox, dingtalk: DingTalk) -> Client:
    return client_of(dingtalk, inbox)


def message(**more: Any) -> dict[str, Any]:
    return {
        "msgId": "m1",
        "msgtype": "text",
        "text": {"content": "待办"},
        "senderStaffId": "user001",
        "robotCode": CONFIG.robot,
        "chatbotCorpId": CONFIG.corp_id,
        **more,
    }


def signed(at_ms: int, secret: str = CONFIG.client_secret) -> dict[str, str]:
    return {"timestamp": str(at_ms), "sign": robot_sign(str(at_ms), secret)}


def card_signed(at_ms: int) -> dict[str, str]:
    secret = card_api_secret(CONFIG.client_secret)
    return {"x-ddpaas-signature-timestamp": str(at_ms), "x-ddpaas-signature": card_sign(str(at_ms), secret)}


NOW = str(int(START.timestamp() * 1000))


def event_request(config: DingTalkConfig, plain: str, *, name: str = "msg_signature", at: str = NOW) -> dict[str, Any]:
    from dingtalk.crypto import DingTalkCrypto

    made = DingTalkCrypto(config.event_token, config.event_aes_key, config.client_id).encrypt_message(plain, "n1", at)
    query = {name: made["msg_signature"], "timestamp": at, "nonce": "n1"}
    return {"query_string": query, "json": {"encrypt": made["encrypt"]}}


# -- robot messages


def test_a_message_is_accepted_and_answered_with_nothing(web: Client, inbox: Inbox, clock: Clock) -> None:
    answer = web.post("/dingtalk/robot", json=message(), headers=signed(clock.ms))
    assert (answer.status_code, answer.json) == (200, {"msgtype": "empty"})
    assert [(i.key, i.text) for i in inbox.got] == [("m1", "待办")]


def test_words_to_say_at_once_are_the_answer(web: Client, inbox: Inbox, clock: Clock) -> None:
    inbox.answer = "立即停止作业,撤离!"
    answer = web.post("/dingtalk/robot", json=message(), headers=signed(clock.ms))
    assert answer.json == {"msgtype": "text", "text": {"content": "立即停止作业,撤离!"}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"timestamp": "0", "sign": robot_sign("0", CONFIG.client_secret)},
        {"timestamp": "1795485600000", "sign": ""},
        {"timestamp": "1795485600000", "sign": robot_sign("1795485600000", "other")},
        {"timestamp": "1795485600000", "sign": "签"},
    ],
)
def test_a_wrong_signature_is_refused(web: Client, inbox: Inbox, headers: dict[str, str]) -> None:
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    assert web.post("/dingtalk/robot", json=message(), headers=encoded).status_code == 403
    assert inbox.got == []


@pytest.mark.parametrize(("age_s", "status"), [(3600, 200), (3601, 403), (-3601, 403)])
def test_a_replayed_message_is_refused(web: Client, clock: Clock, age_s: int, status: int) -> None:
    headers = signed(clock.ms - age_s * 1000)
    assert web.post("/dingtalk/robot", json=message(), headers=headers).status_code == status


@pytest.mark.parametrize("field", ["robotCode", "chatbotCorpId"])
def test_a_message_for_somebody_else_is_refused(web: Client, inbox: Inbox, clock: Clock, field: str) -> None:
    headers = signed(clock.ms)
    assert web.post("/dingtalk/robot", json=message(**{field: "other"}), headers=headers).status_code == 403
    without = {k: v for k, v in message().items() if k != field}
    assert web.post("/dingtalk/robot", json=without, headers=headers).status_code == 200
    assert len(inbox.got) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"1", b"{", b'{"a":NaN}', b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"1" * 5000, b"null"],
)
def test_a_body_that_is_no_object_is_400(web: Client, clock: Clock, raw: bytes) -> None:
    for path, headers in (("robot", signed(clock.ms)), ("cards", card_signed(clock.ms)), ("events", {})):
        assert web.post(f"/dingtalk/{path}", data=raw, headers=headers).status_code == 400


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413), (20_000_000, 413)])
def test_the_body_limit(web: Client, clock: Clock, size: int, status: int) -> None:
    raw = json.dumps(message()).encode()
    raw += b" " * (size - len(raw))
    assert web.post("/dingtalk/robot", data=raw, headers=signed(clock.ms)).status_code == status


def test_what_was_not_stored_is_500(web: Client, inbox: Inbox, clock: Clock) -> None:
    inbox.broken = True
    answer = web.post("/dingtalk/robot", json=message(), headers=signed(clock.ms))
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert web.post("/dingtalk/cards", json={}, headers=card_signed(clock.ms)).status_code == 500
    leaver = json.dumps({"EventType": "user_leave_org", "UserId": ["a"], "eventId": "e"})
    assert web.post("/dingtalk/events", **event_request(CONFIG, leaver)).status_code == 500


# -- cards


def test_a_press_is_accepted_and_the_card_stays(web: Client, inbox: Inbox, clock: Clock) -> None:
    body = {"outTrackId": "c1", "userId": "u", "corpId": CONFIG.corp_id, "content": '{"params":{"action":"a:1"}}'}
    answer = web.post("/dingtalk/cards", json=body, headers=card_signed(clock.ms))
    assert (answer.status_code, answer.json) == (200, {})
    assert [i.press.action for i in inbox.got if i.press] == ["a:1"]


def test_a_press_with_a_wrong_signature_is_refused(web: Client, inbox: Inbox, clock: Clock) -> None:
    wrong = [{}, {**card_signed(clock.ms), "x-ddpaas-signature": "x"}, card_signed(clock.ms - 3_601_000)]
    for headers in wrong:
        assert web.post("/dingtalk/cards", json={}, headers=headers).status_code == 403
    assert web.post("/dingtalk/cards", json={"corpId": "x"}, headers=card_signed(clock.ms)).status_code == 403
    assert inbox.got == []


@pytest.mark.parametrize(("later_ms", "keys"), [(0, 1), (1, 1), (1999, 1), (2000, 2), (60_000, 2)])
def test_a_press_that_comes_again_at_once_is_one(
    web: Client, inbox: Inbox, clock: Clock, later_ms: int, keys: int
) -> None:
    body = {"outTrackId": "c1", "userId": "u", "content": '{"params":{"action":"a:1"}}'}
    web.post("/dingtalk/cards", json=body, headers=card_signed(clock.ms))
    web.post("/dingtalk/cards", json=body, headers=card_signed(clock.ms + later_ms))
    web.post("/dingtalk/cards", json={**body, "userId": "v"}, headers=card_signed(clock.ms))
    assert len({i.key for i in inbox.got}) == keys + 1


def test_without_redis_an_exact_repetition_is_still_one(
    make: Callable[..., DingTalk], inbox: Inbox, clock: Clock, no_redis: Any
) -> None:
    web = client_of(make(store=no_redis), inbox)
    for later_ms in (0, 0, 1):
        assert (
            web.post("/dingtalk/cards", json={"userId": "u"}, headers=card_signed(clock.ms + later_ms)).status_code
            == 200
        )
    assert len({i.key for i in inbox.got}) == 2


# -- events


@pytest.mark.parametrize("name", ["msg_signature", "signature"])
def test_the_address_check_is_answered_encrypted(web: Client, inbox: Inbox, name: str) -> None:
    from dingtalk.crypto import DingTalkCrypto

    answer = web.post("/dingtalk/events", **event_request(CONFIG, '{"EventType":"check_url"}', name=name))
    assert answer.status_code == 200
    said = answer.json
    assert said is not None and set(said) == {"msg_signature", "encrypt", "timeStamp", "nonce"}
    crypto = DingTalkCrypto(CONFIG.event_token, CONFIG.event_aes_key, CONFIG.client_id)
    assert crypto.decrypt_message(said, said["msg_signature"], said["timeStamp"], said["nonce"]) == "success"
    assert inbox.got == []


def test_a_leaver_is_accepted(web: Client, inbox: Inbox) -> None:
    event = json.dumps({"EventType": "user_leave_org", "UserId": ["a"], "eventId": "e"})
    assert web.post("/dingtalk/events", **event_request(CONFIG, event)).status_code == 200
    assert [(i.kind, i.sender) for i in inbox.got] == [(Kind.LEFT, "a")]


def test_an_event_with_a_wrong_signature_is_refused(web: Client) -> None:
    sent = event_request(CONFIG, "{}")
    sent["query_string"]["nonce"] = "n2"
    assert web.post("/dingtalk/events", **sent).status_code == 403


@pytest.mark.parametrize(
    ("skew_s", "in_seconds", "status"),
    [(0, False, 200), (-3599, False, 200), (-3601, False, 403), (3601, False, 403), (0, True, 200), (-3601, True, 403)],
)
def test_an_event_signed_long_ago_is_refused(web: Client, skew_s: int, in_seconds: bool, status: int) -> None:
    at = int(START.timestamp()) + skew_s
    sent = event_request(CONFIG, '{"EventType":"check_url"}', at=str(at if in_seconds else at * 1000))
    assert web.post("/dingtalk/events", **sent).status_code == status


def test_an_event_for_another_app_is_refused(web: Client) -> None:
    other = DingTalkConfig("c", "dingother", "s", event_token=CONFIG.event_token, event_aes_key=CONFIG.event_aes_key)
    assert web.post("/dingtalk/events", **event_request(other, "{}")).status_code == 403


@pytest.mark.parametrize("encrypted", ["", "AAAA", "A" * 64, "!", "签", "QUJD" * 16, "A" * 44 + "="])
def test_a_corrupt_cipher_is_refused_even_when_signed(web: Client, encrypted: str) -> None:
    signature = event_sign(CONFIG.event_token, NOW, "n", encrypted)
    query = {"msg_signature": signature, "timestamp": NOW, "nonce": "n"}
    assert web.post("/dingtalk/events", query_string=query, json={"encrypt": encrypted}).status_code == 403


def test_without_event_keys_there_is_no_such_address(inbox: Inbox, make: Callable[..., DingTalk]) -> None:
    web = client_of(make(DingTalkConfig("c", "i", "s")), inbox)
    assert web.post("/dingtalk/events", json={"encrypt": "x"}).status_code == 404


def test_frames_of_a_stream_are_read_by_the_same_readers(dingtalk: DingTalk, clock: Clock) -> None:
    assert dingtalk.handle_robot(message()).text == "待办"
    assert dingtalk.handle_event({"eventType": "user_add_org", "userId": ["a"]})[0].sender == "a"
    press = {"outTrackId": "c", "userId": "u", "content": {"params": {"action": "a"}}}
    first = dingtalk.handle_card(press, delivery="213d841d_972")
    assert dingtalk.handle_card(press, delivery="213d841d_973").key == first.key
    clock.forward(2)
    assert dingtalk.handle_card(press, delivery="213d841d_974").key != first.key


# -- fuzz: whatever comes, an orderly answer

JUNK = st.binary(max_size=300) | st.text(max_size=300).map(str.encode)
NEAR = st.dictionaries(
    st.sampled_from(["msgtype", "text", "content", "msgId", "encrypt", "outTrackId", "userId", "value", "atUsers"]),
    st.none() | st.integers() | st.text(max_size=30) | st.lists(st.text(max_size=5), max_size=3),
).map(lambda d: json.dumps(d).encode())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(raw=JUNK | NEAR, valid=st.booleans(), path=st.sampled_from(["robot", "cards", "events"]))
def test_no_request_breaks_an_address(web: Client, clock: Clock, raw: bytes, valid: bool, path: str) -> None:
    headers = {**signed(clock.ms), **card_signed(clock.ms)} if valid else {"timestamp": "x", "sign": "y"}
    answer = web.post(f"/dingtalk/{path}", data=raw, headers=headers)
    assert answer.status_code in (200, 400, 403)
    if not valid:
        assert answer.status_code in (400, 403)


def test_a_refusal_says_what_to_look_at(web, clock):
    told = web.post("/dingtalk/robot", json=message(), headers={"timestamp": str(clock.ms), "sign": "x"})
    assert (told.status_code, told.mimetype, told.json["reason"]) == (403, "application/problem+json", "signature")
    assert "secret" in told.json["detail"]
