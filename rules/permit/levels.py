"""Which level a job needs (定级), with the reason; unknown facts give the highest level still possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from rules.permit.functions import HEIGHT_ROMAN, lifting_level, required_height_level
from rules.permit.logic import Unknown

RANK = {"none": 0, "l2": 1, "l1": 2, "special": 3}
_BY_RANK = {rank: level for level, rank in RANK.items()}
WAIVER_ROLES = ("production_head", "safety_head")
HOT_WORK_FACTS = (
    "in_fixed_hot_zone",
    "in_hazard_area",
    "on_running_equipment",
    "in_major_hazard_dike",
    "flammable_stored",
    "stopped_unit_waiver",
    "waiver_approver_role",
    "on_pipe_rack",
)


@dataclass(frozen=True, slots=True)
class LevelProposal:
    """`level` is certain when `missing` is empty, else the highest still possible.

    raise_approver: the level stays and the next higher approver signs (special grade by night, or the plant's manner).
    """

    level: str
    base: str
    upgraded: bool
    raise_approver: bool
    clause: str
    reason: str
    missing: tuple[str, ...] = ()


def hot_work_base(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    """Level before any upgrade, its clause and reason, all facts known (GB 30871-2022 5.1.2 to 5.1.4, 3.3)."""
    if facts["in_fixed_hot_zone"]:
        return "none", "3.3、5.1.1、5.5", "在固定动火区内"
    if facts["in_hazard_area"] and facts["on_running_equipment"]:
        return "special", "5.1.2", "火灾爆炸危险场所内运行状态的设备、管道上动火"
    if facts["in_major_hazard_dike"] and facts["flammable_stored"]:
        return "special", "5.1.2", "储存易燃介质的重大危险源罐区防火堤内动火"
    if facts["stopped_unit_waiver"] and facts["waiver_approver_role"] in WAIVER_ROLES:
        return "l2", "5.1.4", "全部停车装置,经批准按二级办理"
    if facts["in_hazard_area"] or facts["on_pipe_rack"]:
        return "l1", "5.1.3", "管廊上动火" if not facts["in_hazard_area"] else "火灾爆炸危险场所内动火"
    return "l2", "5.1.4", "特级、一级以外的动火"


Look = Callable[[str], Any]


def hot_work_bases(look: Look) -> list[tuple[str, str, str]]:
    """Every base level still possible with what is known, highest first."""
    return list(_possible(_known_or_none(look))[0])


def deciding_facts(look: Look) -> tuple[str, ...]:
    """The unknown facts that decide between the base levels still possible."""
    return _possible(_known_or_none(look))[1]


def _known_or_none(look: Look) -> tuple[Any, ...]:
    values = (look(name) for name in HOT_WORK_FACTS)
    return tuple(None if isinstance(value, Unknown) else value for value in values)


@lru_cache(maxsize=4096)
def _possible(values: tuple[Any, ...]) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
    known = dict(zip(HOT_WORK_FACTS, values, strict=True))
    gaps = [name for name, value in known.items() if value is None]
    outcomes: dict[str, tuple[str, str, str]] = {}
    table: dict[tuple[Any, ...], str] = {}
    answers = [("safety_head", "other") if name == "waiver_approver_role" else (True, False) for name in gaps]
    for chosen in product(*answers):
        found = hot_work_base({**known, **dict(zip(gaps, chosen, strict=True))})
        outcomes.setdefault(found[0], found)
        table[chosen] = found[0]
    decisive = tuple(name for index, name in enumerate(gaps) if _matters(table, index))
    return tuple(sorted(outcomes.values(), key=lambda item: -RANK[item[0]])), decisive


def _matters(table: Mapping[tuple[Any, ...], str], index: int) -> bool:
    seen: dict[tuple[Any, ...], set[str]] = {}
    for values, level in table.items():
        seen.setdefault(values[:index] + values[index + 1 :], set()).add(level)
    return any(len(levels) > 1 for levels in seen.values())


def upgrade_due(look: Look, *, wind_force_limit: float) -> tuple[bool | None, str, str, tuple[str, ...]]:
    """Whether 5.1.1 (holiday, rest day, night) or 5.2.15 (wind outdoors) asks for an upgrade; None when unknown."""
    gaps: list[str] = []
    for name, reason in (("is_holiday", "节假日"), ("is_rest_day", "公休日"), ("is_night", "夜间")):
        value = look(name)
        if isinstance(value, Unknown):
            gaps.append(name)
        elif value:
            return True, "5.1.1", reason, ()
    outdoor, wind = look("outdoor"), look("wind_force")
    if outdoor is False or (not isinstance(wind, Unknown) and wind < wind_force_limit):
        windy: bool | None = False
    elif isinstance(outdoor, Unknown) or isinstance(wind, Unknown):
        windy = None
        gaps += [name for name, value in (("outdoor", outdoor), ("wind_force", wind)) if isinstance(value, Unknown)]
    else:
        windy = True
    if windy:
        return True, "5.2.15", f"{wind:g}级风露天作业", ()
    return (None if gaps else False), "5.1.1", "", tuple(gaps)


def hot_work_level(look: Look, *, upgrade_manner: str, wind_force_limit: float = 5) -> LevelProposal:
    """The level of hot work with any upgrade applied (GB 30871-2022 5.1; special-work-rules §12.1)."""
    bases, missing = hot_work_bases(look), deciding_facts(look)
    base, clause, reason = bases[0]
    if base == "none":
        return LevelProposal("none", "none", False, False, clause, reason, missing)
    due, why_clause, why, gaps = upgrade_due(look, wind_force_limit=wind_force_limit)
    missing = (*missing, *gaps)
    if due is False:
        return LevelProposal(base, base, False, False, clause, reason, missing)
    if due:
        clause, reason = f"{clause}、{why_clause}", f"{reason};{why},升级管理"
    else:
        reason = f"{reason};是否节假日、夜间或大风待补充,暂按升级办理"
    raised = upgrade_manner == "approver" or base == "special"
    level = base if raised else _BY_RANK[RANK[base] + 1]
    return LevelProposal(level, base, True, raised, clause, reason, missing)


def height_level(look: Look) -> LevelProposal:
    """Class of work at height I to IV (8.1 Table 2, Table B.1 note 2); below 2 m "none"."""
    height, factors = look("height"), look("all_factors")
    rank = required_height_level(height, factors)
    if isinstance(rank, Unknown):
        return LevelProposal("IV", "IV", False, False, "8.1、表B.1", "事实不全,暂按最高级", tuple(sorted(rank.names)))
    level = HEIGHT_ROMAN[rank] or "none"
    text = "" if isinstance(height, Unknown) else f"高度 {height:g} m"
    if not isinstance(factors, Unknown) and factors:
        text += ",有客观危险因素"
    return LevelProposal(level, level, False, False, "8.1 表2、表B.1", text)


def lifting_proposal(look: Look) -> LevelProposal:
    """Level of lifting by mass (9.1)."""
    mass = look("mass_t")
    if isinstance(mass, Unknown):
        return LevelProposal("1", "1", False, False, "9.1", "吊物质量待补充,暂按最高级", ("mass_t",))
    level = lifting_level(mass)
    return LevelProposal(level, level, False, False, "9.1", f"吊物质量 {mass:g} t")
