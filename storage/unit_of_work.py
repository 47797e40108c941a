"""One transaction of business work: new rows, conversation and outgoing messages commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine, Pool
from sqlalchemy.orm import Session

from storage import plain
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
from storage.permit_queue import PermitQueue
from storage.permit_verdicts import PermitVerdicts
from storage.permits import Permits
from storage.place_answers import PlaceAnswers
from storage.plain import Asked, ReadOnly
from storage.plant import Plant
from storage.readings import Readings
from storage.risks import Risks
from storage.roll_calls import RollCalls
from storage.roster import Roster
from storage.sms_receipts import SmsReceipts
from storage.trail import Trail

Made = TypeVar("Made")


@lru_cache(maxsize=8)
def _for_reading(engine: Engine) -> Engine:
    """Made once: making it costs as much as several of the statements that it will run."""
    return engine.execution_options(read_only=True)


class made_once(Generic[Made]):
    """`functools.cached_property` without the lock it takes before Python 3.12: work belongs to one thread."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self.make = make
        self.name = make.__name__

    def __get__(self, work: Any, _: type | None = None) -> Made:
        made = work.__dict__[self.name] = self.make(work)
        return made


class UnitOfWork:
    """Use as a context manager and call `commit()`; leaving without it rolls back. `at` is the time of the work."""

    def __init__(self, engine: Engine, at: datetime, *, read_only: bool = False) -> None:
        self._engine = _for_reading(engine) if read_only else engine
        self.read_only = read_only
        self.at = at
        self.wake: set[str] = set()  # queues that have work once this is committed

    def __enter__(self) -> UnitOfWork:
        self.db = ReadOnly(self._engine) if self.read_only else Session(self._engine, expire_on_commit=False)
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

    @contextmanager
    def ahead(self, asked: Iterable[Asked]) -> Iterator[None]:
        """What is asked inside comes in one journey, where journeys are dear (`plain.ahead`). Nothing is written inside."""
        plain.ahead(self.db, asked)
        try:
            yield
        finally:
            plain.forget_ahead(self.db)

    @made_once
    def people(self) -> People:
        return People(self.db)

    @made_once
    def plant(self) -> Plant:
        return Plant(self.db)

    @made_once
    def hazards(self) -> Hazards:
        return Hazards(self.db)

    @made_once
    def permits(self) -> Permits:
        return Permits(self.db)

    @made_once
    def permit_queue(self) -> PermitQueue:
        return PermitQueue(self.db)

    @made_once
    def permit_verdicts(self) -> PermitVerdicts:
        return PermitVerdicts(self.db)

    @made_once
    def place_answers(self) -> PlaceAnswers:
        return PlaceAnswers(self.db)

    @made_once
    def readings(self) -> Readings:
        return Readings(self.db)

    @made_once
    def risks(self) -> Risks:
        return Risks(self.db)

    @made_once
    def edge(self) -> Edge:
        return Edge(self.db)

    @made_once
    def certificates(self) -> Certificates:
        return Certificates(self.db)

    @made_once
    def chores(self) -> Chores:
        return Chores(self.db)

    @made_once
    def inbox(self) -> InboxRows:
        return InboxRows(self.db)

    @made_once
    def outbox(self) -> Outbox:
        return Outbox(self.db)

    @made_once
    def sms_receipts(self) -> SmsReceipts:
        return SmsReceipts(self.db)

    @made_once
    def cards(self) -> Cards:
        return Cards(self.db)

    @made_once
    def budgets(self) -> Budgets:
        return Budgets(self.db)

    @made_once
    def conversations(self) -> Conversations:
        return Conversations(self.db)

    @made_once
    def ladder(self) -> Ladder:
        return Ladder(self.db)

    @made_once
    def policies(self) -> Policies:
        return Policies(self.db)

    @made_once
    def knowledge(self) -> Knowledge:
        return Knowledge(self.db)

    @made_once
    def media(self) -> MediaRows:
        return MediaRows(self.db)

    @made_once
    def roll_calls(self) -> RollCalls:
        return RollCalls(self.db)

    @made_once
    def roster(self) -> Roster:
        return Roster(self.db)

    @made_once
    def trail(self) -> Trail:
        return Trail(self.db)


WorkFactory = Callable[[], UnitOfWork]
