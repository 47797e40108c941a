"""Questions after rules: answered from the rule table with the clause, never from a card."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from rules.permit import LEVEL_ZH, LEVELS, Work, approval, load, max_validity, work_words
from rules.text import is_question, normalise
from search import text as search_text

MAX_RULES = 3
ENOUGH = 0.3  # share of the question's worth that a rule's words must cover
_ASKED = re.compile(
    r"规定|国标|条款|标准|限值|合格|有效期|多久|几级|谁批|审批|办票|要不要|能不能|可不可以|允许|要求|多少|几米|几个人|监护"
)
_APPROVAL = re.compile(r"谁(来)?批|审批|批准|签字|有效期|多久|多长时间|几个?小时|几天|有效")
_PROCEDURE = re.compile(r"(?:什么|哪些|哪种|几张|怎么).{0,4}(?:手续|流程|票)|(?:手续|流程)(?:是什么|有哪些|怎么)")
"""«进罐要什么手续»: who approves, for how long, and how to ask for the permit."""
_WRITTEN = {
    "风大": "风力", "大风": "风力", "刮风": "风力", "几级风": "风力", "有风": "风力",
    "下雨": "雨雪天暴雨", "雨天": "雨雪天", "下雪": "雨雪天大雪", "起雾": "大雾", "雾大": "大雾",
    "登高": "高处作业", "晚上": "夜间", "夜里": "夜间", "周末": "公休日", "过节": "节假日", "放假": "节假日",
}  # fmt: skip
"""As people say it, and as the rules have it."""
_SAID = re.compile("|".join(_WRITTEN))
_LEVEL = re.compile("特级|一级|二级|三级|Ⅰ级|Ⅱ级|Ⅲ级|Ⅳ级")
_NOISE = re.compile(
    r"什么|怎么|多少|多久|需要|可以|能不能|要不要|可不可以|有没有|是不是|请问|的|了|吗|呢|啊|是|在|和|有|作业票|作业|票"
)
_BESIDE = {
    Work.HOT_WORK: "焊|明火",
    Work.CONFINED_SPACE: "下罐|人孔",
    Work.WORK_AT_HEIGHT: "安全带",
    Work.LIFTING: "吊物|吊具",
    Work.TEMP_POWER: "临电",
    Work.DIGGING: "挖",
}
"""Words that a question after the rules means a work by, beside those of the work itself."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule in a person's words. `told`: what is required; `source`: standard and clause."""

    rule_id: str
    work_zh: str
    told: str
    remedy: str
    source: str


def edition() -> str:
    """The edition of the rule table in force, for cards that lean on a rule."""
    return load().version


def works_in(text: str) -> tuple[Work, ...]:
    """Special works named in the words."""
    named = work_words.works_in(text)
    return tuple(work for work in Work if work in named or (work in _BESIDE and re.search(_BESIDE[work], text)))


def asked(text: str) -> bool:
    """Whether the words ask for a rule about a special work."""
    plain = normalise(text)
    if not works_in(plain):
        return False
    asks = is_question(text) or "规定" in plain
    return _PROCEDURE.search(plain) is not None or (asks and _ASKED.search(plain) is not None)


def look_up(text: str, *, limit: int = MAX_RULES) -> list[Clause]:
    """The clauses that answer best, best first; empty when none does well enough."""
    plain = _SAID.sub(lambda said: _WRITTEN[said.group()], normalise(text))
    works = works_in(plain)
    about_approval = _APPROVAL.search(plain) and not re.search("分析|检测|监护|证", plain)
    if works and (about_approval or _PROCEDURE.search(plain)):
        return _approvals(works, frozenset(_LEVEL.findall(plain)))
    wanted = Counter(search_text.bigrams(_NOISE.sub(" ", search_text.clean(plain))))
    if not wanted and not works:
        return []
    rows, weights = _table()
    worth = sum(weights.get(pair, max(weights.values())) for pair in wanted)
    found: list[tuple[float, Clause]] = []
    for work, pairs, clause in rows:
        if works and work not in (*works, "any"):
            continue
        got = sum(weights[pair] for pair in wanted if pair in pairs)
        share = got / worth if worth else 0.0
        if share >= ENOUGH or (works and work in works and share >= ENOUGH / 2):
            found.append((share + (0.05 if work in works else 0.0), clause))
    found.sort(key=lambda pair: -pair[0])
    return [clause for _, clause in found[:limit]]


