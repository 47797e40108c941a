"""The inbox: stored before anything else happens, taken once, in order for each sender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Over, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from storage.database import rows_changed
from storage.models import Inbox

UNFINISHED = ("new", "taken", "fetching")
CROWD = 20  # unfinished messages of one sender: more is nobody who types
WAITED_FOR = (
    3  # words of danger wait for so many messages their sender sent before: photos that belong to them, no more
)


def store(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert raw inbox rows, skipping those whose (platform, key) is known. Returns the ids of the new ones.

    Core, not ORM: this is the hot path of every callback.
    """
    insert = postgresql.insert(Inbox) if connection.dialect.name == "postgresql" else sqlite.insert(Inbox)
    statement = insert.values(list(rows)).on_conflict_do_nothing(index_elements=["platform", "key"]).returning(Inbox.id)
    return list(connection.execute(statement).scalars())


def write_canary(engine: Engine, key: str, at: datetime) -> None:
    """Write one row that is nobody's message, durably and always the same; raises what storing a message would raise."""
    insert = postgresql.insert(Inbox) if engine.dialect.name == "postgresql" else sqlite.insert(Inbox)
    row = {
        "platform": "canary", "key": key[:160], "sender": "", "payload": {}, "state": "done", "needs_media": False,
        "media": [], "received_at": at, "sent_at": at, "handled_at": at, "attempts": 0, "error": "",
    }  # fmt: skip
    again = {"received_at": at, "sent_at": at, "handled_at": at}
    with engine.begin() as db:
        db.execute(insert.values(row).on_conflict_do_update(index_elements=["platform", "key"], set_=again))


def received_at(engine: Engine, platform: str, key: str) -> datetime | None:
    """When the message with this key came first; None when it never came."""
    with engine.execution_options(read_only=True).connect() as db:
        return db.scalar(select(Inbox.received_at).where(Inbox.platform == platform, Inbox.key == key))


def _turn() -> Over[int]:
    """1 for the first of a sender's rows in the query, 2 for the next …"""
    return func.row_number().over(partition_by=(Inbox.platform, Inbox.sender), order_by=Inbox.id)


def _hurry() -> Over[int]:
    """1 when the row's sender has words of danger among the rows of the query."""
    return func.max(case((Inbox.urgent, 1), else_=0)).over(partition_by=(Inbox.platform, Inbox.sender))


