"""Is the trail unbroken? Only what is new, and a moving window of what is old, so that a run stays short.

The sealing is written down here a second time on purpose: an engine that seals wrongly must not prove itself right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, and_, func, select

from auditor.finding import Finding, Kind
from auditor.tables import trail_line

WINDOW = 5_000  # lines a run; a smaller trail is checked whole each time


def sealed(line: Any) -> str:
    """SHA-256 over the JSON list of all fields and the hash before, as docs/architecture.md describes it."""
    fields = [
        line.case_kind,
        line.case_id,
        line.seq,
        line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        line.by_id,
        bool(line.by_hidden),
        line.action,
        line.from_state,
        line.to_state,
        line.why,
        line.via,
        line.data,
        line.before_hash,
    ]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def check(
    db: Connection, progress: dict[str, Any], *, known: Sequence[int] = (), window: int = WINDOW
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings, and the progress to remember: {"newest", "count", "window_from"}.

    Lines that were checked before must still be as many; new lines, one window of old ones and the lines `known` to be
    broken (ids) are verified.
    """
    newest, count, at = (int(progress.get(name, 0)) for name in ("newest", "count", "window_from"))
    found: list[Finding] = []
    still = db.scalar(select(func.count()).select_from(trail_line).where(trail_line.c.id <= newest)) or 0
    if still < count:
        found.append(Finding(Kind.TRAIL_SHORT, "trail:0", {"were": count, "are": still}))
    new = _lines(db, newest, window)
    old = _lines(db, at, window - len(new), until=newest)
    looked_at = {line.id: (line, before) for line, before in (*new, *old, *_lines(db, 0, len(known), only=known))}
    for line, before in looked_at.values():
        found += _broken(line, before)
    top = new[-1][0].id if new else newest
    now_there = db.scalar(select(func.count()).select_from(trail_line).where(trail_line.c.id <= top)) or 0
    end = old[-1][0].id if old and old[-1][0].id < newest else 0
    # a shrunken trail stays a finding until a person has looked: the higher count is kept
    counted = max(now_there, count) if still < count else now_there
    return found, {"newest": top, "count": counted, "window_from": end}


def _lines(
    db: Connection, after: int, limit: int, *, until: int | None = None, only: Sequence[int] | None = None
) -> list[tuple[Any, Any]]:
    """(line, seq and hash of the one before or None) in order of id."""
    before = trail_line.alias("before")
    query = (
        select(trail_line, before.c.hash.label("hash_before"), before.c.id.label("id_before"))
        .join_from(
            trail_line,
            before,
            and_(
                before.c.case_kind == trail_line.c.case_kind,
                before.c.case_id == trail_line.c.case_id,
                before.c.seq == trail_line.c.seq - 1,
            ),
            isouter=True,
        )
        .where(trail_line.c.id > after)
        .order_by(trail_line.c.id)
        .limit(max(0, limit))
    )
    if until is not None:
        query = query.where(trail_line.c.id <= until)
    if only is not None:
        query = query.where(trail_line.c.id.in_(only))
    return [(row, row.hash_before if row.id_before is not None else None) for row in db.execute(query)]


def _broken(line: Any, hash_before: str | None) -> Iterator[Finding]:
    wrong = ""
    if line.seq > 1 and hash_before is None:
        wrong = "line before is missing"
    elif line.before_hash != (hash_before or ""):
        wrong = "line before was replaced"
    elif sealed(line) != line.hash:
        wrong = "line was changed"
    if wrong:
        facts = {"case": f"{line.case_kind}:{line.case_id}", "seq": line.seq, "wrong": wrong}
        yield Finding(Kind.TRAIL_BROKEN, f"trail:{line.id}", facts)
