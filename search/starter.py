"""The starter pack K01..K60 as cards."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from search.model import Card

STARTER_MARK = "待本厂老师傅确认"


@functools.cache
def starter_cards() -> tuple[Card, ...]:
    """The 60 cards that ship with the bot, in order of their ids; general experience, to be confirmed on site."""
    raw = tomllib.loads(Path(__file__).with_name("starter_cards.toml").read_text(encoding="utf-8"))
    return tuple(_card(entry) for entry in raw["card"])


def _card(entry: dict) -> Card:
    return Card(
        id=entry["id"],
        title=entry["title"],
        kind=entry["kind"],
        cause=entry["cause"],
        first_action=entry["first"],
        danger_sign=entry["danger"],
        machines=tuple(entry.get("machines", ())),
        parts=tuple(entry.get("parts", ())),
        sounds=tuple(entry.get("sounds", ())),
        signs=tuple(entry.get("signs", ())),
        needs=tuple(entry.get("needs", ())),
    )
