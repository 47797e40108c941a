"""Which number of a clause is the value of which gas: «3号泵房动火点1米内8点30测的可燃12%LEL» says 12 and nothing else.

Numbers of places, codes, distances, counts and clocks are known by their form and left out. What remains belongs to the
gas named before it, or to the only gas of the clause («12%LEL可燃»). A number that belongs to nothing, or a bound that
says nothing of the worst («超过10»), makes the clause unclear: it is asked again, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from rules.permit import gas
from rules.text import chinese_number

COMBUSTIBLE, OXYGEN = "combustible", "o2"
NO_VALUE = ""
"""Kind of a medium nobody measures in the air (nitrogen): its numbers are nobody's value."""
SHORT = {"hydrogen_sulfide": "h2s", "carbon_monoxide": "co", "ammonia": "nh3", "chlorine": "cl2"}
TOXIC_FIRST_MG_M3 = 20.0
"""A gas with a limit up to this is measured by a toxic sensor; alcohols and solvents above it by the combustible one."""

_OXYGEN_WORDS = ("氧气含量", "含氧量", "氧含量", "氧浓度", "含氧", "氧气", "氧", "o2")
_COMBUSTIBLE_WORDS = ("可燃气体", "可燃气", "可燃", "爆炸下限", "燃气", "lel", "ex")
_TOXIC_WORDS = ("有毒有害气体", "有毒气体", "有毒有害", "有毒", "毒气")
"""A toxic gas that is not named: nobody can hold its value against a limit."""
_NOT_BEFORE = {"氧": "二一三四五七环过氮臭超双", "苯": "甲硝氯基联溴", "氯": "三四二多聚一", "氢": "化"}
_NOT_AFTER = {
    "氧": "化乙丙弹瓶",
    "氧气": "瓶",
    "苯": "乙胺酚酐甲",
    "氯": "化乙苯仿丙甲酸碱",
    "氨": "基",
    "氢": "氧氟氰",
}

_NUMERAL = "零〇一二两三四五六七八九十百千"
_COUNT = rf"(?:\d+|[{_NUMERAL}]+)"
_NOISE = "|".join([
    r"1\d{10}(?!\d)",
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}月\d{1,2}[日号]?|\d{1,2}日|\d{1,2}[-/]\d{1,2}(?=\s*\d{1,2}:\d{2})",
    r"\d{1,2}:\d{2}(?::\d{2})?(?!\d)|\d{1,2}时(?:\d{1,2}分?)?|\d{1,2}分(?!之)",
    rf"{_COUNT}点(?:钟|整|半|[13一三]刻|{_COUNT}(?:分|(?=\s*[测取量的])))",
    rf"第\s*{_COUNT}\s*(?:次|个|点|处|组|层)?",
    r"\d+(?:\.\d+)?\s*(?:[ckm]?m[23]?(?![a-z/\d])|k?v(?![a-z])|[mk]?pa(?![a-z])|kg|min(?![a-z])|h(?![a-z\d]))",
    r"\d{1,4}\s*[号#]",
    r"(?:温度|湿度|压力|风速|风力|电压|电量|编号|证号|票号|工号)\s*[是为:]?\s*\d+(?:\.\d+)?\s*(?:%|℃|度)?",
])  # fmt: skip
_COUNTED = (
    rf"{_COUNT}\s*个?(?:部位|位置|地方|测点|取样点|点位|人孔|法兰|焊口|小时|钟头|月|人|罐|塔|釜|槽|池|泵|阀|处|次|遍|台|名|位"
    r"|层|楼|期|区|段|线|分钟|秒|天|班|组|车间|年|级|度|℃|吨)"
    r"|(?:动火点|取样点|测点|监测点|作业点|点位|部位|位置|人孔)\s*[1-9]\d?(?=\s*[一-鿿a-z])(?!\s*(?:lel|ppm|vol|mg|个|点|时))"
)
"""Between a gas and its value these may be the value and the next place: «可燃12罐内0.1»."""
_CODE = (
    r"(?<![a-z\d.])(?!ppm|vol|lel|mg)(?:\d{1,4}-)?(?:[a-z]{1,5}-?\d+[a-z]{0,2}(?:/[a-z])?(?:-\d+[a-z]?)*|[a-z]{1,3} \d{3,6}[a-z]?)"
    r"(?![a-z\d.%])"
)
_NEXT_IS_NUMBER = r"(?!\s*[是为:=]?\s*-?\d)"
_UNIT = (
    rf"%lel|%\s+lel{_NEXT_IS_NUMBER}|lel\s*%?{_NEXT_IS_NUMBER}|%\s*vol|vol\s*%?|%\s*\(v/v\)|ppm|ppb|[uμµ]mol/mol|mg/m3|mg/l"
    r"|[uμµ]?g/m3|毫克|微克|克|个点|个|点|%"
)
_ONE = r"\d+(?:\.\d+)?[万千百]?"
_AMOUNT = (
    rf"(?P<one>-?{_ONE})\s*(?P<unit>{_UNIT})?(?:\s*(?:~|-|到|至)\s*(?P<two>{_ONE})\s*(?P<unit2>{_UNIT})?)?"
    rf"|(?P<zh>[{_NUMERAL}]+)\s*(?P<zhunit>{_UNIT})?"
)
_DECIMAL_SAID = re.compile(r"(?<=[\d])点(?=\d(?!\d|\s*[分测取量的]))")  # «氧20点8» as a machine that listens writes it
_FILLER = re.compile(r"[是为约都各均在大概等于有=:的(\s]*")
_ENDS = re.compile(r"(?=$|[,;。\s]|左右|的|了|吧|呢)")
_OVER = re.compile(r"(?<!不)(?:超过|大于|高于)|不低于|不小于|不少于|不止|至少|[>≥]|不是")
_UNDER = re.compile(r"(?<!不)(?:小于|低于|少于)|不到|不足|不超过|不大于|不高于|[<≤]|不是")
_OVER_AFTER, _UNDER_AFTER = re.compile(r"\s*(?:多|几|以上|往上)"), re.compile(r"\s*(?:以下|以内|不到)")
_POWER = re.compile(r"e[+-]?\d")
_TIMES = {"万": 10_000, "千": 1000, "百": 100}


