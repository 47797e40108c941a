"""Reading the rule table of a standard, and making it stricter for one plant."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.permit.facts import fact_dictionary
from rules.permit.functions import FUNCTIONS, INTERNAL_NAMES
from rules.permit.logic import BadExpression, Expression, compile_expression
from rules.permit.model import LEVELS, Param, Result, Rule, Stage, UnknownWork, Work


class Weakened(ValueError):
    """A plant's setting would make a rule of the standard weaker; `rule` is its id."""

    def __init__(self, rule: str, why: str):
        super().__init__(f"{rule}: {why}")
        self.rule = rule


class BadTable(ValueError):
    """The table or a plant's settings are malformed; the text says where."""


@dataclass(frozen=True)
class Settings:
    """What the standard leaves to the plant; units in the names. See [settings] in the table file."""

    timezone: str
    scope: str
    night_start: str
    night_end: str
    upgrade_manner: str
    guardian_cert_valid_months: int
    clock_skew_minutes: float
    toxic_basis: str
    trend_window_minutes: float
    trend_gap_minutes: float
    trend_stuck_minutes: float
    trend_radius_m: float
    ticket_keep_days: int
    video_keep_days: int
    fire_watch_minutes: float
    hours_blind_plate: float
    hours_lifting: float
    hours_digging: float
    hours_road_closing: float

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise BadTable(f"settings.{name}:只能是 {'、'.join(allowed)}")
        for name in (item.name for item in fields(self)):
            if name not in ("timezone", "night_start", "night_end", *_CHOICES):
                _check_number(name, getattr(self, name))
        try:
            _ = self.zone, self.night
        except (TypeError, ValueError, ZoneInfoNotFoundError) as error:
            raise BadTable(f"settings: {error}") from error
        start, end = self.night
        if start != end and (start < end or start > NIGHT_AT_LEAST[0] or end < NIGHT_AT_LEAST[1]):
            raise BadTable(
                f"settings.night_start、settings.night_end:夜间须包含 22:00–05:00(现为 {start:%H:%M}–{end:%H:%M})"
            )

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def night(self) -> tuple[time, time]:
        """Start and end of the night at the plant; the end itself is day."""
        return time.fromisoformat(self.night_start), time.fromisoformat(self.night_end)

    @property
    def skew(self) -> timedelta:
        return timedelta(minutes=self.clock_skew_minutes)


_CHOICES = {
    "scope": ("chemical", "general"),
    "upgrade_manner": ("level", "approver"),
    "toxic_basis": ("twa", "stel"),
}


NIGHT_AT_LEAST = time(22), time(5)
"""Hours that are night in every plant: the standard leaves the hours open, but not whether there is a night (5.1.1)."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    "guardian_cert_valid_months": (0, 120),
    "clock_skew_minutes": (0, 10),  # an analysis from the future counts within it
    "trend_window_minutes": (1, 24 * 60),
    "trend_gap_minutes": (1, 24 * 60),
    "trend_stuck_minutes": (1, 24 * 60),
    "trend_radius_m": (0, 200),
    "ticket_keep_days": (0, 36_500),  # the least is a rule: RC-002, RC-003
    "video_keep_days": (0, 36_500),
    "fire_watch_minutes": (0, 24 * 60),
    "hours_blind_plate": (1, 168),  # the longest the standard gives any work but temporary power: 7 days, 8.2.11
    "hours_lifting": (1, 168),
    "hours_digging": (1, 168),
    "hours_road_closing": (1, 168),
}
"""Least and most of each number: no setting may make a rule of the standard look away, or break the calendar."""


def _check_number(name: str, value: Any) -> None:
    least, most = BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise BadTable(f"settings.{name}:须是 {least:g} 到 {most:g} 之间的数(现为 {value})")


def within_bounds(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A plant's settings that were put in force before there were bounds, as near as the bounds allow.

    A night that is too short falls back to the table's own. What was never accepted is left as it is.
    """
    found = dict(settings)
    for name, (least, most) in BOUNDS.items():
        value = found.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not least <= value <= most:
            found[name] = type(value)(min(max(value, least), most))
    try:
        load(tenant={"settings": {name: found[name] for name in ("night_start", "night_end") if name in found}})
    except BadTable:
        found.pop("night_start", None)
        found.pop("night_end", None)
    return found


@dataclass(frozen=True)
class DueSpec:
    """One line of what falls due next: that long `after` the time of the fact `source`."""

    id: str
    work: str
    levels: tuple[str, ...] | None
    stages: frozenset[Stage]
    source: str
    after: timedelta
    rule: str
    message: str
    when: Expression | None


