"""Rows about stored pictures and voices; the bytes are in storage/media.py."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import HazardPhoto, Media


class MediaRows:
    def __init__(self, db: Session) -> None:
        self.db = db

    def get(self, sha256: str) -> Media | None:
        return self.db.get(Media, sha256)

    def add(self, row: Media) -> Media:
        """Add unless the same content is known already."""
        known = self.get(row.sha256)
        if known is not None:
            return known
        self.db.add(row)
        self.db.flush()
        return row

    def earlier_photos(self, *, limit: int = 5000) -> Sequence[tuple[HazardPhoto, str]]:
        """Photos of hazards with their picture hash, newest first: what a new proof is compared with."""
        rows = self.db.execute(
            select(HazardPhoto, Media.dhash)
            .join(Media, Media.sha256 == HazardPhoto.sha256)
            .where(Media.dhash != "")
            .order_by(HazardPhoto.id.desc())
            .limit(limit)
        ).all()
        return [(photo, dhash) for photo, dhash in rows]
