"""What the search is compared with: plain BM25, SQLite's trigram index and rapidfuzz, over the same card texts.

Each gets its best refusal threshold on the development sets, so that "nothing fits" is a fair contest.
"""

from __future__ import annotations

import math
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz, process

from search import Card, text

SHOWN = 3


class Baseline(ABC):
    """Ranks cards by a score; below the calibrated threshold it says that nothing fits."""

    name = ""

    def __init__(self) -> None:
        self._threshold = 0.0

    @abstractmethod
    def rank(self, question: str) -> list[tuple[float, str]]:
        """(score, id) of the first three, best first."""

    def ask(self, question: str) -> list[str]:
        """Ids best first, empty below the threshold."""
        ranked = self.rank(question)
        return [card_id for _, card_id in ranked] if ranked and ranked[0][0] > self._threshold else []

    def calibrate(self, questions: Sequence[tuple[str, str]]) -> None:
        """Take the threshold with the best mean of recall@3 and right refusals."""
        results = [(wanted, self.rank(question)) for wanted, question in questions]
        unrelated = sum(1 for wanted, _ in results if wanted == "-")
        candidates = {0.0, *(ranked[0][0] for _, ranked in results if ranked)}

        def worth(threshold: float) -> float:
            right = refused = 0
            for wanted, ranked in results:
                shown = ranked if ranked and ranked[0][0] > threshold else []
                if wanted == "-":
                    refused += not shown
                else:
                    right += wanted in [card_id for _, card_id in shown]
            return right / (len(results) - unrelated) + refused / unrelated

        self._threshold = max(sorted(candidates), key=worth)


class PlainBm25(Baseline):
    """BM25 (k1 1.5, b 0.75) over cut words."""

    name = "plain BM25"

    def __init__(self, cards: Sequence[Card]) -> None:
        super().__init__()
        self._ids = [card.id for card in cards]
        self._bags = [Counter(text.cut(_wording(card))) for card in cards]
        self._mean = sum(sum(bag.values()) for bag in self._bags) / len(cards)
        self._having = Counter(word for bag in self._bags for word in bag)

    def rank(self, question: str) -> list[tuple[float, str]]:
        scores = []
        words = text.cut(text.clean(question))
        for card_id, bag in zip(self._ids, self._bags, strict=True):
            length = 1 - 0.75 + 0.75 * sum(bag.values()) / self._mean
            score = 0.0
            for word in words:
                if bag[word]:
                    rarity = math.log(1 + (len(self._ids) - self._having[word] + 0.5) / (self._having[word] + 0.5))
                    score += rarity * bag[word] * 2.5 / (bag[word] + 1.5 * length)
            if score:
                scores.append((score, card_id))
        return sorted(scores, reverse=True)[:SHOWN]


class Trigram(Baseline):
    """SQLite FTS5 with the trigram tokenizer, any trigram of the question, ranked by its bm25()."""

    name = "SQLite FTS5 trigram"

    def __init__(self, cards: Sequence[Card]) -> None:
        super().__init__()
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE cards USING fts5(id UNINDEXED, words, tokenize='trigram')")
        self._db.executemany("INSERT INTO cards VALUES (?, ?)", [(card.id, _wording(card)) for card in cards])

    def rank(self, question: str) -> list[tuple[float, str]]:
        cleaned = text.clean(question)
        pieces = {cleaned[at : at + 3] for at in range(len(cleaned) - 2)}
        pieces = {piece for piece in pieces if " " not in piece}
        if not pieces:
            return []
        wanted = " OR ".join(f'"{piece}"' for piece in sorted(pieces))
        rows = self._db.execute(
            "SELECT -bm25(cards), id FROM cards WHERE cards MATCH ? ORDER BY bm25(cards), id LIMIT ?", (wanted, SHOWN)
        )
        return [(score, card_id) for score, card_id in rows]


class Fuzzy(Baseline):
    """rapidfuzz partial_ratio of question and card text."""

    name = "rapidfuzz"

    def __init__(self, cards: Sequence[Card]) -> None:
        super().__init__()
        self._texts = {card.id: _wording(card) for card in cards}

    def rank(self, question: str) -> list[tuple[float, str]]:
        cleaned = text.clean(question)
        found = process.extract(cleaned, self._texts, scorer=fuzz.partial_ratio, limit=SHOWN) if cleaned else []
        return [(score, card_id) for _, score, card_id in found]


BASELINES = (PlainBm25, Trigram, Fuzzy)


def _wording(card: Card) -> str:
    return text.clean(f"{card.title} {card.kind} {card.cause} {card.first_action}", limit=400)
