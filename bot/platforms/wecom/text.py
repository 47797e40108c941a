"""Words on their way to WeCom: made harmless, cut or split at the limits, never in the middle of a character."""

from __future__ import annotations

import re

TEXT_BYTES = 2048
MAX_PARTS = 3
MORE = "…(全文见详情)"

# Control characters, and those that turn the reading direction of what follows.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_TAG = re.compile(r"<(?=[/@!a-zA-Z])")
_FOREIGN_TAG = re.compile(r"""<(?=[/@!a-zA-Z])(?!font color="(?:info|comment|warning)">|/font>)""")
_SENTENCE_ENDS = ("\n", "\u3002", "\uff01", "\uff1f", "\uff1b", " ")
# What markup is made of, as full-width characters that look the same and do nothing.
_MARKDOWN = str.maketrans("\\`*_[]<>", "\uff3c\uff40\uff0a\uff3f\u3010\u3011\uff1c\uff1e")
_LINE_START = re.compile(r"^(\s*)(#{1,6}|[-+](?=\s)|\d+\.(?=\s))", re.MULTILINE)
_WIDE = {"#": "\uff03", "-": "\uff0d", "+": "\uff0b", ".": "\uff0e"}


def clean(text: str) -> str:
    """Without control characters and half surrogate pairs; line ends are \\n."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", text).encode("utf-8", "replace").decode()


def harmless(text: str) -> str:
    """Words for a text message: `<a href>` and `<@user>` are shown as written instead of working."""
    return _TAG.sub("\uff1c", clean(text))


def plain(text: str) -> str:
    """Words of people for a markdown place: shown as written, never as formatting, links or mentions."""
    text = clean(text).translate(_MARKDOWN)
    return _LINE_START.sub(lambda m: m[1] + "".join(_WIDE.get(c, c) for c in m[2]), text)


def safe_markdown(text: str) -> str:
    """Markdown that we wrote ourselves, its markup kept: only tags other than WeCom's <font color> are stopped."""
    return _FOREIGN_TAG.sub("\uff1c", clean(text))


def size(text: str) -> int:
    return len(text.encode())


def cut_bytes(text: str, limit: int, *, end: str = "…") -> str:
    """At most `limit` bytes of UTF-8; where something was cut, `end` says so."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: max(0, limit - size(end))].decode(errors="ignore").rstrip() + end


def cut_chars(text: str, limit: int) -> str:
    """At most `limit` characters on one line."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def split(text: str, *, limit: int = TEXT_BYTES, most: int = MAX_PARTS) -> list[str]:
    """The text in at most `most` messages, parted where a line or sentence ends; a rest is cut, and says so."""
    parts: list[str] = []
    while len(parts) < most - 1 and size(text) > limit:
        head = text.encode()[:limit].decode(errors="ignore")
        ends = [head.rfind(mark) + len(mark) for mark in _SENTENCE_ENDS if head.rfind(mark) > len(head) // 2]
        at = ends[0] if ends else len(head)
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, cut_bytes(text, limit, end=MORE)]
