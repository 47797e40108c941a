"""The shapes of the permit engine: rules as read from the table, and what a judgement says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from rules.permit.logic import Expression


class Work(StrEnum):
    """The eight special works (GB 30871-2022 cl. 3.1)."""

    HOT_WORK = "hot_work"
    CONFINED_SPACE = "confined_space"
    BLIND_PLATE = "blind_plate"
    WORK_AT_HEIGHT = "work_at_height"
    LIFTING = "lifting"
    TEMP_POWER = "temp_power"
    DIGGING = "digging"
    ROAD_CLOSING = "road_closing"

    @property
    def zh(self) -> str:
        return _WORK_ZH[self.value]


_WORK_ZH = {
    "hot_work": "动火",
    "confined_space": "受限空间",
    "blind_plate": "盲板抽堵",
    "work_at_height": "高处",
    "lifting": "吊装",
    "temp_power": "临时用电",
    "digging": "动土",
    "road_closing": "断路",
}

LEVELS: Mapping[str, tuple[str, ...]] = {
    "hot_work": ("l2", "l1", "special"),
    "work_at_height": ("I", "II", "III", "IV"),
    "lifting": ("3", "2", "1"),
}
"""Levels of a work, lowest first; a work that is not listed has none."""

LEVEL_ZH = {
    "l2": "二级",
    "l1": "一级",
    "special": "特级",
    "I": "Ⅰ级",
    "II": "Ⅱ级",
    "III": "Ⅲ级",
    "IV": "Ⅳ级",
    "3": "三级",
    "2": "二级",
    "1": "一级",
    "none": "不分级",
}


class Result(StrEnum):
    PASS = "pass"
    CONDITIONAL = "conditional"
    PENDING = "pending"
    FAIL = "fail"

    @property
    def zh(self) -> str:
        return {"pass": "通过", "conditional": "有条件", "pending": "待补充", "fail": "不通过"}[self.value]

    @property
    def allows_work(self) -> bool:
        return self in (Result.PASS, Result.CONDITIONAL)


_NUMERALS = "零一二三四五六七八九十"
SEVERITY = {Result.FAIL: 0, Result.PENDING: 1, Result.CONDITIONAL: 2, Result.PASS: 3}


class Stage(StrEnum):
    """When a rule is asked; None in the API means every rule at once."""

    REQUEST = "request"
    START = "start"
    RUN = "run"
    CLOSE = "close"


class UnknownWork(ValueError):
    """Not one of the eight works, or a level that this work does not have."""


@dataclass(frozen=True, slots=True)
class Param:
    """One limit of a rule; `tighter` is "lower" or "higher": the direction that makes the rule stricter."""

    value: float
    tighter: str
    unit: str


@dataclass(frozen=True)
class Rule:
    """One row of the table; `when` true is the bad case. `levels` None means any level."""

    id: str
    work: str
    levels: tuple[str, ...] | None
    stages: frozenset[Stage]
    facts: tuple[str, ...]
    when: Expression
    params: Mapping[str, Param]
    result: Result
    limit: str
    message: str
    remedy: str
    clause: str
    src: str
    mark: str
    open: str = ""
    tightened: bool = False
    everywhere: bool = False  # the danger reaches works of other kinds too: judged for them where its facts say so

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The rule's limits for its texts: ``max_m`` as it stands, ``_zh`` 五, ``_percent`` of 1, ``_hours`` of minutes."""
        found: dict[str, str] = {}
        for name, param in self.params.items():
            value = param.value
            found[name] = f"{value:g}"
            found[f"{name}_zh"] = _NUMERALS[int(value)] if value in range(len(_NUMERALS)) else f"{value:g}"
            found[f"{name}_percent"] = f"{value * 100:g}"
            found[f"{name}_hours"] = f"{value / 60:g}"
        return found

    @cached_property
    def settled(self) -> tuple[str | None, str | None, str | None]:
        """Limit, message and remedy in words; None for one that names a value only the facts can tell."""
        return self._settled(self.limit), self._settled(self.message), self._settled(self.remedy)

    def _settled(self, text: str) -> str | None:
        try:
            return text.format_map(self.words)
        except KeyError:
            return None

    @cached_property
    def said_clause(self) -> str:
        return self.clause + ("(企业从严)" if self.tightened else "")

    def applies(self, work: str, level: str | None, stage: Stage | None) -> bool:
        """An unknown level (None) keeps the rules of every level."""
        if (self.work not in ("any", work) and not self.everywhere) or (stage is not None and stage not in self.stages):
            return False
        return self.levels is None or level is None or level in self.levels


class RuleResult(NamedTuple):
    """How one rule came out; `missing` names the facts that keep it pending, `facts` what it was judged on."""

    id: str
    result: Result
    facts: Mapping[str, Any]
    limit: str
    clause: str
    message: str
    src: str
    mark: str
    remedy: str = ""
    missing: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "result": self.result.value,
            "facts": plain(self.facts),
            "limit": self.limit,
            "clause": self.clause,
            "message": self.message,
            "src": self.src,
            "mark": self.mark,
            "remedy": self.remedy,
            "missing": list(self.missing),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> RuleResult:
        return cls(**{**row, "result": Result(row["result"]), "missing": tuple(row["missing"])})


