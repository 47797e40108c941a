"""Who may guard: certified people who are free."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from cards.words import zone
from rules import certificates
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork


def free(
    work: UnitOfWork, kind: str, *, at: datetime, on: date, area_id: int | None = None, but: int | None = None
) -> list[Any]:
    """Certified people who are free for this work: on shift first, then of the place, then by their certificate's life.

    Rows as `Certificates.free_holders` has them, certificates good on that day. Who is off by the roster or on leave at
    that time is not offered; whoever guards permit `but` is free for it.
    """
    held = work.certificates.free_holders(certificates.guardian_kinds(kind), on=on, area_id=area_id, but=but)
    shifts = work.roster.shifts_of([row.person_id for row in held], at)
    there = {person: shift[0] for person, shift in shifts.items()}
    found = [row for row in held if there[row.person_id] is not False]
    return sorted(found, key=lambda row: (there[row.person_id] is not True, not row.belongs))


def for_permit(work: UnitOfWork, permit: JudgedPermit, at: datetime) -> list[Any]:
    """As `free`, for this permit until its end, and nobody who works on it."""
    day = max(at, permit.planned_end or at).astimezone(zone()).date()
    workers = {party.person_id for party in permit.parties if party.role == "worker" and party.left_at is None}
    found = free(work, permit.work, at=at, on=day, area_id=permit.area_id, but=permit.id)
    return [row for row in found if row.person_id not in workers]
