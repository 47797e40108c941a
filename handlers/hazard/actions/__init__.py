"""What can be done with a hazard, callable from chat, page and job alike. Every change leaves a line in the trail.

Each function checks the rule first (`RuleBroken` carries the Chinese sentence for the person), changes the record, writes
the trail and what must be told, and leaves the commit to the caller.
"""

from handlers.hazard.actions.assigning import assign, place_added, place_known, set_grade
from handlers.hazard.actions.extending import ask_extension, decide_extension
from handlers.hazard.actions.steps import REPORTER_SIDE, VERB_ZH, explain_late_press, relations
from handlers.hazard.actions.telling import add_photos, add_words, correct, hide_reporter, reopen, withdraw
from handlers.hazard.actions.treating import decide_major, evaluate, write_treatment
from handlers.hazard.actions.working import accept, confirm, evidence_made, reject, start, submit, transfer

__all__ = [
    "REPORTER_SIDE",
    "VERB_ZH",
    "accept",
    "add_photos",
    "add_words",
    "ask_extension",
    "assign",
    "confirm",
    "correct",
    "decide_extension",
    "decide_major",
    "evaluate",
    "evidence_made",
    "explain_late_press",
    "hide_reporter",
    "place_added",
    "place_known",
    "reject",
    "relations",
    "reopen",
    "set_grade",
    "start",
    "submit",
    "transfer",
    "withdraw",
    "write_treatment",
]
