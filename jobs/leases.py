"""Leases that a living worker prolongs and a dead one does not: they can be short without cutting off slow work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from jobs.context import Services
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

LEASE = timedelta(seconds=20)  # a dead worker's work is taken up after this and one look of the scheduler
RENEW_S = 5.0

Renew = Callable[[UnitOfWork, list[int], datetime], object]
"""Moves the lease of those of the rows that are still held to the given time."""


class Leases:
    """While the block runs, everything in `held` keeps its lease."""

    def __init__(self, services: Services, renew: Renew) -> None:
        self._services, self._renew = services, renew
        self._held: set[int] = set()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, ids: Iterable[int]) -> None:
        with self._lock:
            self._held.update(ids)
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
                self._thread.start()

    def drop(self, ids: Iterable[int]) -> None:
        with self._lock:
            self._held.difference_update(ids)

    def _keep(self) -> None:
        while not self._stop.wait(RENEW_S):
            with self._lock:
                ids = sorted(self._held)
            if not ids:
                continue
            try:
                with self._services.new_work() as work:
                    self._renew(work, ids, self._services.clock() + LEASE)
                    work.commit()
            except Exception as error:  # the next time may work; if not, somebody else takes the rows up
                log.warning("leases.not_renewed", count=len(ids), error=type(error).__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
