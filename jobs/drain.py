"""The entry points of RQ jobs. Each drains its queue's rows for a while and kicks again when more is left."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from jobs import deliver, evidence, fetch, inbound, permits
from jobs import slow as slow_work
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


def slow(kind: str = "") -> int:
    """One kind of slow work (jobs/slow.py); without a name, as an older scheduler asks, all that is due."""
    now = services()
    now.kick.started(f"{SLOW}:{kind}" if kind else SLOW)
    return sum(slow_work.run(now, name) for name in ([kind] if kind else slow_work.CHORES))
