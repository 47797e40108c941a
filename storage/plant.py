"""Areas and the equipment ledger."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from rules.text import equipment_key
from storage.models import Area, Equipment


class Plant:
    def __init__(self, db: Session) -> None:
        self.db = db

    def area(self, area_id: int) -> Area:
        return self.db.get_one(Area, area_id)

    def area_by_code(self, code: str) -> Area | None:
        return self.db.scalar(select(Area).where(Area.code == code))

    def area_called(self, said: str) -> Area | None:
        """The area with this code, in any case, or with this name; also one that is used no more."""
        wanted, areas = said.strip(), self.db.scalars(select(Area).order_by(Area.active.desc(), Area.id))
        return next((a for a in areas if a.code.upper() == wanted.upper() or a.name == wanted), None)

    def areas(self) -> Sequence[Area]:
        return self.db.scalars(select(Area).where(Area.active).order_by(Area.id)).all()

    def area_codes(self) -> dict[int, str]:
        """Id → code of every area, also of those used no more."""
        return {row[0]: row[1] for row in self.db.execute(select(Area.id, Area.code))}

    def workshops(self) -> list[str]:
        return list(self.db.scalars(select(Area.workshop).where(Area.active, Area.workshop != "").distinct()).all())

    def equipment(self, equipment_id: int) -> Equipment:
        return self.db.get_one(Equipment, equipment_id, options=[joinedload(Equipment.area)])

    def equipment_by_code(self, code: str) -> Equipment | None:
        key = equipment_key(code)
        if not key:
            return None
        rows = self.db.scalars(
            select(Equipment)
            .where(Equipment.code_key == key, Equipment.active)
            .options(joinedload(Equipment.area))
            .order_by(Equipment.id)
        ).all()
        return rows[0] if rows else None

    def ignition_near(self, lat: float, lon: float, *, metres: float) -> Sequence[Equipment]:
        """Ignition sources in the square of twice `metres` around the point; the caller measures."""
        high = metres / 111_000
        wide = high / max(0.01, cos(radians(lat)))
        return self.db.scalars(
            select(Equipment)
            .where(
                Equipment.active,
                Equipment.ignition,
                Equipment.lat.between(lat - high, lat + high),
                Equipment.lon.between(lon - wide, lon + wide),
            )
            .order_by(Equipment.id)
        ).all()

    def all_equipment(self) -> Sequence[Equipment]:
        return self.db.scalars(
            select(Equipment).where(Equipment.active).options(joinedload(Equipment.area)).order_by(Equipment.id)
        ).all()
