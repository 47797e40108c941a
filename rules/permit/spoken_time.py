"""Times as people say them: «今天下午2点到5点», «下周一上午9点干一个半小时», «12月1日8点到11点», «推迟一小时».

A day, a part of the day, a clock; a clock without a part of the day whose time has passed means the evening's («五点到七点»
said at four in the afternoon). A day that is named without a clock is no time: nobody begins «明天» at midnight.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.text import chinese_number

LONGEST = timedelta(days=31)
USUAL = timedelta(hours=4)
"""How long work lasts when only its beginning was said."""

_NUMERAL = r"[零〇一二两三四五六七八九十]"
_DIGITS_BEFORE = re.compile(
    rf"({_NUMERAL}{{1,3}})(?=\s*(?:[点时号日月天刻分]|个半|个?(?:小时|钟头)))|(?<=点)({_NUMERAL}{{1,3}})(?![个半刻])"
)
_BOTH_OF = re.compile(r"(?<![\d.])(\d{1,2})(?=\s*[到至~-]\s*\d{1,2}\s*[点时])")  # «2到4点» is «2点到4点»
_CHANGED_TO = re.compile(r"(?:改|推迟|延后|提前|挪|调整?|换|移)(?:到|至|成|为|在)")

_DAY = (
    r"今天|今日|今早|今晚|明天|明日|明早|明晚|大后天|后天"
    r"|(?:下下?个?|这个?|本)?周[1-7]"
    r"|(?:\d{1,2}月)\d{1,2}[日号]?|\d{1,2}[日号]"
)
_HALF = r"凌晨|半夜|早上|早晨|清早|清晨|上午|中午|下午|傍晚|晚上|夜里|早|晚"
_CLOCK = r"(\d{1,2})(?:[:时点](?:钟)?\s*(?:(半)|([13])刻|(\d{1,2})(?:分(?!钟))?)?)"
_MOMENT = re.compile(rf"(?<![\d.])({_DAY})?\s*的?\s*({_HALF})?\s*(?<![\d.a-z])(?<![a-z]-){_CLOCK}(?!\d)")
_TO = re.compile(r"[到至]\s*$")
_THROUGH = re.compile(r"[到至~-]\s*$")
_HOURS = re.compile(
    r"(?<![\d.])(?:(\d{1,3}(?:\.\d+)?)\s*(个半)\s*(?:小时|钟头)?"
    r"|(\d{1,3}(?:\.\d+)?|半)\s*个?\s*(?:小时|钟头)(?:(半)|(\d{1,2})\s*分钟?)?"
    r"|(\d{1,3})\s*分钟|(\d)\s*刻钟)"
)
_DAYS = re.compile(r"(?<![\d.])(\d{1,2})\s*(?:整)?天(?!内)")
_NOW = ("现在", "马上", "立即", "立刻", "这就")
_SHIFT = re.compile(r"(推迟|延后|往后推|往后延|提前|往前提|[晚早](?=\s*(?:半|\d)))")
_OVER = re.compile(r"昨天|昨晚|前天|上周|刚才")
_WHOLE_DAYS = {"今": 0, "明": 1, "后": 2, "大": 3}
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天]|[1-7](?!\d))")
_WEEK = {c: n for n, c in enumerate("一二三四五六日")} | {"天": 6} | {str(n): n - 1 for n in range(1, 8)}
_NIGHT = ("晚上", "晚", "夜里", "半夜")
_WORDS_OF_TIME = re.compile(r"现在|马上|立即|立刻|这就|开始|动工|开工|干|作业|时间|改|换|到|至|从|吧|一下")
MOST_BESIDE = 3  # characters of Chinese
LATEST_GUESS = 20
"""Nobody who says «九点» in the afternoon is taken at his word for a job by night: he is asked."""
_RAW_CLOCK = rf"(?:\d{{1,2}}[:：]\d{{2}}|(?:\d{{1,2}}|{_NUMERAL}{{1,3}})[点时](?:半|[一三]刻|\d{{1,2}}分?)?)"
LEADING = re.compile(
    rf"^(?:今天|今日|今早|今晚|明天|明日|明早|明晚|大后天|后天|(?:下下?个?|这个?|本)?(?:周|星期|礼拜)[一二三四五六日天]|\d{{1,2}}月\d{{1,2}}[日号]"
    rf"|\d{{1,2}}[日号](?=\s*(?:{_HALF})?\s*{_RAW_CLOCK})|{_HALF}|现在|马上|立刻|{_RAW_CLOCK}"
    rf"|干?(?:[\d.]+|{_NUMERAL}{{1,3}}|半)个?半?(?:个?小时|钟头)半?|干?\d+分钟|到|至|[-—~～]|起|开始|干(?=$)|\s)+"
)
"""The words at the beginning of a sentence that only say when."""


@dataclass(frozen=True, slots=True)
class SaidTime:
    """When work is to begin and, when it was said, end; aware times.

    `only_length`: nothing was said of the beginning («干3小时»), which is then now.
    """

    start: datetime
    end: datetime | None
    only_length: bool = False


@dataclass(frozen=True, slots=True)
class _Moment:
    begins: int
    ends: int
    day: str
    half: str
    hour: int
    minute: int
    two_digits: bool

    @property
    def may_be_evening(self) -> bool:
        """«五点» is either; «05:00», «9点» (21 is night) and what names its part of the day are not."""
        return not self.half and not self.two_digits and 0 < self.hour < LATEST_GUESS - 12


def said_time(text: str, *, now: datetime, zone: ZoneInfo) -> SaidTime | None:
    """None when no time was said, or one that there is not («25:70», «2月30日9点»)."""
    plain = _plain(text)
    local = now.astimezone(zone)
    moments = _moments(plain)
    if moments is None or _OVER.search(plain):
        return None
    length = said_length(plain)
    ending = next((n for n, one in enumerate(moments) if (_THROUGH if n else _TO).search(plain[: one.begins])), None)
    begin = moments[0] if moments and ending != 0 else None
    until = moments[ending] if ending is not None else None
    if begin is None:
        return _from_now(plain, local, until, length)
    start = _at(local, begin)
    if start is None:
        return None
    end = _end(start, until, local) if until is not None else start + length if length else None
    if begin.may_be_evening and start.date() == local.date() and (end or start + USUAL) <= local:
        start += timedelta(hours=12)
        end = _end(start, until, local) if until is not None else start + length if length else None
    return SaidTime(start, end)


def said_shift(text: str) -> timedelta | None:
    """«推迟一小时», «提前半小时»: how much later (earlier: negative) the same work is to be; None when nothing of it."""
    plain = _plain(text)
    word, length = _SHIFT.search(plain), said_length(plain)
    if word is None or length is None or _moments(plain):
        return None
    return -length if word.group(1) in ("提前", "往前提", "早") else length


def only_time(text: str) -> bool:
    """Whether a sentence says hardly more than a time («改到明天9点», «等会儿5点开始»), no news of the plant («现在护栏松了»)."""
    plain = _plain(text)
    for said in (_MOMENT, _HOURS, _DAYS, _SHIFT, _WORDS_OF_TIME):
        plain = said.sub("", plain)
    return len(re.findall(r"[一-鿿]", plain)) <= MOST_BESIDE


def said_length(plain: str) -> timedelta | None:
    """«一个半小时», «2小时30分钟», «40分钟», «3天»; None when none was said, or one of no sense."""
    found = _HOURS.search(plain)
    if found is not None:
        halves, _, hours, half, minutes, only_minutes, quarters = found.groups()
        if halves:
            length = timedelta(hours=float(halves) + 0.5)
        elif hours:
            length = timedelta(hours=0.5 if hours == "半" else float(hours))
            length += timedelta(minutes=30 if half else int(minutes or 0))
        else:
            length = timedelta(minutes=int(only_minutes) if only_minutes else int(quarters) * 15)
        return length if timedelta(0) < length <= LONGEST else None
    days = _DAYS.search(plain)
    length = timedelta(days=int(days.group(1))) if days is not None else timedelta(0)
    return length if timedelta(0) < length <= LONGEST else None


def plain_words(text: str) -> str:
    """The words with clocks and lengths as digits, for whoever looks for other times than those of work."""
    return _plain(text)


def clocks(plain: str) -> list[re.Match[str]]:
    """Every «[day] [part of the day] clock» of plain words."""
    return list(_MOMENT.finditer(plain))


def moments_at(local: datetime, match: re.Match[str]) -> list[datetime]:
    """What a clock of `clocks` may mean on that day; [] for a time that there is not."""
    found = _moments(match.group())
    first = _at(local, found[0]) if found else None
    if not found or first is None:
        return []
    either = not found[0].half and not found[0].two_digits and 0 < found[0].hour < 12
    return [first, first + timedelta(hours=12)] if either else [first]


def _plain(text: str) -> str:
    """Half-width, spoken hours and lengths as digits, «2到4点» with both clocks, without «改到»."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("〜", "~").replace("—", "-")
    plain = _WEEKDAY.sub(lambda m: f"周{_WEEK[m.group(1)] + 1} ", plain)  # «星期三十点» is ten on Wednesday
    plain = _DIGITS_BEFORE.sub(lambda m: _digits(m.group()), plain)
    return _BOTH_OF.sub(r"\1点", _CHANGED_TO.sub("", plain))


