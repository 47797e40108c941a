"""Presses on cards: buttons, drop-downs, menu lines and links."""

from __future__ import annotations

from typing import Any

from .aibot import AiBot
from .card_view import preset, questions
from .directory import Member
from .messages import Messages
from .screens import Item, Screens


class Refused(Exception):
    """The phone cannot do that (HTTP 409 with the reason); 404 when the thing does not exist."""

    def __init__(self, reason: str, status: int = 409) -> None:
        super().__init__(reason)
        self.status = status


class CardPresses:
    """The part of a phone that presses cards; `Phones` gives it screens, messages and `_event`."""

    screens: Screens
    messages: Messages
    bot: AiBot

    def _event(self, member: Member, event: str, fields: dict[str, Any], **links: Any) -> str:
        raise NotImplementedError

    def tap(
        self, member: Member, item_id: str, key: str, selected: dict[str, list[str]] | None
    ) -> tuple[list[str], str | None]:
        """Press a button, a submit or a menu line of a card; (ids, URL that opens)."""
        item = self._item(member, item_id)
        if item.card is None or item.recalled:
            raise Refused("这条消息没有按钮")
        drawn = item.shown()["card"]
        menu = drawn["menu"]["actions"] if drawn["menu"] else []
        if key and key in {row["key"] for row in menu}:
            return [self._card_event(member, item, "template_card_menu_event", key, None)], None
        button = next((b for b in drawn["buttons"] if b["key"] == key), None)
        if item.card.greyed is not None:
            raise Refused("按钮已置灰,不能再点")
        if button is None or not key:
            raise Refused("卡片上没有这个按钮", 404)
        if button["kind"] == "url":
            return [], button["url"]
        if not item.card.msgid:
            raise Refused("群机器人的卡片没有回调")
        answers = self._answers(item, selected or {})
        if item.chat.startswith("group:"):
            return [self.bot.press(member, item, key, answers)], None
        return [self._card_event(member, item, "template_card_event", key, answers)], None

    def _answers(self, item: Item, selected: dict[str, list[str]]) -> list[dict[str, Any]] | None:
        """SelectedItems of the press, from what was chosen now, before, or preset; None for plain buttons."""
        if item.card is None:
            return None
        asked = questions(item.card.raw)
        unknown = set(selected) - {row["question_key"] for row, _, _ in asked}
        if unknown:
            raise Refused(f"卡片上没有这个选择项: {sorted(unknown)[0]}", 404)
        found = []
        for row, several, _ in asked:
            key = row["question_key"]
            chosen = selected.get(key, item.card.chosen.get(key, preset(row)))
            chosen = [chosen] if isinstance(chosen, str) else list(chosen)
            if set(chosen) - {option["id"] for option in row["option_list"]}:
                raise Refused("没有这个选项", 404)
            if key in selected and row.get("disable"):
                raise Refused("选择项已置灰")
            if len(chosen) > 1 and not several:
                raise Refused("这一项只能选一个")
            item.card.chosen[key] = chosen
            found.append({"QuestionKey": key, "OptionIds": {"OptionId": chosen}})
        if item.card.card_type == "vote_interaction" and not found[0]["OptionIds"]["OptionId"]:
            raise Refused("请先选择一项")
        if asked:
            self.screens.touch(item)
        return found or None

    def _card_event(
        self, member: Member, item: Item, event: str, key: str, answers: list[dict[str, Any]] | None
    ) -> str:
        card = item.card
        if card is None:
            raise Refused("这条消息没有按钮")
        code = self.messages.new_code(card.msgid, card.agent_id, clicker=member.userid.lower())
        fields: dict[str, Any] = {
            "EventKey": key,
            "TaskId": card.task_id or "",
            "CardType": card.card_type,
            "ResponseCode": code,
        }
        if answers:
            fields["SelectedItems"] = {"SelectedItem": answers}
        return self._event(member, event, fields, item_id=item.item_id, response_code=code)

    def press_link(self, member: Member, item_id: str, key: str) -> str:
        """The URL the phone would open."""
        shown = self._item(member, item_id).shown()
        rows = list(shown["links"])
        if shown["card"]:
            rows += shown["card"]["links"]
            rows += [b for b in shown["card"]["buttons"] if b["kind"] == "url"]
        found = next((row for row in rows if key in (row["key"], row["url"], row.get("title"), row.get("label"))), None)
        if found is None:
            raise Refused("没有这个链接", 404)
        return str(found["url"])

    def _item(self, member: Member, item_id: str) -> Item:
        item = self.screens.get(member.userid, item_id)
        if item is None:
            raise Refused("没有这条消息", 404)
        return item
