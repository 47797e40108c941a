"""Findings as rows: begun, healed, told, over. And telling: one message a person for all that is new."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from auditor.cases import reachable
from auditor.finding import FOR_SAFETY, WORDS_ZH, Finding, Kind
from auditor.messages import ALARM
from auditor.tables import account, delivery, finding, hazard, permit, role_grant, roll_call

AGAIN_AFTER = timedelta(hours=6)  # told again while it lasts
LINES = 6  # findings named in one message; the rest is a number
URGENT = 1
NUMBERED = {"permit": permit, "roll_call": roll_call}  # beside hazards, what a finding may be of


def note(db: Connection, found: Sequence[Finding], now: datetime) -> None:
    """Write what is so now; close what is not so any more."""
    is_open = finding.c.cleared_at.is_(None)
    subjects = [item.subject for item in found]
    known = {
        (row.kind, row.subject): row
        for row in db.execute(select(finding).where(or_(is_open, finding.c.subject.in_(subjects))))
    }
    for item in found:
        row = known.pop((item.kind.value, item.subject), None)
        if row is None:
            _begin(db, item, now)
        elif row.cleared_at is not None:
            begun = {"times": row.times + 1, "first_seen_at": now, "healed_at": None, "healed": "", "told_at": None}
            db.execute(
                update(finding)
                .values(cleared_at=None, last_seen_at=now, facts=item.facts, **begun)
                .where(finding.c.id == row.id)
            )
        else:
            db.execute(update(finding).values(last_seen_at=now).where(finding.c.id == row.id))
    over = [row.id for row in known.values() if row.cleared_at is None]
    if over:
        db.execute(update(finding).values(cleared_at=now).where(finding.c.id.in_(over)))


def _begin(db: Connection, item: Finding, now: datetime) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    row = {
        "kind": item.kind.value, "subject": item.subject, "facts": item.facts, "times": 1, "first_seen_at": now,
        "last_seen_at": now, "healed_at": None, "healed": "", "told_at": None, "cleared_at": None,
    }  # fmt: skip
    db.execute(dialect.insert(finding).values(**row).on_conflict_do_nothing(index_elements=["kind", "subject"]))


def healed(db: Connection, item: Finding, how: str, now: datetime) -> None:
    db.execute(
        update(finding)
        .values(healed_at=now, healed=how[:100])
        .where(finding.c.kind == item.kind.value, finding.c.subject == item.subject)
    )


def to_tell(db: Connection, now: datetime) -> list[Any]:
    """Open findings people have to hear of: not healed at their first beginning, and not told lately."""
    rows = db.execute(
        select(finding).where(finding.c.cleared_at.is_(None)).order_by(finding.c.first_seen_at, finding.c.id)
    ).all()
    return [
        row
        for row in rows
        if (row.healed_at is None or row.times > 2) and (row.told_at is None or now - row.told_at >= AGAIN_AFTER)
    ]


def open_count(db: Connection) -> int:
    return db.scalar(select(func.count()).select_from(finding).where(finding.c.cleared_at.is_(None))) or 0


def admins(db: Connection, named: Sequence[str]) -> list[tuple[int | None, str, str]]:
    """(person_id, platform, user_id) of the admins of the settings and of the role, one place a person."""
    places: list[tuple[int | None, str, str]] = []
    for admin in named:
        platform, _, user = admin.partition(":")
        user = user.lower() if platform == "wecom" else user
        owner = db.scalar(select(account.c.person_id).where(account.c.platform == platform, account.c.user_id == user))
        places.append((owner, platform, user))
    have_role = select(role_grant.c.id).where(role_grant.c.role == "admin").limit(1)
    if db.execute(have_role).first() is not None:
        places += [tuple(row) for row in reachable(db, "admin", None)]
    return _one_each(places)


def _one_each(places: Sequence[tuple[int | None, str, str]]) -> list[tuple[int | None, str, str]]:
    seen: set[Any] = set()
    out = []
    for person_id, platform, user in places:
        who = person_id if person_id is not None else (platform, user)
        if who not in seen:
            seen.add(who)
            out.append((person_id, platform, user))
    return out


def tell(db: Connection, rows: Sequence[Any], named_admins: Sequence[str], now: datetime) -> int:
    """One delivery row for each person concerned; returns how many rows were written."""
    mail: dict[tuple[int | None, str, str], list[Any]] = {place: list(rows) for place in admins(db, named_admins)}
    for row in rows:
        case_id = _case_of(row)
        if Kind(row.kind) in FOR_SAFETY and (case_id is not None or {"permit", "roll_call"} & set(row.facts)):
            area = (
                db.scalar(select(hazard.c.area_id).where(hazard.c.id == case_id)) if case_id else row.facts.get("area")
            )
            for place in _one_each([tuple(r) for r in reachable(db, "safety_officer", area)]):
                mine = mail.setdefault(place, [])
                if row not in mine:
                    mine.append(row)
    written = sum(_write(db, place, about, now) for place, about in mail.items() if about)
    db.execute(update(finding).values(told_at=now).where(finding.c.id.in_([row.id for row in rows])))
    return written


def _case_of(row: Any) -> int | None:
    kind, _, number = row.subject.partition(":")
    return int(number) if kind == "hazard" else row.facts.get("hazard")


def _write(db: Connection, place: tuple[int | None, str, str], about: Sequence[Any], now: datetime) -> int:
    person_id, platform, user = place
    said = "|".join(f"{row.kind}:{row.subject}:{row.times}:{row.told_at}" for row in about)
    key = f"audit:{hashlib.sha256(said.encode()).hexdigest()[:32]}:{platform}:{user}"[:160]
    case_id = _case_of(about[0]) if len(about) == 1 else None
    row = {
        "dedupe_key": key, "case_kind": "hazard" if case_id else "", "case_id": case_id, "purpose": ALARM,
        "what": "text", "platform": platform, "person_id": person_id, "user_id": user, "group_id": "",
        "payload": {"text": words(db, about)}, "card_id": None, "batch_key": "", "urgency": URGENT, "state": "due",
        "due_at": now, "expires_at": now + timedelta(days=7), "attempts": 0, "ref": "", "error": "", "wait_reason": "",
        "fallback_of_id": None, "created_at": now,
    }  # fmt: skip
    known = db.scalar(select(delivery.c.id).where(delivery.c.dedupe_key == key))
    if known is not None:
        return 0
    db.execute(insert(delivery).values(**row))
    return 1


def words(db: Connection, about: Sequence[Any]) -> str:
    """The message: what is wrong and what to do, the same sentence once with how often."""
    by_kind: dict[str, list[Any]] = {}
    for row in about:
        by_kind.setdefault(row.kind, []).append(row)
    lines = []
    for kind, rows in list(by_kind.items())[:LINES]:
        numbers = [n for n in (_number(db, row) for row in rows[:3]) if n]
        more = f"等{len(rows)}项" if len(rows) > 3 else ""
        head = "、".join(dict.fromkeys(numbers)) + more or (f"{len(rows)}项" if len(rows) > 1 else "")
        lines.append(f"· {head} {WORDS_ZH[Kind(kind)]}".replace("·  ", "· "))
    if len(by_kind) > LINES:
        lines.append(f"· 还有{len(by_kind) - LINES}类问题,见 /metrics")
    return "【巡检】发现问题:\n" + "\n".join(lines)


def _number(db: Connection, row: Any) -> str:
    case_id = _case_of(row)
    if case_id is None:
        named = next(((row.facts[kind], of) for kind, of in NUMBERED.items() if row.facts.get(kind)), None)
        return (db.scalar(select(named[1].c.number).where(named[1].c.id == named[0])) or "") if named else ""
    return db.scalar(select(hazard.c.number).where(hazard.c.id == case_id)) or ""
