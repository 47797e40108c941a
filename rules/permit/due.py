"""What falls due next, for the foot of the verdict card (special-work-rules §13)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.permit.context import Context
from rules.permit.logic import Unknown
from rules.permit.model import Due

HORIZON = timedelta(days=3)


def due_next(context: Context) -> tuple[Due, ...]:
    """Deadlines of this permit within three days, soonest first; a fact nobody knows gives no line."""
    table, level, now = context.table, context.level, context.at
    found = []
    for spec in table.dues:
        if spec.work not in ("any", context.work) or (spec.levels is not None and level not in spec.levels):
            continue
        if context.stage is not None and context.stage not in spec.stages:
            continue
        start = context(spec.source)
        if isinstance(start, Unknown) or start is None:
            continue
        if spec.when is not None and spec.when(context) is not True:
            continue
        due = start + timedelta(minutes=spec.plus_minutes)
        if now <= due <= now + HORIZON:
            text = spec.message.format(t=clock_text(due, now, context))
            found.append(Due(due, spec.rule, table.by_id[spec.rule].clause, text))
    return tuple(sorted(found, key=lambda item: (item.at, item.rule)))


def clock_text(moment: datetime, now: datetime, context: Context) -> str:
    """Plant time; with the day when it is not today."""
    zone = context.table.settings.zone
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.month}月{local.day}日{local:%H:%M}"
