"""The hazard feature's rules: understand a report, see an emergency, who may do what, how long, is the proof good."""

from rules.hazard.duplicates import Match, ReportFacts, likely_duplicate
from rules.hazard.emergency import EmergencyLine, emergency
from rules.hazard.evidence import Evidence, ExtensionFacts, Findings, PhotoFacts, Signal, Strength
from rules.hazard.facts import (
    Annotation,
    AnnotationKind,
    AreaFacts,
    Entities,
    EquipmentFacts,
    KnownFrom,
    NearbyFacts,
    Understanding,
)
from rules.hazard.policy import DEFAULT_POLICY, Deadlines, DueTimes, due_after_raise, due_times
from rules.hazard.proof import examine, hash_distance, signals
from rules.hazard.states import (
    TRANSITIONS,
    Action,
    Relation,
    Transition,
    allowed,
    check,
    check_extension,
    check_grade,
    check_reason,
)
from rules.hazard.treatment import is_major, read_parts
from rules.hazard.understand import phrases_in, raise_grade, understand
from rules.lexicon import Category

__all__ = [
    "DEFAULT_POLICY",
    "TRANSITIONS",
    "Action",
    "Annotation",
    "AnnotationKind",
    "AreaFacts",
    "Category",
    "Deadlines",
    "DueTimes",
    "EmergencyLine",
    "Entities",
    "EquipmentFacts",
    "Evidence",
    "ExtensionFacts",
    "Findings",
    "KnownFrom",
    "Match",
    "NearbyFacts",
    "PhotoFacts",
    "Relation",
    "ReportFacts",
    "Signal",
    "Strength",
    "Transition",
    "Understanding",
    "allowed",
    "check",
    "check_extension",
    "check_grade",
    "check_reason",
    "due_after_raise",
    "due_times",
    "emergency",
    "examine",
    "hash_distance",
    "is_major",
    "likely_duplicate",
    "phrases_in",
    "raise_grade",
    "read_parts",
    "signals",
    "understand",
]
