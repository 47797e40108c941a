"""Who must approve and for how long a permit may run (GB 30871-2022 Table B.1, 5.1.5, 6.10, 8.2.11, 10.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rules.permit.table import RuleTable, Weakened, normal_level


@dataclass(frozen=True, slots=True)
class Approval:
    """The approver's role by Table B.1, its rank, and who countersigns (named by the plant's own organisation)."""

    role: str
    role_zh: str
    rank: int
    countersigns: tuple[str, ...]
    clause: str


@dataclass(frozen=True, slots=True)
class Validity:
    """`usual` is the longest a permit normally runs, `longest` with a stated reason; `stated` is false when the
    standard gives no figure and the plant's setting counts."""

    usual: timedelta
    longest: timedelta
    clause: str
    stated: bool


def approval(table: RuleTable, *, work: str, level: Any, raised: bool = False) -> Approval:
    """Who must approve at least; `raised` asks for the next higher approver (upgrade of the special grade, or of any
    grade where the plant upgrades by approver).

    An ungraded job (level None) gets the approver of its highest level. Raises UnknownWork. Hot work in a fixed
    hot-work zone (level "none") has no graded permit; its local unit answers for it (5.5).
    """
    rows = [row for row in table.approvals if row["work"] == work and _matches(row, normal_level(work, level))]
    row = max(rows, key=lambda item: table.roles[item["role"]]["rank"], default=None)
    role = table.roles["local_unit"] if row is None else table.roles[row["role"]]
    if raised:
        role = table.raised(work, role["rank"])
    return Approval(
        role["id"], role["zh"], role["rank"], tuple(row["countersigns"]) if row else (), row["clause"] if row else "5.5"
    )


def _matches(row: Mapping[str, Any], level: str | None) -> bool:
    return row["level"] == "any" or level is None or level in row["level"]


def check_role_mapping(table: RuleTable, mapping: Mapping[str, str], ranks: Mapping[str, int]) -> None:
    """Check a plant's own posts against the table: `mapping` role id or countersigning unit -> post, `ranks` post -> its
    rank (1..5).

    Raises Weakened when a post ranks below the role it stands for, ValueError for a role the table does not know.
    """
    for name, post in mapping.items():
        role = table.units.get(name, name)
        if role not in table.roles:
            raise ValueError(f"审批角色 {role} 不在表B.1 中")
        if ranks.get(post, 0) < table.roles[role]["rank"]:
            what = f"会签单位“{name}”({table.roles[role]['zh']})" if name in table.units else table.roles[role]["zh"]
            raise Weakened("G-008", f"{post} 的层级低于{what},不得降低审批层级")


def max_validity(table: RuleTable, *, work: str, level: Any) -> Validity:
    """How long a permit may run. An ungraded job gets the shortest of its levels. Raises UnknownWork."""
    normal = normal_level(work, level)
    rows = [row for row in table.validities if row["work"] == work and _matches(row, normal)]
    if not rows:  # hot work in a fixed zone carries no graded permit; the strictest ticket is the bound
        rows = [row for row in table.validities if row["work"] == work]
    return min((_validity(table, row) for row in rows), key=lambda item: item.usual)


def _validity(table: RuleTable, row: Mapping[str, Any]) -> Validity:
    unit = timedelta(hours=1) if row["unit"] == "hours" else timedelta(days=1)
    if "setting" in row:
        usual = getattr(table.settings, row["setting"]) * unit
        return Validity(usual, usual, row["clause"], False)
    usual = table.param(row["limit"]) * unit
    longest = table.param(row["longest"]) * unit if "longest" in row else usual
    return Validity(usual, max(usual, longest), row["clause"], True)
