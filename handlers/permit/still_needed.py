"""Asked when a message of a permit is about to be sent: does the permit still need it?

A stop is called off only when its person has confirmed it, or when the work was allowed again: while the permit is
suspended and the person has not said that they are safe, the message goes out however late it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cards.permit import ABOVE, watched_until
from handlers.permit import cast, handover, running
from rules.permit.life import PermitState
from rules.permit.model import Due
from storage.models import Delivery, Permit, Person
from storage.unit_of_work import UnitOfWork

CASE_OVER, SETTLED, OLDER = "case is over", "settled meanwhile", "permit went on meanwhile"
NEWS = frozenset({"permit.asked", "card.again", "permit.returned", "permit.refused", "permit.hole"})
WORKS = (PermitState.ACTIVE, PermitState.INTERRUPTED)

Check = Callable[[UnitOfWork, Permit, Person, Delivery], str]


def no_longer(work: UnitOfWork, row: Delivery) -> str:
    """Why nobody needs the message any more, "" when it is still needed. Answers and news of the end always are."""
    if row.case_kind != "permit" or row.case_id is None or row.person_id is None or row.purpose in NEWS:
        return ""
    permit = work.permits.find(row.case_id)
    check = CHECKS.get(row.purpose)
    if permit is None or (check is None and row.what != "card"):
        return ""
    if PermitState(permit.state).is_final:
        return CASE_OVER  # to those who saw a card of it the same card says so
    return check(work, permit, work.people.get(row.person_id), row) if check is not None else ""


def _stop(_work: UnitOfWork, permit: Permit, person: Person, _row: Delivery) -> str:
    state = PermitState(permit.state)
    if state in WORKS or state is PermitState.APPROVED:
        return OLDER
    mine = [p for p in cast.parties(permit) if p.person_id == person.id and p.called_at is not None]
    return SETTLED if mine and all(party.confirmed_at is not None for party in mine) else ""


def _to_sign(work: UnitOfWork, permit: Permit, person: Person, _row: Delivery) -> str:
    """The same card goes to those on the permit and to the leaders of the place: they need it in any case."""
    if permit.applicant_id == person.id or cast.is_on(permit, person) or cast.may_lead(permit, person):
        return ""
    if PermitState(permit.state) is not PermitState.SUBMITTED:
        return SETTLED
    wanted = [row for row in permit.approvals if row.kind in ("approve", "countersign") and row.granted is None]
    return "" if any(cast.may_sign(work, permit, person, row) for row in wanted) else SETTLED


def _is(permit: Permit, row: Delivery, tag: str) -> bool:
    """Whether the row was written under this tag in the permit's present generation (cast.tell)."""
    return row.dedupe_key.startswith(f"permit:{permit.id}:{permit.generation}:{tag}:")


def _running(permit: Permit, row: Delivery) -> str:
    """Reminders are for who is at work; those of before a stop mean nothing after it."""
    if PermitState(permit.state) is not PermitState.ACTIVE or permit.ended_at is not None:
        return SETTLED
    return "" if row.dedupe_key.startswith(f"permit:{permit.id}:{permit.generation}:") else OLDER


def _falls_due(_work: UnitOfWork, permit: Permit, person: Person, row: Delivery) -> str:
    """Superseded when the newest verdict wants it at another time, or not at all."""
    return _running(permit, row) or _unless(any(_is(permit, row, _due_tag(due)) for due in permit.next_due))


def _due_tag(row: dict[str, Any]) -> str:
    due = Due.from_dict(row)
    return f"due:{due.rule}:{due.at:%d%H%M}"


def _check_in(_work: UnitOfWork, permit: Permit, person: Person, row: Delivery) -> str:
    party = running.guardian_of(permit)
    seen = party.checked_in_at if party is not None and party.person_id == person.id else None
    return _running(permit, row) or _unless(seen is not None and _is(permit, row, f"checkin:{seen:%d%H%M}"))


def _shift(_work: UnitOfWork, permit: Permit, _person: Person, row: Delivery) -> str:
    party = running.guardian_of(permit)
    return _running(permit, row) or _unless(party is None or party.joined_at <= row.created_at)


def _watch(_work: UnitOfWork, permit: Permit, _person: Person, _row: Delivery) -> str:
    return _unless(permit.ended_at is not None and watched_until(permit) is not None)


def _above(_work: UnitOfWork, permit: Permit, _person: Person, _row: Delivery) -> str:
    return _unless(bool(permit.facts.get(ABOVE)))


def _relief(_work: UnitOfWork, permit: Permit, person: Person, _row: Delivery) -> str:
    return _unless(handover.awaits(permit, person))


def _unless(needed: bool) -> str:
    return "" if needed else SETTLED


CHECKS: dict[str, Check] = {
    "permit.suspended": _stop,
    "permit.submitted": _to_sign,
    "permit.due": _falls_due,
    "permit.checkin": _check_in,
    "permit.shift": _shift,
    "permit.watch": _watch,
    "permit.relief": _relief,
    "permit.above": _above,
}
