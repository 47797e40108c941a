"""What follows from what was sent: how one fact is computed from others, and which others it may look at.

A derived fact is computed only when the caller did not send it, except for a few where the stricter of both counts
(limits, required rank, ratios): a caller can never loosen what the table knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from rules.permit import gas, hours
from rules.permit.facts import AT, fact_dictionary
from rules.permit.functions import HEIGHT_ROMAN, required_height_level
from rules.permit.levels import HOT_WORK_FACTS, RANK, hot_work_bases, upgrade_due
from rules.permit.logic import Unknown, unknown
from rules.permit.model import LEVEL_ZH, Stage
from rules.permit.table import Settings

if TYPE_CHECKING:
    from rules.permit.context import Context

KNOWN_NONE = object()
"""A computed «known to be none»; None means that it cannot be computed."""

Derive = Callable[["Context"], Any]


def _first_known(*names: str) -> Derive:
    def derive(context: Context) -> Any:
        for name in names:
            if context.sent(name) and not isinstance(value := context(name), Unknown):
                return value
        return None

    return derive


def _today(context: Context) -> Any:
    now = context.known("now")
    return None if now is None else now.astimezone(context.clock.zone).date()


def _now(context: Context) -> datetime:
    return context.at


def _start(context: Context) -> datetime:
    return context.at


def _analysis_date(context: Context) -> Any:
    if not context.sent("last_analysis_time"):
        return None
    moment = context("last_analysis_time")
    if moment is None:
        return KNOWN_NONE
    return moment if isinstance(moment, Unknown) else moment.astimezone(context.clock.zone).date()


def _valid_span(unit: timedelta) -> Derive:
    def derive(context: Context) -> Any:
        end = context.known("valid_to")
        if end is None:
            return None
        start = context.known("valid_from") or context.known("start_time")
        return None if start is None or end < start else (end - start) / unit

    return derive


def _is_night(context: Context) -> Any:
    now, start = context.known("now"), context.known("start_time")
    if now is None:
        return None
    return hours.is_night(max(now, start) if start else now, context.table.settings)


def _upgraded(context: Context) -> Any:
    """Filed above its base level; where the plant (or special grade) upgrades by approver, G-008 holds the rank."""
    if context.work != "hot_work" or context.level is None or context.level == "none":
        return None
    bases = hot_work_bases(context)
    highest = RANK[bases[0][0]]
    if context.table.settings.upgrade_manner == "approver" or bases[-1][0] == "special":
        return RANK[context.level] >= highest
    if RANK[context.level] > highest:
        return True
    return False if RANK[context.level] <= RANK[bases[-1][0]] else unknown("upgraded")


def _required_rank(context: Context) -> Any:
    """By Table B.1. Two ranks sent together are of one scale, the caller's own, and are compared as they stand."""
    if context.sent("required_rank") and context.sent("approver_rank"):
        return None
    for row in context.table.approvals:
        if row["work"] == context.work and (row["level"] == "any" or context.level in row["level"]):
            rank = context.table.roles[row["role"]]["rank"]
            raised = _approver_raised(context)
            if raised is None:
                return unknown("required_rank")
            return context.table.raised(context.work, rank)["rank"] if raised else rank
    if context.work == "hot_work" and context.level == "none":
        return 0
    return None


def _required_role(context: Context) -> Any:
    """The Chinese name of who must approve at least."""
    rank = context.known("required_rank")
    for row in context.table.approvals:
        if row["work"] == context.work and (row["level"] == "any" or context.level in row["level"]):
            role = context.table.roles[row["role"]]
            if role["rank"] == rank:
                return role["zh"]
    return next((role["zh"] for role in context.table.roles.values() if role["rank"] == rank), None)


def _approver_raised(context: Context) -> bool | None:
    if context.work != "hot_work" or context.level in (None, "none"):
        return False
    bases = hot_work_bases(context)
    by_approver = context.table.settings.upgrade_manner == "approver"
    if not by_approver and (context.level != "special" or bases[-1][0] != "special"):
        return False
    rule = context.table.by_id["HW-C12"]
    due, *_ = upgrade_due(context, wind_force_limit=rule.params["ban_force"].value)
    return due


