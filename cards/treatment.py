"""The treatment of a major hazard (重大隐患治理) as it is shown: is it major, the five fixes, what is missing, the evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.words import local
from rules import hazard as rules
from rules.hazard.evidence import FIVE_FIXES
from rules.hazard.treatment import EVALUATION, missing_zh
from rules.terms import Grade, HazardState
from storage.models import Hazard, HazardTreatment, Person


@dataclass(frozen=True, slots=True)
class Entry:
    """One part as it holds now; without `by` it follows from the case itself (owner, deadline)."""

    words: str
    by: Person | None = None
    at: datetime | None = None


def is_major(hazard: Hazard) -> bool | None:
    """Whether it counts as major; None: nobody has decided, and it may be."""
    return rules.is_major(decided=hazard.major, candidate=bool(hazard.major_candidate), grade=Grade(hazard.grade))


def concerns(hazard: Hazard) -> bool:
    """Whether a treatment may be written down: it is, or may be, a major hazard."""
    return is_major(hazard) is not False


def _entry(row: HazardTreatment) -> Entry:
    return Entry(row.words, row.by, row.at)


def five_fixes(hazard: Hazard) -> dict[str, Entry]:
    """Those of the five that are there, the newest words of each; owner and deadline of the case count until put in words."""
    found: dict[str, Entry] = {}
    if hazard.owner is not None:
        found["responsibility"] = Entry(f"责任人{hazard.owner.name}")
    if hazard.due_at is not None:
        found["time_limit"] = Entry(f"{local(hazard.due_at)}前完成")
    found |= {row.part: _entry(row) for row in hazard.treatments if row.part in FIVE_FIXES}
    return {part: found[part] for part in FIVE_FIXES if part in found}


def missing(hazard: Hazard) -> str:
    """«措施、资金、预案»; "" when all five are there."""
    return missing_zh({part: entry.words for part, entry in five_fixes(hazard).items()})


def evaluation(hazard: Hazard) -> Entry | None:
    """The newest evaluation of this round of work."""
    rows = [row for row in hazard.treatments if row.part == EVALUATION and row.round == hazard.round]
    return _entry(rows[-1]) if rows else None


def line(hazard: Hazard) -> str:
    """What the card says of it; "" for a hazard that is not major."""
    if hazard.major is None and hazard.major_candidate:
        how = f"发“{hazard.number} 核定重大”或“{hazard.number} 核定一般”"
        return f"疑似重大隐患({hazard.major_candidate}),请安全员核定:{how}"
    if not hazard.major or HazardState(hazard.state) is HazardState.CLOSED:
        return "重大隐患" if hazard.major else ""
    lacks = missing(hazard)
    if lacks:
        return f"重大隐患,五落实还缺{lacks}:发“五落实 {hazard.number}”"
    if evaluation(hazard) is None and hazard.state == HazardState.TO_ACCEPT.value:
        return f"重大隐患,还没有治理评估:发“评估 {hazard.number} 结论”"
    return "重大隐患,五落实已齐"
