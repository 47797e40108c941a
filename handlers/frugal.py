"""Frugal mode: while a platform's budget will not last, notices of yellow hazards there are bundled into a digest.

Red and orange are never touched, nor are answers to people. An admin switches it (chat «节约模式 开», page, `flask frugal`,
ANSHAO_FRUGAL); «自动» follows the forecast of rules/budgets.py. jobs/deliver.py holds and sends, jobs/budgets.py forecasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from bot import outbox
from cards import hazard as cards
from cards.words import zone
from rules.terms import Role
from storage.models import Delivery, Person
from storage.unit_of_work import UnitOfWork

MODES = {"auto": "自动", "on": "开", "off": "关"}
DIGEST = "digest:"  # batch keys of messages that go out as one
REASON = "frugal"
# Four times a day, the last one for the evening shift; not on the hour, when everybody sends (WeCom's own advice).
DIGESTS_AT = (time(8, 10), time(12, 10), time(16, 10), time(20, 10))
MAX_LINES = 20
STATE, CHOICE, SNAPSHOT = "frugal", "frugal.mode", "budgets"
NEWS = {
    "hazard.dispatch": "新派单", "hazard.transfer": "转派给您", "hazard.confirm": "还没确认", "hazard.stale": "还没开始整改",
    "hazard.rectify": "整改期限", "hazard.accept": "等验收", "hazard.submitted": "等验收", "hazard.closed": "已闭环",
    "hazard.away": "请您代管",
}  # fmt: skip


def mode(work: UnitOfWork, default: str = "auto") -> str:
    """auto, on or off: what an admin chose last, else the setting of the installation."""
    chosen = str(work.budgets.note(CHOICE).get("mode", ""))
    return chosen if chosen in MODES else default


def active(work: UnitOfWork) -> list[str]:
    """The platforms in frugal mode now."""
    return sorted(name for name, how in work.budgets.note(STATE).items() if how.get("on"))


def choose(work: UnitOfWork, wanted: str, *, by: Person | None) -> list[str]:
    """An admin's choice, in force at once; returns the platforms that are frugal now."""
    work.budgets.write_note(CHOICE, {"mode": wanted}, at=work.at, by_id=by.id if by is not None else None)
    snapshot: dict[str, Any] = work.budgets.note(SNAPSHOT).get("platforms", {})
    for name, platform in snapshot.items():
        follow(work, name, platform["title"], platform["budgets"], mode=wanted)
    return active(work)


def follow(work: UnitOfWork, name: str, title: str, standings: Sequence[dict[str, Any]], *, mode: str) -> bool:
    """Switch one platform by the mode and how its budgets stand; the admins hear of a change. True when it changed.

    By itself it ends only when every budget is at ease, so that it does not flicker at the limit.
    """
    state = work.budgets.note(STATE)
    before = bool(state.get(name, {}).get("on"))
    short = [s["title"] for s in standings if s["runs_out"]]
    after = mode == "on" or (mode == "auto" and bool(short or (before and not all(s["is_easy"] for s in standings))))
    if after == before:
        return False
    state[name] = {"on": after, "since": work.at.isoformat(), "by": mode}
    work.budgets.write_note(STATE, state, at=work.at)
    if not after:
        work.outbox.release(REASON, work.at, platform=name)
    _tell(work, name, title, after=after, short=short, mode=mode)
    return True


def _tell(work: UnitOfWork, name: str, title: str, *, after: bool, short: Sequence[str], mode: str) -> None:
    if after:
        why = f"{'、'.join(short)}照此会不够用" if mode == "auto" else "管理员已开启"
        text = (
            f"{title}进入节约模式:{why}。三级(黄)隐患的通知合并成汇总,每天"
            f"{'、'.join(f'{t:%H:%M}' for t in DIGESTS_AT)}各一次;一级、二级照常。说“节约模式 关”可停,说“额度”看用量。"
        )
    else:
        text = f"{title}已退出节约模式,三级隐患恢复单独通知。"
    for admin in work.people.with_role(Role.ADMIN):
        address = outbox.address_of(admin)
        if address is not None:
            key = f"frugal:{name}:{work.at:%Y%m%d%H%M}"
            outbox.say(work, address, text, purpose="budget", dedupe_key=key, urgency=outbox.NORMAL)


def next_digest(at: datetime) -> datetime:
    """When the next digest goes out, in UTC as it came."""
    local = at.astimezone(zone())
    for ahead in (0, 1):
        day = local.date() + timedelta(days=ahead)
        for when in DIGESTS_AT:
            then = datetime.combine(day, when, tzinfo=zone())
            if then > local:
                return then.astimezone(at.tzinfo)
    raise AssertionError("tomorrow has a first digest")


def to_hold(work: UnitOfWork, at: datetime) -> bool:
    """Whether messages are due that belong into the next digest. Cheap while nothing is frugal."""
    platforms = active(work)
    return bool(platforms) and bool(work.outbox.bundled(platforms, at, limit=1))


def hold(work: UnitOfWork) -> int:
    """Put them into the batch of their place; returns how many."""
    until = next_digest(work.at)
    rows = work.outbox.bundled(active(work), work.at)
    return sum(work.outbox.hold(row.id, batch_key=_batch(row, until), until=until, reason=REASON) for row in rows)


def into_digest(work: UnitOfWork, row: Delivery) -> bool:
    """Put one due row that its budget holds up into the next digest, if it is a notice that a digest may hold."""
    work.flush()
    if not work.outbox.bundled([row.platform], row.due_at, row_id=row.id):
        return False
    until = next_digest(work.at)
    row.batch_key, row.due_at, row.wait_reason = _batch(row, until), until, REASON
    return True


def _batch(row: Delivery, until: datetime) -> str:
    place = hashlib.sha256(f"{row.user_id}|{row.group_id}".encode()).hexdigest()[:24]
    return f"{DIGEST}{row.platform}:{place}:{until:%Y%m%d%H%M}"


def digest_text(work: UnitOfWork, rows: Sequence[Delivery]) -> str:
    """The messages of one place as one text: a line a hazard, with what is new about it."""
    news: dict[int, list[str]] = {}
    for row in rows:
        if row.case_id is not None:
            news.setdefault(row.case_id, []).append(NEWS.get(row.purpose, ""))
    lines = []
    for case_id, words in list(news.items())[:MAX_LINES]:
        hazard = work.hazards.find(case_id)
        if hazard is not None:
            said = "、".join(dict.fromkeys(word for word in words if word))
            lines.append(f"· {f'[{said}]' if said else ''}{cards.line(hazard)}")
    more = [f"……另有{len(news) - MAX_LINES}条,发“待办”查看"] if len(news) > MAX_LINES else []
    return "\n".join([f"【三级隐患汇总】{len(news)}条", *lines, *more, "发编号就能办理。"])
