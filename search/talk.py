"""What kind of talk a message is: a question after a rule, office chores, chat, a hazard report, or none of these."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from search import text


@dataclass(frozen=True, slots=True)
class Talk:
    """Counts of tell-tale words. strangers: the nouns outside the plant's vocabulary and outside a comparison (像…).

    elsewhere: things of a home or a street. living: bodies, animals, weather, food, outside a comparison.
    complaint: words of one who describes a fault (响, 叫, 老是, 怎么回事 …), whatever the sound is called.
    """

    rules: bool
    admin: int
    chat: int
    hazard: int
    off: int
    elsewhere: int
    living: int
    attack: int
    asking: int
    strangers: tuple[str, ...]
    complaint: bool


class TalkReader:
    """Counts tell-tale words; one-character words count only where they stand alone."""

    def __init__(self, raw: dict) -> None:
        rules = raw["rules"]
        self._lists = {
            "strong": rules["strong"].split(),
            "ask": rules["ask"].split(),
            "admin": raw["admin"]["words"].split(),
            "weak": raw["admin"]["weak"].split(),
            "chat": raw["chat"]["words"].split(),
            "hazard": raw["hazard"]["words"].split(),
            "off": raw["off"]["words"].split(),
            "elsewhere": raw["elsewhere"]["words"].split(),
            "living": raw["living"]["words"].split(),
            "attack": raw["attack"]["words"].split(),
        }
        self._by_first: dict[str, list[tuple[str, str, bool]]] = {}
        for name, listed in self._lists.items():
            for word in dict.fromkeys(listed):
                entry = (name, word, len(word) == 1 or word.isascii())
                self._by_first.setdefault(word[0], []).append(entry)
        self._vague = frozenset(raw["vague"]["words"].split())
        self._rule_patterns = [re.compile(pattern) for pattern in raw["patterns"]["rules"]]
        self._complaint = re.compile(raw["patterns"]["complaint"])
        self._comparison = re.compile(raw["patterns"]["comparison"])
        self._filling = re.compile(raw["patterns"]["filling"])
        self._likened = re.compile(raw["patterns"]["likened"])

    def read(self, cleaned: str, known: frozenset[str], things: frozenset[str] = frozenset()) -> Talk:
        """known: pieces of the text that are plant vocabulary. things: those of them that name a machine or a part."""
        known_chars = _COMMON.union(*known)
        plain = self._likened.sub(" ", self._comparison.sub(" ", cleaned))
        tags = text.tagged(plain)
        words = {word for word, _ in tags}
        count = self._count(plain, words)
        for thing in things:  # the 鼻子 of 线鼻子 is no nose
            for name in ("elsewhere", "living"):
                count[name] -= sum(1 for word in self._lists[name] if word in thing)
        asks = count["ask"] + count["weak"] + ("吗" in words) + ("怎么" in plain)
        rules = any(pattern.search(plain) for pattern in self._rule_patterns)
        rules = rules or (count["strong"] > 0 and (asks > 0 or count["strong"] > 1 or len(plain) <= 8))
        rules = rules or (count["strong"] > 0 and bool(re.search("[几谁]|多少|什么|哪", plain)))
        strangers = tuple(
            word
            for word, tag in tags
            if word not in self._vague and _is_thing(word, tag) and not set(word) <= known_chars
        )
        return Talk(
            rules=rules,
            admin=count["admin"],
            chat=count["chat"],
            hazard=count["hazard"],
            off=count["off"],
            elsewhere=max(0, count["elsewhere"]),
            living=max(0, count["living"]),
            attack=count["attack"],
            asking=asks,
            strangers=strangers,
            complaint=bool(self._complaint.search(cleaned)),
        )

    def content(self, cleaned: str, said: Iterable[str]) -> str:
        """What the words say besides these pieces and besides filling words; "" for a bare «那个变压器咋了»."""
        rest = cleaned
        for piece in said:
            rest = rest.replace(piece, "")
        return self._filling.sub("", rest)

    def _count(self, plain: str, words: set[str]) -> dict[str, int]:
        """How many words of each list are said. Only words that begin with a character of the text are looked at."""
        count = dict.fromkeys(self._lists, 0)
        for char in set(plain):
            for name, word, whole in self._by_first.get(char, ()):
                if word in words if whole else word in plain:
                    count[name] += 1
        return count


# Short nouns every description of a fault uses, so they tell nothing about where it is.
_COMMON = frozenset(
    "声音响叫水气油汽料铁火电味手头里面边人话事时天点下上东西地方感觉情况问题时候师傅机器设备机子家伙东西"
)
# Cut words that end so are names of things even when the tagger does not know them.
_THING_ENDS = tuple("机器柜箱车灯锁具表炉")


def _is_thing(word: str, tag: str) -> bool:
    if all(char in _COMMON for char in word):
        return False
    return tag[:1] == "n" or (len(word) > 1 and word.endswith(_THING_ENDS))


@functools.cache
def talk_reader() -> TalkReader:
    """The reader with the shipped word lists."""
    raw = tomllib.loads(Path(__file__).with_name("talk.toml").read_text(encoding="utf-8"))
    return TalkReader(raw)
