"""Permit to work (特殊作业票): the rules of GB 30871-2022 as data, and what follows from them.

    table = load(tenant={...})
    verdict = evaluate(table, work="hot_work", level="l1", at=at, facts={...})

Everything here is pure: no clock, no database, no network.
"""

from rules.permit.approval import Approval, Validity, approval, check_role_mapping, max_validity
from rules.permit.engine import evaluate, propose_level, replay
from rules.permit.fix import smallest_fix
from rules.permit.levels import LevelProposal
from rules.permit.model import (
    LEVEL_ZH,
    LEVELS,
    Change,
    Due,
    FixSet,
    Result,
    RuleResult,
    Stage,
    UnknownWork,
    Verdict,
    Work,
    facts_from_json,
    facts_to_json,
)
from rules.permit.options import FixOptions, guardian_change
from rules.permit.table import BadTable, RuleTable, Settings, Weakened, load

__all__ = [
    "LEVELS",
    "LEVEL_ZH",
    "Approval",
    "BadTable",
    "Change",
    "Due",
    "FixOptions",
    "FixSet",
    "LevelProposal",
    "Result",
    "RuleResult",
    "RuleTable",
    "Settings",
    "Stage",
    "UnknownWork",
    "Validity",
    "Verdict",
    "Weakened",
    "Work",
    "approval",
    "check_role_mapping",
    "evaluate",
    "facts_from_json",
    "facts_to_json",
    "guardian_change",
    "load",
    "max_validity",
    "propose_level",
    "replay",
    "smallest_fix",
]
