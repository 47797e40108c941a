"""What must be true after every run, looked up in the database, on the phones and in the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from auditor.finding import Finding
from auditor.service import Auditor
from rules.hazard import emergency
from storage.trail import Trail
from storage.unit_of_work import UnitOfWork
from tools.fault_runs.crowd import Report
from tools.fault_runs.field import Field

MAYBE = "可能重复"
_DANGER = emergency("着火了")
FIRST_AID = _DANGER.line_zh if _DANGER is not None else ""
UNFINISHED = """
    SELECT (SELECT count(*) FROM inbox WHERE state IN ('new', 'taken', 'fetching'))
         + (SELECT count(*) FROM delivery WHERE state IN ('due', 'claimed', 'unknown') AND due_at < now() + interval '1 h')
         + (SELECT count(*) FROM card_post p JOIN case_card c ON c.id = p.card_id
             WHERE p.state = 'live' AND p.shown_revision < c.revision)
         + (SELECT count(*) FROM hazard WHERE evidence_state = 'due')
         + (SELECT count(*) FROM ladder_step WHERE taken_at IS NULL AND called_off_at IS NULL AND due_at < now())
"""
NOT_CARED_FOR = """
    SELECT h.id, h.owner_id, h.due_at FROM hazard h
     WHERE h.state IN ('reported', 'assigned', 'rectifying', 'to_accept')
       AND (h.due_at IS NULL
            OR (h.owner_id IS NULL AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.case_kind = 'hazard'
                AND d.case_id = h.id AND d.state IN ('confirmed', 'due', 'claimed', 'unknown')))
            OR NOT EXISTS (SELECT 1 FROM ladder_step s WHERE s.case_kind = 'hazard' AND s.case_id = h.id
                AND s.generation = h.generation AND s.taken_at IS NULL AND s.called_off_at IS NULL))
"""
BAD_DELIVERIES = """
    SELECT id, what, platform, state, error FROM delivery
     WHERE state NOT IN ('due', 'claimed', 'confirmed', 'unknown', 'refused', 'expired')
        OR (state IN ('refused', 'expired') AND error = '')
        OR (state IN ('due', 'claimed', 'unknown') AND due_at < now() - interval '60 s')
