"""The facts that the proof signals rest on, and what they answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.geo import Point

FIVE_FIXES = ("responsibility", "measures", "funds", "time_limit", "plan")  # 五落实
FIVE_FIXES_ZH = {"responsibility": "责任", "measures": "措施", "funds": "资金", "time_limit": "时限", "plan": "预案"}


class Strength(StrEnum):
    STRONG = "strong"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """A photo. sha256 of the file as received; phash a 64-bit perceptual hash; taken_at from EXIF (UTC) or None;
    position with its accuracy in metres; case: the number of the hazard it belongs to, for the message."""

    sha256: str | None = None
    phash: int | None = None
    taken_at: datetime | None = None
    position: Point | None = None
    accuracy_m: float | None = None
    case: str = ""
    dhash: int | None = None  # a second picture hash of 64 bits
    looks_like: frozenset[str] | None = None  # of an earlier photo: SHA-256 of the after-photos it looks like; None:
    # not looked at, the hashes decide


@dataclass(frozen=True, slots=True)
class ExtensionFacts:
    approved: bool
    interim_measure: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known when a rectification is submitted, accepted or reviewed. None = unknown; () = known, none.

    earlier                photos of other cases and earlier rounds that the store thought worth comparing
    closed_same_minute     cases the same person closed within the same minute, this one included
    same_kind_closed_at    when earlier hazards of the same place and kind were closed
    five_fixes             those of FIVE_FIXES that are filled in
    acceptor_visited       the acceptor checked in or took a photo at the place
    """

    now: datetime | None = None
    before: Sequence[PhotoFacts] | None = None
    after: Sequence[PhotoFacts] | None = None
    earlier: Sequence[PhotoFacts] | None = None
    place: Point | None = None
    place_accuracy_m: float | None = None
    dispatched_at: datetime | None = None
    confirm_due_at: datetime | None = None
    confirmed_at: datetime | None = None
    confirmed: bool | None = None
    due_at: datetime | None = None
    finished_at: datetime | None = None
    closed_at: datetime | None = None
    closed_same_minute: int | None = None
    fixer: object | None = None
    acceptor: object | None = None
    fix_text: str | None = None
    reported_at: datetime | None = None
    same_kind_closed_at: Sequence[datetime] | None = None
    is_major: bool | None = None
    has_evaluation: bool | None = None
    acceptor_visited: bool | None = None
    five_fixes: Collection[str] | None = None
    extensions: Sequence[ExtensionFacts] | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """id FC-01 … FC-15; facts: the numbers it rests on, for the trail."""

    id: str
    strength: Strength
    message_zh: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """signals in order of id; unknown: ids that could not be decided for want of facts."""

    signals: tuple[Signal, ...]
    unknown: tuple[str, ...]

    @property
    def strong(self) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.strength is Strength.STRONG)

    @property
    def weak(self) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.strength is Strength.WEAK)

    @property
    def refusal_zh(self) -> str:
        """What to tell the person when the step is refused; "" when nothing is strong."""
        return "\n".join(dict.fromkeys(signal.message_zh for signal in self.strong))
