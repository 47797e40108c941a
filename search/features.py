"""A card's features: named ones as they are, the rest read out of its words."""

from __future__ import annotations

from search import reading, text
from search.model import Card
from search.vocabulary import vocabulary

# Strengths are kept in tenths, so that a feature's posting is one of ten.
TENTHS = 10
CARD_CHARS = 400
# What a read feature is worth by where it was read.
_TITLE, _CAUSE = 10, 5


def features_of(card: Card) -> dict[str, int]:
    """Concept name -> strength in tenths (1..10)."""
    known = vocabulary().concepts
    features: dict[str, int] = {}
    for entry in (*card.machines, *card.parts, *card.sounds, *card.signs):
        name, _, given = entry.partition(":")
        if name not in known:
            raise ValueError(f"card {card.id}: unknown feature {name}")
        features[name] = max(1, min(TENTHS, round(float(given or 1) * TENTHS)))
    if not card.has_features():
        for words, strength in ((f"{card.kind} {card.title} {' '.join(card.sayings)}", _TITLE), (card.cause, _CAUSE)):
            for finding in reading.read(text.clean(words, limit=CARD_CHARS), vocabulary()):
                worth = max(1, round(strength * finding.trust))
                features[finding.concept] = max(features.get(finding.concept, 0), worth)
    return features


def overlap(one: dict[str, int], other: dict[str, int]) -> float:
    """0..1: shared strength over all strength, by concept weight (weighted Jaccard)."""
    concepts = vocabulary().concepts
    shared = everything = 0.0
    for name in one.keys() | other.keys():
        a, b = one.get(name, 0), other.get(name, 0)
        weight = concepts[name].weight
        shared += weight * min(a, b)
        everything += weight * max(a, b)
    return shared / everything if everything else 0.0