def _approver_rank(context: Context) -> Any:
    role = context.known("approver_role")
    if role is None:
        return None
    found = context.table.roles.get(role)
    return found["rank"] if found else unknown("approver_role")


def _guardian_expiry(context: Context) -> Any:
    months = int(context.table.settings.guardian_cert_valid_months)
    if months == 0:
        return None  # the plant sets no period: what the certificate says counts, and that must be told
    issued = context.known("guardian_cert_issued")
    if issued is None:
        return unknown("guardian_cert_expiry", "guardian_cert_issued")
    index = issued.year * 12 + issued.month - 1 + months
    year, month = divmod(index, 12)
    day = min(issued.day, _days_in(year, month + 1))
    return datetime(year, month + 1, day, tzinfo=context.clock.zone).astimezone(UTC) + timedelta(days=1)


def _days_in(year: int, month: int) -> int:
    first_next = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (first_next - timedelta(days=1)).day


def _guardian_is_worker(context: Context) -> Any:
    """Only asked when the caller names the workers: §12 has no fact of its own for it."""
    if not context.sent("worker_ids"):
        return False
    guardian, workers = context("guardian_id"), context("worker_ids")
    if isinstance(guardian, Unknown) or isinstance(workers, Unknown):
        return unknown(*(name for name in ("guardian_id", "worker_ids") if isinstance(context(name), Unknown)))
    return guardian in workers


def _lel(context: Context) -> Any:
    names = [context.known("medium")] if context.sent("medium") else list(context.known("media") or ())
    if not names:
        return None
    lowest = gas.lowest_lel([name or "" for name in names])
    if lowest is None:
        context.problems.setdefault("gas_lel_vol", "介质没有爆炸下限,请选择可燃介质或填写爆炸下限")
        return unknown("gas_lel_vol")
    return lowest


def _reading(context: Context) -> Any:
    if not context.sent("gas_reading"):
        return None
    sent = context("gas_reading")
    if isinstance(sent, Unknown):
        return unknown("gas_reading_vol")
    try:
        return gas.to_vol(sent.get("value"), sent.get("unit"), lel_vol=context.known("gas_lel_vol"))
    except gas.BadReading as problem:
        context.problems["gas_reading_vol"] = f"可燃气体浓度:{problem}"
        return unknown("gas_reading_vol")


def _limit(context: Context) -> Any:
    lel = context.known("gas_lel_vol")
    if lel is None:
        return None
    return context.table.param("HW-A03.max_vol" if lel >= 4 else "HW-A04.max_vol")


def _toxic(context: Context) -> Any:
    if not context.sent("toxic_readings"):
        return None
    readings = context("toxic_readings")
    if isinstance(readings, Unknown) or not readings:
        return unknown("toxic_ratio")
    try:
        return gas.toxic_ratio(readings, basis=context.table.settings.toxic_basis)
    except gas.BadReading as problem:
        context.problems["toxic_ratio"] = f"有毒物质浓度:{problem}"
        return unknown("toxic_ratio")


def _minutes_since(source: str) -> Derive:
    def derive(context: Context) -> Any:
        moment, now = context.known(source), context.known("now")
        if moment is None or now is None:
            return None
        return max(0.0, (now - moment) / timedelta(minutes=1))

    return derive


def _interrupt_minutes(context: Context) -> Any:
    if context.sent("interrupted_at") and context("interrupted_at") is None:
        return 0.0
    return _minutes_since("interrupted_at")(context)


def _analysed_after(context: Context) -> Any:
    if context.sent("interrupted_at") and context("interrupted_at") is None:
        return True
    stopped, analysed = context.known("interrupted_at"), context.known("last_analysis_time")
    if stopped is None:
        return None
    if context.sent("last_analysis_time") and context("last_analysis_time") is None:
        return False
    return None if analysed is None else analysed >= stopped


def _record_time(context: Context) -> Any:
    since = context.known("minutes_since_record") if context.sent("minutes_since_record") else None
    now = context.known("now")
    return None if since is None or now is None else now - timedelta(minutes=since)


def _next(find: Callable[[datetime, Settings], datetime]) -> Derive:
    """The first such moment from now on, or from the beginning of work that still lies ahead."""

    def derive(context: Context) -> Any:
        now, start = context.known("now"), context.known("start_time")
        if now is None:
            return None
        return find(max(now, start) if start is not None else now, context.table.settings)

    return derive


