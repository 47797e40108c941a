"""From what a device delivers to a value with a unit: scale, range, sentinels and status bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.readings.source import Status

# the more a status says against a value, the later it stands
_WORST_LAST = (Status.OK, Status.SUSPECT, Status.CALIBRATING, Status.OFFLINE, Status.FAULT)


@dataclass(frozen=True, slots=True)
class Scale:
    """value = raw × factor + offset, in `unit`.

    Below `low` or above `high` (in `unit`) a device reports its own trouble, not the air; `sentinels` are raw words
    that mean "no value" (0x8000, 65535 …). A slightly negative value is the drift of a sensor's zero and counts as 0.
    """

    unit: str
    factor: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    sentinels: frozenset[float] = frozenset()
    zero_drift: float = 0.0

    def read(self, raw: float) -> tuple[float | None, Status]:
        """(value in `unit` or None, status)."""
        if not math.isfinite(raw) or raw in self.sentinels:
            return None, Status.FAULT
        value = raw * self.factor + self.offset
        if not math.isfinite(value) or not self.low <= value <= self.high:
            return None, Status.FAULT
        if -self.zero_drift <= value < 0:
            value = 0.0
        return round(value, 9), Status.OK

    def read_capped(self, raw: float) -> tuple[float | None, Status]:
        """Of a value that the device itself calls over its range: at least `high`, so it counts as `high`.

        So does a number that says nothing (none, a sentinel) where `high` is known; one below `low` contradicts itself.
        """
        value, status = self.read(raw)
        if value is not None or not math.isfinite(self.high):
            return value, status
        below = math.isfinite(raw) and raw not in self.sentinels and raw * self.factor + self.offset < self.low
        return (None, Status.FAULT) if below else (round(self.high, 9), Status.OK)


@dataclass(frozen=True, slots=True)
class StatusBits:
    """Meaning of the bits of a status word, bit 0 the lowest; the worst of the bits that are set counts."""

    bits: Mapping[int, Status] = field(default_factory=dict)

    def read(self, word: int) -> Status:
        return worst(*(status for bit, status in self.bits.items() if word >> bit & 1))


def worst(*statuses: Status) -> Status:
    return max(statuses, key=_WORST_LAST.index, default=Status.OK)
