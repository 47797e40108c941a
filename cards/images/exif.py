"""What a photo says of itself: when and where it was taken. Camera make, model and serial are never read.

EXIF is a hint: chat platforms usually strip it, and anyone can write it. Absurd values are dropped and flagged, so that
an unknown is never mistaken for a fact. Tags: CIPA DC-008 (Exif 2.32), tables 8, 11 and 15.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import ExifTags, Image

from rules.geo import position_problem

ORIENTATION = 0x0112
# (time, offset from UTC) in order of trust; DateTime (0x0132) is left out: it is when the file was last changed
_TIMES = ((0x9003, 0x9011), (0x9004, 0x9012))
_LAT_REF, _LAT, _LON_REF, _LON, _ERROR_M = 1, 2, 3, 4, 31
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
EARLIEST_YEAR = 2000  # a phone whose clock was never set says 1970 or 1980
MAX_ACCURACY_M = 100_000.0
_BROKEN = (
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    ZeroDivisionError,
    OverflowError,
    SyntaxError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """taken_at: UTC when the file names its offset, else naive local time with taken_at_is_naive.

    lat, lon: WGS84 degrees or both None; accuracy_m: horizontal, or None. flags: what was dropped and why:
    exif_unreadable, time_absurd, gps_absurd.
    """

    taken_at: datetime | None = None
    taken_at_is_naive: bool = False
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    flags: tuple[str, ...] = ()


def read(image: Image.Image) -> tuple[ExifFacts, int]:
    """The facts and the orientation (1 to 8) of an opened picture."""
    try:
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo) if ExifTags.IFD.GPSInfo in exif else {}
        orientation = exif.get(ORIENTATION, 1)
    except _BROKEN:
        return ExifFacts(flags=("exif_unreadable",)), 1
    if not exif and image.info.get("exif"):
        return ExifFacts(flags=("exif_unreadable",)), 1
    taken_at, flags = _taken_at(details)
    lat, lon, accuracy, gps_flags = _position(gps)
    naive = taken_at is not None and taken_at.tzinfo is None
    facts = ExifFacts(taken_at, naive, lat, lon, accuracy, (*flags, *gps_flags))
    return facts, orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _taken_at(details: Mapping[int, Any]) -> tuple[datetime | None, tuple[str, ...]]:
    for time_tag, offset_tag in _TIMES:
        text = details.get(time_tag)
        if not isinstance(text, str) or not text.strip(" :\0"):
            continue
        try:
            taken_at = datetime.strptime(text.strip(" \0")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 offset follows
        except ValueError:
            return None, ("time_absurd",)
        if taken_at.year < EARLIEST_YEAR:
            return None, ("time_absurd",)
        offset = _offset(details.get(offset_tag))
        return (taken_at if offset is None else taken_at.replace(tzinfo=offset).astimezone(UTC)), ()
    return None, ()


def _offset(text: object) -> timezone | None:
    match = _OFFSET.match(text.strip(" \0")) if isinstance(text, str) else None
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > timedelta(hours=14):
        return None
    return timezone(-offset if match[1] == "-" else offset)


def _position(gps: Mapping[int, Any]) -> tuple[float | None, float | None, float | None, tuple[str, ...]]:
    if _LAT not in gps and _LON not in gps:
        return None, None, None, ()
    try:
        lat = _degrees(gps[_LAT], gps[_LAT_REF], "NS")
        lon = _degrees(gps[_LON], gps[_LON_REF], "EW")
    except _BROKEN:
        return None, None, None, ("gps_absurd",)
    if position_problem(lat, lon) is not None:
        return None, None, None, ("gps_absurd",)
    return round(lat, 7), round(lon, 7), _accuracy(gps.get(_ERROR_M)), ()


def _degrees(parts: Any, ref: Any, letters: str) -> float:
    """Decimal degrees of (degrees, minutes, seconds). Raises ValueError for a hemisphere or a part that cannot be."""
    letter = ref.decode("ascii") if isinstance(ref, bytes) else str(ref)
    sign = {letters[0]: 1, letters[1]: -1}[letter.strip(" \0").upper()]
    degrees, minutes, seconds = (float(part) for part in parts)
    if not all(math.isfinite(part) and part >= 0 for part in (degrees, minutes, seconds)):
        raise ValueError("not a number")
    if minutes >= 60 or seconds >= 60:
        raise ValueError("not minutes and seconds")
    return sign * (degrees + minutes / 60 + seconds / 3600)


def _accuracy(value: Any) -> float | None:
    try:
        metres = float(value)
    except _BROKEN:
        return None
    return round(metres, 1) if math.isfinite(metres) and 0 < metres <= MAX_ACCURACY_M else None
