"""docs/dingtalk-card.md is a contract: its variables and sample are those that the code sends."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bot.platforms.dingtalk.presses import card_press
from bot.platforms.dingtalk.render import card_values
from cards.card import Button, Card, Option, Select
from tests.bot.dingtalk.conftest import START

TEXT = (Path(__file__).parents[3] / "docs" / "dingtalk-card.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


def test_the_variables_of_the_document_are_those_sent() -> None:
    section = TEXT.partition("## 3.")[2].partition("`buttons` 的每一项")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    sent = card_values(Card("x"), public_url="", picture_url=str, revision=1)
    assert sorted(named) == sorted(sent)
    assert sorted(BLOCKS[3]) == sorted(sent)
    assert all(isinstance(value, str) for value in BLOCKS[3].values())


def test_its_buttons_and_selects_have_our_fields() -> None:
    card = Card("x", buttons=(Button("a", "b"),), select=Select("t", (Option("i", "l"),)))
    sent = card_values(card, public_url="", picture_url=str, revision=1)
    assert set(BLOCKS[0]) == set(json.loads(sent["buttons"])[0])
    assert set(BLOCKS[1]) == set(json.loads(sent["selects"])[0])


def test_its_callback_is_understood() -> None:
    press = card_press(BLOCKS[2], delivery="", now=START).press
    assert press is not None and press.action == "hazard.start:17"
