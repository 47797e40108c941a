"""Is a new report one that is already open? Candidates are offered to the reporter, never merged by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rules.geo import Point, distance_m
from rules.hazard.proof import NEAR_DUPLICATE_BITS, hash_distance
from rules.text import bigram_similarity, equipment_key, normalise

# All ours [L], to be tuned on the plant's own reports
NEAR_M = 30.0  # positions closer than this are one place
WORDS_SAME_EQUIPMENT = 0.30  # similarity asked when the equipment is the same
WORDS_SAME_PLACE = 0.45  # … when only the area or the position is
_CODES = re.compile(r"(?<![a-z0-9])(?:\d+-)?[a-z]{1,4}[- ]?\d+[a-z]?(?![a-z0-9])")
SAME_PHRASE = 0.60  # two texts with one lexicon phrase in common are at least this similar


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report to compare. key: the caller's id; phrase_ids from understand(); phashes: 64-bit picture hashes."""

    key: object
    text: str = ""
    area: object | None = None
    equipment_code: str | None = None
    position: Point | None = None
    phashes: tuple[int, ...] = ()
    phrase_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """score 0 to 1; why is a Chinese phrase for the reporter («同一设备、说法相近»)."""

    key: object
    score: float
    why: str


def likely_duplicate(new: ReportFacts, candidates: Iterable[ReportFacts]) -> list[Match]:
    """Open reports that are likely the same hazard, best first. Caller passes open ones of the recent past only.

    Same place and similar words, or nearly the same picture. Different equipment codes are different hazards unless the
    picture is the same; a place that is unknown on one side is not taken for the same.
    """
    matches = [match for other in candidates if other.key != new.key and (match := _compare(new, other)) is not None]
    return sorted(matches, key=lambda match: -match.score)


def _compare(new: ReportFacts, other: ReportFacts) -> Match | None:
    bits = min((hash_distance(a, b) for a in new.phashes for b in other.phashes), default=None)
    if bits is not None and bits <= NEAR_DUPLICATE_BITS:
        return Match(other.key, 1.0 - bits / 64, "照片几乎一样")
    place_zh, needed = _same_place(new, other)
    if not place_zh:
        return None
    words = bigram_similarity(_without_codes(new.text), _without_codes(other.text))
    if set(new.phrase_ids) & set(other.phrase_ids):
        words = max(words, SAME_PHRASE)
    return Match(other.key, round(words, 3), f"{place_zh}、说法相近") if words >= needed else None


def _without_codes(text: str) -> str:
    """One person types the code, the other says «泵»; the place is compared apart."""
    return _CODES.sub("", normalise(text))


def _same_place(new: ReportFacts, other: ReportFacts) -> tuple[str, float]:
    if new.equipment_code and other.equipment_code:
        same = equipment_key(new.equipment_code) == equipment_key(other.equipment_code)
        return ("同一设备", WORDS_SAME_EQUIPMENT) if same else ("", 1.0)
    if new.position and other.position:
        metres = distance_m(new.position, other.position)
        return (f"相距约{metres:.0f}米", WORDS_SAME_PLACE) if metres <= NEAR_M else ("", 1.0)
    if new.area is not None and new.area == other.area:
        return "同一区域", WORDS_SAME_PLACE
    return "", 1.0
