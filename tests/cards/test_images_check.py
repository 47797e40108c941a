"""What is refused, why, and that nothing is decoded before it is checked."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench import scenes
from cards.images import MAX_BYTES, PhotoRefused, open_photo, prepare

PHOTO = scenes.jpeg(scenes.scene(1, width=640, height=480))


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size; its pixels are all black and compress to little."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" * (width // 8 + 2) * 64)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def saved(kind: str) -> bytes:
    out = io.BytesIO()
    scenes.scene(2, width=320, height=240).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code", "next_step"),
    [
        (b"", "empty", "重新拍"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic", "兼容性最佳"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "heic", "截图"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "avif", "截图"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video", "拍一张照片"),
        (saved("GIF"), "gif", "拍一张照片"),
        (saved("WEBP"), "webp", "截图"),
        (saved("BMP"), "bmp", "截图"),
        (saved("TIFF"), "tiff", "截图"),
        (b"%PDF-1.7\n", "pdf", "截图"),
        (b"<?xml version='1.0'?>", "unknown", "JPG或PNG"),
        (png(8000, 5001), "too_many_pixels", "分辨率"),
        (png(60000, 60000), "too_many_pixels", "分辨率"),
        (png(64, 15), "too_small", "重新拍"),
        (b"\xff\xd8\xff\xe0", "truncated", "重新拍"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_with_reason_and_next_step(data, code, next_step):
    with pytest.raises(PhotoRefused) as refused:
        open_photo(data)
    assert refused.value.reason_code == code
    assert next_step in refused.value.message_zh


def test_the_limits_are_inclusive():
    assert open_photo(png(8000, 5000)).size == (8000, 5000)
    full = PHOTO + b"\0" * (MAX_BYTES - len(PHOTO))
    assert open_photo(full).size == (640, 480)
    with pytest.raises(PhotoRefused) as refused:
        open_photo(full + b"\0")
    assert refused.value.reason_code == "too_big"


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.98])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_that_was_cut_off_is_refused(kind, keep):
    data = PHOTO if kind == "JPEG" else saved("PNG")
    with pytest.raises(PhotoRefused) as refused:
        prepare(data[: int(len(data) * keep)])
    assert refused.value.reason_code in ("truncated", "damaged")
    assert "重新拍" in refused.value.message_zh


def test_a_jpeg_of_a_thousand_scans_is_not_decoded():
    progressive = scenes.jpeg(scenes.scene(1, width=160, height=120), progressive=True)
    at = progressive.rindex(b"\xff\xda")
    with pytest.raises(PhotoRefused) as refused:
        open_photo(progressive[:at] + progressive[at:-2] * 1000 + progressive[-2:])
    assert refused.value.reason_code == "damaged"
    assert prepare(progressive).width == 160


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PHOTO) - 1), st.binary(min_size=1, max_size=40))
def test_a_corrupt_photo_is_refused_or_prepared_but_never_anything_else(at, junk):
    data = PHOTO[:at] + junk + PHOTO[at + len(junk) :]
    try:
        photo = prepare(data)
    except PhotoRefused:
        return
    assert photo.working.startswith(b"\xff\xd8")


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16", "CMYK"])
def test_every_colour_mode_becomes_a_plain_jpeg(mode):
    image = scenes.scene(3, width=200, height=150)
    if mode == "I;16":
        image = Image.frombytes("I;16", (200, 150), b"".join(bytes((0, v)) for v in image.convert("L").tobytes()))
    else:
        image = image.convert("RGBA").convert(mode) if mode != "CMYK" else image.convert("CMYK")
    out = io.BytesIO()
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")
    working = Image.open(io.BytesIO(prepare(out.getvalue()).working)).convert("L")
    wanted = scenes.scene(3, width=200, height=150).convert("L")
    assert working.size == (200, 150)
    assert abs(sum(working.tobytes()) - sum(wanted.tobytes())) / 30000 < 12  # mean grey level is kept
