"""What pages and API need, handed over once by app.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bot.platforms.base import Platform
from storage.conflicts import CONFLICTS
from storage.models import Media
from storage.unit_of_work import UnitOfWork

Result = TypeVar("Result")
ATTEMPTS = 4
OUTBOX_QUEUE = "delivery"  # the queue that sends; everything else to wake is named by the unit of work


class Pictures(Protocol):
    """The part of the media store that pages use."""

    def open(self, sha256: str) -> bytes: ...


KeepPhoto = Callable[[bytes], tuple[Media | None, dict[str, Any]]]
"""Checks and stores an uploaded picture. The facts hold `sha256`, or `refused`: the reason in Chinese."""


@dataclass(frozen=True, slots=True)
class WebContext:
    engine: Any
    clock: Callable[[], datetime]
    platforms: Mapping[str, Platform]
    pictures: Pictures
    keep_photo: KeepPhoto
    kick: Callable[[str], None]
    zone: ZoneInfo
    public_url: str
    secret_key: str
    plant_name: str = "本厂"
    scripts: Mapping[str, str] = field(default_factory=dict)  # platform name → address of its JS bridge
    frame_ancestors: tuple[str, ...] = ()  # who may frame the pages besides ourselves
    session_for: timedelta = timedelta(hours=12)

    def new_work(self, *, read_only: bool = False) -> UnitOfWork:
        return UnitOfWork(self.engine, self.clock(), read_only=read_only)

    def change(self, act: Callable[[UnitOfWork], Result]) -> Result:
        """Run `act` in one transaction, commit, wake the workers.

        `act` runs again when another writer came between, so it must not do anything outside the transaction.
        What it raises rolls everything back.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.new_work() as work:
                    result = act(work)
                    work.commit()
                    queues = {OUTBOX_QUEUE, *work.wake}
            except CONFLICTS:
                if attempt == ATTEMPTS:
                    raise
                continue
            for queue in sorted(queues):
                self.kick(queue)
            return result
        raise AssertionError("unreachable")

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)
