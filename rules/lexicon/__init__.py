"""The domain lexicon (领域词库): hazard phrases, media, words of place and danger, loaded once, on first use.

The data are the .toml files beside this one; a safety officer may edit them. `lexicon()` gives everything typed,
`rules.lexicon.matching` finds the phrases in a sentence.
"""

from rules.lexicon.data import Category, EmergencyKind, Lexicon, Limit, Measured, Medium, Phrase, lexicon
from rules.lexicon.matching import Hit, PatternSet, Prepared, mend, prepare, without_inner

__all__ = [
    "Category",
    "EmergencyKind",
    "Hit",
    "Lexicon",
    "Limit",
    "Measured",
    "Medium",
    "PatternSet",
    "Phrase",
    "Prepared",
    "lexicon",
    "mend",
    "prepare",
    "without_inner",
]
