"""Temporary and permanent media: upload checks, three-day life, ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response

from .core import Core, Window
from .errors import ApiError

LIFE_S = 3 * 86400
MB = 1024 * 1024
LIMITS = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
TOO_BIG = {"image": 40009, "voice": 45001, "video": 40011, "file": 45001}
TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "amr": "audio/amr",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
}


@dataclass
class Media:
    """One stored file. `until` None means it does not run out (uploadimg, phones' own screen copies)."""

    media_id: str
    kind: str
    name: str
    data: bytes
    content_type: str
    created: float
    until: float | None


def sniff(data: bytes) -> str:
    """A short format name by the first bytes, or ''."""
    if data[:3] == b"\xff\xd8\xff":
        return "jpg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:4] == b"GIF8":
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return "heic" if data[8:12] in (b"heic", b"heix", b"mif1", b"hevc") else "mp4"
    if data[:5] == b"#!AMR":
        return "amr"
    return "pdf" if data[:4] == b"%PDF" else ""


class MediaStore:
    """All files of the corp, in memory."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._media: dict[str, Media] = {}
        self._window = Window()

    def put(
        self, data: bytes, *, kind: str, name: str, content_type: str | None = None, lasting: bool = False
    ) -> Media:
        """Store without checks (what phones send)."""
        now = self.core.clock()
        guessed = TYPES.get(sniff(data)) or content_type or "application/octet-stream"
        media = Media(self.core.fresh(40), kind, name, data, guessed, now, None if lasting else now + LIFE_S)
        self._media[media.media_id] = media
        return media

    def upload(self, data: bytes | None, *, kind: str, name: str, content_type: str | None) -> Media:
        """`media/upload`: type, size and format as the server checks them."""
        if kind not in LIMITS:
            raise ApiError(40004)
        if not data:
            raise ApiError(44001)
        if len(data) <= 5:
            raise ApiError(40006)
        if len(data) > LIMITS[kind]:
            raise ApiError(TOO_BIG[kind])
        found = sniff(data)
        if kind == "image" and found not in ("jpg", "png"):
            raise ApiError(40123)
        if kind == "voice":
            if found != "amr":
                raise ApiError(301017)
            if amr_seconds(data) > 60:
                raise ApiError(45007)
        return self.put(data, kind=kind, name=name, content_type=content_type)

    def upload_image(self, data: bytes | None, name: str) -> str:
        """`media/uploadimg`: a permanent URL; 5 B to 2 MB, 1000 a day."""
        if not data or len(data) <= 5:
            raise ApiError(40006)
        if len(data) > 2 * MB:
            raise ApiError(40009)
        if sniff(data) not in ("jpg", "png"):
            raise ApiError(40123)
        now = self.core.clock()
        if self._window.count("uploadimg", now=now, span_s=86400) >= 1000:
            raise ApiError(45009)
        self._window.add("uploadimg", now=now)
        return self.url(self.put(data, kind="image", name=name, lasting=True))

    def need(self, media_id: Any, *, kind: str | None = None) -> Media:
        """A living file of that kind, else 40007."""
        media = self._media.get(str(media_id or ""))
        if media is None or (media.until is not None and media.until <= self.core.clock()):
            raise ApiError(40007)
        if kind is not None and media.kind != kind:
            raise ApiError(40007, f"media is {media.kind}, not {kind}")
        return media

    def any_age(self, media_id: str) -> Media | None:
        """For screens: a phone keeps showing what it has loaded."""
        return self._media.get(media_id)

    def expire_all(self) -> None:
        """Every media id runs out now."""
        for media in self._media.values():
            if media.until is not None:
                media.until = self.core.clock()

    def url(self, media: Media) -> str:
        return f"{self.core.public_url}/_phone/media/{media.media_id}"

    def answer(self, media: Media, range_header: str | None) -> Response:
        """`media/get`: whole, or 206 with the asked range; 830002 when too big for one answer."""
        limit = int(self.core.switches["max_get_bytes"])
        size = len(media.data)
        start, stop = parse_range(range_header, size)
        partial = range_header is not None and (start, stop) != (0, 0)
        if not partial:
            start, stop = 0, size
        if stop - start > limit:
            raise ApiError(830002)
        response = Response(media.data[start:stop], status=206 if partial else 200, content_type=media.content_type)
        plain = media.name.encode("ascii", "ignore").decode().replace('"', "") or "file"
        response.headers["Content-disposition"] = (
            f"attachment; filename=\"{plain}\"; filename*=utf-8''{quote(media.name)}"
        )
        response.headers["Accept-Ranges"] = "bytes"
        if partial:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return response


def parse_range(header: str | None, size: int) -> tuple[int, int]:
    """`bytes=a-b` as half-open bounds clipped to `size`; (0, 0) when there is none that fits."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", (header or "").strip())
    if not match or not (match[1] or match[2]):
        return 0, 0
    if not match[1]:
        return max(0, size - int(match[2])), size
    start = int(match[1])
    stop = min(size, int(match[2]) + 1) if match[2] else size
    return (start, stop) if start < stop else (0, 0)


def amr_seconds(data: bytes) -> float:
    """Length of an AMR-NB file: 20 ms a frame."""
    sizes = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
    at, frames = 6, 0
    while at < len(data):
        at += sizes.get((data[at] >> 3) & 15, 1)
        frames += 1
    return frames * 0.02
