"""The search index of this process, kept true to the database.

Every search first reads one number, the count of card changes (`storage/knowledge.py:version`), and takes up the cards
that changed since. So a card published by one worker is found by all others at their next search, and no message
between processes can be lost.
"""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Pool

from handlers.knowledge import starter
from rules.knowledge import CardState
from search import Card, Embedder, EmbedderStatus, Index, SearchResult, SimilarCard, load_embedder
from storage.models import KnowledgeCard
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

FEATURES = ("machines", "parts", "sounds", "signs", "needs")
MAX_QUERY = 400
REBUILD_DEAD = 2000  # places of old editions; above this, and above half of all, the index is built anew


_vectors: Embedder | None = None


def use_vectors(directory: Path | None) -> EmbedderStatus:
    """Take the word vectors that the administrator put into this folder; without one the search works by itself.

    Called once, when the process starts, before the first search.
    """
    global _vectors
    _vectors, status = load_embedder(directory)
    log.info("knowledge.vectors", ready=status.ready)
    return status


class Ear:
    """One index and the change number it has reached. Safe to share between threads."""

    def __init__(self) -> None:
        self.index = Index(embedder=_vectors)
        self.reached = 0
        self._lock = threading.Lock()

    def catch_up(self, work: UnitOfWork, *, own: bool = False) -> int:
        """Take up what changed since the last search; returns how many cards did.

        What the transaction itself changed waits until it is committed, unless `own`.
        """
        version = work.knowledge.version()
        if version == self.reached or (work.knowledge.touched and not own):
            return 0
        with self._lock:
            if version < self.reached or (self.index.dead > REBUILD_DEAD and self.index.dead > len(self.index)):
                self.index, self.reached = (
                    Index(embedder=_vectors),
                    0,
                )  # another database (a restored backup), or many old editions
            changed = work.knowledge.changed_since(self.reached)
            for row in changed:
                if row.state == CardState.PUBLISHED.value:
                    self.index.add(as_search_card(row))
                else:
                    self.index.remove(row.code)
            self.reached = version
        log.info("knowledge.index_caught_up", changed=len(changed), cards=len(self.index), version=version)
        return len(changed)


_ears: WeakKeyDictionary[Pool, Ear] = WeakKeyDictionary()
_making = threading.Lock()


def of(work: UnitOfWork) -> Ear:
    """This process's ear for the database of this work, up to date. Its first search puts the starter pack in place."""
    pool = work.pool
    ear = _ears.get(pool)
    if ear is None:
        with _making:
            ear = _ears.setdefault(pool, Ear())
    seeded = not work.read_only and not ear.reached and starter.load(work) > 0
    ear.catch_up(work, own=seeded)  # should this transaction roll back, the number goes back too, and is noticed
    return ear


def unseeded(work: UnitOfWork) -> bool:
    """Whether the starter pack has to be loaded first, by a transaction that may write. Asked once a process."""
    ear = _ears.get(work.pool)
    return (ear is None or not ear.reached) and starter.needed(work)


def warm(work: UnitOfWork) -> None:
    """Load dictionaries and cards before the first question: together they take half a second to two."""
    search(work, "泵里噼里啪啦响")


def search(work: UnitOfWork, text: str, *, limit: int = 3, equipment_kind: str = "") -> SearchResult:
    """The best cards for what somebody said. `equipment_kind`: any words for the machine it is about, "" when unknown."""
    return of(work).index.search(text[:MAX_QUERY], limit=limit, equipment_kind=equipment_kind or None)


def similar(work: UnitOfWork, card: KnowledgeCard, *, limit: int = 3) -> tuple[SimilarCard, ...]:
    """Published cards that may be the same experience, likest first."""
    return of(work).index.similar_cards(as_search_card(card), limit=limit)


def as_search_card(row: KnowledgeCard) -> Card:
    """The card as the search sees it. Features that are not named are read out of its words."""
    named = {name: tuple(row.features.get(name, ())) for name in FEATURES} if row.features else {}
    return Card(
        id=row.code,
        title=row.title,
        kind=row.kind,
        cause=row.cause,
        first_action=row.first_action,
        danger_sign=row.danger_sign,
        sayings=tuple(str(saying) for saying in row.sayings),
        shown=row.shown or 0,
        used=row.used or 0,
        solved=row.solved or 0,
        **named,
    )
