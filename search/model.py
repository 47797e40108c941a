"""What goes into the search and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How sure a hit is, in the words shown to the worker."""

    LIKELY = "很像"
    POSSIBLE = "可能"
    WEAK = "仅供参考"


@dataclass(frozen=True, slots=True)
class Card:
    """One experience card as the search sees it.

    The feature tuples name entries of concepts.toml, strongest first; `squeal:0.5` is a feature at half strength.
    Left empty they are read out of the texts, so a veteran's own words are enough.
    shown, used, solved: feedback counts; used <= shown, solved (used and the fault did not return) <= used.
    """

    id: str
    title: str
    kind: str = ""
    cause: str = ""
    first_action: str = ""
    danger_sign: str = ""
    sayings: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    shown: int = 0
    used: int = 0
    solved: int = 0

    def has_features(self) -> bool:
        """Whether somebody named the features, so that they need not be read out of the text."""
        return bool(self.machines or self.parts or self.sounds or self.signs)


@dataclass(frozen=True, slots=True)
class Hit:
    """A card that answers the question. score: 0..1 share of what was said that the card explains."""

    id: str
    score: float
    confidence: Confidence
    why: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """hits: best first, empty when nothing_fits. about_rules: ask the rule table instead. took_us: microseconds."""

    hits: tuple[Hit, ...]
    nothing_fits: bool
    about_rules: bool
    took_us: int


@dataclass(frozen=True, slots=True)
class SimilarCard:
    """A card much like the given one. likeness: 0..1."""

    id: str
    likeness: float
    why: str