class InboxRows:
    def __init__(self, db: Session) -> None:
        self.db = db

    def get(self, row_id: int) -> Inbox:
        return self.db.get_one(Inbox, row_id)

    def ready_ids(self, at: datetime, *, limit: int = 100) -> list[int]:
        """The earliest unfinished row of each sender, when it can be taken now: what words of danger wait for, then the oldest.

        A photo that somebody sent before the words of danger is as urgent as they are. They do not wait for more messages
        of their own sender than belong to them.
        Asked of the database as a whole: any number of rows that wait (for a picture, for their turn) hide nobody's.
        """
        rows = (
            select(
                Inbox.id,
                Inbox.sender,
                Inbox.urgent,
                Inbox.state,
                Inbox.needs_media,
                Inbox.lease_until,
                Inbox.next_try_at,
            )
            .add_columns(_turn().label("turn"), _hurry().label("hurry"))
            .where(Inbox.state.in_(UNFINISHED))
            .subquery()
            .c
        )
        return list(
            self.db.scalars(
                select(rows.id)
                .where(
                    or_(rows.turn == 1, rows.sender == "", and_(rows.urgent, rows.turn > WAITED_FOR + 1)),
                    rows.needs_media.is_(False),
                    or_(rows.state == "new", rows.lease_until.is_(None), rows.lease_until <= at),
                    or_(rows.next_try_at.is_(None), rows.next_try_at <= at),
                )
                .order_by(rows.urgent.desc(), rows.hurry.desc(), rows.id)
                .limit(limit)
            )
        )

    def take(self, row_id: int, at: datetime, *, lease: timedelta) -> Inbox | None:
        """Take one row; None when another worker has it."""
        done = rows_changed(
            self.db,
            update(Inbox)
            .values(state="taken", taken_at=at, lease_until=at + lease, attempts=Inbox.attempts + 1)
            .where(
                Inbox.id == row_id,
                Inbox.needs_media.is_(False),
                or_(Inbox.state == "new", (Inbox.state == "taken") & (Inbox.lease_until <= at)),
            ),
        )
        return self.db.get_one(Inbox, row_id, populate_existing=True) if done == 1 else None

    def to_fetch(self, at: datetime, *, limit: int = 50) -> list[int]:
        """Rows whose pictures or voice still lie on the platform: of whoever has words of danger waiting behind them, then the
        oldest of each sender, then everybody's next."""
        other = aliased(Inbox)
        in_danger = Inbox.sender.in_(select(other.sender).where(other.state.in_(UNFINISHED), other.urgent))
        return list(
            self.db.scalars(
                select(Inbox.id)
                .where(
                    Inbox.needs_media,
                    Inbox.state.in_(["new", "fetching"]),
                    or_(Inbox.lease_until.is_(None), Inbox.lease_until <= at, Inbox.state == "new"),
                    or_(Inbox.next_try_at.is_(None), Inbox.next_try_at <= at),
                )
                .order_by(case((in_danger, 0), else_=1), _turn(), Inbox.id)
                .limit(limit)
            )
        )

    def take_fetch(self, row_id: int, at: datetime, *, lease: timedelta) -> Inbox | None:
        done = rows_changed(
            self.db,
            update(Inbox)
            .values(state="fetching", lease_until=at + lease, attempts=Inbox.attempts + 1)
            .where(
                Inbox.id == row_id,
                Inbox.needs_media,
                or_(Inbox.state == "new", (Inbox.state == "fetching") & (Inbox.lease_until <= at)),
            ),
        )
        return self.db.get_one(Inbox, row_id, populate_existing=True) if done == 1 else None

    def has_crowd_behind(self, row: Inbox) -> bool:
        """Whether more than CROWD messages of the same sender wait after this one."""
        waiting = (
            select(Inbox.id)
            .where(
                Inbox.state.in_(UNFINISHED),
                Inbox.id > row.id,
                Inbox.platform == row.platform,
                Inbox.sender == row.sender,
            )
            .limit(CROWD + 1)
            .subquery()
        )
        return (self.db.scalar(select(func.count()).select_from(waiting)) or 0) > CROWD

    def handled_of(self, platform: str, sender: str, *, since: datetime, before_id: int, most: int) -> int:
        """How many messages of the sender were handled since then; looked for among the ids just before this one."""
        return (
            self.db.scalar(
                select(func.count())
                .select_from(Inbox)
                .where(
                    Inbox.id.between(before_id - 20 * most, before_id - 1),
                    Inbox.platform == platform,
                    Inbox.sender == sender,
                    Inbox.handled_at > since,
                )
            )
            or 0
        )

    def renew_fetch(self, ids: Sequence[int], until: datetime) -> int:
        """Prolong the lease of those of the rows that are still being fetched."""
        return rows_changed(
            self.db, update(Inbox).values(lease_until=until).where(Inbox.id.in_(ids), Inbox.state == "fetching")
        )

    def sent_of_handled(self, platform: str, sender: str, handled_at: datetime) -> datetime | None:
        """When the message was sent that was handled in the transaction of that time."""
        return self.db.scalar(
            select(func.max(Inbox.sent_at)).where(
                Inbox.platform == platform, Inbox.sender == sender, Inbox.handled_at == handled_at
            )
        )

    def unpark(self, platform: str, sender: str) -> int:
        """Give back what an unknown sender said before the plant knew them."""
        return rows_changed(
            self.db,
            update(Inbox)
            .values(state="new", attempts=0)
            .where(Inbox.state == "parked", Inbox.platform == platform, Inbox.sender == sender),
        )

    def unfinished(self) -> int:
        return self.db.scalar(select(func.count()).select_from(Inbox).where(Inbox.state.in_(UNFINISHED))) or 0

    def oldest_unfinished(self) -> datetime | None:
        return self.db.scalar(select(func.min(Inbox.received_at)).where(Inbox.state.in_(UNFINISHED)))

    def forget_before(self, before: datetime) -> int:
        """Drop the payload of long handled rows; the key stays, so a late repeat is still recognised."""
        return rows_changed(
            self.db, update(Inbox).values(payload={}, media=[]).where(Inbox.state == "done", Inbox.handled_at < before)
        )
