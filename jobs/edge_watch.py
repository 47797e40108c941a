"""Edge terminals that have fallen silent, on a worker: one transaction a terminal.

What nobody could hear is no silence: after a pause of the scheduler, as of the whole server, the clocks begin anew. The
marks are in Redis; losing them makes a silence be told later.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handlers import edge_watch
from jobs.context import Services
from jobs.queue import DELIVERY

LOOKED, SINCE = "anshao:edge_looked", "anshao:edge_since"  # the last look, and since when looks came in time (epoch s)
PAUSE = timedelta(minutes=5)  # the scheduler looks once a minute


def is_due(services: Services) -> bool:
    """Whether a terminal has fallen silent (scheduler)."""
    since = _listening_since(services)
    with services.new_work(read_only=True) as work:
        return bool(edge_watch.silent(work, since=since))


def look_due(services: Services) -> int:
    """Tell of every terminal that has fallen silent; returns how many."""
    since = _listening_since(services)
    with services.new_work(read_only=True) as work:
        codes = [device.code for device in edge_watch.silent(work, since=since)]
    told = 0
    for code in codes:
        with services.new_work() as work:
            told += edge_watch.gone_silent(work, code, since=since)
            work.commit()
    if told:
        services.kick(DELIVERY)
    return told


def _listening_since(services: Services) -> datetime:
    now = services.clock()
    looked, since = services.redis.get(LOOKED), services.redis.get(SINCE)
    services.redis.set(LOOKED, now.timestamp())
    if looked is None or since is None or not 0 <= now.timestamp() - float(looked) <= PAUSE.total_seconds():
        services.redis.set(SINCE, now.timestamp())
        return now
    return datetime.fromtimestamp(float(since), UTC)
