"""What people could do about a permit that does not pass: the candidates for the smallest fix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from rules.permit import hours
from rules.permit.context import Context
from rules.permit.due import clock_text
from rules.permit.facts import AT, Action, actions, fact_dictionary
from rules.permit.logic import Unknown
from rules.permit.model import DROP, LEVEL_ZH, LEVELS, Change, Result, Stage, Work, plain
from rules.permit.table import RuleTable


@dataclass(frozen=True, slots=True)
class FixOptions:
    """What the caller knows about the plant at this moment; all optional.

    guardians   ready changes, one a certified guardian on shift (see `guardian_change`)
    rest_days   dates that are holidays or rest days, for "move it to daylight"; None: not offered across midnight
    extra       any other change the plant can offer
    """

    guardians: tuple[Change, ...] = ()
    rest_days: frozenset[date] | None = None
    extra: tuple[Change, ...] = ()
    max_sets: int = 3
    max_nodes: int = 3000


def guardian_change(
    *, guardian_id: str, label: str, cert_no: str, cert_expiry: datetime | date | None, is_worker: bool = False
) -> Change:
    """The change "put this certified guardian on the job"; `label` is shown as it stands."""
    facts = {
        "guardian_id": guardian_id,
        "guardian_cert_no": cert_no,
        "guardian_training_passed": True,
        "guardian_cert_expiry": cert_expiry.isoformat() if cert_expiry else None,
        "guardian_active_sites": 1,
        "guardian_is_worker": is_worker,
    }
    return Change(f"guardian:{guardian_id}", f"由{label}担任监护人", facts, cost=2)


@dataclass(frozen=True)
class Request:
    """The permit as asked: what the search starts from and changes."""

    table: RuleTable
    work: str
    level: str | None
    at: datetime
    facts: Mapping[str, Any]
    stage: Stage | None

    def context(self) -> Context:
        return Context(self.table, self.facts, work=self.work, level=self.level, at=self.at, stage=self.stage)


@dataclass(frozen=True)
class Option:
    """One candidate; `touches` are the sent facts (and AT, LEVEL) it may change, `make` fixes its values.

    The second argument of `make` asks for the words too.
    """

    id: str
    touches: frozenset[str]
    cost: int
    make: Callable[[Request, bool], Change]
    moves: bool = False
    fields: frozenset[str] = field(default=frozenset())


def candidates(request: Request, options: FixOptions, looked_at: Collection[str]) -> list[Option]:
    """Everything that could be done at the request's level, cheapest first. `looked_at`: what its rules asked for."""
    found = []
    daylight = _daylight_possible(request, options)
    for action in actions():
        if action.works is not None and request.work not in action.works:
            continue
        if action.generic == "guardian" and options.guardians:
            continue
        if action.move and not daylight:
            continue
        found.append(_action_option(action, request, options, daylight))
    context = request.context()
    rules = request.table.selected(request.work, request.level, request.stage)
    asked = {name for name in looked_at if isinstance(context(name), Unknown)}
    for name in sorted({name for rule in rules for name in rule.facts} | asked):
        fact = fact_dictionary().get(name)
        if fact is None or fact.good is None:
            continue
        if fact.fix:
            found.append(_simple_option(name, fact.good, fact.fix, 2, "act"))
        elif isinstance(context(name), Unknown):
            found.append(_simple_option(name, fact.good, f"补充:{fact.zh}", 1, "supply"))
    for change in (*options.guardians, *options.extra):
        found.append(_fixed_option(change))
    return sorted(found, key=lambda option: (option.cost, option.id))


def level_changes(request: Request) -> list[Change]:
    """Filing at another level, nearest first; ``upgraded: false`` is then worked out anew."""
    levels = LEVELS.get(request.work, ())
    if request.level == "none":
        return []
    here = levels.index(request.level) if request.level else -1
    facts = {"upgraded": DROP} if request.facts.get("upgraded") is False else {}
    found = []
    for rank, level in enumerate(levels):
        if level != request.level:
            verb = "改按" if request.level else "定级为"
            text = f"{verb}{LEVEL_ZH[level]}{Work(request.work).zh}" + ("办理" if request.level else "")
            found.append(Change(f"level:{level}", text, facts, level=level, cost=2 + abs(rank - here)))
    return sorted(found, key=lambda change: (change.cost, change.id))


