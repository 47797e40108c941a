"""Our neutral words and cards in DingTalk's shapes and within its sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.platforms.base import Failure, PlatformError
from cards.card import Button, Card

VALUE_BYTES = 1024  # one variable of a card, by the documentation
TEXT_BYTES = 14_000  # msgParam may have 15 000
NOTICE_BYTES = 2048  # a whole work notice
DETAILS = "查看详情"

_PLANT_TIME = ZoneInfo("Asia/Shanghai")

# What markdown and its inline HTML act on, as the full-width sign that looks alike. A backslash would not do: whether
# the client honours it is not documented, and a visible one would falsify what somebody wrote.
_HARMLESS = str.maketrans(
    {"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "｀", "~": "～", "|": "｜", "_": "＿"}
)
_HARMLESS_START = {"#": "＃", "-": "－", "+": "＋", "=": "＝"}


def plain(text: str) -> str:
    """Words of people for a markdown place: shown as written, never as formatting, links or mentions."""
    lines = []
    for line in text.translate(_HARMLESS).splitlines():
        rest = line.lstrip()
        lines.append(_HARMLESS_START[rest[0]] + rest[1:] if rest[:1] in _HARMLESS_START else rest.rstrip())
    return "\n".join(lines)


def markdown_lines(text: str) -> str:
    """Line ends that DingTalk's markdown shows."""
    return "  \n".join(text.split("\n"))


def cut(text: str, limit_bytes: int) -> str:
    """At most so many bytes of UTF-8, ending in … where something was cut."""
    raw = text.encode()
    if len(raw) <= limit_bytes:
        return text
    return raw[: max(0, limit_bytes - 3)].decode(errors="ignore") + "…"


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def title_of(text: str) -> str:
    """The line that the chat list shows for a markdown message."""
    first = next((line.strip("#>* ") for line in text.splitlines() if line.strip("#>* ")), "消息")
    return cut(first, 60)


def card_values(card: Card, *, public_url: str, picture_url: Callable[[str], str], revision: int) -> dict[str, str]:
    """The variables of our card template (docs/dingtalk-card.md): all of them, always, all strings.

    Raises PERMANENT when the buttons alone are longer than a variable may be: an action cannot be shortened.
    """
    return {
        "title": cut(card.title, VALUE_BYTES),
        "subtitle": cut(card.subtitle, VALUE_BYTES),
        "color": card.colour,
        "facts": _fitting([{"k": fact.name, "v": fact.value} for fact in card.facts], "v"),
        "body": cut(markdown_lines(plain(card.body)), VALUE_BYTES),
        "picture": _whole(picture_url(card.picture)) if card.picture else "",
        "note": cut(card.note, VALUE_BYTES),
        "state": cut(card.state, VALUE_BYTES),
        "revision": str(revision),
        "buttons": _buttons(card.buttons),
        "selects": _selects(card),
        "link_url": _whole(page_url(public_url, card.page)) if card.page else "",
        "link_text": DETAILS if card.page else "",
    }


def page_url(public_url: str, page: str) -> str:
    return page if page.startswith(("http://", "https://")) else public_url.rstrip("/") + "/" + page.lstrip("/")


def _whole(url: str) -> str:
    """An address that is cut leads nowhere: rather none."""
    return url if len(url.encode()) <= VALUE_BYTES else ""


def _buttons(buttons: tuple[Button, ...]) -> str:
    """The longest labels give way first."""
    items = [
        {
            "text": button.label,
            "action": button.action,
            "style": button.style,
            "kind": "link" if button.url else "request",
            "url": button.url,
        }
        for button in buttons
    ]
    return _fitting(items, "text")


def _selects(card: Card) -> str:
    if card.select is None:
        return "[]"
    options = [{"id": option.id, "text": option.label} for option in card.select.options]
    head = {"key": "choice", "title": cut(card.select.title, 60)}
    room = VALUE_BYTES - len(dumps([{**head, "options": []}]).encode()) + 2
    return dumps([{**head, "options": json.loads(_fitting(options, "text", room))}])


def _fitting(items: list[dict[str, str]], field: str, limit_bytes: int = VALUE_BYTES) -> str:
    """The list as JSON within the limit: again and again the longest `field` loses a fifth."""
    items = [dict(item) for item in items]
    while len(dumps(items).encode()) > limit_bytes:
        longest = max(items, key=lambda item: len(item[field].encode()))
        size = len(longest[field].encode())
        if size <= 6:
            raise PlatformError(Failure.PERMANENT, "card.value_too_long")
        longest[field] = cut(longest[field], min(size - 4, size * 4 // 5) if size > 10 else 6)
    return dumps(items)


def notice(card: Card, *, public_url: str, at: datetime) -> dict[str, Any]:
    """A card as a work notice: action_card when there is a page to open, else markdown; at most 2 KB in all.

    The time stands in the text because the same words to the same person are shown once a day only, and the platform
    says nothing about the second time.
    """
    sent = f"发送时间 {at.astimezone(_PLANT_TIME):%m-%d %H:%M}"
    title = cut(card.title, 120)
    facts = [f"**{plain(fact.name)}**:{plain(fact.value)}" for fact in card.facts]
    body = [line for line in (card.subtitle, card.note) if line]
    limit = NOTICE_BYTES
    while True:
        parts = [f"### {plain(card.title)}", *facts, plain(cut(card.body, limit)), *map(plain, body), sent]
        text = "  \n".join("  \n".join(part.splitlines()) for part in parts if part)
        message = _notice_message(title, text, page_url(public_url, card.page) if card.page else "")
        if len(dumps(message).encode()) <= NOTICE_BYTES:
            return message
        if limit < 60:
            return _notice_message(title, cut(text, 900) + "  \n" + sent, "")
        limit = limit * 2 // 3


def _notice_message(title: str, text: str, url: str) -> dict[str, Any]:
    if not url:
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}
    action = {"title": title, "markdown": text, "single_title": DETAILS, "single_url": url}
    return {"msgtype": "action_card", "action_card": action}


def robot_notice(card: Card, *, public_url: str) -> dict[str, Any]:
    """A card for a group without buttons: webhook shape, actionCard when there is a page."""
    lines = [f"### {plain(card.title)}", *(f"**{plain(f.name)}**:{plain(f.value)}" for f in card.facts)]
    lines += [plain(part) for part in (card.subtitle, card.body, card.note) if part]
    text = cut("  \n".join("  \n".join(line.splitlines()) for line in lines), 4000)
    if not card.page:
        return {"msgtype": "markdown", "markdown": {"title": cut(card.title, 120), "text": text}}
    link = {"singleTitle": DETAILS, "singleURL": page_url(public_url, card.page), "btnOrientation": "0"}
    return {"msgtype": "actionCard", "actionCard": {"title": cut(card.title, 120), "text": text, **link}}
