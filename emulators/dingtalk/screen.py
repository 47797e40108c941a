"""What each person's phone shows: items per user, changed in place, numbered by one rising sequence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .ids import new_hex

MARKDOWN_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass
class Item:
    """One bubble, card or to-do on one person's phone.

    source points back to what it came from (not shown): `{"kind": "sent"|"card"|"todo"|"notice"|"said", …}`.
    """

    id: str
    seq: int
    at: float
    sender: str
    chat: str
    kind: str
    text: str = ""
    image_url: str | None = None
    card: dict[str, Any] | None = None
    recalled: bool = False
    toast: str = ""
    source: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "seq": self.seq, "at": self.at, "from": self.sender, "chat": self.chat, "kind": self.kind,
            "text": self.text, "image_url": self.image_url, "recalled": self.recalled, "card": self.card,
            "toast": self.toast,
        }  # fmt: skip


class Screens:
    """All phones. The caller holds the emulator's lock."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._seq = 0
        self._items: dict[str, dict[str, Item]] = {}

    def add(self, user: str, *, sender: str, chat: str, kind: str, **more: Any) -> Item:
        self._seq += 1
        item = Item(new_hex(8), self._seq, self._clock(), sender, chat, kind, **more)
        self._items.setdefault(user, {})[item.id] = item
        return item

    def touch(self, item: Item) -> None:
        self._seq += 1
        item.seq = self._seq

    def get(self, user: str, item_id: str) -> Item | None:
        return self._items.get(user, {}).get(item_id)

    def since(self, user: str, after: int) -> list[Item]:
        items = [item for item in self._items.get(user, {}).values() if item.seq > after]
        return sorted(items, key=lambda item: item.seq)

    def all_of(self, user: str) -> list[Item]:
        return list(self._items.get(user, {}).values())

    @property
    def seq(self) -> int:
        return self._seq


def blank_card(**parts: Any) -> dict[str, Any]:
    """The common card shape of the control API with everything empty, then `parts`."""
    card: dict[str, Any] = {
        "title": "", "subtitle": "", "source": "", "colour": "", "facts": [], "body": "", "picture_url": None,
        "links": [], "buttons": [], "selects": [], "note": "", "revision": 0,
    }  # fmt: skip
    return {**card, **parts}


def url_button(label: str, url: str, *, key: str) -> dict[str, Any]:
    return {"label": label, "key": key, "kind": "url", "url": url, "style": "normal", "disabled": False}


def markdown_links(text: str) -> list[dict[str, str]]:
    return [{"title": title, "url": url} for title, url in MARKDOWN_LINK.findall(text)]