@dataclass(frozen=True, slots=True)
class Amount:
    """One number with its own unit; of a range both ends. `over`, `under`: only a bound was said."""

    values: tuple[float, ...]
    unit: str = ""
    over: bool = False
    under: bool = False
    adjacent: bool = False  # the gas follows at once: «20.8的氧»


@dataclass(frozen=True, slots=True)
class Group:
    """A gas with what was said of it; `hint`: words beside the number that name its unit («LEL 3», «ppm是120»)."""

    kind: str
    medium: str = ""
    hint: str = ""
    amounts: tuple[Amount, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Clause:
    """`loose`: numbers that belong to no gas named here."""

    groups: tuple[Group, ...] = ()
    loose: tuple[Amount, ...] = ()
    unclear: bool = False


@cache
def _names() -> dict[str, tuple[str, str]]:
    """Word → (kind, medium id) of all gases that can be named."""
    found: dict[str, tuple[str, str]] = {}
    for word, medium in gas.media().items():
        found[word] = kind_of(medium), medium.id
    found |= dict.fromkeys(_OXYGEN_WORDS, (OXYGEN, "")) | dict.fromkeys(_TOXIC_WORDS, (NO_VALUE, ""))
    return found | dict.fromkeys(_COMBUSTIBLE_WORDS, (COMBUSTIBLE, ""))


def kind_of(medium: gas.Medium) -> str:
    """How the value of a medium is kept when its unit does not tell: as a toxic gas of its own, or as combustible."""
    limit = gas.toxic_limit(medium, basis="twa")
    if limit is not None and (medium.lel_vol is None or limit <= TOXIC_FIRST_MG_M3):
        return SHORT.get(medium.id, medium.id)
    return COMBUSTIBLE if medium.lel_vol is not None else NO_VALUE


@cache
def _token() -> re.Pattern[str]:
    words = []
    for word in sorted(_names(), key=len, reverse=True):
        if word.isascii():
            code = "|-\\d{3}" if word == "ex" else ""
            words.append(rf"(?<![a-z\d]){re.escape(word)}(?![a-z]{code})")
        else:
            before = f"(?<![{_NOT_BEFORE[word]}])" if word in _NOT_BEFORE else ""
            after = f"(?![{_NOT_AFTER[word]}])" if word in _NOT_AFTER else ""
            words.append(f"{before}{word}{after}")
    return re.compile(rf"(?P<gas>{'|'.join(words)})|(?P<counted>{_COUNTED})|(?P<noise>{_NOISE}|{_CODE})|{_AMOUNT}")


def clause_of(part: str) -> Clause:
    """What a piece of a sentence says; the piece is already normalised and holds no separators."""
    plain = _decimals(part)
    before: list[Amount] = []
    groups: list[Group] = []
    unclear, ended, named = False, 0, False
    for match in _token().finditer(plain):
        between = plain[ended : match.start()]
        if match["noise"] is not None or match["counted"] is not None:
            unclear = unclear or (match["counted"] is not None and bool(groups) and not groups[-1].amounts)
            ended = match.end()
            continue
        if match["gas"] is not None:
            kind, medium = _names()[match["gas"]]
            groups.append(Group(kind, medium, match["gas"]))
            ended, named = match.end(), True
            continue
        directly = named and _FILLER.fullmatch(between) is not None
        amount = _amount(match, plain, between, directly=directly, named=bool(groups))
        if amount is None:
            unclear = unclear or bool(match["zh"] and match["zhunit"] and match["zhunit"] != "点")
            continue
        ended, named = match.end(), False
        if amount.unit == "%LEL" and (not groups or (groups[-1].kind == OXYGEN and groups[-1].amounts)):
            groups.append(Group(COMBUSTIBLE))  # its unit says what it is
        if groups:
            last = groups[-1]
            groups[-1] = replace(last, hint=f"{last.hint} {between}", amounts=(*last.amounts, amount))
        else:
            before.append(amount)
    return _placed(groups, before, unclear)


def _placed(groups: list[Group], before: list[Amount], unclear: bool) -> Clause:
    """Numbers said before the first gas are its own when it has no other."""
    if not before or not groups:
        return Clause(tuple(groups), tuple(before), unclear)
    only = len({group.kind for group in groups}) == 1 and not any(group.amounts for group in groups)
    if only or (len(before) == 1 and before[0].adjacent and not groups[0].amounts):
        first = replace(groups[0], amounts=tuple(before))
        return Clause((first, *groups[1:]), (), unclear)
    return Clause(tuple(groups), (), True)


def _decimals(part: str) -> str:
    """«氧20点8» is 20.8, after a gas only: before one it is a clock."""
    gas_at = next((m.end() for m in _token().finditer(part) if m["gas"] is not None), len(part))
    return part[:gas_at] + _DECIMAL_SAID.sub(".", part[gas_at:])


def _amount(match: re.Match[str], plain: str, between: str, *, directly: bool, named: bool) -> Amount | None:
    """The number that was matched; None for a numeral that is none («三四个») and for the hour of a clock («3点»)."""
    after = plain[match.end() :]
    bounds = {
        "over": bool(_OVER.search(between) or _OVER_AFTER.match(after) or _POWER.match(after)),
        "under": bool(_UNDER.search(between) or _UNDER_AFTER.match(after)),
        "adjacent": re.match(r"的?\s*$|的?\s*(?=[氧可含爆硫甲苯氨氯一二lecohn])", after) is not None,
    }
    if match["zh"] is not None:
        value = chinese_number(match["zh"])
        if value is None or not (match["zhunit"] or (directly and _ENDS.match(after))):
            return None
        if match["zhunit"] == "点" and not named:
            return None
        return Amount((value,), _unit(match["zhunit"]), **bounds)
    if match["unit"] == "点" and match["two"] is None and not named:
        return None
    numbers = tuple(_number(text) for text in (match["one"], match["two"]) if text)
    return Amount(numbers, _unit(match["unit2"] or match["unit"]), **bounds)


def _number(text: str) -> float:
    return float(text[:-1]) * _TIMES[text[-1]] if text[-1] in _TIMES else float(text)


def _unit(said: str | None) -> str:
    """%LEL, %vol, ppm, mg/m3, a bare «%», «?» for one that nobody should reckon with, or ""."""
    plain = (said or "").replace(" ", "")
    if "lel" in plain:
        return "%LEL"
    if "vol" in plain or "v/v" in plain:
        return "%vol"
    if plain == "ppm" or plain.endswith("mol/mol"):
        return "ppm"
    if plain in ("mg/m3", "毫克"):
        return "mg/m3"
    if plain == "%":
        return "%"
    return "" if plain in ("", "个", "个点", "点") else "?"


def worst_of(kind: str, values: Iterator[float] | tuple[float, ...]) -> float:
    """Of several values of one gas: the highest; of oxygen the one farthest out of 19.5 to 21, above 23.5 the highest."""
    told = tuple(values)
    if kind != OXYGEN or max(told) > 23.5:
        return min(told) if min(told) < 0 else max(told)
    return max(told, key=lambda value: max(19.5 - value, value - 21.0))
