"""Watching the platforms' budgets: figures of each day kept in the database, what the month will come to, frugal mode.

Redis counts; once a minute the database takes the figures over, gives them back to a Redis that was emptied, and a
snapshot is written that pages, chat and /metrics show. The admins hear in time that a month will run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot import outbox
from bot.platforms.base import Platform
from bot.platforms.uses import CHINA, Budget, Uses
from handlers import frugal
from jobs.context import Services
from jobs.queue import DELIVERY
from rules import budgets as rules
from rules.terms import Role
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

HEARD = "heard"  # what people said to the robot: paid from the same budget as webhook sends, counted from the inbox
SHOWN_DAYS = 14


def keep(services: Services) -> int:
    """Take the figures over, forecast, switch frugal mode; returns how many platforms changed theirs.

    Redis is asked before and after the transaction, never inside: it may be slow or away.
    """
    counted = {name: _counted(name, platform) for name, platform in services.platforms.items()}
    changed = 0
    with services.new_work() as work:
        snapshot: dict[str, Any] = {}
        lost: list[tuple[Uses, Budget, str, int]] = []
        for name, platform in services.platforms.items():
            standings = _standings(work, name, platform, counted[name], lost)
            if standings:
                snapshot[name] = {"title": platform.title, "budgets": standings}
        default = getattr(services.settings, "frugal", "auto")
        wanted = frugal.mode(work, default)
        for name, found in snapshot.items():
            changed += frugal.follow(work, name, found["title"], found["budgets"], mode=wanted)
        note = {"at": work.at.isoformat(), "default": default, "platforms": snapshot}
        work.budgets.write_note(frugal.SNAPSHOT, note, at=work.at)
        work.commit()
    _give_back(lost)
    if changed:
        services.kick(DELIVERY)
    return changed


def _counted(name: str, platform: Platform) -> dict[str, dict[str, int]]:
    """Budget → day → used, as Redis knows it; nothing of what it does not tell."""
    uses: Uses | None = getattr(platform, "uses", None)
    out: dict[str, dict[str, int]] = {}
    for budget in getattr(platform, "budgets", ()) if uses is not None else ():
        assert uses is not None
        try:
            out[budget.name] = uses.days(budget)
        except RedisError as error:
            log.warning("budget.redis_unknown", platform=name, budget=budget.name, error=type(error).__name__)
    return out


def _give_back(lost: Sequence[tuple[Uses, Budget, str, int]]) -> None:
    """What Redis knew less of than the database: it was emptied."""
    try:
        for uses, budget, day, used in lost:
            uses.at_least(budget, day, used)
    except RedisError as error:
        log.warning("budget.not_given_back", error=type(error).__name__)


def _standings(
    work: UnitOfWork,
    name: str,
    platform: Platform,
    counted: Mapping[str, Mapping[str, int]],
    lost: list[tuple[Uses, Budget, str, int]],
) -> list[dict[str, Any]]:
    budgets: Sequence[Budget] = getattr(platform, "budgets", ())
    now = work.at.astimezone(CHINA)
    since = min(now.replace(day=1), now - timedelta(days=SHOWN_DAYS)).strftime("%Y-%m-%d")
    out = []
    for budget in budgets:
        told = counted.get(budget.name)
        days = work.budgets.days(name, budget.name, since=since)
        for day, used in (told or {}).items():
            days[day] = work.budgets.raise_to(name, budget.name, day, used)
        if told is not None:
            first = now.strftime("%Y-%m-01")
            lost += [
                (platform.uses, budget, day, used)  # type: ignore[attr-defined]
                for day, used in days.items()
                if day >= first and used > told.get(day, 0)
            ]
        if budget.name == "messages":
            for day, used in _heard(work, name, now, since).items():
                days[day] = days.get(day, 0) + used
        stands = rules.standing(days, now, limit=budget.limit, period=budget.period)
        shown = dict(sorted(days.items())[-SHOWN_DAYS:])
        facts = {"name": budget.name, "title": budget.title, "period": budget.period, "days": shown}
        out.append({**facts, **stands.to_json(), "is_easy": stands.is_easy, "kept": budget.kept})
    return out


def _heard(work: UnitOfWork, name: str, now: datetime, since: str) -> dict[str, int]:
    """Today and yesterday are counted anew, older days are remembered."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for start in (midnight - timedelta(days=1), midnight):
        count = work.budgets.heard_between(name, start, start + timedelta(days=1))
        work.budgets.raise_to(name, HEARD, f"{start:%Y-%m-%d}", count)
    return work.budgets.days(name, HEARD, since=since)


def warn(services: Services) -> int:
    """Tell the admins when a month's budget will not last, once a day at most; returns how many messages were written."""
    told = 0
    with services.new_work() as work:
        day = work.at.astimezone(services.zone).strftime("%Y%m%d")
        for name, platform in work.budgets.note(frugal.SNAPSHOT).get("platforms", {}).items():
            for found in platform["budgets"]:
                if not found["runs_out"]:
                    continue
                for admin in work.people.with_role(Role.ADMIN):
                    address = outbox.address_of(admin)
                    key = f"budget:{name}:{found['name']}:{day}"
                    if address is not None and outbox.say(
                        work,
                        address,
                        _warning(platform["title"], found, frugal.mode(work), services.public_url),
                        purpose="budget",
                        dedupe_key=key,
                        urgency=outbox.NORMAL,
                    ):
                        told += 1
        work.commit()
    if told:
        services.kick(DELIVERY)
    return told


def _warning(title: str, found: dict[str, Any], mode: str, public_url: str) -> str:
    period = "本月" if found["period"] == "month" else "今天"
    when = f",预计{found['runs_out_on'][5:]}用完" if found["runs_out_on"] else ""
    do = "可以说“节约模式 开”把三级通知合并成汇总," if mode == "off" else "三级通知会自动合并成汇总;"
    return (
        f"{title}{found['title']}额度:{period}已用{found['used']}次/{found['limit']}次,照此约{found['expected']}次,"
        f"会不够用{when}。{do}一级、二级不受影响。也可升级平台版本,或改用另一个平台通知。\n"
        f"用量和排队情况:{public_url}/h5/budgets"
    )