def _digits(spoken: str) -> str:
    value = chinese_number(spoken)
    return spoken if value is None else f"{value:g}"


def _moments(plain: str) -> list[_Moment] | None:
    """The clock times in their order; None when one of them does not exist."""
    found = []
    for match in _MOMENT.finditer(plain):
        day, half, hour, thirty, quarter, minute = match.groups()
        minutes = 30 if thirty else int(quarter) * 15 if quarter else int(minute or 0)
        if int(hour) > 24 or minutes > 59:
            return None
        found.append(_Moment(match.start(), match.end(), day or "", half or "", int(hour), minutes, hour[0] == "0"))
    return found


def _from_now(plain: str, local: datetime, until: _Moment | None, length: timedelta | None) -> SaidTime | None:
    """«现在», «现在干到六点», «3小时»."""
    said_now = any(word in plain for word in _NOW)
    if until is not None:
        return SaidTime(local, _end(local, until, local))
    if said_now:
        return SaidTime(local, local + length if length else None)
    if length is None or re.search(rf"[一-鿿]{{6,}}|{_DAY}", _HOURS.sub("", plain)):
        return None  # a job of so many hours, or a day without its hour
    return SaidTime(local, local + length, only_length=True)


def _at(local: datetime, moment: _Moment) -> datetime | None:
    day = _date(local, moment)
    if day is None:
        return None
    hour = moment.hour
    night = moment.half in _NIGHT or moment.day in ("今晚", "明晚")
    if night and hour == 12:
        hour = 24
    elif night and hour < 5:
        hour += 24 if moment.day or (hour, moment.minute) <= (local.hour, local.minute) else 0
    elif ((night or moment.half in ("下午", "傍晚")) and hour < 12) or (moment.half == "中午" and hour < 11):
        hour += 12
    elif moment.half == "凌晨" and hour == 12:
        hour = 0
    day += timedelta(days=hour // 24)
    return datetime(day.year, day.month, day.day, hour % 24, moment.minute, tzinfo=local.tzinfo)


def _date(local: datetime, moment: _Moment) -> date | None:
    """The day that was named, today when none was; of a month or a weekday the next one that is not over."""
    today, said = local.date(), moment.day
    if not said:
        return today
    if said[0] in _WHOLE_DAYS and "周" not in said:
        return today + timedelta(days=_WHOLE_DAYS[said[0]])
    if week := re.fullmatch(r"(下下?|这|本)?个?周(.)", said):
        weeks, wanted = len(week.group(1) or "") if (week.group(1) or "").startswith("下") else 0, _WEEK[week.group(2)]
        day = today + timedelta(days=wanted - today.weekday() + 7 * weeks)
        return day + timedelta(days=7) if not week.group(1) and day < today else day
    numbers = [int(n) for n in re.findall(r"\d+", said)]
    try:
        if len(numbers) == 1:
            day = today.replace(day=numbers[0])
            return day if day >= today else _next_month(day)
        day = today.replace(month=numbers[0], day=numbers[1])
        return day if (today - day).days < 183 else day.replace(year=day.year + 1)
    except ValueError:  # 30 February, or 29 of one that has 28 days
        return None


def _next_month(day: date) -> date:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


def _end(start: datetime, until: _Moment, local: datetime) -> datetime | None:
    """The end by its own words, else the first such time after the beginning; None when it lies before."""
    if until.day:
        end = _at(local, until)
        return end if end is not None and end > start else None
    first = _at(start, until)
    if first is None:
        return None
    half_day = [timedelta(hours=12)] if not until.half and until.hour <= 12 and not until.two_digits else []
    later = [timedelta(0), *half_day, timedelta(days=1)]
    return next((first + step for step in later if first + step > start), None)
