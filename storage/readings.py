"""Gas detectors, their readings, and the zones of the plan.

Readings come in by the thousand: they are written with Core in one statement, repeats are left out by the unique key.
The 3-hour span of a verdict is one range scan of `ix_reading_span`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Row, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage import spans
from storage.database import rows_changed
from storage.models import Area, Counter, Detector, Reading, SourceState, Zone
from storage.permits import Box
from storage.plain import Asked, look, looks

PLAN = "plan"  # the counter that moves when an outline changes


# built once: making this statement costs more than running it
_PLAN_VERSION = select(
    select(func.count()).select_from(Zone).where(Zone.active).scalar_subquery(),
    select(func.coalesce(func.max(Zone.id), 0)).scalar_subquery(),
    select(func.count()).select_from(Area).where(Area.active).scalar_subquery(),
    select(func.coalesce(func.max(Area.id), 0)).scalar_subquery(),
    select(func.coalesce(func.max(Counter.value), 0)).where(Counter.name == PLAN).scalar_subquery(),
)


# a row in place of the entity, with its fields: what a judgement needs of a detector
_SEEN: Any = select(
    Detector.id,
    Detector.code,
    Detector.kind,
    Detector.unit,
    Detector.medium,
    Detector.lat,
    Detector.lon,
    Detector.max_age_s,
    Detector.calibrated_until,
    Detector.last_at,
    Detector.last_value,
    Detector.last_status,
).where(Detector.active)
_IN_BOX = _SEEN.where(
    Detector.lat.between(bindparam("south"), bindparam("north")),
    Detector.lon.between(bindparam("west"), bindparam("east")),
).order_by(Detector.id)
_IN_AREA = _SEEN.where(Detector.area_id == bindparam("area")).order_by(Detector.id)
_WIND = _SEEN.where(Detector.kind == literal_column("'wind'")).order_by(
    Detector.id
)  # written so that its index is used
_PORTABLE = _SEEN.where(Detector.lat.is_(None), Detector.kind != "wind").order_by(Detector.id)
_FEED: Any = select(SourceState.facts).where(SourceState.name == bindparam("name"))
SeenDetector = Row[Any]
"""A detector as a judgement sees it (`_SEEN`): the fields of `Detector` by their names."""


@dataclass(frozen=True, slots=True)
class NewReading:
    """One checked value, in the detector's own unit."""

    detector_id: int
    kind: str
    value: float | None
    status: str
    at: datetime


