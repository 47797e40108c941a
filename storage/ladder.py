"""Policies and due ladder steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storage.database import rows_changed
from storage.hazards import OPEN
from storage.models import Hazard, LadderStep, Policy
from storage.plain import look

# built once: asked for every judgement
_PERMIT_PART: Any = (
    select(Policy.version, Policy.content["permit"]).where(Policy.active).order_by(Policy.version.desc()).limit(1)
)


class Policies:
    def __init__(self, db: Session) -> None:
        self.db = db

    def current(self) -> Policy | None:
        return self.db.scalar(select(Policy).where(Policy.active).order_by(Policy.version.desc()).limit(1))

    def permit_part(self) -> tuple[int, Any]:
        """(version, what it says of permits) of the policy in force; (0, None) without one."""
        found = look(self.db, _PERMIT_PART)
        return (found[0][0], found[0][1]) if found else (0, None)

    def version(self, version: int) -> Policy | None:
        return self.db.scalar(select(Policy).where(Policy.version == version))

    def all(self, *, limit: int = 50) -> Sequence[Policy]:
        """Published versions, newest first."""
        return self.db.scalars(select(Policy).order_by(Policy.version.desc()).limit(limit)).all()

    def publish(self, content: dict[str, Any], *, at: datetime, by_id: int | None) -> Policy:
        last = self.db.scalar(select(func.max(Policy.version))) or 0
        policy = Policy(version=last + 1, content=content, created_at=at, created_by_id=by_id, active=True)
        self.db.add(policy)
        self.db.flush()
        return policy

    # -- moving open cases to a version

    def cases_on_others(self, version: int, *, limit: int = 1000) -> list[int]:
        """Open hazards that go by another version of the policy, oldest first."""
        return list(
            self.db.scalars(
                select(Hazard.id)
                .where(Hazard.state.in_(OPEN), Hazard.policy_version.is_distinct_from(version))
                .order_by(Hazard.id)
                .limit(limit)
            )
        )

    def open_by_version(self) -> dict[int, int]:
        """Version of the policy → open hazards that go by it."""
        rows = self.db.execute(
            select(Hazard.policy_version, func.count()).where(Hazard.state.in_(OPEN)).group_by(Hazard.policy_version)
        )
        found: dict[int, int] = {}
        for version, count in rows:
            found[version or 0] = found.get(version or 0, 0) + count
        return found

    def to_move(self) -> Policy | None:
        """The version to which open cases are being moved."""
        return self.db.scalar(
            select(Policy)
            .where(Policy.move_asked_at.is_not(None), Policy.moved_at.is_(None))
            .order_by(Policy.version.desc())
            .limit(1)
        )

    def one_moved(self, version: int) -> None:
        self.db.execute(update(Policy).where(Policy.version == version).values(moved_count=Policy.moved_count + 1))

    def finish_move(self, version: int, at: datetime) -> bool:
        """Note that the move is over; False when another scheduler did."""
        done = rows_changed(
            self.db,
            update(Policy)
            .values(moved_at=at)
            .where(Policy.version == version, Policy.moved_at.is_(None), Policy.move_asked_at.is_not(None)),
        )
        return done == 1


class Ladder:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, step: LadderStep) -> None:
        self.db.add(step)

    def of(self, case_kind: str, case_id: int, *, generation: int | None = None) -> Sequence[LadderStep]:
        """The steps of a case (of one generation), by their time."""
        query = select(LadderStep).where(LadderStep.case_kind == case_kind, LadderStep.case_id == case_id)
        if generation is not None:
            query = query.where(LadderStep.generation == generation)
        return self.db.scalars(query.order_by(LadderStep.due_at, LadderStep.ladder, LadderStep.position)).all()

    def next_position(self, case_kind: str, case_id: int, generation: int, ladder: str) -> int:
        """The first position of this ladder that no step of the generation has."""
        last = self.db.scalar(
            select(func.max(LadderStep.position)).where(
                LadderStep.case_kind == case_kind,
                LadderStep.case_id == case_id,
                LadderStep.generation == generation,
                LadderStep.ladder == ladder,
            )
        )
        return 0 if last is None else last + 1

    def due_ids(self, at: datetime, *, limit: int = 500, without: Collection[int] = ()) -> Sequence[int]:
        """Steps whose time has come, longest due first; `without` those that were tried in vain just now."""
        return self.db.scalars(
            select(LadderStep.id)
            .where(
                LadderStep.taken_at.is_(None),
                LadderStep.called_off_at.is_(None),
                LadderStep.due_at <= at,
                LadderStep.id.not_in(without),
            )
            .order_by(LadderStep.due_at, LadderStep.id)
            .limit(limit)
        ).all()

    def call_off_void(self, at: datetime, *, limit: int = 1000) -> int:
        """Call off due steps of hazards that moved on to another generation; how many. A generation never comes back."""
        void = self.db.scalars(
            select(LadderStep.id)
            .join(Hazard, Hazard.id == LadderStep.case_id)
            .where(
                LadderStep.case_kind == "hazard",
                LadderStep.taken_at.is_(None),
                LadderStep.called_off_at.is_(None),
                LadderStep.due_at <= at,
                LadderStep.generation != Hazard.generation,
            )
            .limit(limit)
        ).all()  # by id then: as one statement a fresh PostgreSQL table without statistics is gone through for each row
        return rows_changed(
            self.db,
            update(LadderStep)
            .values(called_off_at=at)
            .where(LadderStep.id.in_(void), LadderStep.taken_at.is_(None), LadderStep.called_off_at.is_(None))
            .execution_options(synchronize_session=False),
        )

    def take(self, step_id: int, at: datetime) -> bool:
        """Take one step; False when another worker took it or it was called off."""
        done = rows_changed(
            self.db,
            update(LadderStep)
            .values(taken_at=at)
            .where(
                LadderStep.id == step_id,
                LadderStep.taken_at.is_(None),
                LadderStep.called_off_at.is_(None),
                LadderStep.due_at <= at,
            ),
        )
        return done == 1

    def get(self, step_id: int) -> LadderStep:
        return self.db.get_one(LadderStep, step_id)

    def call_off(self, case_kind: str, case_id: int, *, at: datetime, ladder: str = "") -> int:
        """Call off the open steps of a case, or of one of its ladders; returns how many."""
        wanted = [LadderStep.case_kind == case_kind, LadderStep.case_id == case_id]
        if ladder:
            wanted.append(LadderStep.ladder == ladder)
        return rows_changed(
            self.db,
            update(LadderStep)
            .values(called_off_at=at)
            .where(*wanted, LadderStep.taken_at.is_(None), LadderStep.called_off_at.is_(None)),
        )
