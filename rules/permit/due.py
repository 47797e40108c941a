"""What falls due next, for the foot of the verdict card (special-work-rules §13)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.permit.context import Context
from rules.permit.logic import Unknown
from rules.permit.model import Due, Stage
from rules.permit.table import DueSpec, RuleTable

HORIZON = timedelta(days=3)


def due_next(context: Context) -> tuple[Due, ...]:
    """Deadlines of this permit within three days, soonest first; a fact nobody knows gives no line."""
    table, level, now = context.table, context.level, context.at
    found, last = [], now + HORIZON
    for spec in _asked(table, context.work, level, context.stage):
        start = context(spec.source)
        if isinstance(start, Unknown) or start is None:
            continue
        if not now - spec.after <= start <= last - spec.after:
            continue
        if spec.when is None or spec.when(context) is True:
            due = start + spec.after
            text = spec.message.format(t=clock_text(due, now, context))
            found.append(Due(due, spec.rule, table.by_id[spec.rule].clause, text))
    return tuple(sorted(found, key=lambda item: (item.at, item.rule)))


def _asked(table: RuleTable, work: str, level: str | None, stage: Stage | None) -> tuple[DueSpec, ...]:
    key = DueSpec, work, level, stage
    found: tuple[DueSpec, ...] | None = table.memory.get(key)
    if found is None:
        found = table.memory[key] = tuple(
            spec
            for spec in table.dues
            if spec.work in ("any", work)
            and (spec.levels is None or level in spec.levels)
            and (stage is None or stage in spec.stages)
        )
    return found


def clock_text(moment: datetime, now: datetime, context: Context) -> str:
    """Plant time; with the day when it is not today."""
    zone = context.table.settings.zone
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local.hour:02}:{local.minute:02}"
    return clock if local.date() == today else f"{local.month}月{local.day}日{clock}"