@dataclass(frozen=True)
class RuleTable:
    """A loaded table; `version` changes with any rule, limit or setting, so a stored verdict can be replayed."""

    id: str
    standard: str
    title: str
    effective: date
    edition_version: str
    rules: tuple[Rule, ...]
    settings: Settings
    roles: Mapping[str, Mapping[str, Any]]
    approvals: tuple[Mapping[str, Any], ...]
    units: Mapping[str, str]  # countersigning unit → the role whose post signs for it
    validities: tuple[Mapping[str, Any], ...]
    dues: tuple[DueSpec, ...]
    version: str
    memory: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What is worked out once for this table: rules by work, level and stage, and how they came out (remembered.py)."""

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def param(self, reference: str) -> float:
        """A limit by ``RULE.name``, for example ``HW-A02.max_minutes``."""
        rule, _, name = reference.partition(".")
        return self.by_id[rule].params[name].value

    def raised(self, work: str, rank: int) -> Mapping[str, Any]:
        """The role above `rank` that signs an upgraded permit: the next of this work's own column of Table B.1, and
        above its highest the next rank there is."""
        own = [self.roles[row["role"]] for row in self.approvals if row["work"] == work]
        own = [role for role in own if role["rank"] > rank]
        above = [role for role in self.roles.values() if role["rank"] > rank]
        top = max(self.roles.values(), key=lambda role: role["rank"])
        return min(own or above, key=lambda role: role["rank"], default=top)

    def selected(self, work: str, level: str | None, stage: Stage | None) -> tuple[Rule, ...]:
        key = (work, level, stage)
        if key not in self.memory:
            self.memory[key] = tuple(rule for rule in self.rules if rule.applies(work, level, stage))
        selected: tuple[Rule, ...] = self.memory[key]
        return selected

    def basis(self, work: str | None = None) -> str:
        """The words in front of a verdict: 依据 for plants the standard binds, 参照 for the others (cl. 1)."""
        if self.settings.scope == "chemical":
            return f"依据 {self.standard}《{self.title}》"
        extra = "依据《工贸企业有限空间作业安全规定》(应急管理部令第13号);" if work == "confined_space" else ""
        return f"{extra}参照 {self.standard}《{self.title}》"


@cache
def _standard(name: str) -> Mapping[str, Any]:
    path = Path(__file__).parent / f"{name}.toml"
    if not name.isidentifier() or not path.is_file():
        raise BadTable(f"没有规则表 {name}")
    with path.open("rb") as file:
        return tomllib.load(file)


def load(standard: str = "gb30871_2022", *, tenant: Mapping[str, Any] | None = None) -> RuleTable:
    """The table of a standard, made stricter by a plant.

    `tenant`: ``{"settings": {name: value}, "rules": {id: {param: value, "result": "fail", "enabled": false}},
    "add": [rule rows as in the table file]}``. Raises Weakened when a rule of the standard would become weaker,
    BadTable for anything malformed. An enterprise rule (src ent) may be loosened or switched off.
    """
    data, tenant = _standard(standard), tenant or {}
    if extra := set(tenant) - {"settings", "rules", "add"}:
        raise BadTable(f"不认识的设置:{sorted(extra)}")
    if strange := set(tenant.get("settings", {})) - set(data["settings"]):
        raise BadTable(f"不认识的设置:{sorted(strange)}")
    settings = Settings(**{**data["settings"], **tenant.get("settings", {})})
    rules: dict[str, Rule | None] = {row["id"]: _rule(row) for row in data["rule"]}
    for rule_id, change in tenant.get("rules", {}).items():
        rule = rules.get(rule_id)
        if rule is None:
            raise BadTable(f"没有规则 {rule_id}")
        rules[rule_id] = _tighten(rule, change)
    for row in tenant.get("add", ()):
        own = _rule(
            {"stage": [stage.value for stage in Stage], "mark": "L", "limit": "", "remedy": "", **row, "src": "ent"}
        )
        if own.id in rules:
            raise BadTable(f"规则号 {own.id} 已被占用")
        rules[own.id] = own
    kept = tuple(rule for rule in rules.values() if rule is not None)
    _check_keeping(settings, rules)
    edition = data["edition"]
    table = RuleTable(
        id=edition["id"],
        standard=edition["standard"],
        title=edition["title"],
        effective=edition["effective"],
        edition_version=edition["version"],
        rules=kept,
        settings=settings,
        roles={row["id"]: row for row in data["role"]},
        approvals=tuple(data["approval"]),
        units={
            unit: data["countersign_roles"].get(unit, "professional_department")
            for row in data["approval"]
            for unit in row["countersigns"]
        },
        validities=tuple(data["validity"]),
        dues=(),
        version=f"{edition['id']}/{edition['version']}+{_digest(data, tenant)}",
    )
    return replace(table, dues=tuple(_due(row, table) for row in data["due"] if row["rule"] in table.by_id))


def _digest(data: Mapping[str, Any], tenant: Mapping[str, Any]) -> str:
    content = json.dumps([data, fact_file_digest_input(), tenant], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def fact_file_digest_input() -> list[str]:
    """The fact dictionary and media also decide a verdict, so they count in the version."""
    folder = Path(__file__).parent
    files = (folder / "facts.toml", folder / "media.toml", folder.parent / "lexicon" / "media.toml")
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def _levels(work: str, value: Any) -> tuple[str, ...] | None:
    if value == "any":
        return None
    known = LEVELS.get(work, ())
    if any(level not in known for level in value):
        raise BadTable(f"{work} 没有级别 {value}")
    return tuple(value)


def _rule(row: Mapping[str, Any]) -> Rule:
    name = row.get("id", "?")
    try:
        if row["work"] != "any":
            Work(row["work"])
        params = {key: Param(**value) for key, value in row.get("params", {}).items()}
        when = compile_expression(
            row["when"], constants={key: param.value for key, param in params.items()}, functions=FUNCTIONS
        )
        if strange := when.names - set(fact_dictionary()) - INTERNAL_NAMES:
            raise BadTable(f"规则 {name}:不认识的事实 {sorted(strange)}")
        if any(param.tighter not in ("lower", "higher") for param in params.values()):
            raise BadTable(f"规则 {name}:tighter 只能是 lower 或 higher")
        result = Result(row["result"])
        if result not in (Result.FAIL, Result.CONDITIONAL):
            raise BadTable(f"规则 {name}:result 只能是 fail 或 conditional")
        return Rule(
            id=row["id"],
            work=row["work"],
            levels=_levels(row["work"], row.get("level", "any")),
            stages=frozenset(Stage(stage) for stage in row["stage"]),
            facts=tuple(row["facts"]),
            when=when,
            params=params,
            result=result,
            limit=row["limit"],
            message=row["message"],
            remedy=row["remedy"],
            clause=row["clause"],
            src=row["src"],
            mark=row["mark"],
            open=row.get("open", ""),
            everywhere=row.get("everywhere", False),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadTable):
            raise
        kind = "表达式" if isinstance(error, BadExpression) else "内容"
        raise BadTable(f"规则 {name}:{kind}不对({error})") from error


def _tighten(rule: Rule, change: Mapping[str, Any]) -> Rule | None:
    if change.get("enabled", True) is False:
        if rule.src == "std":
            raise Weakened(rule.id, "标准规则不能停用")
        return None
    params = dict(rule.params)
    for name, value in change.items():
        if name in ("enabled", "result"):
            continue
        if name not in params:
            raise BadTable(f"规则 {rule.id} 没有限值 {name}")
        params[name] = replace(params[name], value=_stricter(rule, name, value))
    result = Result(change.get("result", rule.result.value))
    if rule.src == "std" and rule.result is Result.FAIL and result is not Result.FAIL:
        raise Weakened(rule.id, "不能把不通过改为有条件")
    if result not in (Result.FAIL, Result.CONDITIONAL):
        raise BadTable(f"规则 {rule.id}:result 只能是 fail 或 conditional")
    when = compile_expression(
        rule.when.source, constants={key: param.value for key, param in params.items()}, functions=FUNCTIONS
    )
    changed = params != dict(rule.params) or result is not rule.result
    return replace(rule, params=params, when=when, result=result, tightened=changed)


def _stricter(rule: Rule, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise BadTable(f"规则 {rule.id}.{name}:须是不小于 0 的数")
    param = rule.params[name]
    looser = value > param.value if param.tighter == "lower" else value < param.value
    if looser and rule.src == "std":
        raise Weakened(rule.id, f"{name} 只能从严:标准为 {param.value:g} {param.unit}")
    return value


def _check_keeping(settings: Settings, rules: Mapping[str, Rule | None]) -> None:
    for rule_id, days in (("RC-002", settings.ticket_keep_days), ("RC-003", settings.video_keep_days)):
        rule = rules[rule_id]
        if rule is not None and days < rule.params["min_days"].value:
            raise Weakened(rule_id, "保存天数少于规定")


def _due(row: Mapping[str, Any], table: RuleTable) -> DueSpec:
    plus = row["plus"]
    when = row.get("when")
    return DueSpec(
        id=row["id"],
        work=row["work"],
        levels=_levels(row["work"], row["level"]),
        stages=frozenset(Stage(stage) for stage in row["stage"]),
        source=row["from"],
        after=timedelta(minutes=table.param(plus) if isinstance(plus, str) else float(plus)),
        rule=row["rule"],
        message=row["message"],
        when=compile_expression(when, constants={}, functions=FUNCTIONS) if when else None,
    )


def normal_level(work: str, level: Any) -> str | None:
    """The level as the table writes it; None stays None (not yet graded). Raises UnknownWork.

    A work without levels takes "none", "any" or None; "none" is also hot work in a fixed hot-work zone (cl. 5.5).
    """
    if work not in Work.__members__.values():
        raise UnknownWork(f"没有这种作业:{work}")
    known = LEVELS.get(work, ())
    if level is None or (isinstance(level, str) and level.strip().lower() in ("", "any")):
        return None if known else "none"
    text = str(level).strip() if not isinstance(level, bool) else ""
    if text == "none" and (not known or work == "hot_work"):
        return "none"
    if text not in known:
        raise UnknownWork(f"{Work(work).zh}没有级别 {level}")
    return text
