"""The rule table of this plant, who holds which post of Table B.1, and how long a permit may run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

import chinese_calendar
import structlog

from rules.permit import BadTable, RuleTable, Weakened, check_role_mapping, load
from rules.permit.table import within_bounds
from rules.terms import Role
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

STANDARD = "gb30871_2022"

POSTS: Mapping[str, str] = {
    "local_unit": Role.WORKSHOP_DIRECTOR.value,
    "professional_department": Role.SAFETY_OFFICER.value,
    "power_supplier": Role.SAFETY_OFFICER.value,
    "safety_department": Role.SAFETY_OFFICER.value,
    "leader_in_charge": Role.EXECUTIVE.value,
    "plant_director_or_chief_engineer": Role.EXECUTIVE.value,
    "top_leader": Role.EXECUTIVE.value,
}
"""Role of Table B.1 → role of the plant; a plant says otherwise in its policy under "permit": {"posts": …}, there also
for a single countersigning unit (水, 消防, …)."""

RANKS: Mapping[str, int] = {
    Role.TEAM_LEADER.value: 0,
    Role.WORKSHOP_DIRECTOR.value: 1,
    Role.SAFETY_OFFICER.value: 3,
    Role.EXECUTIVE.value: 5,
}
"""How high a role of the plant stands, in the ranks of the table."""


OWN = ("posts", "ranks")  # of the plant's permit policy; the rest is the rule table's


class PlantRules:
    """The table with the plant's stricter settings and posts; the same object for one version of the policy.

    Raises BadTable for a policy that cannot be read and Weakened for one that lowers the standard: a limit, a rule,
    or the authority that approves. A post may be ranked lower than it is by default, never higher.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        if not isinstance(content, Mapping):
            raise BadTable("应是一个对象")
        tenant = {name: value for name, value in content.items() if name not in OWN}
        self.table: RuleTable = load(STANDARD, tenant=tenant)
        posts, ranks = (content.get(name, {}) for name in OWN)
        if not isinstance(posts, Mapping) or not isinstance(ranks, Mapping):
            raise BadTable("posts、ranks 应是对象")
        known = {role.value for role in Role}
        if strange := sorted({*map(str, posts.values()), *map(str, ranks)} - known):
            raise BadTable(f"没有岗位 {'、'.join(strange)},可填:{'、'.join(sorted(known))}")
        for post, rank in ranks.items():
            if isinstance(rank, bool) or not isinstance(rank, int):
                raise BadTable(f"ranks.{post}:须是整数")
            if rank > RANKS.get(post, 0):
                raise Weakened("G-008", f"{Role(post).zh}的层级不能提高到 {rank}:审批层级不得降低")
        self.posts: Mapping[str, str] = {**POSTS, **posts}
        self.ranks: Mapping[str, int] = {**RANKS, **ranks}
        check_role_mapping(self.table, self.posts, self.ranks)

    def post(self, role: str) -> Role:
        """The plant's role that stands for a role of Table B.1."""
        return Role(self.posts[role])

    def post_of_unit(self, unit: str) -> Role:
        """The plant's role that countersigns for a unit of Table B.1."""
        return Role(self.posts.get(unit) or self.posts[self.table.units[unit]])


def problems_of(content: Any) -> list[str]:
    """What is wrong with the permit part of a policy, in words; empty when it can be put in force."""
    try:
        PlantRules(content)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        return [str(problem)]
    return []


@lru_cache(maxsize=4)
def _version(version: int, content: str) -> PlantRules:
    """A policy in force is never refused for bounds that came later: work that runs has to go on being judged."""
    found = json.loads(content)
    if isinstance(found.get("settings"), dict):
        bounded = within_bounds(found["settings"])
        if bounded != found["settings"]:
            log.warning("permit.settings_bounded", policy=version)
            found = {**found, "settings": bounded}
    return PlantRules(found)


def rules_of(work: UnitOfWork) -> PlantRules:
    """The plant's rules as its policy in force has them. Raises BadTable or Weakened for a policy that may not be."""
    version, content = work.policies.permit_part()
    return _version(version, json.dumps(content, sort_keys=True)) if content else _plain()


@cache
def _plain() -> PlantRules:
    return PlantRules({})


@lru_cache(maxsize=1024)
def day_kind(day: date) -> tuple[bool | None, bool | None]:
    """(legal holiday, rest day) by the State Council's calendar; None for a year that is not published yet.

    A weekend day that is worked instead (调休) is no rest day.
    """
    try:
        free, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None, None
    return bool(free and name), bool(free and not name)


def rest_days(first: date, *, days: int = 10) -> frozenset[date] | None:
    """Holidays and rest days from `first` on; None when the calendar does not reach that far."""
    found = set()
    for step in range(days):
        day = first + timedelta(days=step)
        holiday, rest = day_kind(day)
        if holiday is None:
            return None
        if holiday or rest:
            found.add(day)
    return frozenset(found)