class Readings:
    def __init__(self, db: Session) -> None:
        self.db = db
        self._added = False

    # -- detectors

    def detectors(self) -> Sequence[Detector]:
        return self.db.scalars(select(Detector).where(Detector.active).order_by(Detector.id)).all()

    def detector(self, code: str) -> Detector | None:
        return self.db.scalar(select(Detector).where(Detector.code == code))

    def of_area(self, area_id: int) -> Sequence[Detector]:
        """The active detectors of the area."""
        return self.db.scalars(
            select(Detector).where(Detector.active, Detector.area_id == area_id).order_by(Detector.id)
        ).all()

    def by_codes(self, codes: Collection[str]) -> dict[str, Detector]:
        rows = self.db.scalars(select(Detector).where(Detector.code.in_(list(codes)), Detector.active))
        return {row.code: row for row in rows}

    def detectors_near(self, box: Box | None, area_id: int | None) -> Sequence[SeenDetector]:
        """Fixed detectors in the box; those of the area when the place has no position."""
        return look(self.db, *self.asked_near(box, area_id)) if box is not None or area_id is not None else []

    def asked_near(self, box: Box | None, area_id: int | None) -> Asked:
        """What `detectors_near` asks, for `UnitOfWork.ahead`; one of box and area is there."""
        return (_IN_BOX, box.edges()) if box is not None else (_IN_AREA, {"area": area_id})

    def portable(self) -> Sequence[SeenDetector]:
        """Meters that are carried: they have no place."""
        return look(self.db, _PORTABLE)

    # -- readings

    def span(self, detector_ids: Collection[int], kind: str, since: datetime, until: datetime) -> dict[int, spans.Span]:
        """What each of the detectors said in the span, which is open at its beginning and closed at its end."""
        return spans.read(self.db, list(detector_ids), kind, since, until, own=self._added)

    def latest(self, detector_id: int, kind: str) -> Reading | None:
        return self.db.scalar(
            select(Reading)
            .where(Reading.detector_id == detector_id, Reading.kind == kind)
            .order_by(Reading.at.desc())
            .limit(1)
        )

    def add(self, rows: Sequence[NewReading], *, received_at: datetime) -> int:
        """Write the readings and move the detectors' last value on; returns how many were new.

        A repeat of (detector, time, kind) changes nothing, so a call may be made again as a whole.
        """
        if not rows:
            return 0
        values = [
            {
                "detector_id": row.detector_id,
                "kind": row.kind,
                "value": row.value,
                "status": row.status,
                "at": row.at,
                "received_at": received_at,
            }
            for row in rows
        ]
        self._added = True
        connection = self.db.connection()
        new = len(connection.execute(_insert(connection.dialect.name), values).all())
        self._move_on(rows)
        return new

    def forget_before(self, at: datetime, *, limit: int) -> int:
        """Delete readings older than that, oldest detectors' first; returns how many, at most `limit`."""
        gone = 0
        for detector_id in self.db.scalars(select(Detector.id).order_by(Detector.id)).all():
            old = select(Reading.id).where(Reading.detector_id == detector_id, Reading.at < at)
            old = old.order_by(Reading.at).limit(limit - gone)
            gone += rows_changed(self.db, delete(Reading).where(Reading.id.in_(old.scalar_subquery())))
            if gone >= limit:
                break
        return gone

    def _move_on(self, rows: Sequence[NewReading]) -> None:
        newest: dict[int, NewReading] = {}
        for row in rows:
            if row.detector_id not in newest or newest[row.detector_id].at < row.at:
                newest[row.detector_id] = row
        if not newest:
            return
        table: Any = Detector.__table__
        later = (
            update(table)
            .where(
                table.c.id == bindparam("of"),
                or_(table.c.last_at.is_(None), table.c.last_at < bindparam("seen_at")),
            )
            .values(last_at=bindparam("seen_at"), last_value=bindparam("seen"), last_status=bindparam("state"))
        )
        self.db.connection().execute(
            later,
            [
                {"of": key, "seen_at": row.at, "seen": row.value, "state": row.status}
                for key, row in sorted(newest.items())  # always in one order: two feeds never wait for each other
            ],
        )

    # -- zones

    def zones(self) -> Sequence[Zone]:
        return self.db.scalars(select(Zone).where(Zone.active).order_by(Zone.id)).all()

    def plan_version(self) -> tuple[int, ...]:
        """Moves with every zone or area that is added and with every import that changes an outline."""
        return tuple(look(self.db, *self.asked_plan())[0])

    def asked_plan(self) -> Asked:
        """What `plan_version` asks, for `UnitOfWork.ahead`."""
        return _PLAN_VERSION, {}

    def plan_changed(self) -> None:
        """Every process reads the plan anew."""
        if not rows_changed(self.db, update(Counter).where(Counter.name == PLAN).values(value=Counter.value + 1)):
            self.db.add(Counter(name=PLAN, value=1))
        self.db.flush()

    def zone(self, code: str) -> Zone | None:
        return self.db.scalar(select(Zone).where(Zone.code == code))

    # -- sources

    def weather(self, name: str) -> tuple[Mapping[str, Any], Sequence[SeenDetector]]:
        """(what the feed of this name last told, empty when there is none; the wind meters), in one journey."""
        told, meters = looks(self.db, *self.asked_weather(name))
        return (told[0][0] if told else {}), meters

    def asked_weather(self, name: str) -> tuple[Asked, Asked]:
        """What `weather` asks, for `UnitOfWork.ahead`."""
        return (_FEED, {"name": name}), (_WIND, {})

    def known_source(self, name: str) -> SourceState | None:
        """The state of a feed, when it has one."""
        return self.db.get(SourceState, name)

    def sources(self, prefix: str) -> Sequence[SourceState]:
        """Feeds whose name begins so, by name."""
        query = select(SourceState).where(SourceState.name.startswith(prefix, autoescape=True))
        return self.db.scalars(query.order_by(SourceState.name)).all()

    def forget(self, name: str) -> None:
        """The feed is over."""
        self.db.execute(delete(SourceState).where(SourceState.name == name))

    def source(self, name: str) -> SourceState:
        """The state of a feed, made when it is not there yet."""
        row = self.db.get(SourceState, name)
        if row is None:
            row = SourceState(name=name, facts={})
            self.db.add(row)
            self.db.flush()
        return row


def _insert(dialect: str) -> Insert:
    makers: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
    table: Any = Reading.__table__
    unique = ["detector_id", "at", "kind"]
    # what comes back is what was new: a row count over many statements is not reported by every driver
    made: Insert = makers[dialect](table).on_conflict_do_nothing(index_elements=unique).returning(table.c.id)
    return made
