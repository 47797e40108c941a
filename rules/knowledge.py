"""Experience cards: states, what a told experience still lacks, what needs another look, and points. Ours; no standard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.errors import RuleBroken


class CardState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    REJECTED = "rejected"
    RETIRED = "retired"
    MERGED = "merged"

    @property
    def zh(self) -> str:
        return _STATE_ZH[self.value]


_STATE_ZH = {
    "draft": "草稿",
    "in_review": "待审核",
    "published": "已发布",
    "rejected": "未采用",
    "retired": "已停用",
    "merged": "已合并",
}
_MOVES = {
    CardState.DRAFT: {CardState.IN_REVIEW, CardState.REJECTED},
    CardState.IN_REVIEW: {CardState.PUBLISHED, CardState.REJECTED, CardState.MERGED},
    CardState.PUBLISHED: {CardState.RETIRED, CardState.MERGED},
    CardState.REJECTED: {CardState.IN_REVIEW},
    CardState.RETIRED: {CardState.PUBLISHED},
    CardState.MERGED: set(),
}

# what is asked, in this order; field -> question
ASKS = {
    "kind": "是哪种设备?(如 离心泵、引风机、皮带机)",
    "title": "是什么声音或征兆?像什么都行。",
    "cause": "最后查出来多半是什么原因?",
    "first_action": "碰到这种情况,先做什么?",
}
FIELD_ZH = {"kind": "设备", "title": "声音/征兆", "cause": "怀疑", "first_action": "先做", "danger_sign": "危险信号"}
FIELD_CHARS = {"kind": 30, "title": 100, "cause": 150, "first_action": 150, "danger_sign": 150}

POINTS_PUBLISHED, POINTS_MERGED, POINTS_ANSWER, POINTS_HELPED = 10, 5, 3, 1
VALID_FOR = timedelta(days=365)
UNUSED_AFTER = timedelta(days=90)
OFTEN_REJECTED = 3


def check_move(state: CardState, to: CardState) -> None:
    """Raises RuleBroken when a card cannot go from one state to the other."""
    if to not in _MOVES[state]:
        raise RuleBroken("card_state", f"这张经验卡现在是“{state.zh}”,不能再改成“{to.zh}”。")


def check_reviewer(*, author_id: int | None, reviewer_id: int) -> None:
    """Nobody reviews their own experience."""
    if author_id == reviewer_id:
        raise RuleBroken("card_review", "自己写的经验要由别人审核。")


def missing(given: Mapping[str, str]) -> str | None:
    """The first field of ASKS that is still empty; None when the card is complete."""
    return next((name for name in ASKS if not given.get(name, "").strip()), None)


_BREAK = re.compile(r"[,,。;;!!??\n]+")
_DANGER = re.compile(r"(要是|如果|万一|一旦|假如).*(停|撤|跑|离|断电|报)|^(冒烟|着火|越来越).*(停|撤|断)")
_ACTION = re.compile(
    r"^(先|首先|第一步|赶紧|赶快|马上|立马|立即|得|要|应该|就|不用|不要|别|继续)?(先|再|去|把|给)?(停|继续|断电|拉闸|关|开大|关小|查|看|听|测|摸|补|加|换|清"
    r"|紧|拧|张紧|调|排|放|泄|打黄油|打油|报|通知|远离|降|减|吹|拆|找正|校)"
)
_FIRST = re.compile(r"^(先|首先|第一步|赶紧|马上|立马|立即|得先|要先|处理|办法)")
_CAUSE = re.compile(
    r"(多半|八成|九成|肯定|准|一般|大概|往往|基本|后来|最后|结果|查出来|拆开|其实|原来|都|就)[^,]{0,6}是|^(是|因为|由于|怀疑|原因)"
)
_BROKEN = re.compile(r"(坏|裂|断|松|磨|堵|缺油|卡|漏|脏|碎|散架)(了|掉|死)?$")
_LEAD = re.compile(
    r"^(那|就|这|那个|多半|八成|九成|肯定|准|一般|大概|往往|基本上?|后来|最后|结果|查出来|拆开一?看?|其实|原来|都|的|应该|说明|怀疑"
    r"|原因|因为|由于|就是|是|:|:|处理|办法)+"
)


def read_told(text: str, *, machine: str = "") -> dict[str, str]:
    """Fields of a card that somebody's own words already give. `machine` is the equipment heard in them, "" if none.

    Clauses that say what to do are the first action, those that say what it was the cause; what comes before is the
    symptom. Nothing is invented: what is not said stays empty and is asked for.
    """
    found: dict[str, list[str]] = {"title": [], "cause": [], "first_action": [], "danger_sign": []}
    for clause in (part.strip() for part in _BREAK.split(text)):
        if not clause:
            continue
        if _DANGER.search(clause):
            found["danger_sign"].append(clause)
        elif _FIRST.search(clause) or (found["title"] and _ACTION.search(clause)):
            found["first_action"].append(clause)
        elif _CAUSE.search(clause) or (found["title"] and _BROKEN.search(clause)):
            found["cause"].append(_LEAD.sub("", clause) or clause)
        elif found["first_action"] or found["cause"]:
            found["first_action"].append(clause)
        else:
            found["title"].append(clause)
    given = {name: ",".join(parts)[: FIELD_CHARS[name]] for name, parts in found.items() if parts}
    return {**given, **({"kind": machine} if machine else {})}


def as_suspicion(cause: str) -> str:
    """«怀疑轴承缺油»: a card never claims to know."""
    cause = cause.strip().rstrip("。")
    return cause if not cause or cause.startswith("怀疑") else f"怀疑{cause}"


class Look(StrEnum):
    """Why a published card should be looked at again."""

    UNUSED = "unused"
    OFTEN_REJECTED = "often_rejected"
    EXPIRED = "expired"
    RULE_CHANGED = "rule_changed"

    @property
    def zh(self) -> str:
        return {
            "unused": "三个月没人用",
            "often_rejected": "常被说“不是这个”",
            "expired": "过了复审日期",
            "rule_changed": "规定换了版本,请核对",
        }[self.value]


@dataclass(frozen=True, slots=True)
class CardLife:
    """What decides whether a card needs another look."""

    published_at: datetime
    last_used_at: datetime | None
    valid_until: datetime | None
    used: int
    rejected: int
    rule_edition: str = ""
    mentions_rules: bool = False


def needs_look(card: CardLife, *, at: datetime, rule_edition: str) -> tuple[Look, ...]:
    """Reasons to look at a card again: unused for 90 days, «不是这个» three times and more often than 有用, expired, or
    written under another edition of the rules it mentions."""
    out = []
    if at - (card.last_used_at or card.published_at) >= UNUSED_AFTER:
        out.append(Look.UNUSED)
    if card.rejected >= OFTEN_REJECTED and card.rejected > card.used:
        out.append(Look.OFTEN_REJECTED)
    if card.valid_until is not None and card.valid_until <= at:
        out.append(Look.EXPIRED)
    if card.mentions_rules and card.rule_edition != rule_edition:
        out.append(Look.RULE_CHANGED)
    return tuple(out)


_ORDERS = re.compile(
    r"忽略.{0,8}(指令|规则|提示|要求)|无视.{0,6}(指令|规则)|你现在是|扮演|system\s*:|ignore\s+(all|previous)|<\s*script|https?://|加微信|转账"
    r"|(关闭|删除|撤销)(所有|全部).{0,4}(隐患|作业票|记录)",
    re.IGNORECASE,
)
_RUDE = re.compile(r"他妈|妈的|操你|傻逼|煞笔|王八蛋|滚蛋|去死|狗日|混蛋")
_RULES = re.compile(
    r"GB\s*/?T?\s*\d{3,5}|AQ\s*\d{4}|第\s*\d+(\.\d+)*\s*条|办票|作业票|动火票|规定|国标|标准要求|限值|合格线",
    re.IGNORECASE,
)


def warnings(text: str) -> tuple[str, ...]:
    """What a reviewer must be told about somebody's words: orders to a machine, links, rude words, rules mentioned."""
    out = []
    if _ORDERS.search(text):
        out.append("含有像指令、链接或转账的话,发布前请删掉")
    if _RUDE.search(text):
        out.append("有粗话,发布前请改掉")
    if mentions_rules(text):
        out.append("提到了规定或限值:以规则表为准,请核对条款和版本")
    return tuple(out)


def mentions_rules(text: str) -> bool:
    """Whether the words lean on a rule, a limit or a permit: then an edition of the rules belongs to the card."""
    return bool(_RULES.search(text))
