"""Edge terminals and their events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from storage.hazards import OPEN
from storage.models import EdgeDevice, EdgeEvent, Hazard


class Edge:
    def __init__(self, db: Session) -> None:
        self.db = db

    def device(self, code: str, *, lock: bool = False) -> EdgeDevice | None:
        """The terminal, also a revoked one. `lock`: its events are taken one call at a time (PostgreSQL)."""
        query = select(EdgeDevice).where(EdgeDevice.code == code).options(joinedload(EdgeDevice.area))
        if lock:
            query = query.with_for_update(of=EdgeDevice)
        return self.db.scalar(query)

    def devices(self) -> Sequence[EdgeDevice]:
        return self.db.scalars(
            select(EdgeDevice).where(EdgeDevice.active).options(joinedload(EdgeDevice.area)).order_by(EdgeDevice.code)
        ).all()

    def told_silent(self) -> Sequence[EdgeDevice]:
        """Terminals in use from which nothing comes, longest first."""
        silent = select(EdgeDevice).where(EdgeDevice.active, EdgeDevice.silent_at.is_not(None))
        return self.db.scalars(silent.order_by(EdgeDevice.silent_at, EdgeDevice.id)).all()

    def event(self, device_id: int, key: str) -> EdgeEvent | None:
        return self.db.scalar(select(EdgeEvent).where(EdgeEvent.device_id == device_id, EdgeEvent.key == key))

    def open_case(self, device_id: int, kind: str, channel: str) -> tuple[Hazard, datetime] | None:
        """The open hazard that this terminal's alarm of this kind and channel belongs to, and the last such alarm."""
        row = self.db.execute(
            select(Hazard, EdgeEvent.occurred_at)
            .join(EdgeEvent, EdgeEvent.hazard_id == Hazard.id)
            .where(
                EdgeEvent.device_id == device_id,
                EdgeEvent.kind == kind,
                EdgeEvent.channel == channel,
                Hazard.state.in_(OPEN),
            )
            .order_by(EdgeEvent.occurred_at.desc())
            .limit(1)
        ).first()
        return (row[0], row[1]) if row is not None else None

    def events_of(self, hazard_id: int) -> Sequence[EdgeEvent]:
        return self.db.scalars(
            select(EdgeEvent).where(EdgeEvent.hazard_id == hazard_id).order_by(EdgeEvent.occurred_at)
        ).all()