def _simple_option(name: str, good: Any, text: str, cost: int, kind: str) -> Option:
    fields = frozenset({name})
    if not isinstance(good, str) or not good.startswith("@"):
        ready = Change(f"{kind}:{name}", text, {name: plain(good)}, kind=kind, cost=cost)
        return Option(f"{kind}:{name}", fields, cost, lambda _request, _words: ready, fields=fields)

    def make(request: Request, _words: bool) -> Change:
        return Change(f"{kind}:{name}", text, {name: plain(_value(good, request))}, kind=kind, cost=cost)

    return Option(f"{kind}:{name}", fields, cost, make, fields=fields)


def _fixed_option(change: Change) -> Option:
    names = frozenset(change.facts) | ({AT} if change.at else set())
    return Option(change.id, names, change.cost, lambda _request, _words: change, bool(change.at), names)


_SAMPLING = "last_analysis_time"
_MOVED = ("now", "today", "start_time", "entry_time", "valid_from", "valid_to", "end_time", "is_holiday", "is_rest_day")


def _action_option(action: Action, request: Request, options: FixOptions, daylight: bool) -> Option:
    touches = set(action.set)
    moves = bool(action.move)
    if action.move:
        touches |= {AT, *_MOVED}
    if _SAMPLING in action.set and (daylight or _sampling_time(request) > request.at):
        touches |= {AT, "now", "today"}  # a later start, planned or after the night, moves the sample too

    def make(request: Request, words: bool) -> Change:
        return _daylight(action, request, options) if action.move else _act(action, request, words)

    return Option(f"act:{action.id}", frozenset(touches), action.cost, make, moves, frozenset(action.set))


def _act(action: Action, request: Request, words: bool) -> Change:
    at = _sampling_time(request) if _SAMPLING in action.set else None
    if at is not None and at <= request.at:
        at = None
    then = replace(request, at=at) if at else request
    facts: dict[str, Any] = {}
    for name, template in action.set.items():
        value = _value(template, then, name)
        if value is not _SKIP:
            facts[name] = plain(value)
    if at:
        facts |= _shift(request, at, names=("now", "today"))
    text = action.zh.format_map(_Words(request, then)) if words else ""
    kind = "wait" if action.id.startswith("wait_") else "act"
    return Change(f"act:{action.id}", text, facts, at=at, kind=kind, cost=action.cost)


class _Words(dict):
    """The words of an action's text, worked out when the text asks for them."""

    def __init__(self, request: Request, then: Request):
        super().__init__()
        self.request, self.then = request, then

    def __missing__(self, name: str) -> str:
        if name == "window":
            return _window(self.request)
        if name == "limit_vol":
            return f"{_limit(self.then.context()):g}"
        if name == "required_role":
            return self.then.context().known("required_role") or "规定层级的人员"
        return f"{_first_param(self.request, name):g}"


def _sampling_time(request: Request) -> datetime:
    """Now, or half an hour before the planned start when that is later: a sample taken earlier would be too old."""
    context = request.context()
    start = context.known("start_time" if request.work == "hot_work" else "entry_time") or request.at
    return max(request.at, start - timedelta(minutes=_analysis_age(request)))


def _analysis_age(request: Request) -> float:
    reference = "HW-A02.max_minutes" if request.work == "hot_work" else "CS-002.max_minutes"
    return request.table.param(reference)


def _window(request: Request) -> str:
    """«14:02 到 14:32 之间» for a start later on, «现在» when the start is within the age of a sample."""
    context = request.context()
    start = context.known("start_time" if request.work == "hot_work" else "entry_time") or request.at
    earliest = start - timedelta(minutes=_analysis_age(request))
    if start <= request.at:
        return "现在"
    first = clock_text(max(earliest, request.at), request.at, context)
    return f"{first} 到 {clock_text(start, request.at, context)} 之间"


def _limit(context: Context) -> float:
    limit = context.known("limit_vol")
    return limit if limit is not None else context.table.param("HW-A04.max_vol")


def _first_param(request: Request, name: str) -> float:
    """The limit of that name in the first rule of this work and level that has one."""
    for rule in request.table.selected(request.work, request.level, None):
        if name in rule.params and rule.result is Result.FAIL:
            return rule.params[name].value
    return 0.0


_SKIP = object()


