"""One transaction of business work: new rows, conversation and outgoing messages commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property, lru_cache
from types import TracebackType

from sqlalchemy import Engine, Pool
from sqlalchemy.orm import Session

from storage.budgets import Budgets
from storage.cards import Cards
from storage.certificates import Certificates
from storage.chores import Chores
from storage.conversations import Conversations
from storage.edge import Edge
from storage.hazards import Hazards
from storage.inbox import InboxRows
from storage.knowledge import Knowledge
from storage.ladder import Ladder, Policies
from storage.media_rows import MediaRows
from storage.outbox import Outbox
from storage.people import People
from storage.permits import Permits
from storage.plant import Plant
from storage.readings import Readings
from storage.risks import Risks
from storage.roll_calls import RollCalls
from storage.roster import Roster
from storage.trail import Trail


@lru_cache(maxsize=8)
def _for_reading(engine: Engine) -> Engine:
    """Made once: making it costs as much as several of the statements that it will run."""
    return engine.execution_options(read_only=True)


class UnitOfWork:
    """Use as a context manager and call `commit()`; leaving without it rolls back. `at` is the time of the work."""

    def __init__(self, engine: Engine, at: datetime, *, read_only: bool = False) -> None:
        self._engine = _for_reading(engine) if read_only else engine
        self.read_only = read_only
        self.at = at
        self.wake: set[str] = set()  # queues that have work once this is committed

    def __enter__(self) -> UnitOfWork:
        self.db = Session(self._engine, expire_on_commit=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.db.close()

    @property
    def pool(self) -> Pool:
        """The connection pool: the same object for all work of one engine in this process."""
        return self._engine.pool

    def commit(self) -> None:
        self.db.commit()

    def flush(self) -> None:
        self.db.flush()

    @cached_property
    def people(self) -> People:
        return People(self.db)

    @cached_property
    def plant(self) -> Plant:
        return Plant(self.db)

    @cached_property
    def hazards(self) -> Hazards:
        return Hazards(self.db)

    @cached_property
    def permits(self) -> Permits:
        return Permits(self.db)

    @cached_property
    def readings(self) -> Readings:
        return Readings(self.db)

    @cached_property
    def risks(self) -> Risks:
        return Risks(self.db)

    @cached_property
    def edge(self) -> Edge:
        return Edge(self.db)

    @cached_property
    def certificates(self) -> Certificates:
        return Certificates(self.db)

    @cached_property
    def chores(self) -> Chores:
        return Chores(self.db)

    @cached_property
    def inbox(self) -> InboxRows:
        return InboxRows(self.db)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.db)

    @cached_property
    def cards(self) -> Cards:
        return Cards(self.db)

    @cached_property
    def budgets(self) -> Budgets:
        return Budgets(self.db)

    @cached_property
    def conversations(self) -> Conversations:
        return Conversations(self.db)

    @cached_property
    def ladder(self) -> Ladder:
        return Ladder(self.db)

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.db)

    @cached_property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.db)

    @cached_property
    def media(self) -> MediaRows:
        return MediaRows(self.db)

    @cached_property
    def roll_calls(self) -> RollCalls:
        return RollCalls(self.db)

    @cached_property
    def roster(self) -> Roster:
        return Roster(self.db)

    @cached_property
    def trail(self) -> Trail:
        return Trail(self.db)


WorkFactory = Callable[[], UnitOfWork]
