"""Asked when a message is about to be sent: does its case still need it? Each kind of case answers for itself."""

from __future__ import annotations

from collections.abc import Callable

from handlers.hazard import still_needed as hazards
from handlers.permit import still_needed as permits
from handlers.roll_call import still_needed as roll_calls
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

BY_CASE: dict[str, Callable[[UnitOfWork, Delivery], str]] = {
    "hazard": hazards.no_longer,
    "permit": permits.no_longer,
    "roll_call": roll_calls.no_longer,
}


def no_longer(work: UnitOfWork, row: Delivery) -> str:
    """Why nobody needs the message any more, "" when it is still needed."""
    asked = BY_CASE.get(row.case_kind)
    return asked(work, row) if asked is not None else ""
