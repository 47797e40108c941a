"""Are two pictures the same one? Two 64-bit hashes of a small grey copy, compared by the bits that differ.

dhash  difference hash: is each cell of a 9×8 grid brighter than its left neighbour? Sees structure, blind to brightness.
phash  the 64 lowest frequencies of a 32×32 grey copy (DCT-II without the mean), each above the median or not. Sees the
       layout as a whole; gains and brightness cancel out, small crops move few bits.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from operator import mul
from statistics import median
from typing import NamedTuple

from PIL import Image, ImageStat

# Measured on 40 scenes of bench/scenes.py (real photos may lie closer). Bits of (phash, dhash) that differ, at most:
# recompressed, resized, brightness ±15 % (4, 5); cropped 1.5 % on every side (8, 9); 3 % off one side (12, 16).
# At least: 780 pairs of other scenes (20, 15). The same scene from a few steps aside has a median of (18, 15).
SAME_DHASH_BITS = 16
SAME_PHASH_BITS = 12
MIN_CONTRAST = 3.0  # grey levels, standard deviation; below that a picture is a blank and its bits are chance
_SIDE = 32
_LOW = 8


class PictureHashes(NamedTuple):
    """Both hashes of one picture. `hex` is 32 characters: phash first, so that its 64 bits can be cut off the front."""

    phash: int
    dhash: int

    @property
    def hex(self) -> str:
        return f"{self.phash:016x}{self.dhash:016x}"

    @classmethod
    def from_hex(cls, text: str) -> PictureHashes:
        """Raises ValueError unless it is what `hex` gave."""
        if len(text) != 32:
            raise ValueError("a picture hash has 32 hex digits")
        return cls(int(text[:16], 16), int(text[16:], 16))


def hash_distance(a: int, b: int) -> int:
    """Bits that differ between two 64-bit hashes of the same kind: 0 to 64; unrelated pictures differ by about 32."""
    return (a ^ b).bit_count()


def same_picture(a: PictureHashes, b: PictureHashes) -> bool:
    """True for one picture and its copies: recompressed, resized, brightened by 15 %, cropped by 3 %.

    Both hashes must agree, for one alone also fits some unrelated pictures of like layout.
    """
    return hash_distance(a.phash, b.phash) <= SAME_PHASH_BITS and hash_distance(a.dhash, b.dhash) <= SAME_DHASH_BITS


def of(image: Image.Image) -> PictureHashes | None:
    """The hashes of an upright picture (a thumbnail will do); None for a blank one, which has nothing to compare."""
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    if ImageStat.Stat(grey).stddev[0] < MIN_CONTRAST:
        return None
    cells = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    dhash = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            dhash = dhash << 1 | (cells[at + 1] > cells[at])
    return PictureHashes(_phash(grey.tobytes()), dhash)


# Measured on 32 pictures, the phones' demo photos and tests/pictures.py: copies (quality 30, a quarter of the size,
# brightness ±40 %, cropped up to 8 % all round or 10 % off one side) are at least 0.94 alike; before and after of one
# place at most 0.88, other places at most 0.88.
ALIKE = 0.93
_LOOK = 48
_CROPS = (0.02, 0.04, 0.06, 0.08, 0.1)
_HOPELESS = 0.3  # less than that uncropped, and no crop will do: another place


def look_of(image: Image.Image) -> str:
    """A 48×48 grey copy as base64, some 3 kB: what two pictures are compared by when their hashes are near."""
    return base64.b64encode(image.convert("L").resize((_LOOK, _LOOK), Image.Resampling.BOX).tobytes()).decode()


def alike(a: str, b: str) -> float:
    """How alike two pictures look, −1 to 1: correlation of their grey copies, either one perhaps a crop of the other.

    0.0 for blanks and for what look_of did not give.
    """
    first, second = _grey(a), _grey(b)
    if first is None or second is None:
        return 0.0
    plain_a, plain_b = _vector(first), _vector(second)
    best = sum(map(mul, plain_a, plain_b))
    for part in _CROPS:
        if best >= ALIKE or best < _HOPELESS:
            break
        best = max(best, *(sum(map(mul, _vector(crop), plain_b)) for crop in _cropped(first, part)))
        best = max(best, *(sum(map(mul, _vector(crop), plain_a)) for crop in _cropped(second, part)))
    return best


def _grey(look: str) -> Image.Image | None:
    try:
        data = base64.b64decode(look, validate=True)
    except ValueError:
        return None
    return Image.frombytes("L", (_LOOK, _LOOK), data) if len(data) == _LOOK * _LOOK else None


def _cropped(grey: Image.Image, part: float) -> list[Image.Image]:
    """All round, and off each side alone."""
    cut, side = _LOOK * part, float(_LOOK)
    boxes = [
        (cut, cut, side - cut, side - cut),
        (cut, 0.0, side, side),
        (0.0, 0.0, side - cut, side),
        (0.0, cut, side, side),
        (0.0, 0.0, side, side - cut),
    ]
    return [grey.resize((_LOOK, _LOOK), Image.Resampling.BILINEAR, box=box) for box in boxes]


def _vector(grey: Image.Image) -> list[float]:
    values = grey.tobytes()
    mean = sum(values) / len(values)
    off = [value - mean for value in values]
    length = math.sqrt(sum(map(mul, off, off)))
    return [value / length for value in off] if length else off


def _phash(grey: bytes) -> int:
    waves = _waves()
    rows = [
        [sum(map(float.__mul__, wave, line)) for wave in waves]
        for line in ([float(v) for v in grey[y * _SIDE : (y + 1) * _SIDE]] for y in range(_SIDE))
    ]
    columns = list(zip(*rows, strict=True))
    low = [sum(map(float.__mul__, wave, column)) for wave in waves for column in columns]
    middle = median(low)
    value = 0
    for frequency in low:
        value = value << 1 | (frequency > middle)
    return value


@lru_cache(maxsize=1)
def _waves() -> list[list[float]]:
    """The cosines of frequencies 1 to 8 over 32 samples; frequency 0, the mean, is left out."""
    step = math.pi / (2 * _SIDE)
    return [[math.cos((2 * x + 1) * k * step) for x in range(_SIDE)] for k in range(1, _LOW + 1)]
