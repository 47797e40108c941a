"""The treatment of a major hazard (重大隐患治理): the five fixes (五落实) and the evaluation before it is closed.

Source: 安全生产事故隐患排查治理暂行规定 (Order 16) art. 15, what a treatment plan says; art. 18, evaluation once it was treated.
"""

from __future__ import annotations

import re

from rules.hazard.evidence import FIVE_FIXES, FIVE_FIXES_ZH
from rules.terms import Grade

EVALUATION = "evaluation"
PARTS_ZH = {**FIVE_FIXES_ZH, EVALUATION: "评估"}
ASKS_ZH = {
    "responsibility": "哪个部门、谁负责?",
    "measures": "目标是什么,用什么办法治理?",
    "funds": "要多少经费和物资,从哪里出?",
    "time_limit": "什么时候完成,分几步?",
    "plan": "治理期间怎么防护,出事怎么应急?",
    EVALUATION: "谁评估的,怎么查的,重大隐患消除了没有?",
}
_LABEL = re.compile(r"(?:^|(?<=[\s,\uff0c;\uff1b。、]))(责任|措施|资金|时限|预案)(?:人|费)?\s*[:\uff1a是为]\s*")
_BETWEEN = " \t\n\r,\uff0c;\uff1b。、"
_PART = {zh: part for part, zh in FIVE_FIXES_ZH.items()}


def is_major(*, decided: bool | None, candidate: bool, grade: Grade) -> bool | None:
    """Whether the hazard counts as major (重大) for FC-12 and FC-14; None: unknown.

    What an authorised person decided holds. Until then a candidate counts as major; a red one may be major or only
    immediate danger, which nobody but a person can tell; orange and yellow are general by the plant's grades.
    """
    if decided is not None:
        return decided
    if candidate:
        return True
    return None if grade is Grade.RED else False


def read_parts(text: str) -> dict[str, str]:
    """The five fixes named in a sentence: «措施:换法兰;资金:2万元» → {"measures": "换法兰", "funds": "2万元"}."""
    found = list(_LABEL.finditer(text))
    ends = [*(match.start() for match in found), len(text)][1:]
    parts: dict[str, str] = {}
    for match, end in zip(found, ends, strict=True):
        words = text[match.end() : end].strip(_BETWEEN)
        if words:
            parts[_PART[match.group(1)]] = words
    return parts


def missing_zh(known: dict[str, str]) -> str:
    """«资金、预案»: which of the five are not there; "" when all are."""
    return "、".join(FIVE_FIXES_ZH[part] for part in FIVE_FIXES if not known.get(part))
