"""The trail of a case: append only, each line sealed with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from storage import guards
from storage.models import Hazard, Permit, TrailLine

FIELDS = (
    *("case_kind", "case_id", "seq", "at", "by_id", "by_hidden", "action", "from_state", "to_state"),
    *("why", "via", "data", "before_hash", "hash"),
)


def seal(line: TrailLine) -> str:
    """SHA-256 over every field of the line and the hash before it."""
    body = [
        line.case_kind,
        line.case_id,
        line.seq,
        line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        line.by_id,
        line.by_hidden,
        line.action,
        line.from_state,
        line.to_state,
        line.why,
        line.via,
        line.data,
        line.before_hash,
    ]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class Trail:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(
        self,
        case_kind: str,
        case_id: int,
        action: str,
        *,
        at: datetime,
        by_id: int | None = None,
        by_hidden: bool = False,
        from_state: str = "",
        to_state: str = "",
        why: str = "",
        via: str = "",
        data: dict[str, Any] | None = None,
    ) -> TrailLine:
        last = self.db.scalar(
            select(TrailLine)
            .where(TrailLine.case_kind == case_kind, TrailLine.case_id == case_id)
            .order_by(TrailLine.seq.desc())
            .limit(1)
        )
        line = TrailLine(
            case_kind=case_kind,
            case_id=case_id,
            seq=last.seq + 1 if last else 1,
            at=at,
            by_id=by_id,
            by_hidden=by_hidden,
            action=action,
            from_state=from_state,
            to_state=to_state,
            why=why,
            via=via,
            data=data or {},
            before_hash=last.hash if last else "",
        )
        line.hash = seal(line)
        self.db.add(line)
        self.db.flush()
        return line

    def of(self, case_kind: str, case_id: int) -> Sequence[TrailLine]:
        return self.db.scalars(
            select(TrailLine)
            .where(TrailLine.case_kind == case_kind, TrailLine.case_id == case_id)
            .order_by(TrailLine.seq)
        ).all()

    def page(
        self,
        case_kind: str,
        actions: Collection[str],
        *,
        case_id: int | None = None,
        case_ids: Collection[int] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        before_id: int | None = None,
        limit: int | None = None,
    ) -> Sequence[TrailLine]:
        """Lines of these actions over all cases of a kind, newest first; `before_id` goes on from an earlier page."""
        asked = select(TrailLine).where(TrailLine.case_kind == case_kind, TrailLine.action.in_(actions))
        if case_id is not None:
            asked = asked.where(TrailLine.case_id == case_id)
        if case_ids:
            asked = asked.where(TrailLine.case_id.in_(case_ids))
        if since is not None:
            asked = asked.where(TrailLine.at >= since)
        if until is not None:
            asked = asked.where(TrailLine.at < until)
        if before_id is not None:
            asked = asked.where(TrailLine.id < before_id)
        return self.db.scalars(asked.order_by(TrailLine.id.desc()).limit(limit)).all()

    def lines(self) -> Iterator[TrailLine]:
        """Every line, case by case, in the order they were written."""
        yield from self.db.scalars(
            select(TrailLine)
            .order_by(TrailLine.case_kind, TrailLine.case_id, TrailLine.seq)
            .execution_options(yield_per=500)
        )

    def broken(self) -> Iterator[tuple[TrailLine, str]]:
        """Every line that was changed, or whose predecessor is missing, with what is wrong."""
        return check(self.lines())

    def guards_missing(self) -> list[str]:
        """Names of the database's own guards that were taken away."""
        return guards.missing(self.db.connection())

    def without_lines(self) -> list[tuple[str, int]]:
        """(kind, id) of filed hazards and submitted permits that have no line at all: a whole trail was taken out."""
        found = []
        for kind, case in (("hazard", Hazard), ("permit", Permit)):
            has = exists().where(TrailLine.case_kind == kind, TrailLine.case_id == case.id)
            ids = self.db.scalars(select(case.id).where(case.number.is_not(None), ~has).order_by(case.id))
            found += [(kind, row_id) for row_id in ids]
        return found


def check(lines: Iterable[TrailLine]) -> Iterator[tuple[TrailLine, str]]:
    """Follow the chain of lines that come case by case: each one that breaks it, with what is wrong."""
    before: TrailLine | None = None
    for line in lines:
        same_case = before is not None and (before.case_kind, before.case_id) == (line.case_kind, line.case_id)
        expected_seq = before.seq + 1 if before is not None and same_case else 1
        expected_hash = before.hash if before is not None and same_case else ""
        if line.seq != expected_seq:
            yield line, f"line {expected_seq} is missing"
        elif line.before_hash != expected_hash:
            yield line, "the line before was replaced"
        elif seal(line) != line.hash:
            yield line, "the line was changed"
        before = line


def to_json(line: TrailLine) -> dict[str, Any]:
    """A line as it stands in a copy of the trail."""
    return {name: getattr(line, name) for name in FIELDS} | {"at": line.at.astimezone(UTC).isoformat()}


def from_json(data: dict[str, Any]) -> TrailLine:
    """A line of a copy, not of the database. Raises KeyError, TypeError or ValueError when it is none."""
    return TrailLine(**{name: data[name] for name in FIELDS} | {"at": datetime.fromisoformat(data["at"])})
