"""Asked when a message of a roll call is about to be sent: does the call still need it? A platform may have been away.

While the call is on, the alarm itself is called off only by its person's own answer; that somebody else has seen them
settles the reminders. When the call is over nothing of it goes out as if it were on; that it is over always does.
"""

from __future__ import annotations

import re

from rules.escalation import ROLL_CALLS
from storage.models import Delivery
from storage.roll_calls import Standing
from storage.unit_of_work import UnitOfWork

CASE_OVER, SETTLED, OLDER = "case is over", "settled meanwhile", "somebody needs help meanwhile"
ABOUT = ("list", "step", "hole")  # to those who lead: who is missing
HELP = re.compile(r":help:(\d+):")  # whose cry for help the row tells of (handlers/roll_call/actions.py)


def no_longer(work: UnitOfWork, row: Delivery) -> str:
    """Why nobody needs the message any more, "" when it is still needed."""
    feature, _, what = row.purpose.partition(".")
    if row.case_kind != "roll_call" or row.case_id is None or feature != "roll_call":
        return ""
    if what not in (*ROLL_CALLS, *ABOUT, "help", "all"):
        return ""  # that it is over, above all
    call = work.roll_calls.standing(row.case_id, row.person_id)
    if call is None:
        return ""
    if what == "all":  # true as long as nobody of them asked for help afterwards
        return "" if call.all_confirmed_at is not None else OLDER
    if call.ended_at is not None:
        return CASE_OVER
    if what in ROLL_CALLS:
        return _to_member(work, call, row)
    if what == "help":
        return _of_help(work, row)
    return SETTLED if what in ("step", "hole") and call.missing == 0 else ""


def _to_member(work: UnitOfWork, call: Standing, row: Delivery) -> str:
    if call.confirmed_at is None:
        return ""
    by_themselves = call.by_id is None
    return SETTLED if by_themselves or not _is_alarm(first_of(work, row)) else ""


def _is_alarm(row: Delivery) -> bool:
    """Whether it is what the call began with, and no reminder."""
    return row.dedupe_key.partition(":")[2].startswith(f"roll:{row.case_id}:start:")


def _of_help(work: UnitOfWork, row: Delivery) -> str:
    found = HELP.search(first_of(work, row).dedupe_key)
    call = work.roll_calls.standing(row.case_id or 0, int(found.group(1))) if found is not None else None
    return SETTLED if call is not None and call.confirmed_at is not None else ""


def first_of(work: UnitOfWork, row: Delivery) -> Delivery:
    """The message that this one stands for, after other channels had failed."""
    while row.fallback_of_id is not None:
        row = work.outbox.get(row.fallback_of_id)
    return row
