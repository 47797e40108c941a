"""Stored pictures, voices and files: named by content, described once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Media(Base):
    __tablename__ = "media"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)  # of the file as it was sent
    mime: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    small_sha: Mapped[str] = mapped_column(String(64), default="")  # 1280 px upright working copy, no EXIF
    thumb_sha: Mapped[str] = mapped_column(String(64), default="")
    dhash: Mapped[str] = mapped_column(String(40), default="", index=True)  # picture hashes as hex, see cards/images
    taken_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # exif position, codes read from the picture
    stored_at: Mapped[datetime]
