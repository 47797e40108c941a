"""The index over all cards: add, remove and ask; one per worker process, kept in memory."""

from __future__ import annotations

import heapq
import math
import threading
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from search import question as questions
from search import scoring, text
from search.embedding import Embedder, cosine
from search.features import CARD_CHARS, features_of, overlap
from search.model import Card, Hit, SearchResult, SimilarCard
from search.postings import Planes, Posting
from search.question import Question
from search.scoring import Score
from search.vocabulary import vocabulary

# Candidates scored one by one after the sums; ranking below this depth never reaches the first three.
CANDIDATES = 48
# Sums are kept in whole steps of this many per unit of worth.
STEPS = 64


@dataclass(slots=True)
class _Sums:
    """What a question adds up to over all cards. words_total: what a card with every word would get, in steps."""

    lexical: Planes
    both: Planes
    rare: dict[int, float]
    words_total: float


class Index:
    """Cards searchable by sound, part, machine, feel, words and reading. Safe to share between threads."""

    def __init__(self, cards: Iterable[Card] = (), *, embedder: Embedder | None = None) -> None:
        self._embedder = embedder
        self._postings: dict[str, Posting] = {}
        self._ids: list[str] = []
        self._features: list[bytes] = []
        self._priors = array("f")
        self._needs: dict[int, tuple[str, ...]] = {}
        self._vectors: dict[int, array | None] = {}
        self._position: dict[str, int] = {}
        self._alive = 0
        self._fresh = array("I")
        self._lock = threading.RLock()
        for card in cards:
            self.add(card)

    def __len__(self) -> int:
        return len(self._position)

    def __contains__(self, card_id: str) -> bool:
        return card_id in self._position

    @property
    def dead(self) -> int:
        """Places of cards removed or replaced; they cost memory until the index is built anew."""
        return len(self._ids) - len(self._position)

    def add(self, card: Card) -> None:
        """Add a card or put a new edition in the place of an old one; the next search sees it.

        Raises ValueError for a feature that concepts.toml does not know; the old edition then stays.
        """
        features = features_of(card)
        wording = text.clean(_wording(card), limit=CARD_CHARS)
        words = questions.word_features(wording)
        with self._lock:
            self.remove(card.id)
            position = len(self._ids)
            self._ids.append(card.id)
            self._position[card.id] = position
            self._features.append(_pack(features))
            self._priors.append(_prior(card.shown, card.used, card.solved))
            if card.needs:
                self._needs[position] = card.needs
            self._post(position, features, words)
            self._fresh.append(position)
            if self._embedder:
                self._vectors[position] = self._embedder.embed(wording)

    def remove(self, card_id: str) -> bool:
        """Take a card out; False when it is not there."""
        with self._lock:
            position = self._position.pop(card_id, None)
            if position is None:
                return False
            self._alive = self._living() & ~(1 << position)
            return True

    def feedback(self, card_id: str, *, shown: int, used: int, solved: int) -> bool:
        """New feedback counts of a card (used and the fault did not return = solved); False when it is not there."""
        with self._lock:
            position = self._position.get(card_id)
            if position is None:
                return False
            self._priors[position] = _prior(shown, used, solved)
            return True

    def search(self, query: str, *, limit: int = 3, equipment_kind: str | None = None) -> SearchResult:
        """Best `limit` cards for a spoken or typed question, or an honest nothing_fits.

        equipment_kind: what was scanned or named before (any words, such as 离心泵); cards of other machines drop out.
        """
        started = time.perf_counter_ns()
        asked = questions.ask(query, equipment_kind=equipment_kind)
        with self._lock:
            ranked = self._ranked(asked) if asked.cleaned else []
            if equipment_kind:
                ranked = [(score, position) for score, position in ranked if not self._clashes(asked, position)]
            hits = tuple(
                Hit(self._ids[at], round(score.share, 3), scoring.confidence(score), score.why)
                for score, at in ranked[:limit]
                if score.worth_showing()
            )
        fits = bool(ranked) and max(score.fit for score, _ in ranked[:3]) >= scoring.FITS
        took_us = (time.perf_counter_ns() - started) // 1000
        return SearchResult(hits if fits else (), not fits, asked.talk.rules and not fits, took_us)

    def similar_cards(self, card: Card, *, limit: int = 5, at_least: float = 0.5) -> tuple[SimilarCard, ...]:
        """Cards that may be the same experience, likest first; the card itself is left out."""
        features = features_of(card)
        asked = questions.ask(" ".join((card.kind, card.title, *card.sayings)))
        found = []
        with self._lock:
            for score, position in self._ranked(asked):
                if self._ids[position] != card.id:
                    likeness = 0.7 * overlap(features, _unpack(self._features[position])) + 0.3 * score.share
                    found.append(SimilarCard(self._ids[position], round(likeness, 3), score.why))
        found.sort(key=lambda similar: (-similar.likeness, similar.id))
        return tuple(similar for similar in found[:limit] if similar.likeness >= at_least)

    def _post(self, position: int, features: dict[str, int], words: Iterable[str]) -> None:
        postings = self._postings
        keys = [f"c{name}:{strength}" for name, strength in features.items()]
        if not any(vocabulary().concepts[name].slot == "machine" and s >= 6 for name, s in features.items()):
            keys.append("c*")
        keys.extend(words)
        for key in keys:
            posting = postings.get(key)
            if posting is None:
                posting = postings[key] = Posting()
            posting.add(position)

    def _living(self) -> int:
        if self._fresh:
            fresh, self._fresh = self._fresh, array("I")
            row = 0
            for position in fresh[:8]:
                row |= 1 << position
            if len(fresh) > 8:
                row |= ((1 << (fresh[-1] - fresh[0] + 1)) - 1) << fresh[0]
            self._alive |= row
        return self._alive

    def _ranked(self, asked: Question) -> list[tuple[Score, int]]:
        """Candidates, best first."""
        sums = self._add_up(asked)
        alive = self._living()
        chosen = set(sums.both.top(alive, CANDIDATES))
        for position in heapq.nlargest(CANDIDATES, sums.rare, key=sums.rare.__getitem__):
            if alive >> position & 1:
                chosen.add(position)
        lexical = sums.lexical.reader()
        vector = self._embedder.embed(asked.cleaned) if self._embedder else None
        strangers = sum(1 for word in asked.talk.strangers if "w" + word not in self._postings)
        opposed = scoring.against(asked, strangers=strangers)
        ranked = []
        for position in chosen:
            words = (lexical[position] + sums.rare.get(position, 0.0)) / sums.words_total if sums.words_total else 0.0
            score = scoring.score(
                asked,
                _unpack(self._features[position]),
                lexical=min(1.0, words),
                prior=self._priors[position],
                vector=max(0.0, cosine(vector, self._vectors.get(position))),
                needs=self._needs.get(position, ()),
                opposed=opposed,
            )
            ranked.append((score, position))
        ranked.sort(key=lambda pair: (-pair[0].total, self._ids[pair[1]]))
        return ranked

    def _add_up(self, asked: Question) -> _Sums:
        ideas = Planes()
        for idea in asked.ideas:
            self._add_idea(ideas, idea)
        if asked.machines:
            self._add_right_machines(ideas, asked)
        lexical = Planes()
        rare: dict[int, float] = {}
        total = self._add_words(asked, lexical, rare)
        return _Sums(lexical, ideas.plus(lexical), rare, total)

    def _add_idea(self, ideas: Planes, idea: questions.Idea) -> None:
        levels = []
        for name, likeness in idea.means.items():
            for strength in range(1, 11):
                posting = self._postings.get(f"c{name}:{strength}")
                if posting:
                    levels.append((round(idea.worth * likeness * strength / 10 * STEPS), posting))
        levels.sort(key=lambda level: -level[0])
        seen = 0
        for worth, posting in levels:
            row = posting.row() & ~seen
            seen |= row
            ideas.add(row, worth)

    def _add_right_machines(self, ideas: Planes, asked: Question) -> None:
        """Instead of taking worth from cards of another machine, all others get it."""
        fitting = self._row("c*")
        for idea in asked.machines:
            for name in idea.means:
                for strength in range(1, 11):
                    fitting |= self._row(f"c{name}:{strength}")
        ideas.add(fitting, round(scoring.OTHER_MACHINE * STEPS))

    def _row(self, key: str) -> int:
        posting = self._postings.get(key)
        return posting.row() if posting else 0

    def _add_words(self, asked: Question, lexical: Planes, rare: dict[int, float]) -> float:
        """Adds every word's worth to the cards having it; returns what all words together are worth."""
        size = max(1, len(self._ids))
        few = 16 + size // 1024
        weighted = []
        everything = 0.0
        for key, counts in asked.words:
            posting = self._postings.get(key)
            having = len(posting) if posting else 0
            worth = counts * math.log(1 + (size - having + 0.5) / (having + 0.5))
            everything += worth
            if posting:
                weighted.append((worth, posting))
        if not everything:
            return 0.0
        scale = scoring.WORDS_WORTH * STEPS / everything
        for worth, posting in weighted:
            if len(posting) <= few:
                for position in posting.positions:
                    rare[position] = rare.get(position, 0.0) + worth * scale
            else:
                lexical.add(posting.row(), round(worth * scale))
        return scoring.WORDS_WORTH * STEPS

    def _clashes(self, asked: Question, position: int) -> bool:
        return scoring.machine_factor(asked, _unpack(self._features[position]))[1]


def _wording(card: Card) -> str:
    return " ".join((card.title, card.kind, card.cause, *card.sayings))


def _prior(shown: int, used: int, solved: int) -> float:
    """0..1 from feedback: share of showings that helped, believed more the more there were; a fresh card has 0.5."""
    return min(1.0, (used + solved + 2.0) / (2.0 * shown + 4.0))


def _pack(features: dict[str, int]) -> bytes:
    concepts = vocabulary().concepts
    return array("H", (concepts[name].number << 4 | strength for name, strength in features.items())).tobytes()


def _unpack(packed: bytes) -> dict[str, int]:
    by_number = vocabulary().by_number
    return {by_number[code >> 4].name: code & 15 for code in array("H", packed)}
