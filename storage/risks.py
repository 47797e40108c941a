"""The register of risks: find, list, count."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload

from storage.models import Area, Risk

_ORDER = case({"red": 1, "orange": 2, "yellow": 3}, value=Risk.colour, else_=4)


class Risks:
    def __init__(self, db: Session) -> None:
        self.db = db

    def by_key(self, key: str) -> Risk | None:
        return self.db.scalar(select(Risk).where(Risk.key == key))

    def worst(self, *, area_id: int | None = None, limit: int = 10) -> Sequence[Risk]:
        """The area's risks (of the whole plant without one), the most serious first."""
        query = select(Risk).where(Risk.active).options(joinedload(Risk.area), joinedload(Risk.owner))
        if area_id is not None:
            query = query.where(Risk.area_id == area_id)
        return self.db.scalars(query.order_by(_ORDER, Risk.score.desc(), Risk.id).limit(limit)).all()

    def counts(self, *, area_id: int | None = None) -> dict[str, int]:
        """Colour → number of rows."""
        query = select(Risk.colour, func.count()).where(Risk.active).group_by(Risk.colour)
        if area_id is not None:
            query = query.where(Risk.area_id == area_id)
        return {row[0]: row[1] for row in self.db.execute(query)}

    def page(
        self,
        *,
        colour: str | None = None,
        area_code: str | None = None,
        to_check: bool | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[Risk]:
        """Rows in the order they were imported, `after_id` being the last id of the page before."""
        query = select(Risk).where(Risk.active).options(joinedload(Risk.area), joinedload(Risk.owner))
        if colour:
            query = query.where(Risk.colour == colour)
        if area_code:
            query = query.where(Risk.area_id.in_(select(Area.id).where(Area.code == area_code)))
        if to_check is not None:
            query = query.where(Risk.to_check.is_(to_check))
        if after_id:
            query = query.where(Risk.id > after_id)
        return self.db.scalars(query.order_by(Risk.id).limit(limit)).all()