def _gas_ok(context: Context) -> Any:
    reading, limit = context.known("gas_reading_vol"), context.known("limit_vol")
    return None if reading is None or limit is None else reading <= limit


def _no_cylinders(value: Any) -> Derive:
    return lambda context: value if context.known("cylinders_used") is False else None


def _ticket_exempt(context: Context) -> Any:
    """Lifting below 10 t may go without a ticket (Table B.1 note 3)."""
    if context.work != "lifting" or not context.sent("ticket_status") or context("ticket_status") is not None:
        return False
    if context.level not in (None, "3"):
        return False
    mass = context("mass_t")
    rule = context.table.by_id["LF-014"]
    return mass if isinstance(mass, Unknown) else mass < rule.params["exempt_t"].value


def _tickets_needed(context: Context) -> Any:
    works = context("involved_works")
    if isinstance(works, Unknown):
        return works
    exempt = context("ticket_exempt") is True
    return tuple(work for work in works if not (exempt and work == "lifting"))


def _trend_none(context: Context) -> Any:
    """No trusted value and nothing measured: HW-A14 says so, and there is no trend to judge."""
    return context.known("trend3h_count") == 0 and not context.sent("trend3h_max_vol")


def _all_factors(context: Context) -> Any:
    """What people named, and what is known of the place and the hour beside it (8.1.2, Table B.1 note 2)."""
    factors, outdoor = context("factors"), context("outdoor")
    works = {*(context.known("tickets_held") or ()), *(context.known("involved_works") or ())}
    night = bool(context.known("is_night"))
    highest = [
        name for name, there in (("rain", context.known("raining_or_snowing")), ("night_light", night and outdoor is True))
        if there
    ]  # fmt: skip
    if night and isinstance(outdoor, Unknown) and not highest:
        return unknown("outdoor", *(factors.names if isinstance(factors, Unknown) else ()))
    if isinstance(factors, Unknown):
        return tuple(highest) or factors
    there = (("hazard_area", context.known("in_hazard_area")), ("inside_vessel", "confined_space" in works))
    return (*factors, *highest, *(name for name, known in there if known))


def _needed_level(context: Context) -> Any:
    rank = required_height_level(context("height"), context("all_factors"))
    return None if isinstance(rank, Unknown) else LEVEL_ZH.get(HEIGHT_ROMAN[rank])


def _confined_ticket(context: Context) -> Any:
    held = context.known("tickets_held")
    return None if held is None else "confined_space" in held


def _closing(context: Context) -> bool:
    return context.stage is Stage.CLOSE


def _stacked(context: Context) -> Any:
    """Work on the ground lies under work at height only where somebody says so; work at height has to be asked."""
    return None if context.work == "work_at_height" else False


def _wind_or_dark(context: Context) -> Any:
    return True if context.known("is_night") or context.known("raining_or_snowing") else None


DERIVED: Mapping[str, Derive] = {
    "now": _now,
    "today": _today,
    "start_time": _start,
    "entry_time": _first_known("start_time"),
    "end_time": _first_known("valid_to"),
    "valid_hours": _valid_span(timedelta(hours=1)),
    "valid_days": _valid_span(timedelta(days=1)),
    "last_analysis_date": _analysis_date,
    "is_night": _is_night,
    "upgraded": _upgraded,
    "required_rank": _required_rank,
    "approver_rank": _approver_rank,
    "guardian_cert_expiry": _guardian_expiry,
    "guardian_is_worker": _guardian_is_worker,
    "gas_lel_vol": _lel,
    "gas_reading_vol": _reading,
    "limit_vol": _limit,
    "toxic_ratio": _toxic,
    "interrupt_minutes": _interrupt_minutes,
    "analysed_after_interrupt": _analysed_after,
    "minutes_since_record": _minutes_since("last_record_time"),
    "last_record_time": _record_time,
    "gas_ok": _gas_ok,
    "cylinder_gap": _no_cylinders(float("inf")),
    "cylinder_fire_distance": _no_cylinders(float("inf")),
    "acetylene_upright": _no_cylinders(True),
    "flashback_arrestor": _no_cylinders(True),
    "closing": _closing,
    "stacked_work": _stacked,
    "confined_ticket": _confined_ticket,
    "night_or_bad_weather": _wind_or_dark,
    "ticket_keep_days": lambda context: context.table.settings.ticket_keep_days,
    "video_keep_days": lambda context: context.table.settings.video_keep_days,
    "all_factors": _all_factors,
    "needed_level": _needed_level,
    "required_role": _required_role,
    "ticket_exempt": _ticket_exempt,
    "tickets_needed": _tickets_needed,
    "trend3h_none": _trend_none,
    "next_night_start": _next(hours.next_night_start),
    "next_midnight": _next(hours.next_midnight),
    "level": lambda context: context.level if context.level is not None else unknown("level"),
    "work": lambda context: context.work,
}
"""How a fact follows from others; None means "cannot say", the fact then stays as the caller sent it."""

