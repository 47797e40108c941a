"""Which photos a new proof may be a copy of: near by their hashes among all that were ever sent, then looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from heapq import nsmallest

from cards import images
from rules.hazard import PhotoFacts, hash_distance
from storage.unit_of_work import UnitOfWork

# A copy cropped by 8 % on every side keeps so many bits; other places lie within them one time in some ten
NEAR_PHASH, NEAR_DHASH = 26, 24
LOOK_AT = 8  # the nearest are looked at, up to 20 ms each


def hash_of(dhash: str) -> int | None:
    """The first 64 bits of the stored picture hash."""
    return int(dhash[:16], 16) if dhash else None


def second_hash(dhash: str) -> int | None:
    return int(dhash[16:32], 16) if len(dhash) >= 32 else None


def candidates(work: UnitOfWork, after: Sequence[PhotoFacts], *, skip: set[int]) -> list[PhotoFacts]:
    """Photos of any case that one of these may be a copy of; `skip` are ids of photos that do not count."""
    hashed = [(p.sha256, p.phash, p.dhash) for p in after if p.phash is not None]
    found: list[tuple[int, PhotoFacts]] = []
    for photo in work.media.earlier_photos():
        if photo.photo_id in skip:
            continue
        phash, dhash = hash_of(photo.dhash), second_hash(photo.dhash)
        bits = min((_apart(mine, phash, dhash, photo.sha256) for mine in hashed), default=None)
        if bits is not None and bits <= NEAR_PHASH + NEAR_DHASH:
            found.append((bits, PhotoFacts(sha256=photo.sha256, phash=phash, dhash=dhash, case=photo.number or "")))
    nearest = nsmallest(LOOK_AT, found, key=lambda pair: pair[0])
    return looked_at(work, [facts for _, facts in nearest], after)


def _apart(mine: tuple[str | None, int | None, int | None], phash: int | None, dhash: int | None, sha256: str) -> int:
    own_sha, own_phash, own_dhash = mine
    if sha256 == own_sha:
        return 0
    if phash is None or own_phash is None:
        return 128
    first = hash_distance(phash, own_phash)
    second = hash_distance(dhash, own_dhash) if dhash is not None and own_dhash is not None else first
    return first + second if first <= NEAR_PHASH and second <= NEAR_DHASH else 128


def looked_at(work: UnitOfWork, known: Sequence[PhotoFacts], after: Sequence[PhotoFacts]) -> list[PhotoFacts]:
    """The same photos, knowing which of the after-photos they look like; as they were where a look is missing."""
    mine = {p.sha256: _look(work, p) for p in after if p.sha256}
    out = []
    for photo in known:
        look = _look(work, photo)
        if look and all(mine.values()):
            like = {sha for sha, own in mine.items() if images.alike(own, look) >= images.ALIKE}
            photo = replace(photo, looks_like=frozenset(like))
        out.append(photo)
    return out


def _look(work: UnitOfWork, photo: PhotoFacts) -> str:
    row = work.media.get(photo.sha256) if photo.sha256 else None
    return str(row.facts.get("look", "")) if row is not None and row.facts else ""
