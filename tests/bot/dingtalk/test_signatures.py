"""The vectors of the protocol notes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.events import EventEnvelope, WrongEnvelope
from bot.platforms.dingtalk.signatures import card_sign, event_sign, is_recent, js_sign, plain_url, robot_sign, same

KEY = "1234567890123456789012345678901234567890123"
OFFICIAL = (
    "YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl5T0YQXZNwpwWSm1xAFJ5ZA==",
    "9a95a004dd16f5c307e849b994173f76aa26e5eb",
)


def test_robot_message_signature() -> None:
    assert robot_sign("1577262236757", "this is a secret") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="


def test_group_robot_signature() -> None:
    assert robot_sign("1577262236757", "SECdemo") == "sLRlUUvzoOXn5DR/+o+s6tOqX+bWe3JGaZ7JQ7844l8="


def test_card_signature() -> None:
    assert card_sign("1700000000000", "example-secret") == "I85VWQbGCqbDkjEb7rsCEkTKI9QSL3wzLms54MiwXlg="


@pytest.mark.parametrize(
    ("digest", "wanted"),
    [
        ("sha1", "b6c48240349b3a15205d806b5f5f9e04332dc5f7"),
        ("sha256", "7c0e4dfd7c13c3793e2d47331d48ab2606510f5c8b5b2dd364fa997cf9ba653c"),
    ],
)
def test_page_signature(digest: str, wanted: str) -> None:
    url = "https://demo.local/h5/report?a=1#top"
    assert js_sign("TICKET", "nonce123", "1700000000000", url, digest) == wanted


def test_a_page_address_is_signed_as_the_address_bar_shows_it() -> None:
    assert plain_url("https://a/b%20c?d=%E7%BD%90#x") == "https://a/b%20c?d=罐"


def test_event_signature_of_the_official_sample() -> None:
    assert event_sign("123456", "1614767836", "A7Co0cJLMzIDtMMI", OFFICIAL[0]) == OFFICIAL[1]


def test_our_own_event_vector_opens_as_no_object() -> None:
    """Its plain text is the word success, so opening it gets as far as the JSON."""
    envelope = EventEnvelope(DingTalkConfig("c", "dingdemoappkey", "s", event_token="tok123", event_aes_key=KEY))
    encrypted = "GCr6999U/V4/3veZ85Bxl9+M3Cl34n+xGQJO5dfEkAfRZPGwjyxKPMKv4JEBIIXnmtM1MI6qvr5sAPCczX+u8A=="
    given = {"signature": "3b07a1cd61a3496407acf3585b278e35b8f60ae8", "timestamp": "1700000000000", "nonce": "nonceABC"}
    assert envelope._crypto.decrypt_encrypt_str(**given, encrypt_str=encrypted) == "success"
    with pytest.raises(ValueError, match="JSONDecodeError"):
        envelope.open(encrypted, **given)


def test_the_owner_of_an_event_is_the_client_id() -> None:
    envelope = EventEnvelope(
        DingTalkConfig("dingsnotzck6pm5veliw", "other", "s", event_token="123456", event_aes_key=KEY)
    )
    with pytest.raises(WrongEnvelope, match="receiver"):
        envelope.open(OFFICIAL[0], signature=OFFICIAL[1], timestamp="1614767836", nonce="A7Co0cJLMzIDtMMI")


def test_the_window_is_an_hour_to_both_sides() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ms = int(at.timestamp() * 1000)
    for seconds, wanted in ((3599, True), (3600, True), (3601, False)):
        assert is_recent(str(ms), at + timedelta(seconds=seconds)) is wanted
        assert is_recent(str(ms), at - timedelta(seconds=seconds)) is wanted


@pytest.mark.parametrize("odd", ["", "abc", "-1", "１７００", "9" * 400, "1e12"])
def test_an_odd_timestamp_is_not_recent(odd: str) -> None:
    assert not is_recent(odd, datetime(2026, 1, 1, tzinfo=UTC))


def test_comparison_takes_odd_text() -> None:
    assert not same("签\udc80", "abc")
    assert same("abc", "abc")
