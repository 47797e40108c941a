"""Ready-made photos for the phones: four places of the plant before and after, and the plate of any equipment.

A photo is drawn when it is first asked for. Each `take` is another press of the shutter: slightly moved, never the
same file; pictures "after" are framed differently from those "before", as by another person on another day.
"""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from PIL import Image

from .scenery import Canvas, cable, fire_exit, flange, guard, label

CHINA = timezone(timedelta(hours=8))
MAX_BYTES = 60_000
_drawing = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """`name` is the address; `title` and `words` (what one would say with it) are shown."""

    name: str
    title: str
    words: str
    scene: Callable[..., Canvas]
    fixed: bool


PHOTOS = (
    Photo("flange-before", "法兰滴漏", "3号泵房出口法兰在滴甲醇,地面湿了一片", flange, False),
    Photo("flange-after", "法兰已紧固", "已更换垫片并紧固,地面冲洗干净", flange, True),
    Photo("exit-before", "安全出口被堵", "安全出口堆了纸箱和油桶,门打不开", fire_exit, False),
    Photo("exit-after", "出口已清空", "杂物已清走,通道畅通", fire_exit, True),
    Photo("guard-before", "联轴器无护罩", "装车泵联轴器防护罩没装,设备在转", guard, False),
    Photo("guard-after", "护罩已装好", "防护罩已装好并固定", guard, True),
    Photo("cable-before", "电缆露铜", "电缆外皮破损,铜芯裸露,旁边是配电箱", cable, False),
    Photo("cable-after", "电缆已更换", "破损电缆已更换并穿管", cable, True),
)
BY_NAME = {photo.name: photo for photo in PHOTOS}


def photo_jpeg(
    name: str,
    *,
    take: int = 1,
    at: float | None = None,
    place: tuple[float, float] | None = None,
    width: int = 960,
) -> bytes:
    """The JPEG of one take, `width` (80 … 960) wide, at most MAX_BYTES; 4:3.

    `at` (epoch) and `place` (lat, lon in WGS84) go into the EXIF when given.

    Photos without EXIF are kept. `plate-<code>` is the plate of that equipment. Raises KeyError for an unknown name.
    """
    if at is None and place is None:
        return _plain(name, take, width)
    return _taken(name, take, width, _exif(at, place))


@lru_cache(maxsize=64)
def _plain(name: str, take: int, width: int) -> bytes:
    return _taken(name, take, width, Image.Exif())


def _taken(name: str, take: int, width: int, exif: Image.Exif) -> bytes:
    if name.startswith("plate-"):
        canvas, fixed = _plate(name.removeprefix("plate-")), False
    else:
        photo = BY_NAME[name]
        canvas, fixed = _scene(name), photo.fixed
    hand = random.Random(f"{name} {take}")
    if fixed:
        image = canvas.shot(take=hand, zoom=1.22, dx=0.34, dy=-0.3, exposure=1.07)
    else:
        image = canvas.shot(take=hand, zoom=1.06, dx=-0.1, dy=0.1, exposure=0.97)
    if width < image.width:
        width = max(80, width)
        image = image.resize((width, width * 3 // 4), Image.Resampling.LANCZOS)
    return _jpeg(image, exif=exif)


def _scene(name: str) -> Canvas:
    with _drawing:
        return _drawn(name)


@lru_cache(maxsize=len(PHOTOS))
def _drawn(name: str) -> Canvas:
    photo = BY_NAME[name]
    return photo.scene(fixed=photo.fixed).kept()


@lru_cache(maxsize=4)
def _plate(code: str) -> Canvas:
    if not 1 <= len(code) <= 20 or not code.isascii():
        raise KeyError(code)
    return label(code).kept()


def _jpeg(image: Image.Image, *, exif: Image.Exif) -> bytes:
    for quality in (78, 70, 62, 54, 45, 35):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, exif=exif, optimize=True)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


def _exif(at: float | None, place: tuple[float, float] | None) -> Image.Exif:
    """Tags of EXIF 2.32: 0x9003 DateTimeOriginal, 0x9011 OffsetTimeOriginal, the GPS directory 0x8825."""
    exif = Image.Exif()
    if at is not None:
        moment = datetime.fromtimestamp(at, CHINA).strftime("%Y:%m:%d %H:%M:%S")
        exif.get_ifd(0x8769).update({0x9003: moment, 0x9011: "+08:00"})
    if place is not None:
        lat, lon = place
        exif.get_ifd(0x8825).update(
            {1: "N" if lat >= 0 else "S", 2: _degrees(lat), 3: "E" if lon >= 0 else "W", 4: _degrees(lon), 31: 6.0}
        )
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    value = abs(value)
    minutes = (value - int(value)) * 60
    return float(int(value)), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)
