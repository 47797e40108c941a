"""Synthetic factory photos with real structure (floor, tanks, pipes, signs, light, sensor noise), the same for one seed.

For tests and benchmarks: no photo of a real plant is kept here.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

_FONT = Path(__file__).parents[1] / "cards" / "fonts" / "AnShaoSans-Regular.ttf"
_SIGNS = ("禁止烟火", "甲醇罐区", "必须戴安全帽", "当心触电", "消防通道", "受限空间", "3号泵房", "氮气管线")
_HUES = ((176, 60, 48), (52, 92, 140), (196, 160, 60), (90, 120, 96), (140, 140, 150), (60, 60, 66), (210, 120, 50))


def scene(seed: int, *, width: int = 1600, height: int = 1200, noise: float = 6.0) -> Image.Image:
    """A workshop as RGB. Scenes of different seeds are different places."""
    rnd = random.Random(seed)
    image = _room(rnd, width, height)
    pen = ImageDraw.Draw(image)
    for _ in range(rnd.randint(3, 6)):
        rnd.choice((_tank, _cabinet, _tank, _stairs))(pen, rnd, width, height)
    for _ in range(rnd.randint(4, 9)):
        _pipe(pen, rnd, width, height)
    for _ in range(rnd.randint(1, 3)):
        _sign(pen, rnd, width, height)
    image = image.filter(ImageFilter.GaussianBlur(max(width, height) / 1600))
    return _lit(image, rnd, noise)


def jpeg(image: Image.Image, *, quality: int = 88, exif: Image.Exif | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, **({"exif": exif} if exif is not None else {}), **options)
    return out.getvalue()


def photo_12mp(seed: int = 1) -> bytes:
    """A 12-megapixel JPEG of about 3.5 MB with orientation, time and position in its EXIF, as a phone writes it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0x9003: "2026:03:05 08:30:00", 0x9011: "+08:00"})
    exif.get_ifd(0x8825).update({1: "N", 2: (37.0, 26.0, 30.0), 3: "E", 4: (118.0, 30.0, 12.0), 31: 8.0})
    held = scene(seed, width=3000, height=4000, noise=17.0).transpose(Image.Transpose.ROTATE_90)
    return jpeg(held, quality=90, exif=exif)


