"""What the app answers to a callback: opened, checked, and put on the phone of the one who wrote or pressed."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from . import crypto
from .callbacks import Delivery
from .cards import INTERACTIVE, CardRules
from .content import Contents
from .core import Core
from .errors import ApiError
from .messages import Messages
from .screens import Screens
from .xmlform import read_card

HONOURED = {
    "subscribe",
    "enter_agent",
    "LOCATION",
    "click",
    "view",
    "view_miniprogram",
    "scancode_waitmsg",
    "template_card_event",
    "template_card_menu_event",
}
UPDATES = ("update_button", "update_template_card")


class BadReply(Exception):
    """The reply is dropped silently; the reason goes to the journal and to `problems`."""


class PassiveReplies:
    """Applies passive replies. Callers hold the lock."""

    def __init__(
        self, core: Core, screens: Screens, messages: Messages, contents: Contents, rules: CardRules, keys: Any
    ) -> None:
        self.core, self.screens, self.messages = core, screens, messages
        self.contents, self.rules, self.keys = contents, rules, keys

    def apply(self, delivery: Delivery, body: bytes) -> None:
        """Decrypt, verify and show; anything malformed is dropped and noted."""
        try:
            reply = self._open(body)
            self._apply(delivery, reply)
        except (BadReply, ApiError, crypto.BadEnvelope, KeyError, ValueError, TypeError, AttributeError) as error:
            self.core.problem(f"passive reply dropped: {error}", user=delivery.user)

    def _open(self, body: bytes) -> Element:
        outer = _parse(body)
        parts = {name: _text(outer, name) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")}
        missing = [name for name, value in parts.items() if not value]
        if missing:
            raise BadReply(f"envelope lacks {', '.join(missing)}")
        keys = self.keys()
        crypto.check_signature(keys, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"], parts["Encrypt"])
        return _parse(crypto.decrypt(keys, parts["Encrypt"]).encode("utf-8"))

    def _apply(self, delivery: Delivery, reply: Element) -> None:
        if _text(reply, "ToUserName").lower() != delivery.user.lower():
            raise BadReply("ToUserName is not the sender of the callback")
        if _text(reply, "FromUserName") != self.core.corp_id:
            raise BadReply("FromUserName is not the corp")
        kind = _text(reply, "MsgType")
        event = delivery.fields.get("Event")
        if event is not None and event not in HONOURED:
            raise BadReply(f"a passive reply to {event} is not honoured")
        if kind in UPDATES:
            self._update(delivery, kind, reply, event)
            return
        facts = self._facts(kind, reply)
        self.screens.add(delivery.user, sender="bot", chat="app", **facts)

    def _facts(self, kind: str, reply: Element) -> dict[str, Any]:
        if kind == "text":
            return self.contents.show("text", {"text": {"content": _text(reply, "Content")}})
        if kind in ("image", "voice", "video"):
            node = reply.find(kind.capitalize())
            if node is None:
                raise BadReply(f"{kind} without its element")
            body = {"media_id": _text(node, "MediaId"), "title": _text(node, "Title")}
            return self.contents.show(kind, {kind: body})
        if kind == "news":
            rows = [
                {
                    "title": _text(item, "Title"),
                    "description": _text(item, "Description"),
                    "picurl": _text(item, "PicUrl"),
                    "url": _text(item, "Url"),
                }
                for item in reply.findall("Articles/item")
            ]
            if len(rows) != int(_text(reply, "ArticleCount") or 0):
                raise BadReply("ArticleCount differs from the articles")
            return self.contents.show("news", {"news": {"articles": rows}})
        raise BadReply(f"MsgType {kind!r} is not known")

    def _update(self, delivery: Delivery, kind: str, reply: Element, event: str | None) -> None:
        allowed = ("template_card_event", "template_card_menu_event")
        if event not in allowed or delivery.item_id is None:
            raise BadReply(f"{kind} answers {event or 'a message'}, not a card event")
        item = self.screens.get(delivery.user, delivery.item_id)
        if item is None or item.card is None or item.recalled:
            raise BadReply("the card is gone")
        if kind == "update_button":
            name = _text(reply, "Button/ReplaceName")
            if not name:
                raise BadReply("Button/ReplaceName is empty")
            if item.card.card_type not in INTERACTIVE:
                raise BadReply("update_button on a card without buttons")
            self.messages.change(item, button={"replace_name": name}, card=None)
        else:
            node = reply.find("TemplateCard")
            if node is None:
                raise BadReply("TemplateCard is missing")
            card = self.rules.check(read_card(node), update=True)
            self.messages.change(item, button=None, card=card)
        code = self.messages.codes.get(delivery.response_code or "")
        if code and self.core.switches["passive_consumes_code"]:
            code.used = True


def _parse(data: bytes) -> Element:
    try:
        return fromstring(data)
    except (ParseError, DefusedXmlException) as error:
        raise BadReply(f"not XML: {error}") from error


def _text(node: Element, path: str) -> str:
    found = node.find(path)
    return "" if found is None else (found.text or "")
