"""When a sample was taken, as people say it beside its values: «昨天下午3点测的», «8点30测的可燃…», «半小时前».

Nothing said means now. A time that cannot be read, or that lies ahead, is asked again: a sample counts for half an hour
(5.3.1 c, 6.3 a), so a guess would decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.permit import spoken_time

SKEW = timedelta(minutes=2)
WHEN = "样是几点取的?请带上时间,如“今天8点30测的”“昨天下午3点测的”;刚测的说“刚测的”。"
AHEAD = "取样时间还没到,请核对。" + WHEN

_CLAUSES = re.compile(r"[,,;;。\n]+")
_TAKEN = re.compile(r"测|取的|取样|取了|采样|采的|化验|分析|检(?!修)")
_PAST_DAY = re.compile(r"大前天|前天|前晚|昨天|昨日|昨晚|昨夜|昨")
_DAYS_BACK = {"大": 3, "前": 2, "昨": 1}
_LONG_AGO = re.compile(r"上周|上星期|上礼拜|上个?月|上一?个?班|上次|上回|之前|以前|早些时候")
_AGO = re.compile(
    r"(?:(?P<half>半)\s*个?(?:小时|钟头)|(?P<n>\d{1,3}(?:\.\d)?)\s*(?:(?P<and_half>个半)|个)?\s*(?P<unit>小时|钟头|分钟|刻钟|天))多?(?:之|以)?前"
)
_UNIT_MIN = {"小时": 60, "钟头": 60, "分钟": 1, "刻钟": 15, "天": 1440}
_PART_OF_DAY = re.compile(r"凌晨|半夜|早上|早晨|清早|清晨|上午|中午|下午|傍晚|晚上|夜里")
_PLAN = re.compile(r"改|推迟|延后|提前|开始|动工|开工|作业(?!点)|动火(?!点)|干|[到至~]|明天|明日|明早|明晚|后天")
_VALUE_BEFORE = re.compile(
    r"(?:[氧燃氢氨氯苯碳硫醇烷烯酮量度]|(?<![%\d])lel|o2|h2s|co|nh3|cl2)\s*(?:气体?|含量|浓度|大概|[是为约都有:=])*\s*$"
)
_VALUE_AFTER = re.compile(r"\s*(?:%|lel|ppm|vol|mg|毫克|个)")
_GAS = re.compile(r"可燃|氧|lel|ppm|硫化氢|一氧化碳|氨|氯|苯|甲醇|爆炸下限")
_JUST = re.compile(r"刚|现在")


@dataclass(frozen=True, slots=True)
class Sampled:
    """`at` None: a time was spoken of that cannot be used, `problem` says how to say it. `rest`: the words without it."""

    at: datetime | None
    problem: str
    rest: str


def sampled_at(text: str, *, now: datetime, zone: ZoneInfo) -> Sampled | None:
    """The oldest time that the words name for a sample; None when they name none."""
    times: list[datetime] = []
    problem, rest = "", []
    for clause in _CLAUSES.split(text):
        # «改到» is dropped from plain words, so what is planned is looked for in the words as they were said
        planned = _PLAN.search(clause) is not None
        found = _clause(spoken_time.plain_words(clause), now.astimezone(zone), planned=planned)
        if found is None:
            rest.append(clause)
        elif isinstance(found, str):
            problem = problem or found
        else:
            times.append(found)
    if not times and not problem:
        return None
    at = min(min(times), now.astimezone(zone)) if times and not problem else None
    return Sampled(at, problem, ",".join(rest))


def _clause(plain: str, local: datetime, *, planned: bool) -> datetime | str | None:
    taken = _TAKEN.search(plain) is not None
    if ago := _AGO.search(plain):
        return local - _length(ago)
    day = _PAST_DAY.search(plain)
    if not day and not taken and (planned or _PLAN.search(plain)):
        return None
    clocks = [m for m in spoken_time.clocks(plain) if not _is_value(plain, m)]
    if clocks:
        return _latest(plain, clocks[0], day, local)
    about_gas = taken or _GAS.search(plain) is not None
    if day or _LONG_AGO.search(plain):
        return WHEN if day or about_gas else None
    return WHEN if taken and _PART_OF_DAY.search(plain) and not _JUST.search(plain) else None


def _is_value(plain: str, match: re.Match[str]) -> bool:
    """«氧20点8» is no clock."""
    named = _VALUE_BEFORE.search(plain[: match.start()])
    return named is not None or _VALUE_AFTER.match(plain[match.end() :]) is not None


def _latest(plain: str, match: re.Match[str], day: re.Match[str] | None, local: datetime) -> datetime | str:
    """The clock as the last such time that is over: «3点测的» said at four in the afternoon is three in the afternoon."""
    base = local - timedelta(days=_DAYS_BACK[day.group()[0]]) if day else local
    found = spoken_time.moments_at(base, match)
    if day and day.group()[-1] in "晚夜" and found and found[0].hour < 12:
        found = [one + timedelta(hours=12) for one in found[:1]]
    if not found:
        return WHEN
    over = [one for one in found if one <= local + SKEW]
    return max(over) if over else AHEAD


def _length(ago: re.Match[str]) -> timedelta:
    if ago["half"]:
        return timedelta(minutes=30)
    return timedelta(minutes=(float(ago["n"]) + (0.5 if ago["and_half"] else 0)) * _UNIT_MIN[ago["unit"]])
