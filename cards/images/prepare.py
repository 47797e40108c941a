"""From the bytes a phone sent to what is kept: upright working copy, thumbnail, hashes and facts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from cards.images import exif, hashes
from cards.images.check import open_photo
from cards.images.decode import QUALITY, THUMBNAIL_SIDE, WORKING_SIDE, decoded, shrunk, to_jpeg, turned
from cards.images.exif import ExifFacts
from cards.images.hashes import PictureHashes
from cards.images.stamp import draw_bar


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """sha256, mime: of the file as sent. width, height: of the upright original, in pixels.

    working: JPEG, long side at most 1280 px, no EXIF; thumbnail: JPEG, at most 320 px.
    picture_hashes: None for a blank picture (black, one colour), which cannot be compared; look is "" then.
    """

    sha256: str
    mime: str
    width: int
    height: int
    working: bytes
    thumbnail: bytes
    picture_hashes: PictureHashes | None
    look: str
    exif: ExifFacts

    @property
    def hashes(self) -> str:
        """Both hashes as 32 hex digits (phash, dhash), or "" for a blank picture."""
        return self.picture_hashes.hex if self.picture_hashes else ""

    @property
    def dhash(self) -> int | None:
        return self.picture_hashes.dhash if self.picture_hashes else None

    @property
    def phash(self) -> int | None:
        return self.picture_hashes.phash if self.picture_hashes else None


def prepare(data: bytes, *, stamp_lines: Sequence[str] = ()) -> PreparedPhoto:
    """Check, decode, turn upright, make the small copies, hash. `stamp_lines` are drawn on the working copy only.

    Raises PhotoRefused with the reason and the next step.
    """
    image = open_photo(data)
    width, height = image.size
    facts, orientation = exif.read(image) if image.format != "PNG" else (None, 1)
    working = decoded(image, WORKING_SIDE)
    if facts is None:  # a PNG may carry its EXIF behind the pixels
        facts, orientation = exif.read(image)
    working = turned(working, orientation)
    if orientation >= 5:
        width, height = height, width
    thumbnail = shrunk(working, THUMBNAIL_SIDE)
    found = hashes.of(thumbnail)
    if stamp_lines:
        draw_bar(working, stamp_lines)
    return PreparedPhoto(
        sha256=hashlib.sha256(data).hexdigest(),
        mime=Image.MIME["PNG" if image.format == "PNG" else "JPEG"],
        width=width,
        height=height,
        working=to_jpeg(working, QUALITY),
        thumbnail=to_jpeg(thumbnail, QUALITY),
        picture_hashes=found,
        look=hashes.look_of(thumbnail) if found else "",
        exif=facts,
    )
