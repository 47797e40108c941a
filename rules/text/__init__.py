"""What people type or say, made comparable: widths, numbers, negation, questions, similarity, equipment codes.

Nothing here knows the hazard words; those are in rules/lexicon/. The stored description is always the sender's own
text: normalised text is for matching only.
"""

from rules.text.codes import EquipmentMention, equipment_codes, equipment_key
from rules.text.content import (
    MAX_CHARS,
    TEMPLATE_MIN_CHARS,
    ContentProblem,
    TemplateReason,
    bigram_similarity,
    content_problem,
    template_reason,
)
from rules.text.mood import Clause, Mood, claims_done, clauses, is_question, mood_of
from rules.text.normal import chinese_number, normalise, same_negation, storable

__all__ = [
    "MAX_CHARS",
    "TEMPLATE_MIN_CHARS",
    "Clause",
    "ContentProblem",
    "EquipmentMention",
    "Mood",
    "TemplateReason",
    "bigram_similarity",
    "chinese_number",
    "claims_done",
    "clauses",
    "content_problem",
    "equipment_codes",
    "equipment_key",
    "is_question",
    "mood_of",
    "normalise",
    "same_negation",
    "storable",
    "template_reason",
]
