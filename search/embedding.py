"""Optional word vectors that the administrator puts on disk; nothing is ever downloaded."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from search import text

VECTOR_FILE = "vectors.vec"


class Embedder(Protocol):
    """Turns a text into a vector of unit length, or None when it knows none of its words."""

    name: str

    def embed(self, cleaned: str) -> array | None:
        """cleaned: as search.text.clean leaves it. The array holds floats ('f')."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedderStatus:
    """What the settings page shows. ready: the embedder is in use."""

    ready: bool
    message: str


class WordVectors:
    """Mean of word vectors read from a text file in the common format: word and numbers, one word a line."""

    def __init__(self, name: str, vectors: dict[str, array]) -> None:
        self.name = name
        self._vectors = vectors

    @classmethod
    def read(cls, path: Path) -> WordVectors:
        """Raises ValueError, naming the line, for a line whose length differs from the first vector's."""
        vectors: dict[str, array] = {}
        size = 0
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                word, *numbers = line.split()
                if number == 1 and len(numbers) == 1:
                    continue
                size = size or len(numbers)
                if len(numbers) != size or not size:
                    raise ValueError(f"line {number}: {len(numbers)} numbers instead of {size}")
                vectors[word] = array("f", map(float, numbers))
        if not vectors:
            raise ValueError("no vectors in the file")
        return cls(path.name, vectors)

    def embed(self, cleaned: str) -> array | None:
        known = [self._vectors[word] for word in text.cut(cleaned) if word in self._vectors]
        if not known:
            return None
        return unit(array("f", map(sum, zip(*known, strict=True))))


def unit(vector: array) -> array | None:
    """The vector at length 1; None for the zero vector."""
    length = math.sqrt(sum(value * value for value in vector))
    return array("f", (value / length for value in vector)) if length else None


def cosine(one: array | None, other: array | None) -> float:
    """Cosine of two unit vectors, 0 when either is missing."""
    if one is None or other is None:
        return 0.0
    return sum(a * b for a, b in zip(one, other, strict=True))


def load_embedder(directory: Path | None) -> tuple[Embedder | None, EmbedderStatus]:
    """The embedder of a model directory; without one the search works by itself and says so."""
    if directory is None:
        return None, EmbedderStatus(False, "未配置语义模型,按关键词、读音和特征搜索")
    path = directory / VECTOR_FILE
    if not path.is_file():
        return None, EmbedderStatus(False, f"语义模型未启用:目录里没有 {VECTOR_FILE},请放好文件后重启")
    try:
        vectors = WordVectors.read(path)
    except (ValueError, UnicodeDecodeError) as error:
        return None, EmbedderStatus(False, f"语义模型未启用:{VECTOR_FILE} 读不了({error}),请换文件后重启")
    return vectors, EmbedderStatus(True, f"已启用语义模型 {path.name}")
