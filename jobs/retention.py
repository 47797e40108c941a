"""What is kept and for how long (slow work): old readings and films go, permits with all that hangs on them stay.

GB 30871-2022 B.3: tickets at least a year, films of the work at least a month. No job deletes a permit, a verdict, a
signature or a picture; films go after the plant's own number of days, which the rule table never lets fall below 30.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from handlers.permit import tables
from jobs.context import Services
from storage.media import MediaUnavailable

log = structlog.get_logger()

ROWS = 5000  # of one statement: a delete must hold no lock for long
ROUNDS = 20  # at most this many statements an hour
FILMS = 200


def keep(services: Services) -> int:
    """Forget what is old enough; returns how many readings and films went."""
    gone = _readings(services) + _films(services)
    if gone:
        log.info("retention.forgot", rows=gone)
    return gone


def _readings(services: Services) -> int:
    before = services.clock() - timedelta(days=services.settings.readings_keep_days)
    gone = 0
    for _ in range(ROUNDS):
        with services.new_work() as work:
            count = work.readings.forget_before(before, limit=ROWS)
            work.commit()
        gone += count
        if count < ROWS:
            break
    return gone


def _films(services: Services) -> int:
    """The file goes first: a row without its file says so, a file without its row would be found by nobody."""
    with services.new_work(read_only=True) as work:
        days = tables.rules_of(work).table.settings.video_keep_days
        found = work.media.films_before(services.clock() - timedelta(days=days), limit=FILMS)
    gone = 0
    for sha in found:
        try:
            services.media.delete(sha)
        except MediaUnavailable as error:
            log.warning("retention.film_kept", error=type(error).__name__)
            break
        with services.new_work() as work:
            work.media.forget_film(sha, at=services.clock())
            work.commit()
        gone += 1
    return gone
