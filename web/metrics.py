"""`/metrics` for Prometheus. What the database knows is read at the scrape; only callbacks are counted in the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import structlog
from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.platforms.dingtalk.stream_board import LinkState
from handlers import frugal
from storage import audit, figures
from storage.outbox import WaitingGroup
from web.context import WebContext

log = structlog.get_logger()
QUANTILES = (0.5, 0.9, 0.99)


class Links(Collector):
    """The stream processes' links, as they wrote them on the board; nothing in HTTP mode."""

    def __init__(self, ctx: WebContext, read: Callable[[], list[LinkState]]) -> None:
        self.ctx, self.read = ctx, read

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            links = self.read()
        except Exception as error:
            log.error("metrics.links_unknown", error=type(error).__name__)
            return
        states = GaugeMetricFamily("anshao_stream_processes", "Stream processes by link state", labels=["state"])
        for state in sorted({link.state for link in links}):
            states.add_metric([state], sum(link.state == state for link in links))
        yield states
        heard = [link.last_frame_at for link in links if link.last_frame_at]
        if heard:
            age_s = max(0.0, self.ctx.clock().timestamp() - max(heard))
            yield _gauge("anshao_stream_last_frame_age_seconds", "Since any stream link last heard a frame", age_s)
        yield _gauge("anshao_stream_not_stored", "Frames that could not be stored", sum(k.not_stored for k in links))


class Database(Collector):
    """Everything that is a fact of the database, and whether it could be asked."""

    def __init__(self, ctx: WebContext) -> None:
        self.ctx = ctx

    def describe(self) -> Iterable[Metric]:
        return []  # nothing to declare beforehand: registering must not need a database

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("anshao_database_up", "1 when the database answered this scrape")
        try:
            with self.ctx.new_work(read_only=True) as work:
                now = figures.read(work.db, work.at)
                looked = audit.read(work.db, work.at)
                snapshot, on = work.budgets.note(frugal.SNAPSHOT), frugal.active(work)
                groups = work.outbox.waiting_groups(work.at)
                at = work.at
        except Exception as error:
            log.error("metrics.database_down", error=type(error).__name__)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _families(now)
        yield from _queues(groups, at)
        yield from _budgets(snapshot, on, at)
        if looked is not None:
            yield from _audited(looked)


def _families(now: figures.Figures) -> Iterator[Metric]:
    yield _gauge("anshao_inbox_unfinished", "Inbound messages not handled yet", now.inbox.count)
    yield _gauge("anshao_inbox_oldest_seconds", "Age of the oldest of them", now.inbox.oldest_s)
    yield _gauge("anshao_inbox_parked", "Messages of senders the plant does not know", now.inbox_parked)
    yield _gauge("anshao_inbox_failed", "Messages that could not be handled", now.inbox_failed)
    waiting = GaugeMetricFamily("anshao_outbox_waiting", "Messages due and not sent", labels=["platform"])
    oldest = GaugeMetricFamily("anshao_outbox_oldest_seconds", "Age of the oldest of them", labels=["platform"])
    for platform, row in now.outbox.items():
        waiting.add_metric([platform], row.count)
        oldest.add_metric([platform], row.oldest_s)
    yield waiting
    yield oldest
    refused = GaugeMetricFamily("anshao_outbox_refused", "Messages that failed for good", labels=["platform"])
    for platform, count in now.outbox_refused.items():
        refused.add_metric([platform], count)
    yield refused
    yield _gauge("anshao_cards_stale", "Posted cards that still show an older state", now.cards_stale)
    reports = CounterMetricFamily("anshao_reports_accepted", "Hazards filed since the beginning")
    reports.add_metric([], now.reports)
    yield reports
    hazards = GaugeMetricFamily("anshao_hazards", "Filed hazards", labels=["state", "grade"])
    for (state, grade), count in sorted(now.hazards.items()):
        hazards.add_metric([state, grade], count)
    yield hazards
    yield _gauge("anshao_hazards_overdue", "Open hazards past their deadline", now.overdue)
    handled = GaugeMetricFamily(
        "anshao_inbound_handled_ms",
        "Received to handled, of messages handled in the last 5 minutes (at most 500)",
        labels=["quantile"],
    )
    for quantile in QUANTILES if now.handled_ms else ():
        handled.add_metric(
            [str(quantile)], now.handled_ms[min(len(now.handled_ms) - 1, int(quantile * len(now.handled_ms)))]
        )
    yield handled