STRICTER: Mapping[str, Callable[[Any, Any], Any]] = {
    "required_rank": max,
    "limit_vol": min,
    "gas_reading_vol": max,
    "toxic_ratio": max,
    "guardian_cert_expiry": min,
    "guardian_is_worker": lambda given, found: given or found,
}
"""Facts where what was sent and what was computed are both respected: the stricter one counts."""


DEPENDS: Mapping[str, tuple[str, ...]] = {
    "now": (AT,),
    "today": ("now",),
    "start_time": (AT,),
    "entry_time": ("start_time",),
    "end_time": ("valid_to",),
    "valid_hours": ("valid_to", "valid_from", "start_time"),
    "valid_days": ("valid_to", "valid_from", "start_time"),
    "last_analysis_date": ("last_analysis_time",),
    "is_night": ("now", "start_time"),
    "upgraded": HOT_WORK_FACTS,
    "required_rank": (
        *HOT_WORK_FACTS,
        "is_holiday",
        "is_rest_day",
        "is_night",
        "outdoor",
        "wind_force",
        "approver_rank",
    ),
    "required_role": ("required_rank",),
    "approver_rank": ("approver_role",),
    "guardian_cert_expiry": ("guardian_cert_issued",),
    "guardian_is_worker": ("guardian_id", "worker_ids"),
    "gas_lel_vol": ("medium", "media"),
    "gas_reading_vol": ("gas_reading", "gas_lel_vol"),
    "limit_vol": ("gas_lel_vol",),
    "toxic_ratio": ("toxic_readings",),
    "interrupt_minutes": ("interrupted_at", "now"),
    "analysed_after_interrupt": ("interrupted_at", "last_analysis_time"),
    "minutes_since_record": ("last_record_time", "now"),
    "last_record_time": ("minutes_since_record", "now"),
    "gas_ok": ("gas_reading_vol", "limit_vol"),
    "cylinder_gap": ("cylinders_used",),
    "cylinder_fire_distance": ("cylinders_used",),
    "acetylene_upright": ("cylinders_used",),
    "flashback_arrestor": ("cylinders_used",),
    "confined_ticket": ("tickets_held",),
    "night_or_bad_weather": ("is_night", "raining_or_snowing"),
    "all_factors": (
        "factors",
        "raining_or_snowing",
        "is_night",
        "outdoor",
        "in_hazard_area",
        "tickets_held",
        "involved_works",
    ),
    "needed_level": ("height", "all_factors"),
    "stacked_work": (),
    "ticket_exempt": ("ticket_status", "mass_t"),
    "tickets_needed": ("involved_works", "ticket_exempt"),
    "trend3h_none": ("trend3h_count", "trend3h_max_vol"),
    "next_night_start": ("now", "start_time"),
    "next_midnight": ("now", "start_time"),
}
"""What each computed fact may look at; a test holds the computations to it."""


@cache
def rests_on(name: str, work: str) -> frozenset[str]:
    """Every sent name (and AT) that a fact may rest on in this work, itself included."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        if current == "ticket_exempt" and work != "lifting":
            continue  # only lifting may go without a ticket
        todo += DEPENDS.get(current, ())
        fact = fact_dictionary().get(current)
        if fact is not None and fact.held_to_clock:
            seen.add(AT)
    return frozenset(seen)
