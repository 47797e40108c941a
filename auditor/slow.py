"""Is slow work done: synchronisations, what is forgotten, lists of the week?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from auditor.finding import Finding, Kind, Limits
from auditor.tables import source_state

FAILED_OFTEN = 3


def check(db: Connection, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Wanted and begun by nobody; or broken, killed or hanging several times in a row."""
    query = select(source_state.c.name, source_state.c.last_error, source_state.c.facts).where(
        source_state.c.name.like("slow:%")
    )
    for row in db.execute(query.order_by(source_state.c.name)):
        facts = row.facts or {}
        if facts.get("wanted_at") and datetime.fromisoformat(facts["wanted_at"]) < now - limits.slow:
            yield Finding(Kind.SLOW_LATE, row.name)
        failed = int(facts.get("failed", 0))
        if failed >= FAILED_OFTEN:
            yield Finding(Kind.SLOW_FAILING, row.name, {"times": failed, "error": row.last_error})
