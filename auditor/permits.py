"""Did everybody hear that the work is stopped?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, exists, select

from auditor.cases import ARRIVING
from auditor.finding import Finding, Kind, Limits
from auditor.tables import delivery, permit, permit_party

OPEN = ("pending_facts", "submitted", "approved", "active", "interrupted", "suspended", "expired")
STOP = "permit.suspended"


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """People of a suspended permit who confirmed nothing, and to whom no notice of the stop arrived or is on its way.

    A notice that waits too long is the business of `delivery.late`.
    """
    notice = exists().where(
        delivery.c.case_kind == "permit",
        delivery.c.case_id == permit.c.id,
        delivery.c.person_id == permit_party.c.person_id,
        delivery.c.purpose == STOP,
        delivery.c.created_at >= permit_party.c.called_at,
        delivery.c.state.in_(ARRIVING),
    )
    query = (
        select(permit.c.id, permit.c.area_id, permit_party.c.id.label("party_id"), permit_party.c.person_id)
        .join_from(permit_party, permit, permit.c.id == permit_party.c.permit_id)
        .where(
            permit.c.state == "suspended",
            permit_party.c.left_at.is_(None),
            permit_party.c.confirmed_at.is_(None),
            permit_party.c.called_at < now - limits.settle,
            ~notice,
        )
        .order_by(permit_party.c.id)
    )
    for row in db.execute(query):
        facts = {"permit": row.id, "person": row.person_id, "area": row.area_id}
        yield Finding(Kind.STOP_UNHEARD, f"party:{row.party_id}", facts)
