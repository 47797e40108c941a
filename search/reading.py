"""Reads the ideas out of a sentence: by spelling first, then by sound."""

from __future__ import annotations

from dataclasses import dataclass

from search import phonetics, text
from search.vocabulary import ONOMATOPOEIA, Vocabulary

# How far a finding is believed, by how it was found.
SPELLED, ONE_CHARACTER, SOUNDS_ALIKE, SOUNDS_LOOSELY_ALIKE, DOUBLED = 1.0, 0.75, 0.85, 0.7, 0.65
PATTERN = 0.8
# One character that means the thing even inside a longer word the dictionary knows.
_ALWAYS = ONOMATOPOEIA | frozenset("泵釜霜烫抖漏焦裂")
# Doubled words that are no noise.
_NO_NOISE = frozenset("刚常慢试时次天大打等单看谢看渐个偏仅多好人家事处年月日爸妈哥姐弟妹爷奶叔婆宝")


# Shared characters that do not make two words alike.
_EMPTY = frozenset("了的得着个不一好有没上下大小里头")


@dataclass(frozen=True, slots=True)
class Finding:
    """A concept found in the text. trust: 0..1."""

    concept: str
    said: str
    trust: float


def read(cleaned: str, vocabulary: Vocabulary) -> list[Finding]:
    """Ideas of a cleaned text, each concept once with its best trust, in order of appearance."""
    covered = bytearray(len(cleaned))
    found: list[Finding] = []
    _by_spelling(cleaned, vocabulary, covered, found)
    if not all(covered):
        _by_sound(cleaned, vocabulary, covered, found)
        _doubled(cleaned, vocabulary, covered, found)
    found.extend(
        Finding(name, match[0], PATTERN)
        for name, pattern in vocabulary.patterns
        if (match := pattern.search(cleaned)) is not None
    )
    best: dict[str, Finding] = {}
    for finding in found:
        known = best.get(finding.concept)
        if known is None or known.trust < finding.trust:
            best[finding.concept] = finding
    return list(best.values())


def _by_spelling(cleaned: str, vocabulary: Vocabulary, covered: bytearray, found: list[Finding]) -> None:
    words = _word_lengths(cleaned)
    at = 0
    while at < len(cleaned):
        for length in vocabulary.lengths.get(cleaned[at], ()):
            term = cleaned[at : at + length]
            names = vocabulary.terms.get(term)
            if names is None or (length == 1 and not _stands_alone(term, words[at])):
                continue
            trust = SPELLED if length > 1 or term in _ALWAYS else ONE_CHARACTER
            found.extend(Finding(name, term, trust) for name in names)
            covered[at : at + length] = (b"\2" if length == 1 else b"\1") * length
            at += length
            break
        else:
            if cleaned[at] == " ":
                covered[at] = 1
            at += 1


def _stands_alone(char: str, word: str) -> bool:
    return len(word) == 1 or char in _ALWAYS or not text.is_word(word)


def _word_lengths(cleaned: str) -> list[str]:
    """For every character the cut word it belongs to."""
    words: list[str] = []
    for word in text.cut(cleaned):
        while len(words) < len(cleaned) and cleaned[len(words)] == " ":
            words.append(" ")
        words.extend([word] * len(word))
    words.extend([" "] * (len(cleaned) - len(words)))
    return words


def _by_sound(cleaned: str, vocabulary: Vocabulary, covered: bytearray, found: list[Finding]) -> None:
    exact = phonetics.exact_sounds(cleaned)
    folded = tuple(phonetics.loose(spelling) for spelling in exact)
    for length in range(min(5, len(cleaned)), 1, -1):
        for at in range(len(cleaned) - length + 1):
            if length not in vocabulary.sound_lengths.get(folded[at], ()):
                continue
            taken, alone = covered[at : at + length].count(1), covered[at : at + length].count(2)
            if taken + alone == length or (taken and length == 2) or " " in cleaned[at : at + length]:
                continue
            terms = vocabulary.by_sound.get(folded[at : at + length])
            if terms is None:
                continue
            said = cleaned[at : at + length]
            if alone and not ONOMATOPOEIA.isdisjoint(said):  # the 吱 of 吱吱叫 is heard, not misheard for 直叫
                continue
            trust, term = max((_likeness(said, exact[at : at + length], term), term) for term in terms)
            # One character read by itself (跳 蹦 当) gives way only to a longer word that is surely meant.
            if trust > 0 and (not alone or trust >= SOUNDS_ALIKE):
                if alone:  # the 泵 of 夜压泵 is part of 液压泵
                    found[:] = [one for one in found if len(one.said) > 1 or one.said not in said]
                found.extend(Finding(name, term, trust) for name in vocabulary.terms[term])
                covered[at : at + length] = b"\1" * length


def _likeness(said: str, sounds: tuple[str, ...], term: str) -> float:
    """Trust that `said` was meant as `term`, which sounds (nearly) the same; 0 when it is rather a word of its own."""
    shared = sum(1 for ours, theirs in zip(said, term, strict=True) if ours == theirs and ours not in _EMPTY)
    if sum(1 for char in term if char not in _EMPTY) < 2:  # 叫了 is not 胶了: one syllable alone is no likeness
        return 0.0
    same = sounds == phonetics.exact_sounds(term)
    if len(said) == 2 and text.is_word(said):
        return 0.45 if shared and same else 0.0
    if shared:
        return SOUNDS_ALIKE if same else SOUNDS_LOOSELY_ALIKE
    if same:
        return 0.75
    return 0.5 if len(said) > 2 else 0.0


def _doubled(cleaned: str, vocabulary: Vocabulary, covered: bytearray, found: list[Finding]) -> None:
    for at in range(len(cleaned) - 1):
        char = cleaned[at]
        if char != cleaned[at + 1] or covered[at] or char in _NO_NOISE or not "一" <= char <= "鿿":
            continue
        name = vocabulary.syllables.get(phonetics.loose(phonetics.syllable(char)))
        if name:
            found.append(Finding(name, char * 2, DOUBLED))
            covered[at] = covered[at + 1] = 1