"""


@dataclass
class Found:
    """What a look found; lost and doubled count reports and messages, `wrong` says everything in words."""

    lost: int = 0
    doubled: int = 0
    marked: int = 0  # repeats that said that they may be repeats
    wrong: list[str] = field(default_factory=list)


def unfinished(on: Field) -> int:
    return int(on.number(UNFINISHED))


def at_rest(on: Field, *, within_s: float) -> float | None:
    """Seconds until nothing is left to do, seen twice; None when it does not come to rest."""
    quiet = 0

    def still() -> bool:
        nonlocal quiet
        waiting = sum(d["outcome"] == "waiting" for d in on.get("/wecom/_phone/deliveries"))
        quiet = quiet + 1 if unfinished(on) == 0 and waiting == 0 else 0
        return quiet >= 3

    return on.wait_for(still, within_s=within_s)


def look(on: Field, sent: Sequence[Report], *, ever: Sequence[Report]) -> Found:
    """Every invariant, for the reports of one round; `ever` holds all that were sent on this product."""
    found = Found()
    _reports(on, sent, found)
    _screens(on, sent, ever, found)
    _database(on, found)
    with UnitOfWork(on.engine, datetime.now(UTC), read_only=True) as work:
        broken = list(Trail(work.db).broken())
    found.wrong += [f"trail {line.case_kind}:{line.case_id} line {line.seq}: {why}" for line, why in broken[:3]]
    for platform in ("wecom", "dingtalk", "sms"):
        problems = on.get(f"/{platform}/_phone/problems")
        found.wrong += [f"{platform} emulator: {problem}" for problem in problems[:3]]
    return found


def audited(on: Field) -> dict[str, Finding]:
    """What the auditor, with queries of its own, finds wrong now: by a line that names it."""
    found = Auditor(on.engine, lambda: datetime.now(UTC)).find()
    return {f"{item.kind.value} {item.subject}": item for item in found}


def _reports(on: Field, sent: Sequence[Report], found: Found) -> None:
    rows = on.ask("SELECT id, state, number, description FROM hazard")
    filed: Counter[str] = Counter()
    for row in rows:
        if row.number:
            filed.update(word for word in row.description.split() if word.startswith("LX-"))
    for report in sent:
        count = filed[report.code]
        if count == 0:
            found.lost += 1
            found.wrong.append(f"{report.code} of {report.platform} was never filed: {_story(on, report)}")
        elif count > 1:
            found.doubled += count - 1
            found.wrong.append(f"{report.code} was filed {count} times")


def _story(on: Field, report: Report) -> str:
    """What is known of a report that is missing."""
    rows = on.ask(
        "SELECT id, state, attempts, error, needs_media FROM inbox WHERE CAST(payload AS text) LIKE :like",
        like=f"%{report.code} %",
    )
    drafts = on.ask("SELECT id, state FROM hazard WHERE description LIKE :like", like=f"%{report.code} %")
    return f"inbox {[tuple(row) for row in rows]} drafts {[tuple(row) for row in drafts]}"


def _screens(on: Field, sent: Sequence[Report], ever: Sequence[Report], found: Found) -> None:
    """On each phone: every receipt once, no text more often than it was written, cards as they are now."""
    cards = {
        (row.user_id, row.number): (row.title, row.posts)
        for row in on.ask(
            """SELECT k.user_id, h.number, max(c.content->>'title') AS title, count(*) AS posts
                 FROM card_copy k JOIN card_post p ON p.id = k.post_id JOIN case_card c ON c.id = p.card_id
                 JOIN hazard h ON c.case_kind = 'hazard' AND c.case_id = h.id
                WHERE k.user_id <> '' AND p.state = 'live' AND c.card_key LIKE '%reporter'
                GROUP BY k.user_id, h.number"""
        )
    }
    written: Counter[tuple[str, str]] = Counter()
    for row in on.ask("SELECT user_id, payload->>'text' AS said FROM delivery WHERE what = 'text' AND user_id <> ''"):
        written[row.user_id.lower(), _plain(row.said)] += 1
    for report in ever:
        if report.red:
            written[report.user.lower(), FIRST_AID] += 1  # the callback's own answer (ADR 0007)
    mine: dict[str, list[str]] = {}
    for row in on.ask("SELECT number, description FROM hazard WHERE number IS NOT NULL"):
        for word in row.description.split():
            if word.startswith("LX-"):
                mine.setdefault(word, []).append(row.number)
    for platform, user in sorted({(r.platform, r.user) for r in sent}):
        items = [i for i in on.get(f"/{platform}/_phone/{user}/screen")["items"] if i["from"] != "me"]
        _texts(user, items, written, found)
        for report in (r for r in sent if (r.platform, r.user) == (platform, user)):
            for number in mine.get(report.code, []):
                _receipt(report, number, items, cards.get((user, number)), found)


def _plain(said: str) -> str:
    return said.replace(f"\n({MAYBE})", "").strip()


def _texts(user: str, items: list[dict[str, Any]], written: Counter[tuple[str, str]], found: Found) -> None:
    shown: Counter[str] = Counter()
    for item in items:
        if item["card"] or not item["text"]:
            continue
        if MAYBE in item["text"]:
            found.marked += 1
        else:
            shown[_plain(item["text"])] += 1
    for text, count in shown.items():
        allowed = written[user.lower(), text]
        if allowed and count > allowed:
            found.doubled += count - allowed
            found.wrong.append(f"{user} was told {count} times instead of {allowed}: {text[:30]}")


def _receipt(report: Report, number: str, items: list[dict[str, Any]], posted: Any, found: Found) -> None:
    seen = [item["card"]["title"] for item in items if item["card"] and number in (item["card"]["title"] or "")]
    if not seen:
        texts = [item for item in items if number in (item["text"] or "")]
        if not texts:
            found.lost += 1
            found.wrong.append(f"{report.user} never saw the receipt {number} of {report.code}")
        return
    if posted is None:
        return
    title, posts = posted
    if len(seen) > posts:
        found.doubled += len(seen) - posts
        found.wrong.append(f"{report.user} has {len(seen)} cards {number}, posted {posts}")
    if seen[-1][:30] != title[:30]:
        found.wrong.append(f"{report.user} sees «{seen[-1]}» instead of «{title}»")


def _database(on: Field, found: Found) -> None:
    for row in on.ask(NOT_CARED_FOR)[:5]:
        found.wrong.append(f"hazard {row.id} has no owner, term or next step (owner {row.owner_id}, due {row.due_at})")
    for row in on.ask(BAD_DELIVERIES)[:5]:
        found.wrong.append(f"delivery {row.id} {row.what} to {row.platform} is {row.state} «{row.error}»")
    stale = on.number(
        "SELECT count(*) FROM card_post p JOIN case_card c ON c.id = p.card_id"
        " WHERE p.state = 'live' AND p.shown_revision < c.revision"
    )
    if stale:
        found.wrong.append(f"{stale:.0f} cards do not show the newest state")
    twice = on.ask("SELECT number, count(*) FROM hazard WHERE number IS NOT NULL GROUP BY number HAVING count(*) > 1")
    found.wrong += [f"the number {row[0]} was given {row[1]} times" for row in twice]
