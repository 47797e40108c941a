"""Rows about stored pictures and voices; the bytes are in storage/media.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
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

    def films_before(self, at: datetime, *, limit: int) -> Sequence[str]:
        """SHA-256 of the films stored before that and still there, oldest first."""
        return self.db.scalars(
            select(Media.sha256)
            .where(Media.mime.like("video/%"), Media.stored_at < at)
            .order_by(Media.stored_at, Media.sha256)
            .limit(limit)
        ).all()

    def forget_film(self, sha256: str, *, at: datetime) -> None:
        """The row stays and says that there was a film; its hash stays with the permit."""
        row = self.get(sha256)
        if row is not None:
            row.mime, row.facts = "gone/video", {**row.facts, "forgotten_at": at.isoformat()}
            self.db.flush()

    def earlier_photos(self) -> Iterator[EarlierPhoto]:
        """Photos of all filed hazards with their picture hash, newest first: what a new proof is compared with.

        A draft that was dropped proves nothing: its photo may have been meant for the proof in the first place.
        """
        rows = self.db.execute(
            select(
                HazardPhoto.id, HazardPhoto.hazard_id, HazardPhoto.kind, HazardPhoto.sha256, Media.dhash, Hazard.number
            )
            .join(Media, Media.sha256 == HazardPhoto.sha256)
            .join(Hazard, Hazard.id == HazardPhoto.hazard_id)
            .where(Media.dhash != "", Hazard.number.is_not(None))
            .order_by(HazardPhoto.id.desc())
            .execution_options(yield_per=2000)
        )
        return (EarlierPhoto(*row) for row in rows)
