"""The ideas people talk in (concepts.toml) and the ways to say them."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from search import phonetics, text

SLOTS = ("machine", "part", "sound", "sign")
SLOT_LABELS = {"machine": "设备", "part": "部位", "sound": "声音", "sign": "征兆"}


@dataclass(frozen=True, slots=True)
class Concept:
    """One idea. like: other concept -> worth of a match 0..1; weight: how much it says on its own."""

    number: int
    name: str
    slot: str
    label: str
    weight: float
    like: dict[str, float]


class Vocabulary:
    """Concepts by name and number, their terms by spelling and by sound, and turns of speech that no term can hold."""

    def __init__(self, raw: dict[str, dict[str, dict]]) -> None:
        self.concepts: dict[str, Concept] = {}
        self.by_number: list[Concept] = []
        self.terms: dict[str, tuple[str, ...]] = {}
        self.by_sound: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.syllables: dict[str, str] = {}
        self.patterns: list[tuple[str, re.Pattern[str]]] = []
        for slot in SLOTS:
            for name, entry in raw[slot].items():
                self._add(slot, name, entry)
        self.lengths = _lengths(self.terms)
        self.sound_lengths = _lengths(self.by_sound)
        text.teach([term for term in self.terms if len(term) > 1])

    def _add(self, slot: str, name: str, entry: dict) -> None:
        concept = Concept(
            len(self.by_number), name, slot, entry["label"], entry.get("weight", 1.0), entry.get("like", {})
        )
        self.by_number.append(concept)
        self.concepts[name] = concept
        if "pattern" in entry:
            self.patterns.append((name, re.compile(entry["pattern"])))
        for term in entry["terms"].split():
            self.terms[term] = (*self.terms.get(term, ()), name)
            sounds = phonetics.loose_sounds(term)
            if len(term) > 1:
                self.by_sound[sounds] = (*self.by_sound.get(sounds, ()), term)
            elif slot == "sound" and term in ONOMATOPOEIA:
                self.syllables.setdefault(sounds[0], name)


def _lengths(terms: Iterable[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """First character (or syllable) -> lengths of the terms beginning with it, longest first."""
    lengths: dict[str, set[int]] = {}
    for term in terms:
        lengths.setdefault(term[0], set()).add(len(term))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


# Characters written for their sound alone; doubled, any character read alike counts too (翁翁, 光光, 冬冬).
ONOMATOPOEIA = frozenset("吱唧叽嗞嘘嗡哼嘤轰咣哐铛铿锵咚砰嘭噼啪咔喀哒嗒唰哗嘎嘶嗤哧呲滋嗖飕噗")


def shipped_terms() -> dict[str, dict[str, dict]]:
    """concepts.toml as read: slot -> concept -> entry."""
    return tomllib.loads(Path(__file__).with_name("concepts.toml").read_text(encoding="utf-8"))


@functools.cache
def _shipped() -> Vocabulary:
    return Vocabulary(shipped_terms())


_instead: Vocabulary | None = None


def vocabulary() -> Vocabulary:
    """The vocabulary in use: the shipped one, read once."""
    return _instead or _shipped()


@contextmanager
def knowing_only(raw: dict[str, dict[str, dict]]) -> Iterator[None]:
    """Work with other terms for a while, to measure how the search does with words it does not know.

    For one thread; indexes must be built and asked inside.
    """
    global _instead
    _instead = Vocabulary(raw)
    try:
        yield
    finally:
        _instead = None
