"""May these bytes be decoded at all? Size, kind and pixel count are looked at before a decoder runs."""

from __future__ import annotations

import io
import struct
import warnings

from PIL import Image, UnidentifiedImageError

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SCANS = 100  # a progressive JPEG has about ten; thousands of scans cost minutes of decoding

# Pillow itself only warns above its limit and raises at twice that; here both are refusals.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

_ASK = "请重新拍一张或发截图"
_MESSAGES = {
    "empty": f"没有收到照片内容,{_ASK}",
    "too_big": "照片超过5MB,请不要勾选“原图”,或发截图",
    "heic": "这是HEIC格式,请在相机设置里改为“兼容性最佳”,或截图后再发",
    "avif": "这是AVIF格式,打不开,请截图后再发",
    "gif": "这是GIF动图,不能作为证据,请拍一张照片发来",
    "webp": "这是WebP格式,打不开,请截图后再发",
    "bmp": "这是BMP格式,打不开,请截图后再发",
    "tiff": "这是TIFF格式,打不开,请截图后再发",
    "video": "这是视频,暂时只收照片,请拍一张照片发来",
    "pdf": "这是PDF文件,请截图后再发",
    "unknown": "这不是照片文件,只收JPG或PNG格式,请拍一张照片发来",
    "truncated": f"照片没有传完整,{_ASK}",
    "damaged": f"照片文件损坏,打不开,{_ASK}",
    "too_many_pixels": "照片尺寸太大(超过4000万像素),请把相机分辨率调低,或发截图",
    "too_small": f"照片太小,看不清,{_ASK}",
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MIN_SIDE = 16


class PhotoRefused(Exception):
    """The picture cannot be used. reason_code is for rows and logs; message_zh tells the sender why and what to do."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code
        self.message_zh = _MESSAGES[reason_code]


def open_photo(data: bytes) -> Image.Image:
    """A JPEG or PNG opened but not yet decoded: its header is read, its size is known.

    Raises PhotoRefused for anything else, for more than 5 MB or 40 megapixels, and for files that cannot be a photo.
    Whether the pixels are all there shows only when it is decoded (`prepare`).
    """
    if not data:
        raise PhotoRefused("empty")
    kind = _kind(data)
    if kind not in ("JPEG", "PNG"):
        raise PhotoRefused(kind)
    if len(data) > MAX_BYTES:
        raise PhotoRefused("too_big")
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoRefused("too_many_pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, IndexError, KeyError) as error:
        raise PhotoRefused("truncated" if len(data) < 1024 else "damaged") from error
    if image.width * image.height > MAX_PIXELS:
        raise PhotoRefused("too_many_pixels")
    if image.info.get("progressive") and data.count(b"\xff\xda") > MAX_SCANS:
        raise PhotoRefused("damaged")
    if min(image.size) < MIN_SIDE:
        raise PhotoRefused("too_small")
    return image


def decode(image: Image.Image) -> None:
    """Read the pixels. Raises PhotoRefused when they are cut off or broken."""
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError) as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        raise PhotoRefused("truncated" if cut else "damaged") from error


def _kind(data: bytes) -> str:
    """JPEG, PNG, or the reason code of what it is instead."""
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC_BRANDS:
            return "heic"
        return "avif" if brand in (b"avif", b"avis") else "video"
    if head[:4] == b"RIFF":
        return "webp" if head[8:12] == b"WEBP" else "video"
    signs = {b"GIF8": "gif", b"BM": "bmp", b"II*\0": "tiff", b"MM\0*": "tiff", b"%PDF": "pdf"}
    return next((reason for sign, reason in signs.items() if head.startswith(sign)), "unknown")
