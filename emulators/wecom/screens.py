"""What each member's phone shows."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from .card_view import CardState, draw
from .core import Core

LINK = re.compile(r"""<a\s+[^>]*href\s*=\s*["']([^"']+)["'][^>]*>(.*?)</a>""", re.I | re.S)
MARKDOWN_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass
class Item:
    """One thing on one phone; it changes in place and `seq` grows when it does."""

    item_id: str
    seq: int
    at: float
    sender: str
    chat: str
    kind: str
    text: str = ""
    image_url: str | None = None
    file_url: str | None = None
    links: list[dict[str, str]] = field(default_factory=list)
    recalled: bool = False
    card: CardState | None = None
    flat_card: dict[str, Any] | None = None
    place: dict[str, Any] | None = None
    msgid: str = ""

    def shown(self) -> dict[str, Any]:
        """The Item as the control API gives it; a recalled message shows nothing of what it was."""
        gone = self.recalled
        card = draw(self.card) if self.card else self.flat_card
        return {
            "id": self.item_id,
            "seq": self.seq,
            "at": self.at,
            "from": self.sender,
            "chat": self.chat,
            "kind": self.kind,
            "text": "" if gone else self.text,
            "image_url": None if gone else self.image_url,
            "file_url": None if gone else self.file_url,
            "links": [] if gone else self.links,
            "place": None if gone else self.place,
            "recalled": gone,
            "card": None if gone else card,
        }


class Screens:
    """Items per member (key: lower-case userid). Callers hold the lock."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._items: dict[str, dict[str, Item]] = {}
        self._copies: dict[str, dict[str, Item]] = {}

    def add(self, user: str, *, sender: str, chat: str, kind: str, **facts: Any) -> Item:
        """Put a new item on one phone."""
        seq = self.core.next_seq()
        item = Item(f"w{seq}", seq, self.core.clock(), sender, chat, kind, **facts)
        self._items.setdefault(user.lower(), {})[item.item_id] = item
        if item.msgid:
            self._copies.setdefault(item.msgid, {})[user.lower()] = item
        return item

    def touch(self, item: Item) -> None:
        """The item changed."""
        item.seq = self.core.next_seq()

    def get(self, user: str, item_id: str) -> Item | None:
        return self._items.get(user.lower(), {}).get(item_id)

    def since(self, user: str, after: int) -> list[dict[str, Any]]:
        """Items created or changed after `after`, oldest first."""
        items = self._items.get(user.lower(), {})
        return [item.shown() for item in items.values() if item.seq > after]

    def of_message(self, msgid: str) -> dict[str, Item]:
        """userid (lower) → that member's copy of one sent message."""
        return self._copies.get(msgid, {})


def plain_text(text: str) -> tuple[str, list[dict[str, str]]]:
    """A text message as shown: `<a>` becomes its label, with the links beside it."""
    links = [
        {"key": f"link:{index}", "title": html.unescape(match[2]), "url": html.unescape(match[1])}
        for index, match in enumerate(LINK.finditer(text))
    ]
    return LINK.sub(lambda match: html.unescape(match[2]), text), links


def markdown_links(text: str) -> list[dict[str, str]]:
    """The links of a markdown message."""
    return [
        {"key": f"link:{index}", "title": match[1], "url": match[2]}
        for index, match in enumerate(MARKDOWN_LINK.finditer(text))
    ]
