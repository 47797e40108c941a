"""Decoding to small upright RGB copies, and writing them as JPEG with nothing of the original's metadata."""

from __future__ import annotations

import io

from PIL import Image

from cards.images import exif
from cards.images.check import decode, open_photo

WORKING_SIDE = 1280
ENOUGH_SIDE = 960  # a decoder step from here up to 1280 is taken as it is: resampling costs half a decode more
THUMBNAIL_SIDE = 320
QUALITY = 82
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decoded(image: Image.Image, side: int) -> Image.Image:
    """Decoded to RGB with the long side at most `side`; JPEGs are shrunk inside the decoder where that is enough."""
    long_side = max(image.size)
    exact = next((step for step in (1, 2, 4, 8) if ENOUGH_SIDE <= -(-long_side // step) <= side), None)
    draft(image, -(-long_side // exact) if exact else side, "RGB")
    decode(image)
    return shrunk(to_rgb(image), side)


def upright_rgb(data: bytes, side: int) -> Image.Image:
    """A stored picture decoded, upright, at most `side` px long. Raises PhotoRefused when it cannot be decoded."""
    image = open_photo(data)
    _, orientation = exif.read(image)
    return turned(decoded(image, side), orientation)


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Upright, by the EXIF orientation 1 to 8."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def draft(image: Image.Image, side: int, mode: str) -> None:
    """Ask the JPEG decoder for the smallest copy whose long side is at least `side`; a PNG stays as it is."""
    scale = max(image.size) / side
    image.draft(mode, (max(1, int(image.width / scale)), max(1, int(image.height / scale))))


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB of any decoded picture: transparent parts on white, 16-bit grey by its upper byte."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        paper = Image.new("RGB", coloured.size, "white")
        paper.paste(coloured, mask=coloured.getchannel("A"))
        return paper
    return image.convert("RGB")


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """A copy whose long side is at most `side`; whole-number steps by averaging first, which is cheap and clean."""
    scale = side / max(image.size)
    if scale >= 1:
        return image.copy() if side == THUMBNAIL_SIDE else image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.0 if side == THUMBNAIL_SIDE else 2.0)


def to_jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.info = {}  # nothing of the original goes along: no EXIF, no comment, no colour profile
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
