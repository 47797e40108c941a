"""Which portable meter (便携式检测仪) somebody means: by its whole code, never by a piece of one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rules.text import normalise

ANOTHER = re.compile(r"(?:用的?)?(?:是)?(?:别的|其他|其它|另外的?|不在台账的?)(?:仪器|检测仪|一台)?的?")
SHOWN = 5


def named(meters: Iterable[Any], text: str) -> Any | None:
    """The one meter whose whole code stands in the words; None for none and for several."""
    plain = normalise(text)
    found = [meter for meter in meters if _code(meter.code).search(plain)]
    return found[0] if len(found) == 1 else None


def is_another(text: str) -> bool:
    """«别的仪器»: one that is not in the ledger."""
    return ANOTHER.fullmatch(normalise(text).rstrip("。.!")) is not None


def _code(code: str) -> re.Pattern[str]:
    pieces = re.findall(r"[a-z]+|\d+|[一-鿿]+", normalise(code))
    return re.compile(rf"(?<![a-z\d]){'[-_ ]?'.join(map(re.escape, pieces))}(?![a-z\d])")