def _approvals(works: tuple[Work, ...], said: frozenset[str]) -> list[Clause]:
    """Who approves and for how long, of the levels said or of all."""
    table, out = load(), []
    for work in works:
        for level in LEVELS.get(work.value, ("none",)):
            if said and LEVEL_ZH[level] not in said:
                continue
            who = approval(table, work=work.value, level=level)
            hours = max_validity(table, work=work.value, level=level).usual.total_seconds() / 3600
            span = f"{hours:g}小时" if hours < 96 else f"{hours / 24:g}天"
            name = f"{LEVEL_ZH[level]}{work.zh}作业" if level != "none" else f"{work.zh}作业"
            validity = max_validity(table, work=work.value, level=level)
            told = f"至少由{who.role_zh}审批,作业票最长{span}"
            out.append(Clause("approval", name, told, "", f"{table.standard} {who.clause};{validity.clause}"))
    return out[:4]


@cache
def _table() -> tuple[list[tuple[str, frozenset[str], Clause]], dict[str, float]]:
    """Rules with the pairs of characters in their words, and how rare each pair is."""
    table = load()
    rows: list[tuple[str, frozenset[str], Clause]] = []
    for rule in table.rules:
        named = {**rule.words, "limit_vol": "限值", "needed_level": "按高度和因素定的级别"}
        work_zh = "特殊作业" if rule.work == "any" else f"{Work(rule.work).zh}作业"
        levels = "、".join(LEVEL_ZH[level] for level in rule.levels) if rule.levels else ""
        limit, remedy = rule.limit.format(**named), rule.remedy.format(**named)
        message = rule.message.format(**named)
        source = f"{table.standard} {rule.clause}" if rule.src == "std" else f"企业规定,{rule.clause}"
        clause = Clause(rule.id, f"{levels}{work_zh}", limit or message, remedy, source)
        spoken = search_text.clean(f"{work_zh} {levels} {limit} {message} {remedy}", limit=600)
        rows.append((rule.work, frozenset(search_text.bigrams(spoken)), clause))
    having = Counter(pair for _, pairs, _ in rows for pair in pairs)
    return rows, {pair: math.log(1 + len(rows) / count) for pair, count in having.items()}


_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(分钟|小时|天|米|%|ppm|人|级)")
_SPARED = re.compile(
    r"(?:不用|不必|不需要|无需|可以不|没必要|省得|先不|甭)[^,。;]{0,4}"
    r"(办票|开票|作业票|监护|分析|测氧|测气|检测|置换|隔离|通风|审批|交底|安全带|警戒)"
)
_PART = re.compile(r"[,，。;；!！?？\n]+")


def against(text: str) -> list[str]:
    """Where somebody's words and the rule table differ, for a reviewer: another limit of the same kind, a duty spared.

    A suspicion with the clause beside it, never a verdict: the words may be about something that only looks alike.
    """
    works = works_in(normalise(text))
    if not works:
        return []
    found = []
    for part in _PART.split(text):
        spared = _SPARED.search(part)
        if spared is not None:
            rules = look_up(f"{works[0].zh}作业 {spared.group(1)}")
            rule = next((rule for rule in rules if spared.group(1)[:2] in rule.told), None)
            source = f"{load().standard} {edition()}" if rule is None else f"规则表:{rule.told}({rule.source})"
            found.append(f"说“{spared.group(0)}”,与规定不符,{source}")
        elif said := _QUANTITY.findall(normalise(part)):
            found += _other_limits(part, said, works)
    return list(dict.fromkeys(found))


def _other_limits(part: str, said: list[tuple[str, str]], works: tuple[Work, ...]) -> list[str]:
    rules = look_up(part if works_in(normalise(part)) else f"{works[0].zh}作业 {part}", limit=8)
    for value, unit in said:
        limits = {
            float(limit): rule for rule in reversed(rules) for limit, of in _QUANTITY.findall(rule.told) if of == unit
        }
        if limits and float(value) not in limits:
            rule = next(rule for rule in rules if rule in limits.values())
            return [f"说“{part.strip()}”,规则表写的是“{rule.told}”({rule.source}),请核对"]
    return []


def answer(text: str, *, ask_whom: str) -> str:
    """The answer as a message: clauses, or where to ask. `ask_whom`: «安全员王芳» or such."""
    clauses = look_up(text)
    if not clauses:
        return f"这是问规定。规则表里没有找到对应条款,请问{ask_whom};我不会拿经验卡当规定。"
    lines = [f"· {c.work_zh}:{c.told}" + (f";{c.remedy}" if c.remedy else "") + f"({c.source})" for c in clauses]
    if _PROCEDURE.search(normalise(text)):
        lines.append(f"要办就说“{works_in(normalise(text))[0].zh}”,我一步步问。")
    return "按规则表:\n" + "\n".join(lines) + f"\n以条文和审批人意见为准,拿不准问{ask_whom}。"
