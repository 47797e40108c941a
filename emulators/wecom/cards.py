"""What the server demands of a template card before it accepts it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .core import Core
from .errors import ApiError

NOTICE = ("text_notice", "news_notice")
INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")


def has_callback(card: dict[str, Any]) -> bool:
    """Does sending this card give a response_code (buttons, votes, menus)?"""
    return card.get("card_type") in INTERACTIVE or bool(card.get("action_menu"))


class CardRules:
    """`check` raises ApiError; the code of most findings is switchable because the docs do not name it."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def fail(self, what: str) -> ApiError:
        return ApiError(int(self.core.switches["card_errcode"]), f"template_card.{what}")

    def check(self, card: Any, *, update: bool = False) -> dict[str, Any]:
        """Validate a card of message/send, or of an update (then task_id is not part of it)."""
        if not isinstance(card, dict) or card.get("card_type") not in NOTICE + INTERACTIVE:
            raise self.fail("card_type")
        self._shared(card)
        if card["card_type"] in NOTICE:
            self._notice(card)
        elif card["card_type"] == "button_interaction":
            self._buttons(card)
        else:
            self._questions(card)
        needs_task = has_callback(card)
        task_id = card.get("task_id")
        if not update and needs_task and not task_id:
            raise self.fail("task_id is required")
        if task_id is not None and not TASK_ID.fullmatch(str(task_id)):
            raise self.fail("task_id")
        return card

    def _shared(self, card: dict[str, Any]) -> None:
        for name, limit in (("horizontal_content_list", 6), ("vertical_content_list", 4), ("jump_list", 3)):
            rows = card.get(name) or []
            if not isinstance(rows, list) or len(rows) > limit:
                raise self.fail(f"{name} has more than {limit} rows")
        for row in card.get("horizontal_content_list") or []:
            self._fact(row)
        for row in card.get("vertical_content_list") or []:
            if not row.get("title"):
                raise self.fail("vertical_content_list.title")
        for row in card.get("jump_list") or []:
            if not row.get("title") or (row.get("type") == 1 and not _url(row.get("url"))):
                raise self.fail("jump_list")
        menu = card.get("action_menu")
        if menu:
            rows = menu.get("action_list") or []
            if not 1 <= len(rows) <= 3:
                raise self.fail("action_menu.action_list needs 1 to 3 rows")
            self._keys((row.get("key") for row in rows), "action_menu.key")

    def _fact(self, row: dict[str, Any]) -> None:
        kind = row.get("type", 0)
        if not row.get("keyname"):
            raise self.fail("horizontal_content_list.keyname")
        wanted = {0: "keyname", 1: "url", 2: "media_id", 3: "userid"}
        if kind not in wanted or not row.get(wanted[kind]):
            raise self.fail("horizontal_content_list.type")

    def _notice(self, card: dict[str, Any]) -> None:
        action = card.get("card_action") or {}
        if action.get("type") not in (1, 2) or (action["type"] == 1 and not _url(action.get("url"))):
            raise ApiError(42045)
        title = (card.get("main_title") or {}).get("title")
        if card["card_type"] == "text_notice":
            if not title and not card.get("sub_title_text"):
                raise self.fail("main_title.title or sub_title_text is required")
            return
        if not title:
            raise self.fail("main_title.title is required")
        picture, area = card.get("card_image"), card.get("image_text_area")
        if not picture and not area:
            raise self.fail("card_image or image_text_area is required")
        if picture:
            if not _url(picture.get("url")):
                raise self.fail("card_image.url")
            if not 1.3 <= float(picture.get("aspect_ratio", 1.3)) <= 2.25:
                raise self.fail("card_image.aspect_ratio")
        if area and not area.get("image_url"):
            raise self.fail("image_text_area.image_url")

    def _buttons(self, card: dict[str, Any]) -> None:
        if not card.get("main_title"):
            raise self.fail("main_title is required")
        rows = card.get("button_list") or []
        if not 1 <= len(rows) <= 6:
            raise self.fail("button_list needs 1 to 6 rows")
        for row in rows:
            if not row.get("text"):
                raise self.fail("button_list.text")
            if row.get("type", 0) == 1 and not _url(row.get("url")):
                raise self.fail("button_list.url")
            if row.get("style", 1) not in (1, 2, 3, 4):
                raise self.fail("button_list.style")
        self._keys((row.get("key") for row in rows if row.get("type", 0) == 0), "button_list.key")
        if card.get("button_selection"):
            self._question(card["button_selection"], limit=10, where="button_selection")

    def _questions(self, card: dict[str, Any]) -> None:
        if not card.get("main_title"):
            raise self.fail("main_title is required")
        submit = card.get("submit_button") or {}
        self._keys([submit.get("key")], "submit_button.key")
        if card["card_type"] == "vote_interaction":
            box = card.get("checkbox")
            if not box or box.get("mode", 0) not in (0, 1):
                raise self.fail("checkbox")
            self._question(box, limit=20, where="checkbox")
            return
        lists = card.get("select_list") or []
        if not 1 <= len(lists) <= 3:
            raise self.fail("select_list needs 1 to 3 rows")
        for row in lists:
            self._question(row, limit=10, where="select_list")
        self._keys((row.get("question_key") for row in lists), "select_list.question_key")

    def _question(self, row: dict[str, Any], *, limit: int, where: str) -> None:
        self._keys([row.get("question_key")], f"{where}.question_key")
        options = row.get("option_list") or []
        if not 1 <= len(options) <= limit:
            raise self.fail(f"{where}.option_list needs 1 to {limit} rows")
        if not all(option.get("text") for option in options):
            raise self.fail(f"{where}.option_list.text")
        self._keys((option.get("id") for option in options), f"{where}.option_list.id", limit=128)

    def _keys(self, keys: Iterable[Any], where: str, *, limit: int = 1024) -> None:
        seen: set[str] = set()
        for key in keys:
            if not isinstance(key, str) or not key or len(key.encode()) > limit:
                raise self.fail(where)
            if key in seen:
                raise self.fail(f"{where} is repeated")
            seen.add(key)


def _url(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"^[a-z][a-z0-9+.\-]*://", value, re.I) is not None
