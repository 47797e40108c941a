"""`/healthz`: the process lives. `/readyz`: it can do its work, with a reason for everything that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, jsonify

from handlers import frugal
from storage import audit, figures, schema
from storage.media import MediaUnavailable
from web.context import WebContext

log = structlog.get_logger()
LATE_S = 300.0  # messages waiting longer than this: somebody should look
SILENT_S = 120.0  # the auditor looks every 30 s
Probe = Callable[[], str]
"""Tries one thing; returns what is wrong in plain words, "" when nothing is. May raise."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    reason: str = ""


def check_database(engine: Any) -> str:
    """Reachable, and its schema usable by this version."""
    if schema.is_usable(engine):
        return ""
    at = schema.current(engine) or "empty"
    return f"schema is at {at}, this version needs {schema.head()}: run `flask --app app db upgrade`"


def check_redis(redis: Any) -> str:
    return "" if redis.ping() else "no answer to PING"


def check_media(store: Any) -> str:
    """A small file can be written and removed."""
    try:
        store.check()
    except MediaUnavailable as error:
        return str(error)
    return ""


def run(name: str, probe: Probe) -> Check:
    """One check; whatever goes wrong becomes its reason (the kind of error only: texts may hold addresses)."""
    try:
        reason = probe()
    except Exception as error:
        log.warning("ready.check_failed", check=name, error=type(error).__name__)
        reason = f"cannot be reached ({type(error).__name__})"
    return Check(name, not reason, reason)


def degraded(ctx: WebContext) -> list[str]:
    """What works only in part: nobody has to be sent away, somebody has to look."""
    with ctx.new_work(read_only=True) as work:
        now = figures.read(work.db, work.at)
        looked = audit.read(work.db, work.at)
        budgets = work.budgets.note(frugal.SNAPSHOT).get("platforms", {})
        silent = [(device.code, device.last_seen_at) for device in work.edge.told_silent()]
    found = [
        f"budget {name} {row['name']}: {row['used']} of {row['limit']} used, expected {row['expected']}"
        for name, platform in sorted(budgets.items())
        for row in platform["budgets"]
        if row["runs_out"]
    ]
    if looked is not None and looked.age_s > SILENT_S:
        found.append(f"auditor: silent for {looked.age_s:.0f} s; is `python worker.py --auditor` running?")
    if looked is not None:
        found += [f"auditor: {count} open {kind}" for kind, count in sorted(looked.open_by_kind.items())]
    found += [f"edge terminal {code}: silent since {at.isoformat() if at else 'ever'}" for code, at in silent]
    if not ctx.platforms:
        found.append("no platform is configured: set the ANSHAO_WECOM_* or ANSHAO_DINGTALK_* settings")
    if now.inbox.oldest_s > LATE_S:
        found.append(f"inbox: oldest message waits {now.inbox.oldest_s:.0f} s; is a chat worker running?")
    for platform, row in sorted(now.outbox.items()):
        if row.oldest_s > LATE_S:
            found.append(f"outbox {platform}: oldest message waits {row.oldest_s:.0f} s")
    if now.inbox_failed:
        found.append(f"inbox: {now.inbox_failed} messages could not be handled")
    return found


def seen(ctx: WebContext) -> dict[str, Any]:
    """The figures that say how well it goes; null where nothing is known yet. /metrics has them with their history."""
    with ctx.new_work(read_only=True) as work:
        now = figures.read(work.db, work.at)
        looked = audit.read(work.db, work.at)
        platforms = work.budgets.note(frugal.SNAPSHOT).get("platforms", {})
    told = looked.figures if looked is not None else {}
    return {
        "reports_accepted": now.reports,
        "reports_24h": told.get("reports_24h"),
        "first_notice_on_time_share": told.get("first_notice_on_time_share"),
        "first_notice_p50_s": told.get("first_notice_p50_s"),
        "first_notice_p99_s": told.get("first_notice_p99_s"),
        "inbox_oldest_s": round(now.inbox.oldest_s, 1),
        "outbox_oldest_s": {platform: round(row.oldest_s, 1) for platform, row in sorted(now.outbox.items())},
        "outbox_urgent_oldest_s": told.get("outbox_urgent_oldest_s"),
        "auditor_looked_s_ago": round(looked.age_s, 1) if looked is not None else None,
        "budgets": [
            {"platform": name, **{key: row[key] for key in ("name", "used", "limit", "expected", "runs_out")}}
            for name, platform in sorted(platforms.items())
            for row in platform["budgets"]
        ],
    }


def register(
    app: Flask, ctx: WebContext, probes: Sequence[tuple[str, Probe]], hints: Sequence[tuple[str, Probe]] = ()
) -> None:
    """`probes` decide whether this process is ready; `hints` only add to what works in part."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify({"alive": True})

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        checks = [run(name, probe) for name, probe in probes]
        ready = all(check.ok for check in checks)
        told = [run(name, probe) for name, probe in hints]
        asked = bool(checks) and checks[0].ok
        body = {
            "ready": ready,
            "checks": [{"name": c.name, "ok": c.ok, "reason": c.reason} for c in checks],
            "degraded": [*(degraded(ctx) if asked else []), *(check.reason for check in told if check.reason)],
            "links": [{"name": c.name, "ok": c.ok, "reason": c.reason} for c in told],
            "figures": seen(ctx) if asked else None,
        }
        return jsonify(body), 200 if ready else 503
