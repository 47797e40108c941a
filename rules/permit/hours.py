"""Night at the plant: the standard does not define it (open point), so the hours are a setting."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from rules.permit.table import Settings


def is_night(moment: datetime, settings: Settings) -> bool:
    """Night starts at night_start and is over at night_end: 20:00 is night, 06:00 is day."""
    start, end = settings.night
    local = moment.astimezone(settings.zone).time()
    return start <= local < end if start < end else local >= start or local < end


def next_night_start(moment: datetime, settings: Settings) -> datetime:
    """The next time a night begins strictly after `moment` (UTC)."""
    return _next(moment, settings.night[0], settings)


def next_night_end(moment: datetime, settings: Settings) -> datetime:
    return _next(moment, settings.night[1], settings)


def next_midnight(moment: datetime, settings: Settings) -> datetime:
    return _next(moment, time(), settings)


def touches_night(start: datetime, end: datetime, settings: Settings) -> bool:
    """Whether any part of a window lies in the night."""
    return is_night(start, settings) or next_night_start(start, settings) < end


def _next(moment: datetime, clock: time, settings: Settings) -> datetime:
    local = moment.astimezone(settings.zone)
    day = local.date() if local.time() < clock else local.date() + timedelta(days=1)
    return datetime.combine(day, clock, settings.zone).astimezone(UTC)