def _room(rnd: random.Random, width: int, height: int) -> Image.Image:
    horizon = int(height * rnd.uniform(0.35, 0.65))
    wall, floor = rnd.choice(_HUES), rnd.choice(_HUES)
    image = Image.new("RGB", (width, height), tuple((v + 2 * 170) // 3 for v in wall))
    pen = ImageDraw.Draw(image)
    for x in range(0, width, max(40, int(width * rnd.uniform(0.08, 0.2)))):
        pen.line((x, 0, x, horizon), fill=tuple((v + 300) // 4 for v in wall), width=max(2, width // 300))
    pen.rectangle((0, horizon, width, height), fill=tuple((v + 2 * 110) // 3 for v in floor))
    vanish = rnd.uniform(0.2, 0.8) * width
    for k in range(-8, 18):
        pen.line(
            (vanish, horizon, k * width / 8, height),
            fill=tuple((v + 90) // 2 for v in floor),
            width=max(2, width // 400),
        )
    return image


def _tank(pen: ImageDraw.ImageDraw, rnd: random.Random, width: int, height: int) -> None:
    hue = rnd.choice(_HUES)
    wide, tall = width * rnd.uniform(0.1, 0.28), height * rnd.uniform(0.25, 0.6)
    left, bottom = rnd.uniform(-0.05, 0.85) * width, height * rnd.uniform(0.6, 0.95)
    pen.ellipse((left - wide * 0.1, bottom - wide * 0.1, left + wide * 1.3, bottom + wide * 0.15), fill=(52, 52, 55))
    for step in range(24):  # light from one side makes a cylinder
        glow = 1.0 - abs(step - 8) / 24
        x = left + wide * step / 24
        pen.rectangle(
            (x, bottom - tall, x + wide / 24 + 1, bottom), fill=tuple(min(255, int(v * (0.5 + glow))) for v in hue)
        )
    pen.ellipse((left, bottom - tall - wide * 0.15, left + wide, bottom - tall + wide * 0.15), fill=hue)


def _cabinet(pen: ImageDraw.ImageDraw, rnd: random.Random, width: int, height: int) -> None:
    hue = rnd.choice(_HUES)
    left, top = rnd.uniform(0, 0.85) * width, rnd.uniform(0.2, 0.5) * height
    right, bottom = left + width * rnd.uniform(0.08, 0.2), top + height * rnd.uniform(0.25, 0.45)
    pen.rectangle((left, top, right, bottom), fill=hue, outline=(30, 30, 30), width=max(2, width // 300))
    for k in range(rnd.randint(2, 6)):
        y = top + (bottom - top) * (k + 1) / 8
        lamp = rnd.choice(((220, 40, 40), (60, 200, 80), (240, 220, 80)))
        pen.ellipse((left + width * 0.01, y, left + width * 0.025, y + width * 0.015), fill=lamp)


def _stairs(pen: ImageDraw.ImageDraw, rnd: random.Random, width: int, height: int) -> None:
    left, bottom = rnd.uniform(0, 0.7) * width, rnd.uniform(0.7, 0.95) * height
    for k in range(rnd.randint(5, 9)):
        y = bottom - k * height * 0.045
        pen.rectangle(
            (left + k * width * 0.03, y, left + width * 0.2 + k * width * 0.03, y + height * 0.015), fill=(214, 178, 40)
        )


def _pipe(pen: ImageDraw.ImageDraw, rnd: random.Random, width: int, height: int) -> None:
    hue, thick = rnd.choice(_HUES), int(width * rnd.uniform(0.008, 0.03))
    x, y = rnd.uniform(0, width), rnd.uniform(0, height * 0.8)
    bend = (x, y, x, y + rnd.uniform(-0.5, 0.5) * height, x + rnd.uniform(-0.6, 0.6) * width, y)
    corners = [(bend[0], bend[1]), (bend[2], bend[3]), (bend[4], bend[3])]
    pen.line(corners, fill=tuple(v // 2 for v in hue), width=thick + 4, joint="curve")
    pen.line(corners, fill=hue, width=thick, joint="curve")
    pen.ellipse((x - thick, y - thick, x + thick, y + thick), outline=(180, 30, 30), width=max(3, thick // 3))


def _sign(pen: ImageDraw.ImageDraw, rnd: random.Random, width: int, height: int) -> None:
    text, size = rnd.choice(_SIGNS), int(width * rnd.uniform(0.02, 0.05))
    font = ImageFont.truetype(str(_FONT), size)
    left, top = rnd.uniform(0.05, 0.7) * width, rnd.uniform(0.05, 0.6) * height
    box = (left - size // 2, top - size // 3, left + font.getlength(text) + size // 2, top + size * 1.6)
    pen.rectangle(box, fill=rnd.choice(((250, 210, 40), (240, 240, 240), (30, 90, 170))), outline=(20, 20, 20), width=3)
    pen.text((left, top), text, font=font, fill=(20, 20, 20))


def _lit(image: Image.Image, rnd: random.Random, noise: float) -> Image.Image:
    """Uneven light and sensor noise."""
    small = Image.new("L", (8, 6))
    for x in range(8):
        for y in range(6):
            small.putpixel((x, y), rnd.randint(150, 255))
    light = small.resize(image.size, Image.Resampling.BICUBIC)
    image = Image.composite(image, ImageEnhance.Brightness(image).enhance(0.55), light)
    if not noise:
        return image
    grain = Image.frombytes("L", image.size, rnd.randbytes(image.width * image.height))
    return Image.blend(image, grain.convert("RGB"), noise / 150)  # uniform bytes have a deviation of 74 grey levels
