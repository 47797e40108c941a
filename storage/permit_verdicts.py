"""Verdicts as they were given: never changed, each with the facts and the table it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Permit, PermitVerdict


class PermitVerdicts:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, verdict: PermitVerdict) -> PermitVerdict:
        self.db.add(verdict)
        self.db.flush()
        return verdict

    def get(self, verdict_id: int | None) -> PermitVerdict | None:
        return self.db.get(PermitVerdict, verdict_id) if verdict_id is not None else None

    def current(self, permits: Iterable[Permit]) -> dict[int, PermitVerdict]:
        """The current verdict of each of these permits by its id, in one question."""
        ids = [permit.verdict_id for permit in permits if permit.verdict_id is not None]
        rows = self.db.scalars(select(PermitVerdict).where(PermitVerdict.id.in_(ids))) if ids else ()
        return {row.id: row for row in rows}

    def of(self, permit_id: int, *, limit: int = 50) -> Sequence[PermitVerdict]:
        """The permit's verdicts, newest first."""
        return self.db.scalars(
            select(PermitVerdict)
            .where(PermitVerdict.permit_id == permit_id)
            .order_by(PermitVerdict.id.desc())
            .limit(limit)
        ).all()
