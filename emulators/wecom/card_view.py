"""How the client draws a card: truncations, greyed buttons, what can be pressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .core import cut_chars

COLOURS = {0: "grey", 1: "black", 2: "red", 3: "green"}
STYLES = {1: "primary", 2: "secondary", 3: "neutral", 4: "negative"}


@dataclass
class CardState:
    """One person's copy of a card. `greyed` replaces all buttons by one dead button with that text."""

    raw: dict[str, Any]
    task_id: str | None
    agent_id: int
    msgid: str
    greyed: str | None = None
    chosen: dict[str, list[str]] = field(default_factory=dict)
    revision: int = 1

    @property
    def card_type(self) -> str:
        return str(self.raw["card_type"])

    def replace(self, raw: dict[str, Any]) -> None:
        """A new card in the same place; the task id stays the first one's."""
        self.raw, self.greyed, self.chosen = raw, raw.get("replace_text") or None, {}
        self.revision += 1

    def grey(self, text: str) -> None:
        """The buttons become one dead button."""
        self.greyed = text
        self.revision += 1


def draw(card: CardState) -> dict[str, Any]:
    """The `card` of an Item."""
    raw = card.raw
    title = raw.get("main_title") or {}
    source = raw.get("source") or {}
    area = raw.get("image_text_area") or {}
    return {
        "type": card.card_type,
        "task_id": card.task_id,
        "title": cut_chars(title.get("title", ""), 36),
        "subtitle": cut_chars(title.get("desc", ""), 44),
        "source": cut_chars(source.get("desc", ""), 20),
        "colour": COLOURS.get(source.get("desc_color", 0), "grey"),
        "emphasis": _emphasis(raw.get("emphasis_content")),
        "quote": _quote(raw.get("quote_area")),
        "facts": [
            [cut_chars(row["keyname"], 5), cut_chars(str(row.get("value", "")), 30)]
            for row in raw.get("horizontal_content_list") or []
        ],
        "body": _body(raw, area),
        "picture_url": (raw.get("card_image") or {}).get("url") or area.get("image_url"),
        "links": links(raw),
        "buttons": _buttons(card),
        "selects": _selects(card),
        "menu": _menu(raw.get("action_menu")),
        "note": "",
        "revision": card.revision,
    }


def _emphasis(row: dict[str, Any] | None) -> dict[str, str] | None:
    return row and {"title": cut_chars(row.get("title", ""), 14), "desc": cut_chars(row.get("desc", ""), 22)}


def _quote(row: dict[str, Any] | None) -> dict[str, str] | None:
    return row and {"title": row.get("title", ""), "text": row.get("quote_text", ""), "url": row.get("url", "")}


def _menu(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return row and {
        "title": row.get("desc", ""),
        "actions": [{"label": action.get("text", ""), "key": action["key"]} for action in row["action_list"]],
    }


def _body(raw: dict[str, Any], area: dict[str, Any]) -> str:
    parts = []
    if raw.get("sub_title_text"):
        parts.append(cut_chars(raw["sub_title_text"], 160))
    parts += [area[name] for name in ("title", "desc") if area.get(name)]
    for row in raw.get("vertical_content_list") or []:
        parts.append(cut_chars(row.get("title", ""), 38))
        if row.get("desc"):
            parts.append(cut_chars(row["desc"], 160))
    return "\n".join(parts)


def links(raw: dict[str, Any]) -> list[dict[str, str]]:
    """Everything on the card that opens a page, the card itself first (title '')."""
    found = []
    action = raw.get("card_action") or {}
    if action.get("type") == 1 and action.get("url"):
        found.append({"key": "card", "title": "", "url": action["url"]})
    quote = raw.get("quote_area") or {}
    if quote.get("type") == 1 and quote.get("url"):
        found.append({"key": "quote", "title": quote.get("title", ""), "url": quote["url"]})
    for index, row in enumerate(raw.get("horizontal_content_list") or []):
        if row.get("type") == 1:
            found.append({"key": f"fact:{index}", "title": cut_chars(row.get("value", ""), 30), "url": row["url"]})
    for index, row in enumerate(raw.get("jump_list") or []):
        if row.get("type") == 1:
            found.append({"key": f"jump:{index}", "title": cut_chars(row["title"], 18), "url": row["url"]})
    return found


def _buttons(card: CardState) -> list[dict[str, Any]]:
    raw = card.raw
    if card.greyed is not None:
        return [_button(card.greyed, "", disabled=True)]
    if card.card_type == "button_interaction":
        return [
            _button(
                row["text"],
                row.get("key") or f"url:{index}",
                url=row.get("url") if row.get("type", 0) == 1 else None,
                style=STYLES.get(row.get("style", 1), "primary"),
            )
            for index, row in enumerate(raw["button_list"])
        ]
    if card.card_type in ("vote_interaction", "multiple_interaction"):
        submit = raw["submit_button"]
        return [_button(submit.get("text") or "提交", submit["key"])]
    return []


def _button(
    label: str, key: str, *, url: str | None = None, style: str = "primary", disabled: bool = False
) -> dict[str, Any]:
    return {
        "label": cut_chars(label, 10),
        "key": key,
        "kind": "url" if url else "callback",
        "url": url,
        "style": style,
        "disabled": disabled,
    }


def questions(raw: dict[str, Any]) -> list[tuple[dict[str, Any], bool, int]]:
    """(question, several answers allowed, characters shown per option) of every question on the card."""
    found: list[tuple[dict[str, Any], bool, int]] = []
    if raw.get("button_selection"):
        found.append((raw["button_selection"], False, 16))
    if raw.get("checkbox"):
        found.append((raw["checkbox"], raw["checkbox"].get("mode", 0) == 1, 17))
    found += [(row, False, 16) for row in raw.get("select_list") or []]
    return found


def preset(question: dict[str, Any]) -> list[str]:
    """What is chosen before anyone touches it; a drop-down without a wish shows its first option."""
    checked = [option["id"] for option in question["option_list"] if option.get("is_checked")]
    if checked:
        return checked
    if question.get("selected_id"):
        return [question["selected_id"]]
    return [] if "mode" in question else [question["option_list"][0]["id"]]


def _selects(card: CardState) -> list[dict[str, Any]]:
    return [
        {
            "key": row["question_key"],
            "title": row.get("title", ""),
            "options": [{"id": o["id"], "text": cut_chars(o["text"], width)} for o in row["option_list"]],
            "selected": card.chosen.get(row["question_key"], preset(row)),
            "multiple": several,
            "disabled": bool(row.get("disable")) or card.greyed is not None,
        }
        for row, several, width in questions(card.raw)
    ]