@dataclass(frozen=True, slots=True)
class Due:
    """Something that must happen before `at`; `rule` is the rule that will fail otherwise."""

    at: datetime
    rule: str
    clause: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "rule": self.rule, "clause": self.clause, "message": self.message}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Due:
        return cls(**{**row, "at": datetime.fromisoformat(row["at"])})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing people do (or answer): it sets `facts`; DROP removes a fact; `level` and `at` move the request.

    kind: ``act`` somebody does it, ``wait`` time does it, ``supply`` an answer that is still missing.
    """

    id: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    level: str | None = None
    at: datetime | None = None
    kind: str = "act"
    cost: int = 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "text": self.text,
            "facts": plain(self.facts),
            "level": self.level,
            "at": self.at.isoformat() if self.at else None,
            "kind": self.kind,
            "cost": self.cost,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Change:
        return cls(**{**row, "at": datetime.fromisoformat(row["at"]) if row["at"] else None})


DROP = "@drop"


@dataclass(frozen=True, slots=True)
class FixSet:
    """Changes that together flip the verdict to `result`; no smaller set does when `minimal` is true."""

    changes: tuple[Change, ...]
    result: Result
    level: str | None
    at: datetime
    minimal: bool = True

    def apply(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts after all changes; judge them at `self.level` and `self.at`."""
        return apply_changes(self.changes, facts)

    def as_dict(self) -> dict[str, Any]:
        return {
            "changes": [change.as_dict() for change in self.changes],
            "result": self.result.value,
            "level": self.level,
            "at": self.at.isoformat(),
            "minimal": self.minimal,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> FixSet:
        changes = tuple(Change.from_dict(change) for change in row["changes"])
        return cls(changes, Result(row["result"]), row["level"], datetime.fromisoformat(row["at"]), row["minimal"])


def apply_changes(changes: tuple[Change, ...], facts: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(facts)
    for change in changes:
        for name, value in change.facts.items():
            if isinstance(value, str) and value == DROP:
                changed.pop(name, None)
            else:
                changed[name] = value
    return changed


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement: rules ordered fail, pending, conditional, pass. An aid: the approver signs on site (4.11 a)."""

    result: Result
    work: str
    level: str | None
    at: datetime
    stage: Stage | None
    basis: str
    rules: tuple[RuleResult, ...]
    missing: tuple[str, ...]
    fix: tuple[FixSet, ...]
    due_next: tuple[Due, ...]
    table_version: str

    def failing(self) -> tuple[RuleResult, ...]:
        """Rules that keep the work from starting: fail and pending."""
        return tuple(rule for rule in self.rules if not rule.result.allows_work)

    def as_dict(self) -> dict[str, Any]:
        return {
            "result": self.result.value,
            "work": self.work,
            "level": self.level,
            "at": self.at.isoformat(),
            "stage": self.stage.value if self.stage else None,
            "basis": self.basis,
            "rules": [rule.as_dict() for rule in self.rules],
            "missing": list(self.missing),
            "fix": [fix.as_dict() for fix in self.fix],
            "due_next": [due.as_dict() for due in self.due_next],
            "table_version": self.table_version,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Verdict:
        return cls(
            result=Result(row["result"]),
            work=row["work"],
            level=row["level"],
            at=datetime.fromisoformat(row["at"]),
            stage=Stage(row["stage"]) if row["stage"] else None,
            basis=row["basis"],
            rules=tuple(RuleResult.from_dict(rule) for rule in row["rules"]),
            missing=tuple(row["missing"]),
            fix=tuple(FixSet.from_dict(fix) for fix in row["fix"]),
            due_next=tuple(Due.from_dict(due) for due in row["due_next"]),
            table_version=row["table_version"],
        )

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        return cls.from_dict(json.loads(text))


_PLAIN = frozenset({str, bool, int, type(None)})  # by far most facts


def plain(value: Any) -> Any:
    """The same value in JSON's types: times as RFC 3339, sets sorted, numbers that are not finite as text.

    Facts are brought to this form before they are judged, so judging them again from storage is the same by design.
    """
    kind = type(value)
    if kind in _PLAIN or (kind is float and math.isfinite(value)):
        return value
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {
            key if type(key) is str else str(key): item if type(item) in _PLAIN else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
        return str(value)  # judged again, text is not a number either: pending, as before
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"unusable": type(value).__name__}


def facts_to_json(facts: Mapping[str, Any]) -> str:
    """Facts as stored beside a verdict; reading them back and judging again gives the same verdict."""
    return json.dumps(plain(facts), ensure_ascii=False, sort_keys=True, allow_nan=False)


def facts_from_json(text: str) -> dict[str, Any]:
    return json.loads(text)
