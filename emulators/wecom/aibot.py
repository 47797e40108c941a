"""智能机器人 (aibot, URL mode): groups that hold it, what it is told when it is @-ed, and its one answer to each message."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from . import crypto
from .callbacks import Courier, Delivery
from .cards import CardRules
from .content import Contents
from .core import Core, Window
from .directory import Member
from .errors import ApiError
from .groups import Group, Groups
from .screens import Item, Screens

ANSWER_BYTES = 20480
ANSWER_WITHIN_S = 3600
LIMITS = ((60.0, 30), (3600.0, 1000))  # messages in one conversation in so many seconds
BUTTON_PARTS = {"text", "style", "key"}
SPENT = 42014  # which code a used or old response_url gets is not documented

Json = dict[str, Any]


@dataclass
class Right:
    """One response_url: the right to post once into the group."""

    chatid: str
    at: float
    used: bool = False


@dataclass
class AiBot:
    """Callers hold the lock. Without `bot` in the plant's WeCom settings there is no robot in any group."""

    core: Core
    screens: Screens
    contents: Contents
    rules: CardRules
    groups: Groups
    courier: Courier
    rights: dict[str, Right] = field(default_factory=dict)
    task_ids: set[str] = field(default_factory=set)
    chats: set[str] = field(default_factory=set)
    window: Window = field(default_factory=Window)

    def __post_init__(self) -> None:
        for row in self.settings.get("groups", []):
            self.groups.add(row["id"], row["title"], row["members"])
            self.chats.add(row["id"])

    @property
    def settings(self) -> Json:
        return dict(self.core.settings.get("bot") or {})

    @property
    def call(self) -> str:
        return f"@{self.settings.get('name', '安哨')}"

    # --- what it hears -------------------------------------------------------------------------------------------
    def hears(self, group: Group, text: str, *, at_bot: bool) -> str:
        """The words as pushed, with the @name; "" when they are not for the robot."""
        if group.chatid not in self.chats:
            return ""
        if self.call in text:
            return text
        return f"{self.call} {text}" if at_bot else ""

    def said(self, member: Member, group: Group, text: str, *, pictures: list[str] | None = None) -> str:
        """Push one message; the id of its delivery. With pictures it is a mixed one."""
        if not pictures:
            return self._push(member, group, {"msgtype": "text", "text": {"content": text}})
        parts: list[Json] = [{"msgtype": "text", "text": {"content": text}}]
        parts += [{"msgtype": "image", "image": {"url": url}} for url in pictures]
        return self._push(member, group, {"msgtype": "mixed", "mixed": {"msg_item": parts}})

    def raw(self, member: Member, group: Group, fields: Json) -> str:
        """Push whatever is given, as a later version of the platform might."""
        return self._push(member, group, fields)

    def press(self, member: Member, item: Item, key: str, answers: list[Json] | None) -> str:
        """A button of a card that the robot posted: to the same address, without a response_code."""
        if item.card is None:
            raise ValueError("no card")
        chosen = [
            {"question_key": row["QuestionKey"], "option_ids": {"option_id": row["OptionIds"]["OptionId"]}}
            for row in answers or []
        ]
        inner: Json = {"card_type": item.card.card_type, "event_key": key, "task_id": item.card.task_id or ""}
        if chosen:
            inner["selected_items"] = {"selected_item": chosen}
        event = {"eventtype": "template_card_event", "template_card_event": inner}
        group = self.groups.groups[item.chat.removeprefix("group:")]
        fields = {"create_time": int(self.core.clock()), "msgtype": "event", "event": event}
        return self._push(member, group, fields, item_id=item.item_id)

    def _push(self, member: Member, group: Group, fields: Json, *, item_id: str | None = None) -> str:
        code = self.core.fresh()
        self.rights[code] = Right(group.chatid, self.core.clock())
        common = {
            "msgid": self.core.fresh(18),
            "aibotid": self.settings.get("aibotid", "aib-demo"),
            "chatid": group.chatid,
            "chattype": "group",
            "from": {"userid": member.userid},
            "response_url": f"{self.core.public_url}/cgi-bin/aibot/response?response_code={code}",
        }
        return f"d{self.courier.enqueue(member.userid, common | fields, item_id=item_id, bot=True).number}"

    # --- what it says --------------------------------------------------------------------------------------------
    def respond(self, code: str, body: Json) -> Json:
        """POST to a response_url: once, within the hour, markdown or a card; it shows as a new message."""
        right = self.rights.get(code)
        if right is None or right.used or self.core.clock() > right.at + ANSWER_WITHIN_S:
            raise ApiError(SPENT, "response_code")
        kind = body.get("msgtype")
        if kind not in ("markdown", "template_card"):
            raise ApiError(40008)
        if kind == "markdown":
            facts = self.contents.show("markdown", body, markdown_bytes=ANSWER_BYTES)
        else:
            facts = {"kind": "card", "raw_card": self._card(body.get("template_card"))}
        now = self.core.clock()
        if any(self.window.count(right.chatid, now=now, span_s=span) >= most for span, most in LIMITS):
            raise ApiError(45009)
        self.window.add(right.chatid, now=now, keep_s=3600.0)
        right.used = True
        self._show(right.chatid, facts)
        return {}

    def _card(self, card: Any) -> Json:
        found = self.rules.check(card)
        for row in found.get("button_list") or []:
            if set(row) - BUTTON_PARTS:
                raise self.rules.fail("button_list: a robot's button has text, style and key only")
        if any(row.get("type", 0) not in (0, 1, 3) for row in found.get("horizontal_content_list") or []):
            raise self.rules.fail("horizontal_content_list.type")
        task_id = found.get("task_id")
        if task_id in self.task_ids:
            raise self.rules.fail("task_id is repeated")
        if task_id:
            self.task_ids.add(str(task_id))
        return found

    def _show(self, chatid: str, facts: Json) -> None:
        self.groups.post(self.groups.groups[chatid], sender="bot", facts=facts, bot_message=self.core.fresh(12))

    def apply(self, delivery: Delivery, body: bytes) -> None:
        """A passive reply: a finished stream is shown, a card event may bring a new card; else it is dropped and noted."""
        try:
            outer = json.loads(body)
            parts = [str(outer[name]) for name in ("msgsignature", "timestamp", "nonce", "encrypt")]
            crypto.check_signature(self.courier.bot_keys, *parts)
            reply = json.loads(crypto.decrypt(self.courier.bot_keys, parts[3]))
            self._apply(delivery, reply)
        except (crypto.BadEnvelope, ApiError, KeyError, ValueError, TypeError, AttributeError) as error:
            self.core.problem(f"robot's passive reply dropped: {error}", user=delivery.user)

    def _apply(self, delivery: Delivery, reply: Json) -> None:
        if reply.get("response_type") == "update_template_card":
            shown = self.screens.get(delivery.user, delivery.item_id or "")
            if shown is None:
                raise ValueError("update_template_card answers no card event")
            card = dict(reply["template_card"])
            if shown.card is None or card.pop("task_id", None) != shown.card.task_id:
                raise ValueError("the task_id is not the one of the pressed card")
            card = self.rules.check(card, update=True)
            only = {str(user).lower() for user in reply.get("userids") or []}
            for user, copy in self.screens.of_message(shown.msgid).items():
                if copy.card is not None and (not only or user in only):
                    copy.card.replace(card)
                    self.screens.touch(copy)
            return
        stream = reply["stream"]
        if delivery.item_id is not None or not stream["finish"]:
            raise ValueError("only a finished stream answers a message here")
        body = {"markdown": {"content": stream["content"]}}
        facts = self.contents.show("markdown", body, markdown_bytes=ANSWER_BYTES)
        self._show(str(delivery.fields["chatid"]), facts)