def _queues(groups: list[WaitingGroup], at: datetime) -> Iterator[Metric]:
    """What waits, by reason; the age counts from when a message was to go out at first."""
    labels = ["platform", "urgent", "reason"]
    count = GaugeMetricFamily("anshao_outbox_queue", "Messages waiting, by reason", labels=labels)
    oldest = GaugeMetricFamily("anshao_outbox_queue_oldest_seconds", "Age of the oldest of them", labels=labels)
    for group in groups:
        names = [group.platform, "yes" if group.urgent else "no", group.reason or "sending"]
        count.add_metric(names, group.how_many)
        oldest.add_metric(names, max(0.0, (at - group.oldest).total_seconds()))
    yield count
    yield oldest


def _budgets(snapshot: dict[str, Any], on: list[str], at: datetime) -> Iterator[Metric]:
    """As jobs/budgets.py wrote them last; nothing before a scheduler ran for a minute."""
    platforms: dict[str, Any] = snapshot.get("platforms", {})
    if not platforms:
        return
    labels = ["platform", "budget"]
    families = {
        "used": GaugeMetricFamily("anshao_budget_used", "Used of the budget in its period", labels=labels),
        "limit": GaugeMetricFamily("anshao_budget_limit", "What the platform gives", labels=labels),
        "expected": GaugeMetricFamily(
            "anshao_budget_expected", "What the period is expected to come to", labels=labels
        ),
        "runs_out": GaugeMetricFamily("anshao_budget_runs_out", "1 when it will not last", labels=labels),
    }
    mode = GaugeMetricFamily("anshao_frugal", "1 while notices of yellow hazards are bundled", labels=["platform"])
    for name, platform in sorted(platforms.items()):
        mode.add_metric([name], float(name in on))
        for found in platform["budgets"]:
            for what, family in families.items():
                family.add_metric([name, found["name"]], float(found[what]))
    yield from families.values()
    yield mode
    age_s = (at - datetime.fromisoformat(snapshot["at"])).total_seconds()
    yield _gauge("anshao_budget_age_seconds", "Since the budgets were counted", max(0.0, age_s))


def _audited(looked: audit.Audit) -> Iterator[Metric]:
    """What the auditor saw when it last looked; nothing on an installation where none ever ran."""
    yield _gauge("anshao_audit_age_seconds", "Since the auditor last looked", looked.age_s)
    yield _gauge("anshao_audit_took_ms", "How long its last look took", looked.took_ms)
    found = GaugeMetricFamily("anshao_audit_findings", "Findings open now", labels=["kind"])
    for kind, count in sorted(looked.open_by_kind.items()):
        found.add_metric([kind], count)
    yield found
    words = {
        "first_notice_on_time_share": "Reports of the last 24 h whose first notice arrived in time, 0 to 1",
        "first_notice_p50_s": "Filed to first notice, median of the last 24 h",
        "first_notice_p99_s": "Filed to first notice, 99th percentile of the last 24 h",
        "reports_24h": "Reports judged for it",
        "outbox_urgent_oldest_s": "Age of the oldest urgent message not sent",
    }
    for name, what in words.items():
        value = looked.figures.get(name)
        if value is not None:
            yield _gauge(f"anshao_{name.removesuffix('_s')}{'_seconds' if name.endswith('_s') else ''}", what, value)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words)
    family.add_metric([], value)
    return family


def register(
    app: Flask, ctx: WebContext, links: Callable[[], list[LinkState]] | None = None
) -> Callable[[str, int, float], None]:
    """Serve them; returns what counts a callback: platform, HTTP status, seconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Database(ctx))
    if links is not None:
        registry.register(Links(ctx, links))
    callbacks = Counter(
        "anshao_callbacks", "Platform callbacks answered by this process", ["platform", "status"], registry=registry
    )
    took = Histogram(
        "anshao_callback_seconds",
        "Time to answer a platform callback in this process",
        ["platform"],
        buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
        registry=registry,
    )

    def count(platform: str, status: int, took_s: float) -> None:
        callbacks.labels(platform, f"{status // 100}xx").inc()
        took.labels(platform).observe(took_s)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return count
