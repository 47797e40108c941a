"""QR and bar codes: read from a photo, and QR codes made."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from typing import Any

import segno
import zxingcpp
from PIL import Image

from cards.images.check import decode, open_photo
from cards.images.decode import draft

FIRST_SIDE = 1600
LAST_SIDE = 4000
MAX_CODES = 8
MAX_TEXT = 512
_TYPES: tuple[str, ...] = (
    "QR_CODE",
    "DATA_MATRIX",
    "AZTEC",
    "PDF_417",
    "CODE_128",
    "CODE_39",
    "CODE_93",
    "CODABAR",
    "ITF",
)
_TYPES += ("EAN_13", "EAN_8", "UPC_A", "UPC_E", "QRCODE", "CODE128", "CODE39", "EAN13", "EAN8")
_PREFIX = re.compile(rf"^(?:{'|'.join(_TYPES)}),", re.IGNORECASE)
# ITF, Codabar and Code 93 are left out: short ones without a check digit turn up in gratings and pipe racks
_FORMATS = [
    zxingcpp.BarcodeFormat.QRCode,
    zxingcpp.BarcodeFormat.MicroQRCode,
    zxingcpp.BarcodeFormat.DataMatrix,
    zxingcpp.BarcodeFormat.Aztec,
    zxingcpp.BarcodeFormat.Code128,
    zxingcpp.BarcodeFormat.Code39,
    zxingcpp.BarcodeFormat.EAN13,
    zxingcpp.BarcodeFormat.EAN8,
]


# In the large copy only what is stuck on equipment is looked for: all kinds would cost five times the time
_FORMATS_LARGE = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128]


@dataclass(frozen=True, slots=True)
class Code:
    """text: what the code says, without a «CODE_128,» before it; format: «QRCode», «Code128», …"""

    text: str
    format: str


def decode_codes(data: bytes) -> list[Code]:
    """The codes in a photo, at most eight, each text once. Only when the 1600 px copy shows none is one of up to 4000 px read,
    and only for QR and Code 128 (a QR code needs about 120 pixels of a 12-megapixel photo, 160 in the first copy).

    Raises PhotoRefused when the photo cannot be decoded.
    """
    long_side = max(open_photo(data).size)
    found = _read(_grey(data, FIRST_SIDE), _FORMATS, thorough=True)
    if not found and long_side > FIRST_SIDE:
        found = _read(_grey(data, LAST_SIDE), _FORMATS_LARGE, thorough=False)
    return found


def clean_code(text: str) -> str:
    """A scanned text without the type that scanners of the chat platforms put before it («CODE_128,P-101»)."""
    return _PREFIX.sub("", text.strip()).strip()


def qr_png(text: str, *, pixels_per_module: int = 8) -> bytes:
    """A QR code as PNG with its quiet zone, error correction M or better. Raises ValueError when the text is too long."""
    out = io.BytesIO()
    try:
        # byte mode is asked for: left to choose, segno takes some UTF-8 texts for kanji and encodes another text
        code = segno.make_qr(text, error="m", mode="byte", encoding="utf-8")
    except segno.DataOverflowError as error:
        raise ValueError("the text is too long for a QR code") from error
    code.save(out, kind="png", scale=pixels_per_module, border=4)
    return out.getvalue()


def _grey(data: bytes, side: int) -> Image.Image:
    image = open_photo(data)
    draft(image, min(side, max(image.size)), "L")
    decode(image)
    grey = image.convert("L")
    scale = side / max(grey.size)
    if scale < 1:
        grey = grey.resize((round(grey.width * scale), round(grey.height * scale)), Image.Resampling.BOX)
    return grey


def _read(grey: Image.Image, formats: Any, *, thorough: bool) -> list[Code]:
    """thorough: also light codes on dark ground, and a shrunk copy against blur."""
    codes: dict[str, Code] = {}
    for result in zxingcpp.read_barcodes(grey, formats=formats, try_invert=thorough, try_downscale=thorough):
        text = clean_code(_text(result))
        if result.valid and text and len(text) <= MAX_TEXT:
            codes.setdefault(text, Code(text, result.format.name))
    return list(codes.values())[:MAX_CODES]


def _text(result: Any) -> str:
    """A code's text. Most codes do not name their character set and the reader guesses, GBK labels as Japanese; in a
    Chinese plant it is UTF-8 or GB 18030. One that names its set is taken at its word."""
    if result.symbology_identifier != "]Q1":
        return str(result.text)
    for charset in ("utf-8", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            return bytes(result.bytes).decode(charset)
    return str(result.text)
