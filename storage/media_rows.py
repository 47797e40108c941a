"""Rows about stored pictures and voices; the bytes are in storage/media.py."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Hazard, HazardPhoto, Media


class EarlierPhoto(NamedTuple):
    photo_id: int
    hazard_id: int
    kind: str
    sha256: str
    dhash: str
    number: str | None


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

    def earlier_photos(self, *, limit: int = 5000) -> list[EarlierPhoto]:
        """Photos of all hazards with their picture hash, newest first: what a new proof is compared with."""
        rows = self.db.execute(
            select(
                HazardPhoto.id, HazardPhoto.hazard_id, HazardPhoto.kind, HazardPhoto.sha256, Media.dhash, Hazard.number
            )
            .join(Media, Media.sha256 == HazardPhoto.sha256)
            .join(Hazard, Hazard.id == HazardPhoto.hazard_id)
            .where(Media.dhash != "")
            .order_by(HazardPhoto.id.desc())
            .limit(limit)
        )
        return [EarlierPhoto(*row) for row in rows]
