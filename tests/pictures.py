"""Drawn photographs for tests: the same corner of a plant with and without the hazard, and bad files."""

from __future__ import annotations

import io
import random
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 900)


def _save(picture: Image.Image, *, exif: Any = None, fmt: str = "JPEG") -> bytes:
    out = io.BytesIO()
    picture.save(out, fmt, quality=88, **({"exif": exif} if exif else {}))
    return out.getvalue()


@cache
def scene(seed: int, *, mended: bool = False) -> bytes:
    """A pump corner: wall, pipes, a pump; a puddle when not mended. Another `seed` is another place."""
    rng = random.Random(seed)
    picture = Image.new("RGB", SIZE, (rng.randrange(90, 170), rng.randrange(100, 170), rng.randrange(100, 160)))
    draw = ImageDraw.Draw(picture)
    floor = rng.randrange(560, 660)
    draw.rectangle((0, floor, *SIZE), fill=(rng.randrange(70, 110),) * 3)
    for _ in range(5):
        y = rng.randrange(40, floor - 60)
        draw.rectangle((0, y, SIZE[0], y + rng.randrange(12, 34)), fill=tuple(rng.randrange(40, 220) for _ in range(3)))
    for _ in range(4):
        x = rng.randrange(0, SIZE[0] - 160)
        draw.rectangle(
            (x, floor - rng.randrange(120, 320), x + rng.randrange(60, 200), floor),
            fill=tuple(rng.randrange(30, 200) for _ in range(3)),
        )
    pump = rng.randrange(200, 800)
    draw.ellipse((pump, floor - 180, pump + 260, floor + 40), fill=(40, 80, 140), outline=(10, 20, 40), width=8)
    if mended:
        draw.rectangle((pump - 60, floor - 260, pump + 60, floor - 150), fill=(230, 200, 40))
        draw.rectangle((pump + 240, floor - 240, pump + 420, floor + 60), fill=(200, 60, 50))
    else:
        draw.ellipse((pump - 160, floor + 20, pump + 420, floor + 210), fill=(25, 22, 18))
    noise = Image.effect_noise(SIZE, 28).convert("RGB")
    return _save(Image.blend(picture, noise, 0.12).filter(ImageFilter.GaussianBlur(0.8)))


def recompressed(data: bytes, *, quality: int = 60, scale: float = 0.8) -> bytes:
    """The same picture saved again smaller: what forwarding a photo does to it."""
    whole = Image.open(io.BytesIO(data))
    picture = whole.resize((int(whole.width * scale), int(whole.height * scale)))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def heic() -> bytes:
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 4000


def gif() -> bytes:
    return _save(Image.new("P", (200, 200)), fmt="GIF")


def bomb() -> bytes:
    """A small PNG file that would decode to 144 megapixels."""
    out = io.BytesIO()
    Image.new("1", (12000, 12000)).save(out, "PNG")
    return out.getvalue()
