"""Which permits are judged again, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from rules.permit.life import PermitState
from storage.models import Permit, PermitParty
from storage.permits import LIVE, REQUESTS, Box

FIRST = timedelta(days=30)  # a danger is due this long ago: it is judged before all that is merely due
_PERMITS: Any = Permit.__table__
_MOVE_ON: Any = (
    update(_PERMITS)
    .where(_PERMITS.c.id == bindparam("permit"))
    .values(next_due=bindparam("due"), judge_at=bindparam("then"))
)


class DuePermit(NamedTuple):
    """A permit to judge now. `unjudged_since`: the last tries came to nothing."""

    id: int
    judge_at: datetime
    unjudged_since: datetime | None

    def is_danger(self, at: datetime) -> bool:
        """Whether something dangerous nearby made it due."""
        return self.judge_at <= at - FIRST / 2


class PermitQueue:
    def __init__(self, db: Session) -> None:
        self.db = db

    def due(self, at: datetime, *, limit: int = 200) -> Sequence[DuePermit]:
        """Permits whose next judgement is due, longest due first: live ones, expired ones under fire watch, and requests
        for later whose sample counts from now on."""
        rows = self.db.execute(
            select(Permit.id, Permit.judge_at, Permit.unjudged_since)
            .where(
                Permit.state.in_((*LIVE, PermitState.EXPIRED.value, *REQUESTS)),
                Permit.judge_at.is_not(None),
                Permit.judge_at <= at,
            )
            .order_by(Permit.judge_at, Permit.id)
            .limit(limit)
        )
        return [DuePermit(row.id, row.judge_at or at, row.unjudged_since) for row in rows]

    def not_judged(
        self, permit_id: int, at: datetime, *, due_at: datetime, again_at: datetime, broke: bool
    ) -> tuple[int, datetime | None]:
        """A judgement that came to nothing: due again at `again_at`, unless something that happened meanwhile made it due
        at another time than it was. Returns how many broke in a row, and since when it is not judged."""
        row = self.db.execute(
            update(Permit)
            .where(Permit.id == permit_id)
            .values(
                judge_at=case((Permit.judge_at == due_at, again_at), else_=Permit.judge_at),
                judge_failures=Permit.judge_failures + int(broke),
                unjudged_since=func.coalesce(Permit.unjudged_since, at, type_=Permit.unjudged_since.type),
            )
            .returning(Permit.judge_failures, Permit.unjudged_since)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        return (row[0], row[1]) if row is not None else (0, None)

    def judged_again(self, permit_id: int) -> None:
        """Judgements of the permit come to an end again."""
        self.db.execute(
            update(Permit)
            .where(Permit.id == permit_id)
            .values(judge_failures=0, unjudged_since=None)
            .execution_options(synchronize_session=False)
        )

    def judged_as_before(self, permit_id: int, *, next_due: list[Any], judge_at: datetime) -> None:
        """The verdict is the stored one: only what falls due, and the next judgement, move on."""
        self.db.connection().execute(_MOVE_ON, {"permit": permit_id, "due": next_due, "then": judge_at})

    def later(self, permit_id: int, at: datetime | None) -> None:
        """Put the next judgement off; the permit itself stays as it is."""
        self.db.execute(
            update(Permit)
            .where(Permit.id == permit_id)
            .values(judge_at=at)
            .execution_options(synchronize_session=False)
        )

    def touch(self, where: Any, *, at: datetime, wait: bool = True, danger: bool = False) -> int:
        """Something changed near these permits: they are judged at once, before all others in `danger`. How many.

        Rows are locked in the order of their ids, so that two feeds touching the same permits never block each other
        for good. A judgement holds the same lock while it reads, so no change is seen by neither. Who holds a permit
        already must not `wait` for others: it leaves out those that are busy and looks again itself.
        """
        query = select(Permit.id).where(Permit.state.in_(LIVE), where).order_by(Permit.id)
        ids = self.db.scalars(query.with_for_update(skip_locked=not wait)).all()
        if ids:
            due = at - FIRST if danger else at
            self.db.execute(
                update(Permit)
                .where(Permit.id.in_(ids), or_(Permit.judge_at.is_(None), Permit.judge_at > due))
                .values(judge_at=due)
                .execution_options(synchronize_session=False)
            )
        return len(ids)

    def touch_near(
        self, box: Box | None, area_id: int | None, *, at: datetime, but: int | None = None, danger: bool = False
    ) -> int:
        """Permits in the box or area; with `but` (the caller's own permit) those that are busy are left out."""
        here = _here(box, area_id)
        if here is None:
            return 0
        if but is None:
            return self.touch(here, at=at, danger=danger)
        return self.touch(and_(here, Permit.id != but), at=at, wait=False, danger=danger)

    def touch_one(self, permit_id: int, *, at: datetime) -> int:
        """Something changed for this permit alone (its video)."""
        return self.touch(Permit.id == permit_id, at=at)

    def touch_all(self, *, at: datetime) -> int:
        """Something changed for the whole plant (wind)."""
        return self.touch(Permit.id > 0, at=at)

    def touch_people(self, person_ids: Iterable[int], *, at: datetime) -> int:
        """A certificate, a role or the shift of these people changed."""
        ids = list(person_ids)
        parts = select(PermitParty.permit_id).where(PermitParty.person_id.in_(ids), PermitParty.left_at.is_(None))
        return self.touch(or_(Permit.guardian_id.in_(ids), Permit.id.in_(parts)), at=at)


def _here(box: Box | None, area_id: int | None) -> Any:
    """The condition "in the box, or without a position but in the area"; None when nothing is known of the place."""
    parts = []
    if box is not None:
        parts.append(and_(Permit.lat.between(box.south, box.north), Permit.lon.between(box.west, box.east)))
    if area_id is not None:
        only_area = Permit.area_id == area_id
        parts.append(and_(only_area, Permit.lat.is_(None)) if box is not None else only_area)
    return or_(*parts) if parts else None
