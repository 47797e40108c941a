"""Card instances, their data per person, and their copies on the phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..core import Core
from ..errors import ApiError
from ..media import Media
from . import template

Params = dict[str, str]


@dataclass(frozen=True)
class Space:
    """Where a card lies: a group or one person's chat with the robot."""

    type: str
    id: str

    @property
    def open_id(self) -> str:
        return f"dtv1.card//{self.type}.{self.id}"


@dataclass
class Card:
    out_track_id: str
    template_id: str
    callback: str
    route_key: str
    by_union_id: bool
    public: Params
    private: dict[str, Params] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    carriers: dict[Space, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: int = 0


class CardStore:
    """All cards by outTrackId. The caller holds the emulator's lock."""

    def __init__(self, core: Core, media: Media):
        self.core, self.media = core, media
        self.cards: dict[str, Card] = {}
        self.published = {core.conf["card_template_id"], *core.conf.get("extra_templates", [])}
        self.unpublished = set(core.conf.get("unpublished_templates", []))

    def params(self, holder: Any, *, private: bool = False) -> Params:
        """`cardParamMap` of a cardData or private data object: strings only, within the size limits."""
        raw = holder.get("cardParamMap") if isinstance(holder, dict) else None
        if not isinstance(raw, dict):
            raise ApiError("param.empty", "cardParamMap 不能为空")
        limits = self.core.limits
        for name, value in raw.items():
            if not isinstance(value, str):
                self.core.journal.problem(f"card variable {name!r} is not a string")
                raise ApiError("param.cardParamMapInvalid", f"cardParamMap.{name} 必须是字符串")
            if len(name.encode()) > limits.card_key_bytes or len(value.encode()) > limits.card_value_bytes:
                self.core.journal.problem(f"card variable {name!r} is longer than {limits.card_value_bytes} bytes")
                raise ApiError("param.cardParamMapTooLong", f"cardParamMap.{name} 超过长度限制")
        template.check_names(raw, private=private, report=self.core.journal.problem)
        template.check_values(raw, self.core.journal.problem)
        return dict(raw)

    def private_params(self, raw: Any, *, by_union_id: bool) -> dict[str, Params]:
        """`privateData`: user id → variables, keyed by userid whatever userIdType the call uses."""
        found: dict[str, Params] = {}
        for identifier, holder in (raw or {}).items():
            person = self.core.directory.by_any_id(identifier, union=by_union_id)
            if person is None:
                raise ApiError("param.userIdNotExist", f"用户 {identifier} 不存在")
            found[person.userid] = self.params(holder, private=True)
        return found

    def change(self, card: Card, public: Params | None, private: dict[str, Params], options: Any) -> None:
        """Overwrites, or merges by key where the options say so; then redraws every copy."""
        options = options if isinstance(options, dict) else {}
        if public is not None:
            by_key = options.get("updateCardDataByKey") is True
            card.public = {**card.public, **public} if by_key else public
        for userid, params in private.items():
            by_key = options.get("updatePrivateDataByKey") is True
            card.private[userid] = {**card.private.get(userid, {}), **params} if by_key else params
        card.changes += 1
        self.redraw(card)

    def view(self, card: Card, userid: str) -> dict[str, Any]:
        """What one person sees: private variables win over public ones."""
        params = {**card.public, **card.private.get(userid, {})}
        return template.draw(params, card.chosen.get(userid, {}), revision=card.changes, media=self.media)

    def show(self, card: Card, userid: str, chat: str) -> None:
        """A person holds one copy of a card per chat; showing it again moves nothing."""
        slot = f"{userid} {chat}"
        if slot in card.items:
            return
        view = self.view(card, userid)
        item = self.core.screens.add(userid, sender="bot", chat=chat, kind="card", text=view["title"], card=view)
        item.source = {"kind": "card", "out_track_id": card.out_track_id}
        card.items[slot] = item.id

    def redraw(self, card: Card) -> None:
        for slot, item_id in card.items.items():
            userid = slot.partition(" ")[0]
            item, view = self.core.screens.get(userid, item_id), self.view(card, userid)
            if item is not None and item.card != view:
                item.card, item.text = view, view["title"]
                self.core.screens.touch(item)
