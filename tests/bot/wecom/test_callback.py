"""The callback address with envelopes made by hand: the official-looking vector, every wrong one, and nonsense."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.test import Client

from bot.message import Inbound, Kind
from bot.platforms.callbacks import Callbacks
from bot.platforms.wecom import WeComConfig
from bot.platforms.wecom.callback import passive_text, routes
from bot.platforms.wecom.crypto import Corrupt, Envelope, WrongEnvelope, encrypted_part
from emulators.wecom import crypto as theirs

VECTOR = {
    "encrypted": "4j/AuRx71kQlxVlzbpsMWJ2rF6mv+DdvGwlAN/rz7kg5ZhElww/hjfwgOCzG0nqA7PowLE3awT9F848nLg5kVKUxJdEyZre0V"
    "+aI/G+azRct0n8W4or/TQa8u2v0KDjT",
    "signature": "520fdf0e3ae68d7fa8cc95642354fc08acc41946",
    "timestamp": "1700000000",
    "nonce": "998877",
}
CONFIG = WeComConfig(
    corp_id="wwtest00000000001",
    agent_id=2,
    secret="s",
    token="TestToken01",
    aes_key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
)
KEYS = theirs.Keys(CONFIG.token, CONFIG.aes_key, CONFIG.corp_id)
NOW = datetime.fromtimestamp(1700000000, UTC)
XML = (
    "<xml><ToUserName>wwtest00000000001</ToUserName><FromUserName>ZhangWei</FromUserName>"
    "<CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>漏油</Content><MsgId>9223372036854775807</MsgId>"
    "<AgentID>2</AgentID></xml>"
)


class Product:
    def __init__(self) -> None:
        self.now = NOW
        self.received: list[Inbound] = []
        self.client = Client(Callbacks(routes(CONFIG, accept=self.accept, clock=lambda: self.now), NotFound()))

    def accept(self, messages: Sequence[Inbound]) -> list[str]:
        self.received += messages
        return ["" for _ in messages]

    def post(self, xml: str, *, timestamp: int = 1700000000, body: bytes | None = None) -> int:
        encrypted = theirs.encrypt(KEYS, xml)
        signature = theirs.signature(KEYS.token, str(timestamp), "1", encrypted)
        data = body or f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
        query = {"msg_signature": signature, "timestamp": str(timestamp), "nonce": "1"}
        return self.client.post("/wecom/callback", query_string=query, data=data).status_code


@pytest.fixture
def product() -> Product:
    return Product()


# -- the envelope


def test_the_vector_opens():
    plain = Envelope(CONFIG).open(**VECTOR)
    assert plain == "<xml><Content>阀门泄漏</Content></xml>"


@pytest.mark.parametrize("part", ["encrypted", "signature", "timestamp", "nonce"])
def test_every_part_is_covered_by_the_signature(part):
    changed = {**VECTOR, part: VECTOR[part][:-1] + ("x" if VECTOR[part][-1] != "x" else "y")}
    with pytest.raises(WrongEnvelope, match="signature"):
        Envelope(CONFIG).open(**changed)


def test_what_we_close_the_platform_opens():
    sealed = Envelope(CONFIG).close("<xml>甲醇</xml>", timestamp="1700000000", nonce="7")
    encrypted = encrypted_part(sealed.encode())
    signed = theirs.signature(KEYS.token, "1700000000", "7", encrypted)
    assert signed in sealed and "<TimeStamp>1700000000</TimeStamp>" in sealed
    assert theirs.decrypt(KEYS, encrypted) == "<xml>甲醇</xml>"


@pytest.mark.parametrize("encrypted", ["", "####", "AAAA", "A" * 64, "甲醇", "4j/AuRx71kQlxVlzbpsMWA=="])
def test_a_signed_cipher_that_is_none_is_corrupt(encrypted):
    signature = theirs.signature(KEYS.token, "1700000000", "1", encrypted)
    with pytest.raises((Corrupt, WrongEnvelope)) as caught:
        Envelope(CONFIG).open(encrypted, signature=signature, timestamp="1700000000", nonce="1")
    assert str(caught.value) in ("cipher", "receiver")


@pytest.mark.parametrize("key", ["", "short", "A" * 42, "A" * 44, "甲" * 43, "*" * 43])
def test_a_wrong_key_stops_the_start(key):
    with pytest.raises(ValueError, match="aes_key"):
        WeComConfig("ww1", 2, "s", "t", key)


@pytest.mark.parametrize("field", ["corp_id", "agent_id", "secret", "token"])
def test_a_missing_setting_stops_the_start(field):
    fields = {"corp_id": "ww1", "agent_id": 2, "secret": "s", "token": "t", "aes_key": CONFIG.aes_key}
    with pytest.raises(ValueError, match="needed"):
        WeComConfig(**{**fields, field: 0 if field == "agent_id" else ""})


# -- the address check


def test_the_check_answers_the_bare_echo(product):
    encrypted = theirs.encrypt(KEYS, "5927782489442352469")
    query = {
        "msg_signature": theirs.signature(KEYS.token, "1700000000", "1", encrypted),
        "timestamp": "1700000000",
        "nonce": "1",
        "echostr": encrypted,
    }
    answer = product.client.get("/wecom/callback", query_string=query)
    assert (answer.status_code, answer.data) == (200, b"5927782489442352469")
    assert product.client.get("/wecom/callback", query_string={**query, "nonce": "2"}).status_code == 403
    assert product.client.get("/wecom/callback").status_code == 403


# -- messages


def test_a_message_is_accepted_with_its_own_id(product):
    assert product.post(XML) == 200
    message = product.received[0]
    assert (message.key, message.sender, message.kind, message.text) == (
        "9223372036854775807",
        "ZhangWei",
        Kind.TEXT,
        "漏油",
    )
    assert message.sent_at == NOW


@pytest.mark.parametrize(("skew_s", "status"), [(0, 200), (3600, 200), (3601, 403), (-3600, 200), (-3601, 403)])
def test_the_time_window(product, skew_s, status):
    product.now = NOW + timedelta(seconds=skew_s)
    assert product.post(XML) == status
    assert len(product.received) == (status == 200)


@pytest.mark.parametrize("timestamp", ["", "x", "-1", "1e9", "17000000000000000000", "\u0661\u0667"])
def test_a_timestamp_that_is_none(product, timestamp):
    encrypted = theirs.encrypt(KEYS, XML)
    query = {"msg_signature": "x", "timestamp": timestamp, "nonce": "1", "echostr": encrypted}
    assert product.client.get("/wecom/callback", query_string=query).status_code == 403


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 400), (1024 * 1024 + 1, 413), (20 * 1024 * 1024, 413)])
def test_a_huge_body_is_not_read(product, size, status):
    assert product.post(XML, body=b"x" * size) == status
    assert product.received == []


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"{}",
        b"<xml>",
        b"<xml/>",
        b"<xml><Encrypt/></xml>",
        f"{BOMB}<xml><Encrypt>&b;</Encrypt></xml>".encode(),
        b'<!DOCTYPE x SYSTEM "http://evil.test/x.dtd"><xml><Encrypt>x</Encrypt></xml>',
        b'<?xml version="1.0" encoding="klingon"?><xml><Encrypt>x</Encrypt></xml>',
        b"<a>" * 100_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
    ],
)
def test_an_outer_body_that_is_no_envelope(product, body):
    assert product.post(XML, body=body or b" ") == 400
    assert product.received == []


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "text",
        "<xml/>",
        "<xml>漏油</xml>",
        "<xml><MsgType/></xml>",
        "<xml><MsgType><a/></MsgType></xml>",
        "<xml><MsgType>event</MsgType></xml>",
        "<xml><MsgType>text</MsgType>",
        f"{BOMB}<xml><MsgType>text</MsgType><Content>&b;</Content></xml>",
        f"<!-- <xml --> {BOMB}<xml><MsgType>text</MsgType><Content>&b;</Content></xml>",
        "<!DOCTYPE x><xml><MsgType>text</MsgType></xml>",
        "<other><MsgType>text</MsgType></other>",
        "<xml><MsgType>event</MsgType><Event>x</Event>" + "<a>" * 3000 + "</a>" * 3000 + "</xml>",
    ],
)
def test_a_signed_content_that_is_no_message(product, xml):
    assert product.post(xml) == 400
    assert product.received == []


def test_a_declaration_and_the_words_of_one_are_fine(product):
    assert product.post('<?xml version="1.0"?>\n' + XML) == 200
    assert product.post(XML.replace("漏油", "<![CDATA[<!DOCTYPE x [<!ENTITY]]>")) == 200
    assert product.received[1].text == "<!DOCTYPE x [<!ENTITY"


def test_an_opened_menu_link_is_not_kept(product):
    assert product.post(XML.replace("text", "event").replace("<Content>漏油", "<Event>view</Event><Content>")) == 200
    assert product.received == []


def test_a_message_without_a_sender_is_kept_and_gets_no_answer(product):
    product.accept = lambda messages: ["好"]  # type: ignore[method-assign]
    product.client = Client(Callbacks(routes(CONFIG, accept=product.accept, clock=lambda: NOW), NotFound()))
    encrypted = theirs.encrypt(KEYS, XML.replace("ZhangWei", ""))
    query = {
        "msg_signature": theirs.signature(KEYS.token, "1700000000", "1", encrypted),
        "timestamp": "1700000000",
        "nonce": "1",
    }
    answer = product.client.post(
        "/wecom/callback", query_string=query, data=f"<xml><Encrypt>{encrypted}</Encrypt></xml>"
    )
    assert (answer.status_code, answer.data) == (200, b"")


def test_logs_name_no_content(product):
    with structlog.testing.capture_logs() as logs:
        product.post("<xml>张伟说的话</xml>")
        product.post(XML, timestamp=1)
        product.post(XML, body=b"<xml>secret words</xml>")
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("wecom.callback_malformed", "content"),
        ("wecom.callback_refused", "timestamp"),
        ("wecom.callback_malformed", "no_encrypt"),
    ]
    assert "张伟" not in str(logs) and "secret" not in str(logs)


def test_a_reply_cannot_leave_its_section():
    xml = passive_text("a]]></Content><MsgType>x", user="u", corp_id="ww", now=NOW)
    assert xml.count("<MsgType>") == 1 + xml.count("]]]]><![CDATA[></Content>")


# -- nonsense

shared = Product()
query_text = st.text(max_size=60)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(lambda t: f"<xml><Encrypt>{t}</Encrypt></xml>".encode()),
        st.text(max_size=200).map(lambda t: f"<xml><Encrypt><![CDATA[{t}]]></Encrypt></xml>".encode()),
        st.binary(max_size=200).map(lambda b: b"<xml><Encrypt>" + b + b"</Encrypt></xml>"),
    ),
    signature=query_text,
    timestamp=st.one_of(query_text, st.just("1700000000")),
    nonce=query_text,
)
def test_unsigned_nonsense_is_refused(body, signature, timestamp, nonce):
    query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": body[:50]}
    for answer in (
        shared.client.post("/wecom/callback", query_string=query, data=body),
        shared.client.get("/wecom/callback", query_string=query),
    ):
        assert answer.status_code in (400, 403)
    assert shared.received == []


NAMES = ["MsgType", "Event", "EventKey", "FromUserName", "CreateTime", "MsgId", "Content", "MediaId", "SelectedItems"]
NAMES += [
    "SelectedItem",
    "OptionIds",
    "OptionId",
    "QuestionKey",
    "ScanCodeInfo",
    "Latitude",
    "Location_X",
    "Location_Y",
]
VALUES = [
    "text",
    "event",
    "image",
    "location",
    "template_card_event",
    "LOCATION",
    "scancode_waitmsg",
    "1e999",
    "nan",
    "",
]


def _tag(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


nodes = st.recursive(
    st.builds(_tag, st.sampled_from(NAMES), st.sampled_from(VALUES)),
    lambda inner: st.builds(_tag, st.sampled_from(NAMES), st.lists(inner, max_size=4).map("".join)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(nodes, max_size=8).map("".join))
def test_signed_nonsense_is_kept_or_refused_but_never_breaks(inner):
    product = Product()
    status = product.post(f"<xml>{inner}</xml>")
    assert status in (200, 400)
    assert all(Inbound.from_json(message.to_json()) == message for message in product.received)


def test_a_refusal_says_what_to_look_at(product):
    told = product.client.get("/wecom/callback")
    assert (told.status_code, told.mimetype, told.json["reason"]) == (403, "application/problem+json", "timestamp")
    assert "clock" in told.json["detail"]
    large = product.client.post("/wecom/callback", data=b"x" * (1024 * 1024 + 1), query_string={"timestamp": "1"})
    assert (large.status_code, large.json["reason"]) == (413, "too_large")
