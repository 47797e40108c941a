"""«听到的是:“冻火没人看”。不对请打字» — and then the typed words take the place of the misheard ones, wherever those went.

The words heard last are kept beside the person's dialogue for a few minutes. Typed words put them right when they sound
much the same; other numbers, or another sentence, are something new and never replace anything.
"""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import SequenceMatcher

from bot.message import Kind
from bot.turn import Turn
from rules.text import normalise
from search.phonetics import loose_sounds

FOR = timedelta(minutes=5)
ALIKE = 0.6  # share of equal sounds; two sentences about the same machine stay below it
SHORTEST = 3
_FLOW = "voice"
_LEAD = re.compile(r"^(不对|错了|不是|更正|应该是|应为|我说的是|是)+[\s,,::、]*")
_SIGNS = re.compile(r"[^0-9A-Za-z一-鿿]+")


def remember(turn: Turn) -> None:
    """Keep what was heard, until it is put right or grows old."""
    turn.work.conversations.move(
        _key(turn), flow=_FLOW, state="heard", facts={"text": turn.text}, at=turn.at, expires_at=turn.at + FOR
    )


def heard_wrong(turn: Turn) -> str:
    """The words heard before that this typed message puts right; "" when it is something else."""
    if turn.message.kind is not Kind.TEXT or len(turn.text) < SHORTEST:
        return ""
    kept = turn.work.conversations.load(_key(turn), at=turn.at)
    heard = str(kept.facts.get("text", "")) if kept is not None else ""
    return heard if heard and puts_right(typed(turn), heard) else ""


def typed(turn: Turn) -> str:
    """The words without «不对,应该是»."""
    return _LEAD.sub("", turn.text) or turn.text


def settled(turn: Turn) -> None:
    """The words were put right, or belong to something finished: what is typed next is something new."""
    turn.work.conversations.end(_key(turn), at=turn.at)


def puts_right(words: str, heard: str) -> bool:
    """Whether the words are the heard sentence spelled as it was meant."""
    ours, theirs = _SIGNS.sub("", words), _SIGNS.sub("", heard)
    if ours == theirs or len(ours) < SHORTEST or _numbers(words) != _numbers(heard):
        return False
    return SequenceMatcher(None, loose_sounds(theirs), loose_sounds(ours), autojunk=False).ratio() >= ALIKE


def _numbers(words: str) -> list[str]:
    return re.findall(r"\d+", normalise(words))


def _key(turn: Turn) -> str:
    return f"heard:{turn.chat_key}"
