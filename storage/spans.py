"""The last hours of gas detectors, remembered between judgements.

Readings are only ever added, so what a judgement has read need not be read again: it asks how many there are, and which
came after those it knows. When the known and the new ones make up that number they are all there are; otherwise (one came
late, another clock, another process) everything is read. A plant's worth of detectors is some megabytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, bindparam, func, select
from sqlalchemy.orm import Session

from storage.models import Reading
from storage.plain import look_columns, looks, pool_of

MOST = 100_000  # readings in memory, some 13 MB: with more of them all are forgotten


class Span(NamedTuple):
    """Readings of one detector side by side, oldest first. Times are in seconds since 1970 (UTC): an hour of them is
    reckoned with in a judgement, which is dear with dates. None stands for a value that the detector could not give.
    """

    times: tuple[float, ...]
    values: tuple[float | None, ...]
    statuses: tuple[str, ...]


_IN_SPAN: Any = (
    Reading.detector_id.in_(bindparam("detectors", expanding=True)),
    Reading.kind == bindparam("kind"),
    Reading.at > bindparam("since"),
    Reading.at <= bindparam("until"),
)
_ALL: Any = (
    select(Reading.detector_id, Reading.id, Reading.at, Reading.value, Reading.status)
    .where(*_IN_SPAN)
    .order_by(Reading.detector_id, Reading.at)
)
_NEWER: Any = _ALL.where(
    Reading.at > bindparam("last"),
    Reading.id + 0 > bindparam("known"),  # a sum: found by the span, not among all that is newer
)
_HOW_MANY: Any = select(func.count()).select_from(Reading).where(*_IN_SPAN)


class _Kept(NamedTuple):
    newest: int  # the largest id, 0 for none
    span: Span


class _Memory:
    """What this process knows of one database, by detector and kind."""

    def __init__(self) -> None:
        self.spans: dict[tuple[int, str], _Kept] = {}
        self.readings = 0
        self.lock = Lock()

    def keep(self, key: tuple[int, str], kept: _Kept) -> None:
        with self.lock:
            before = self.spans.get(key)
            self.readings += len(kept.span.times) - (len(before.span.times) if before is not None else 0)
            if self.readings > MOST:
                self.spans.clear()
                self.readings = len(kept.span.times)
            self.spans[key] = kept


_memories: WeakKeyDictionary[Pool, _Memory] = WeakKeyDictionary()


def read(
    db: Session, detectors: Sequence[int], kind: str, since: datetime, until: datetime, *, own: bool
) -> dict[int, Span]:
    """What each of them said after `since`, up to and with `until`. `own`: this transaction has added readings itself.

    Those may yet be taken back, so nothing is remembered then.
    """
    asked = {"detectors": list(detectors), "kind": kind, "since": since, "until": until}
    if own:
        return {one: kept.span for one, kept in _all(db, asked).items()}
    memory = _memories.setdefault(pool_of(db), _Memory())
    known = {one: memory.spans.get((one, kind)) for one in detectors}
    found = _with_newer(db, asked, known) or _all(db, asked)
    for one, kept in found.items():
        if kept is not known[one]:
            memory.keep((one, kind), kept)
    return {one: kept.span for one, kept in found.items()}


def _all(db: Session, asked: dict[str, Any]) -> dict[int, _Kept]:
    of, ids, at, values, statuses = look_columns(db, _ALL, asked)
    said = Span(tuple(map(datetime.timestamp, at)), values, statuses)
    edges = {one: (bisect_left(of, one), bisect_right(of, one)) for one in asked["detectors"]}
    return {one: _Kept(max(ids[begin:end], default=0), _part(said, begin, end)) for one, (begin, end) in edges.items()}


def _with_newer(db: Session, asked: dict[str, Any], known: dict[int, _Kept | None]) -> dict[int, _Kept] | None:
    """The known ones of the span with what came since; None when something is missing or too much."""
    before = {one: kept for one, kept in known.items() if kept is not None}
    if len(before) < len(known):
        return None
    newer = asked | {
        "known": min((kept.newest for kept in before.values()), default=0),
        "last": min((_last(kept.span, asked["since"]) for kept in before.values()), default=asked["since"]),
    }
    (counted,), rows = looks(db, (_HOW_MANY, asked), (_NEWER, newer))
    came = {one: list(of_one) for one, of_one in groupby(rows, itemgetter(0))}
    since, until = asked["since"].timestamp(), asked["until"].timestamp()
    found = {one: _within(_grown(kept, came.get(one, ())), since, until) for one, kept in before.items()}
    return found if sum(len(kept.span.times) for kept in found.values()) == counted[0] else None


def _last(span: Span, since: datetime) -> datetime:
    return datetime.fromtimestamp(span.times[-1], UTC) if span.times else since


def _grown(kept: _Kept, rows: Sequence[Any]) -> _Kept:
    new = [row for row in rows if row[1] > kept.newest]
    if not new:
        return kept
    newest = max([row[1] for row in new])
    came = Span(
        tuple([row[2].timestamp() for row in new]), tuple([row[3] for row in new]), tuple([row[4] for row in new])
    )
    known = kept.span
    both = Span(known.times + came.times, known.values + came.values, known.statuses + came.statuses)
    if known.times and came.times[0] < known.times[-1]:  # one came late
        both = Span._make(zip(*sorted(zip(*both, strict=True), key=itemgetter(0)), strict=True))
    return _Kept(newest, both)


def _within(kept: _Kept, since: float, until: float) -> _Kept:
    times = kept.span.times
    begin, end = bisect_right(times, since), bisect_right(times, until)
    if not begin and end == len(times):
        return kept
    return _Kept(kept.newest, _part(kept.span, begin, end))


def _part(span: Span, begin: int, end: int) -> Span:
    return Span(span.times[begin:end], span.values[begin:end], span.statuses[begin:end])
