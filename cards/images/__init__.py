"""Pictures: checking and preparing photos, comparing them, drawing on them, reading codes. The only user of Pillow.

Everything here takes and gives bytes; a Pillow image never leaves this folder.
"""

from __future__ import annotations

from cards.images.check import MAX_BYTES, MAX_PIXELS, PhotoRefused, open_photo
from cards.images.codes import Code, clean_code, decode_codes, qr_png
from cards.images.decode import THUMBNAIL_SIDE, WORKING_SIDE
from cards.images.exif import ExifFacts
from cards.images.hashes import ALIKE, PictureHashes, alike, hash_distance, same_picture
from cards.images.prepare import PreparedPhoto, prepare
from cards.images.sheet import side_by_side
from cards.images.stamp import stamp

__all__ = [
    "ALIKE",
    "MAX_BYTES",
    "MAX_PIXELS",
    "THUMBNAIL_SIDE",
    "WORKING_SIDE",
    "Code",
    "ExifFacts",
    "PhotoRefused",
    "PictureHashes",
    "PreparedPhoto",
    "alike",
    "clean_code",
    "decode_codes",
    "hash_distance",
    "open_photo",
    "prepare",
    "qr_png",
    "same_picture",
    "side_by_side",
    "stamp",
]
