"""Working hours by the Chinese calendar, with its make-up workdays (调休): reminders of low grades wait for them.

The calendar of public holidays comes from chinesecalendar, whose data ends with the last year the State Council has
published; beyond it Monday to Friday count as workdays.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import chinese_calendar

from cards.words import zone
from rules.escalation import Hours, Span

WORKING = Hours().working
LONGEST_WAIT = timedelta(days=15)


def is_workday(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # a year that is not published yet
        return day.weekday() < 5


def next_working(at: datetime, working: Span = WORKING) -> datetime:
    """`at` when it lies in working hours, else the next opening (in UTC, as it came)."""
    local = at.astimezone(zone())
    for ahead in range(LONGEST_WAIT.days + 1):
        day = local.date() + timedelta(days=ahead)
        if not is_workday(day):
            continue
        opens, closes = (datetime.combine(day, t, tzinfo=zone()) for t in (working.start, working.end))
        if ahead == 0 and opens <= local < closes:
            return at
        if local < opens:
            return opens.astimezone(at.tzinfo)
    return at
