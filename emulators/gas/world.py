"""The air around the detectors: a value each, and what is wrong with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """Switches of one detector."""

    NONE = "none"
    FAULT = "fault"
    CALIBRATING = "calibrating"
    NAN = "nan"
    FROZEN_ZERO = "frozen_zero"
    FUTURE = "future"  # its clock runs an hour ahead
    LATE = "late"  # its data are three hours old
    BAD_CRC = "bad_crc"
    OVER_RANGE = "over_range"  # its value is more than it can measure, and it says so


AHEAD, BEHIND = timedelta(hours=1), timedelta(hours=3)


@dataclass
class Detector:
    code: str
    value: float = 0.0
    trouble: Trouble = Trouble.NONE

    @property
    def shown(self) -> float:
        """What the device delivers."""
        if self.trouble is Trouble.NAN:
            return math.nan
        return 0.0 if self.trouble is Trouble.FROZEN_ZERO else self.value

    def stamp(self, now: datetime) -> datetime:
        """What the device's clock says."""
        if self.trouble is Trouble.FUTURE:
            return now + AHEAD
        return now - BEHIND if self.trouble is Trouble.LATE else now


@dataclass
class Gas:
    """Detectors by code, in the order in which they were added: that order is their register, node and factor."""

    detectors: dict[str, Detector] = field(default_factory=dict)

    @classmethod
    def of(cls, *codes: str, value: float = 0.0) -> Gas:
        return cls({code: Detector(code, value) for code in codes})

    def set(self, code: str, value: float | None = None, trouble: Trouble | None = None) -> None:
        """Change the value or the trouble of one detector."""
        detector = self.detectors[code]
        if value is not None:
            detector.value = value
        if trouble is not None:
            detector.trouble = trouble
