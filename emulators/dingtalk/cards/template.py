"""The one card template this emulator's console has published: its variables and how a client draws them.

The template is a contract between an admin's card builder and the bot: all variables are strings; lists are JSON texts.
Buttons are a loop component with the component id `btn`; a press sends the action of that button and the chosen option.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..media import Media
from ..screen import blank_card, markdown_links

PUBLIC = frozenset(
    [
        "title",
        "subtitle",
        "color",
        "facts",
        "body",
        "picture",
        "note",
        "state",
        "revision",
        "buttons",
        "selects",
        "link_url",
        "link_text",
    ]
)
PRIVATE = frozenset({"seen_by_me"})
BUTTON_COMPONENT = "btn"
MAX_BUTTONS, MAX_SELECTS = 6, 1
COLOURS = ("", "red", "orange", "yellow", "green", "grey", "blue")
STYLES = ("primary", "normal", "danger")

Report = Callable[[str], None]


def check_names(params: dict[str, str], *, private: bool, report: Report) -> None:
    """Reports variables the template does not have: a client ignores them silently, so the bot meant something else."""
    known = PUBLIC | PRIVATE if private else PUBLIC
    for name in sorted(set(params) - known):
        report(f"card variable {name!r} is not in the template")


def check_values(params: dict[str, str], report: Report) -> None:
    """Reports values the template cannot draw (they are shown as empty)."""
    if params.get("color", "") not in COLOURS:
        report(f"card color {params['color']!r} is unknown")
    for button in rows_of(params, "buttons", MAX_BUTTONS, report):
        if button.get("kind") not in ("request", "link") or button.get("style") not in STYLES:
            report("a card button has an unknown kind or style")
        if not all(isinstance(button.get(name), str) for name in ("text", "action", "url")) or not button["text"]:
            report("a card button lacks text, action or url")
    for select in rows_of(params, "selects", MAX_SELECTS, report):
        options = select.get("options")
        good = isinstance(options, list) and all(isinstance(o, dict) and {"id", "text"} <= set(o) for o in options)
        if not select.get("key") or not good:
            report("a card select lacks key or options")
    for fact in rows_of(params, "facts", 50, report):
        if set(fact) != {"k", "v"}:
            report("a card fact is not {k, v}")


def rows_of(params: dict[str, str], name: str, limit: int, report: Report) -> list[dict[str, Any]]:
    """The list of objects in a JSON-text variable; empty for an empty or undrawable one."""
    text = params.get(name, "")
    if not text:
        return []
    try:
        rows = json.loads(text)
    except ValueError:
        report(f"card variable {name!r} is no JSON")
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        report(f"card variable {name!r} is no list of objects")
        return []
    if len(rows) > limit:
        report(f"card variable {name!r} has more than {limit} entries")
    return rows[:limit]


def draw(params: dict[str, str], chosen: dict[str, str], *, revision: int, media: Media) -> dict[str, Any]:
    """The card a client shows for the merged (private over public) variables. chosen: select key → option id."""

    def quiet(_text: str) -> None:
        return None

    body = media.visible_markdown(params.get("body", ""))
    links = markdown_links(body)
    if params.get("link_url"):
        links.insert(0, {"title": params.get("link_text") or "详情", "url": params["link_url"]})
    return blank_card(
        title=params.get("title", ""), subtitle=params.get("subtitle", ""), colour=params.get("color", ""),
        facts=[[str(row.get("k", "")), str(row.get("v", ""))] for row in rows_of(params, "facts", 50, quiet)],
        body=body, picture_url=media.visible_url(params.get("picture", "")) or None, links=links,
        buttons=[_button(row) for row in rows_of(params, "buttons", MAX_BUTTONS, quiet)],
        selects=[_select(row, chosen) for row in rows_of(params, "selects", MAX_SELECTS, quiet)],
        note=params.get("note", ""), revision=_number(params.get("revision", ""), revision),
        state=params.get("state", ""), seen_by_me=params.get("seen_by_me", ""),
    )  # fmt: skip


def _button(row: dict[str, Any]) -> dict[str, Any]:
    is_link = row.get("kind") == "link"
    return {
        "label": str(row.get("text", "")), "key": str(row.get("action", "")), "kind": "url" if is_link else "callback",
        "url": str(row.get("url", "")), "style": str(row.get("style", "normal")), "disabled": False,
    }  # fmt: skip


def _select(row: dict[str, Any], chosen: dict[str, str]) -> dict[str, Any]:
    key = str(row.get("key", ""))
    options = [{"id": str(o.get("id", "")), "text": str(o.get("text", ""))} for o in row.get("options") or []]
    selected = chosen.get(key, "")
    shown = selected if selected in {option["id"] for option in options} else ""
    return {"key": key, "title": str(row.get("title", "")), "options": options, "selected": shown}


def _number(text: str, fallback: int) -> int:
    return int(text) if text.isdigit() else fallback
