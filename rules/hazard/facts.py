"""What understanding a report needs to know, and what it answers: plain values, no rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rules.lexicon import Category
from rules.terms import Grade
from rules.text import EquipmentMention


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """An area of the ledger. explosive: 爆炸危险场所; None = not recorded."""

    name: str
    media: tuple[str, ...] = ()
    explosive: bool | None = None


@dataclass(frozen=True, slots=True)
class EquipmentFacts:
    """A piece of equipment of the ledger; media as the ledger writes them."""

    code: str
    name: str = ""
    kind: str = ""
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearbyFacts:
    """Equipment or an area near the place, distance in metres (None when positions are unknown)."""

    name: str
    kind: str = ""
    distance_m: float | None = None


class AnnotationKind(StrEnum):
    MEDIUM = "medium"
    IGNITION = "ignition"
    PLACE = "place"
    STATE = "state"
    HOT_WORK = "hot_work"


class KnownFrom(StrEnum):
    EQUIPMENT = "equipment"
    AREA = "area"
    WORDS = "words"
    POSITION = "position"

    @property
    def zh(self) -> str:
        return {"equipment": "设备台账", "area": "区域台账", "words": "上报文字", "position": "位置推算"}[self.value]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on a hazard: what, and where it is known from (why, a short Chinese phrase)."""

    kind: AnnotationKind
    value: str
    known_from: KnownFrom
    why: str


@dataclass(frozen=True, slots=True)
class Entities:
    """What was named in the words. distances in metres; states are ids (stopped, purged, running, pressured …)."""

    equipment: tuple[EquipmentMention, ...] = ()
    kinds: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    distances_m: tuple[float, ...] = ()
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the bot proposes for a report. A person confirms; nothing here lowers a grade.

    phrase_ids       lexicon phrases found, the one that decided first
    major_candidate  may meet a criterion of major hazards; codes such as CM-18, possibly none settled
    annotation       «涉及甲醇介质、邻近加热炉(约25米)，位于甲醇罐区», empty when nothing is known
    advice           a remark on hot work in an explosive place, else empty
    emergency        imminent danger: the line is rules.hazard.emergency(text)
    """

    grade: Grade
    grade_why: str
    category: Category
    category_why: str
    phrase_ids: tuple[str, ...]
    major_candidate: bool
    major_codes: tuple[str, ...]
    major_why: str
    annotation: str
    annotations: tuple[Annotation, ...]
    advice: str
    emergency: bool
    is_question: bool
    claims_done: bool
    entities: Entities = field(default_factory=Entities)
