"""The entry points of RQ jobs. Each drains its queue's rows for a while and kicks again when more is left."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from jobs import certificates, deliver, evidence, fetch, inbound, permits, receipts, video, weather
from jobs.context import Services, services
from jobs.queue import CHAT, DELIVERY, MEDIA, SLOW

BUDGET_S = 20.0


def _drain(queue: str, round_of: Callable[[Services], int]) -> int:
    now = services()
    now.kick.started(queue)
    end, done = monotonic() + BUDGET_S, 0
    while True:
        count = round_of(now)
        done += count
        if count == 0:
            return done
        if monotonic() > end:
            now.kick(queue)
            return done


def chat() -> int:
    """Handle what people said; judge the permits that a new fact touched."""
    return _drain(CHAT, lambda now: inbound.handle_ready(now) + permits.judge_due(now))


def media() -> int:
    """Fetch pictures and voices from the platforms; make before/after pictures."""
    return _drain(MEDIA, lambda now: fetch.fetch_ready(now) + evidence.make_due(now))


def delivery() -> int:
    """Send what is due and redraw what is stale."""
    return _drain(DELIVERY, deliver.send_ready)


def slow() -> int:
    """What may take a minute and hold up nobody: certificates from another system, the weather, video duty, receipts."""
    return _drain(
        SLOW,
        lambda now: certificates.sync_due(now) + weather.look_due(now) + video.look_due(now) + receipts.ask(now),
    )
