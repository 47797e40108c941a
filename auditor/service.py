"""One look at everything, and the loop that looks every 30 s."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic, perf_counter
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, insert, select, update

from auditor import cases, figures, messages, permits, record, roll_calls, slow, trail
from auditor.finding import Finding, Kind, Limits
from auditor.heal import heal
from auditor.tables import finding, run

log = structlog.get_logger()

EVERY_S = 30.0
BEAT_TIMEOUT_S = 5.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A beat goes where the admin said; an answer that sends it elsewhere is a failed beat."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_BEATS = urllib.request.build_opener(_NoRedirect())


@dataclass(frozen=True, slots=True)
class Report:
    """What one look found (`open` now), healed and told."""

    found: tuple[Finding, ...]
    healed: tuple[Finding, ...]
    told: int
    took_ms: float


@dataclass(slots=True)
class Auditor:
    """`admins` reads wecom:userid or dingtalk:userid; `heartbeat_url` "" sends no beat."""

    engine: Engine
    clock: Callable[[], datetime]
    admins: Sequence[str] = ()
    heartbeat_url: str = ""
    limits: Limits = field(default_factory=Limits)

    def look(self) -> Report:
        """Look once. Heals and tells in one transaction a finding, so that one bad row stops nothing else."""
        began, now = perf_counter(), self.clock()
        found, progress, numbers = self._look(now)
        with self.engine.begin() as db:
            record.note(db, found, now)
        healed = tuple(item for item in found if self._heal(item, now))
        told = self._tell(now)
        took_ms = (perf_counter() - began) * 1000
        with self.engine.begin() as db:
            self._save(db, now, took_ms, progress, numbers)
        for item in found:
            log.warning("audit.found", kind=item.kind.value, subject=item.subject, **item.facts)
        log.info("audit.looked", found=len(found), healed=len(healed), told=told, took_ms=round(took_ms, 1))
        return Report(tuple(found), healed, told, took_ms)

    def find(self) -> tuple[Finding, ...]:
        """What is wrong now; nothing is noted, healed or told."""
        return tuple(self._look(self.clock())[0])

    def _look(self, now: datetime) -> tuple[list[Finding], dict[str, Any], dict[str, Any]]:
        """Everything is read in one snapshot: what changes meanwhile must not look like a contradiction."""
        postgres = self.engine.dialect.name == "postgresql"
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if postgres else {"read_only": True}
        with self.engine.execution_options(**options).connect() as db, db.begin():
            last = db.execute(select(run.c.progress)).first()
            broken = select(finding.c.subject).where(
                finding.c.kind == Kind.TRAIL_BROKEN.value, finding.c.cleared_at.is_(None)
            )
            known = [int(row.subject.rpartition(":")[2]) for row in db.execute(broken.limit(1000))]
            seals, progress = trail.check(db, last.progress if last is not None else {}, known=known)
            checks = (cases.check, permits.check, roll_calls.check, messages.check, slow.check)
            found = [*(item for check in checks for item in check(db, now, self.limits)), *seals]
            return found, progress, figures.read(db, now)

    def _heal(self, item: Finding, now: datetime) -> bool:
        try:
            with self.engine.begin() as db:
                how = heal(db, item, now)
                if how:
                    record.healed(db, item, how, now)
        except Exception as error:  # it stays open and is told; the others are looked after
            log.error("audit.heal_failed", kind=item.kind.value, subject=item.subject, exc_info=error)
            return False
        return bool(how)

    def _tell(self, now: datetime) -> int:
        with self.engine.begin() as db:
            rows = record.to_tell(db, now)
            return record.tell(db, rows, self.admins, now) if rows else 0

    def _save(self, db: Connection, now: datetime, took_ms: float, progress: dict, numbers: dict) -> None:
        values = {
            "at": now, "took_ms": took_ms, "open_findings": record.open_count(db), "figures": numbers,
            "progress": progress,
        }  # fmt: skip
        if db.execute(update(run).values(runs=run.c.runs + 1, **values)).rowcount == 0:
            db.execute(insert(run).values(id=1, runs=1, beat_at=None, beat_error="", **values))

    def beat(self) -> str:
        """Tell the outside that the auditor looked and can be heard; returns "" or why not.

        While its own alarms do not get out it keeps silent: then the service that waits for the beat raises the alarm.
        """
        if not self.heartbeat_url:
            return ""
        with self.engine.begin() as db:
            if messages.muted(db, self.clock()):
                db.execute(update(run).values(beat_error="muted"))
                log.error("audit.muted")
                return "muted"
        try:
            with _BEATS.open(self.heartbeat_url, timeout=BEAT_TIMEOUT_S) as answer:
                answer.read(1024)
            error = ""
        except urllib.error.HTTPError as refused:
            error = f"HTTP {refused.code}"
            refused.close()
        except (OSError, ValueError) as failed:
            error = type(failed).__name__
        values = {"beat_error": error} if error else {"beat_error": "", "beat_at": self.clock()}
        with self.engine.begin() as db:
            db.execute(update(run).values(**values))
        if error:
            log.warning("audit.heartbeat_failed", error=error)
        return error

    def keep_looking(self, stop: threading.Event, *, every_s: float = EVERY_S) -> None:
        """Look until `stop` is set. A look that fails is logged, sends no beat, and is tried at the next time."""
        while not stop.is_set():
            next_at = monotonic() + every_s
            try:
                self.look()
                self.beat()
            except Exception as error:
                log.error("audit.look_failed", exc_info=error)
            stop.wait(max(0.1, next_at - monotonic()))
