"""A question broken into what the index can add up: groups of ideas, words, and the kind of talk."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from search import phonetics, reading, text
from search.talk import Talk, talk_reader
from search.vocabulary import SLOTS, Concept, vocabulary

# What a match in each slot is worth, tuned on the development set only (docs/knowledge-search.md).
SLOT_WEIGHT = {"machine": 3.0, "part": 2.2, "sound": 2.6, "sign": 2.4}
# A second, third … idea in the same slot adds less than the first.
NEXT_IDEA = 0.6
# Machines in which bearing, belt, coupling and seal cards apply even though the card names no machine.
ROTATING = frozenset(
    [
        "motor",
        "pump",
        "vacuum_pump",
        "fan",
        "roots",
        "tower_fan",
        "gearbox",
        "compressor",
        "screw",
        "ammonia",
        "chiller",
        "centrifuge",
        "crusher",
        "ball_mill",
        "elevator",
        "conveyor",
        "dryer",
        "agitator",
        "hydraulic_pump",
    ]
)


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea of the question. means: concept -> worth of a card having it (own concept first, then what it is like)."""

    concept: Concept
    said: str
    trust: float
    worth: float
    means: dict[str, float]


@dataclass(frozen=True, slots=True)
class Question:
    """A cleaned question, ready to be scored."""

    cleaned: str
    ideas: tuple[Idea, ...]
    words: tuple[tuple[str, float], ...]
    talk: Talk
    rest: str  # what is left without ideas and filling words: 通道窄 of «皮带机通道太窄»
    machines: tuple[Idea, ...]  # those of the ideas that name one


def ask(raw: str, *, equipment_kind: str | None = None) -> Question:
    """Read a raw question. equipment_kind, when given, counts as if the machine had been named."""
    cleaned = text.clean(raw)
    findings = reading.read(cleaned, vocabulary())
    if equipment_kind:
        named = reading.read(text.clean(equipment_kind), vocabulary())
        here = [finding for finding in named if _slot(finding) in ("machine", "part")]
        taken = {finding.concept for finding in findings}
        findings.extend(finding for finding in here if finding.concept not in taken)
    terms = vocabulary().terms
    known = frozenset({finding.said for finding in findings} | {word for word in text.cut(cleaned) if word in terms})
    things = frozenset(finding.said for finding in findings if _slot(finding) in ("machine", "part"))
    talk = talk_reader().read(cleaned, known, things)
    rest = talk_reader().content(cleaned, [finding.said for finding in findings])
    ideas = _ideas(findings)
    machines = tuple(idea for idea in ideas if idea.concept.slot == "machine")
    return Question(cleaned, ideas, _words(cleaned), talk, rest, machines)


def _slot(finding: reading.Finding) -> str:
    return vocabulary().concepts[finding.concept].slot


def _ideas(findings: list[reading.Finding]) -> tuple[Idea, ...]:
    concepts = vocabulary().concepts
    ideas: list[Idea] = []
    for slot in SLOTS:
        here = [finding for finding in findings if concepts[finding.concept].slot == slot]
        here.sort(key=lambda finding: -finding.trust * concepts[finding.concept].weight)
        for rank, finding in enumerate(here):
            concept = concepts[finding.concept]
            worth = SLOT_WEIGHT[slot] * concept.weight * finding.trust * (NEXT_IDEA if rank else 1.0)
            means = {concept.name: 1.0, **{name: likeness for name, likeness in concept.like.items() if likeness > 0}}
            ideas.append(Idea(concept, finding.said, finding.trust, worth, means))
    return tuple(ideas)


def _words(cleaned: str) -> tuple[tuple[str, float], ...]:
    return tuple(word_features(cleaned).items())


def word_features(cleaned: str) -> dict[str, float]:
    """Words, character pairs and pairs of sounds of a text, each with how much it counts."""
    features: dict[str, float] = {}
    cut = text.cut(cleaned)
    words = [word for word in cut if len(word) > 1]
    for word in words:
        features["w" + word] = 1.0
    for pair in text.bigrams(cleaned):
        features["b" + pair] = 0.5
    for phrase in cleaned.split():
        sounds = phonetics.loose_sounds(phrase)
        for one, two in itertools.pairwise(sounds):
            features[f"p{one} {two}"] = 0.3
    return features
