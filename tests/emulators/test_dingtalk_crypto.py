"""The vectors of the protocol notes, and what the encryption refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.dingtalk.signing import BadCipher, EventCrypto, card_sign, hmac_sign, jsapi_digests

KEY = "1234567890123456789012345678901234567890123"
OFFICIAL = "YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl5T0YQXZNwpwWSm1xAFJ5ZA=="
OURS = "GCr6999U/V4/3veZ85Bxl9+M3Cl34n+xGQJO5dfEkAfRZPGwjyxKPMKv4JEBIIXnmtM1MI6qvr5sAPCczX+u8A=="


def test_robot_signature_vectors():
    assert hmac_sign("1577262236757", "this is a secret") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="
    assert hmac_sign("1577262236757", "SECdemo") == "sLRlUUvzoOXn5DR/+o+s6tOqX+bWe3JGaZ7JQ7844l8="


def test_card_signature_vector():
    assert card_sign("1700000000000", "example-secret") == "I85VWQbGCqbDkjEb7rsCEkTKI9QSL3wzLms54MiwXlg="


def test_jsapi_digest_vectors_ignore_the_fragment():
    digests = jsapi_digests("TICKET", "nonce123", "1700000000000", "https://demo.local/h5/report?a=1#top")
    assert digests["sha1"] == "b6c48240349b3a15205d806b5f5f9e04332dc5f7"
    assert digests["sha256"] == "7c0e4dfd7c13c3793e2d47331d48ab2606510f5c8b5b2dd364fa997cf9ba653c"


def test_official_event_vector():
    crypto = EventCrypto("123456", KEY, "dingsnotzck6pm5veliw")
    assert crypto.decrypt(OFFICIAL) == "success"
    assert crypto.sign("1614767836", "A7Co0cJLMzIDtMMI", OFFICIAL) == "9a95a004dd16f5c307e849b994173f76aa26e5eb"


def test_own_event_vector():
    crypto = EventCrypto("tok123", KEY, "dingdemoappkey")
    assert crypto.encrypt("success", random=b"0123456789abcdef") == OURS
    assert crypto.sign("1700000000000", "nonceABC", OURS) == "3b07a1cd61a3496407acf3585b278e35b8f60ae8"


@given(st.text(max_size=200))
def test_what_is_encrypted_can_be_read_again(text):
    crypto = EventCrypto("t", KEY, "owner")
    assert crypto.decrypt(crypto.encrypt(text)) == text


@pytest.mark.parametrize("cipher", ["", "not base64!", "AAAA", OFFICIAL[:-24]])
def test_damage_is_refused(cipher):
    with pytest.raises(BadCipher):
        EventCrypto("123456", KEY, "dingsnotzck6pm5veliw").decrypt(cipher)


def test_another_owner_is_refused():
    with pytest.raises(BadCipher):
        EventCrypto("123456", KEY, "dingcorp").decrypt(OFFICIAL)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError):
        EventCrypto("t", KEY[:-4], "owner")
