"""Log lines without secrets: what looks like a key, a token or a password is blacked out, whoever wrote the line.

Our own lines hold ids only. This is for the others: libraries that log an address with its query, and the texts of
exceptions nobody expected.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

HIDDEN = "***"
_NAMES = (
    "access_token|corpsecret|appsecret|app_secret|client_?secret|secret|password|passwd|ticket|jsapi_ticket|signature|"
    "sign|sig|token|session|code|key|Signature|AccessKeyId|SecurityToken"
)
_PATTERNS = (
    # name=value in a query or a form, "name": "value" in JSON
    re.compile(rf"(?i)((?:^|[?&\s\"'({{])(?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)[^&\s\"',)}}\]]+"),
    re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?\w+\s+)[^\s\"',]+"),
    re.compile(r"(?i)(x-acs-dingtalk-access-token[\"']?\s*[:=]\s*[\"']?)[^\s\"',]+"),
    re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+(?=@)"),  # password in a URL
    re.compile(r"(anshao_)[\w-]{20,}"),  # our own API tokens
)


def redact(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def processor(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last but one of structlog's processors: every text of the line, also that of an exception."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redact(value)
    return event


class Redacted(logging.Filter):
    """The same for lines of libraries. On a handler, so that it sees the lines of every logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redact(record.exc_text) if record.exc_text else record.exc_text
        record.msg, record.args = redact(text), ()
        return True


def guard_handlers(*handlers: logging.Handler) -> None:
    """Put the filter on handlers that lack it."""
    for handler in handlers:
        if not any(isinstance(known, Redacted) for known in handler.filters):
            handler.addFilter(Redacted())
