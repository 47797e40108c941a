"""Search over veteran-experience cards (老师傅经验卡): plain values in, explained hits out; no database, no chat."""

from __future__ import annotations

from search.contradictions import Contradiction, contradicts, unsafe_advice
from search.embedding import Embedder, EmbedderStatus, WordVectors, load_embedder
from search.index import Index
from search.model import Card, Confidence, Hit, SearchResult, SimilarCard
from search.starter import STARTER_MARK, starter_cards

__all__ = [
    "STARTER_MARK",
    "Card",
    "Confidence",
    "Contradiction",
    "Embedder",
    "EmbedderStatus",
    "Hit",
    "Index",
    "SearchResult",
    "SimilarCard",
    "WordVectors",
    "contradicts",
    "load_embedder",
    "starter_cards",
    "unsafe_advice",
]
