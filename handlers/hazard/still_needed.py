"""Asked when a message is about to be sent: does its case still need it? A queue may be long, a limit may hold it back."""

from __future__ import annotations

from handlers.hazard.ladder import NEEDED_IN
from rules.terms import OPEN_STATES, HazardState
from storage.models import Delivery, Hazard
from storage.unit_of_work import UnitOfWork

CASE_OVER, SETTLED, OLDER = "case is over", "settled meanwhile", "case was dispatched anew"
TO_ACT = (
    "hazard.dispatch",
    "hazard.transfer",
    "hazard.away",
    "hazard.hole",
    "card.again",
)  # asks somebody to do something


def no_longer(work: UnitOfWork, row: Delivery) -> str:
    """Why nobody needs the message any more, "" when it is still needed. News about the end of a case always is."""
    if row.case_kind != "hazard" or row.case_id is None or row.what == "todo_done":
        return ""
    hazard = work.hazards.find(row.case_id)
    if hazard is None:
        return ""
    if row.purpose in TO_ACT or row.what == "todo":
        # a card shows the end of the case to those who had it; to the others its first sight would be no use
        return "" if HazardState(hazard.state) in OPEN_STATES or row.purpose == "card.again" else CASE_OVER
    feature, _, ladder = row.purpose.partition(".")
    if feature == "hazard" and ladder in NEEDED_IN:
        return _rung(hazard, ladder, row)
    return ""


def _rung(hazard: Hazard, ladder: str, row: Delivery) -> str:
    state = HazardState(hazard.state)
    if state not in OPEN_STATES:
        return CASE_OVER
    if state not in NEEDED_IN[ladder] or (ladder == "confirm" and hazard.confirmed_at is not None):
        return SETTLED
    return OLDER if hazard.assigned_at is not None and row.created_at < hazard.assigned_at else ""
