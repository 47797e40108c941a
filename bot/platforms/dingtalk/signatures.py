"""DingTalk's four signatures. All comparisons take constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Literal
from urllib.parse import unquote

WINDOW_S = 3600
SECONDS_DIGITS = 10


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def robot_sign(timestamp: str, secret: str) -> str:
    """Of a robot message pushed by HTTP (secret: the app's) and of a group webhook robot (secret: «SEC…»).

    Standard base64, not URL-encoded. The body is not covered.
    """
    return _hmac(secret, f"{timestamp}\n{secret}")


def card_sign(timestamp: str, api_secret: str) -> str:
    """Of a card callback, header x-ddpaas-signature. The body is not covered."""
    return _hmac(api_secret, timestamp)


def card_api_secret(client_secret: str) -> str:
    """The secret registered for card callbacks: derived, so that no further setting is needed."""
    return hmac.new(client_secret.encode(), b"card callbacks", hashlib.sha256).hexdigest()


def event_sign(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    return hashlib.sha1("".join(sorted((token, timestamp, nonce, encrypted))).encode()).hexdigest()


def js_sign(ticket: str, nonce: str, timestamp: str, url: str, digest: Literal["sha256", "sha1"]) -> str:
    """For dd.config. `url` as the address bar shows it: no fragment, query decoded."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={plain_url(url)}"
    return hashlib.new(digest, text.encode()).hexdigest()


def plain_url(url: str) -> str:
    base, question, query = url.partition("#")[0].partition("?")
    return base + question + unquote(query)


def same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def is_recent(timestamp: str, now: datetime) -> bool:
    """Whether `timestamp` lies within an hour of `now`; the documentation's window.

    Milliseconds; event pushes are also seen signed with whole seconds.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        return False
    at_s = int(timestamp) if len(timestamp) <= SECONDS_DIGITS else int(timestamp) / 1000
    return abs(now.timestamp() - at_s) <= WINDOW_S