def _value(template: Any, request: Request, name: str = "") -> Any:
    """A value of facts.toml with its "@…" filled in; _SKIP leaves the fact alone."""
    if not isinstance(template, str) or not template.startswith("@") or template == DROP:
        if template == DROP and name not in request.facts:
            return _SKIP
        return template
    context = request.context()
    word = template[1:]
    if word == "at" or word.startswith("at+"):
        return request.at + timedelta(minutes=int(word[3:] or 0))
    if word == "today":
        return request.at.astimezone(request.table.settings.zone).date()
    if word == "limit_vol":
        return _limit(context)
    if word == "required_rank":
        return context.known("required_rank") or 5
    if word == "tickets_needed":
        held, needed = context.known("tickets_held") or (), context.known("tickets_needed") or ()
        return sorted({*held, *needed})
    if word == "valid_to":
        ends = [context.known("valid_to"), context.known("end_time"), request.at + timedelta(days=1)]
        return max(moment for moment in ends if moment is not None)
    if word == "for_work_end":
        return _SKIP if name not in request.facts else context.known("for_work_end")
    if word == "ban_force-1":
        return _first_param(request, "ban_force") - 1
    if word.startswith("new_"):
        return _renewed(word, context, request, name)
    return _validity(word, context, request, name)


def _renewed(word: str, context: Context, request: Request, name: str) -> Any:
    """Times of a new permit from now: four hours, or less where the work allows less."""
    hours_allowed = [_first_param(request, "max_hours") or 24.0, 4.0]
    other_end = context.known("for_work_end") if request.work == "temp_power" else None
    if other_end is not None:
        hours_allowed.append((other_end - request.at) / timedelta(hours=1))
    span = min(hours_allowed)
    if word == "new_valid_to" and (name == "valid_to" or name in request.facts):
        start = max(context.known("start_time") or request.at, request.at)
        return start + timedelta(hours=span)
    if name not in request.facts:
        return _SKIP
    return span if word == "new_hours" else span / 24


def _validity(word: str, context: Context, request: Request, name: str) -> Any:
    if word in ("max_hours", "max_days"):
        only_to = "valid_to" in request.facts and name not in request.facts
        return _SKIP if only_to else _first_param(request, word)
    if word not in ("valid_from+max_hours", "valid_from+max_days"):
        raise ValueError(f"facts.toml: @{word} is not known")
    if name not in request.facts:
        return _SKIP
    unit = timedelta(hours=1) if word.endswith("hours") else timedelta(days=1)
    start = context.known("valid_from") or context.known("start_time") or request.at
    end = start + _first_param(request, word.partition("+")[2]) * unit
    current = context.known(name)
    return end if current is None else min(end, current)


def _daylight_possible(request: Request, options: FixOptions) -> bool:
    """By night, when the days after are known well enough to say what the new day is."""
    if not request.context().known("is_night"):
        return False
    day = _daylight_at(request).astimezone(request.table.settings.zone).date()
    return options.rest_days is not None or day == request.at.astimezone(request.table.settings.zone).date()


def _daylight_at(request: Request) -> datetime:
    start = request.context().known("start_time") or request.at
    return hours.next_night_end(max(start, request.at), request.table.settings)


def _daylight(action: Action, request: Request, options: FixOptions) -> Change:
    at = _daylight_at(request)
    facts: dict[str, Any] = {name: value for name, value in action.set.items() if name in request.facts}
    facts |= _shift(request, at, names=_MOVED[:7])
    if options.rest_days is not None:
        rest = at.astimezone(request.table.settings.zone).date() in options.rest_days
        facts |= {"is_holiday": rest, "is_rest_day": rest}
    text = action.zh.format(t=clock_text(at, request.at, request.context()))
    return Change(f"act:{action.id}", text, facts, at=at, kind="wait", cost=action.cost)


def _shift(request: Request, at: datetime, *, names: tuple[str, ...]) -> dict[str, Any]:
    """The sent times moved so that the work begins at `at` and lasts as long as before."""
    context = request.context()
    start = context.known("start_time") or request.at
    moved: dict[str, Any] = {}
    for name in names:
        if not context.sent(name) or context.known(name) is None:
            continue
        if name == "today":
            moved[name] = at.astimezone(request.table.settings.zone).date().isoformat()
        elif name in ("valid_to", "end_time"):
            moved[name] = (at + (context(name) - start)).isoformat()
        else:
            moved[name] = at.isoformat()
    return moved
