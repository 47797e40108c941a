"""What the plant's own meters say now: «GT-301现在多少», «甲醇罐区可燃气体高不高», «现在几级风».

An answer is no gas test: who enters or makes fire there needs his own (GB 30871-2022 5.3, 6.3).
"""

from __future__ import annotations

import re

from bot.flow import Expect, Flow, like
from bot.message import Kind
from bot.turn import Turn
from cards.words import clock_time
from handlers.hazard import place
from handlers.permit import surroundings, tables
from handlers.permit.actions import gas_zh
from rules.permit.wind import beaufort
from storage.models import Detector

SHOWN = 12
_STOPPED = (("HW-C12", "露天动火"), ("WH-002", "高处作业"), ("LF-004", "吊装"))
_NO_TEST = "\n探测器读数不代替作业前的气体分析。"
_CODE = re.compile(r"[A-Za-z]{1,6}[-–— ]?\d{1,6}[A-Za-z]?")
_HOW_MUCH = r"(?:读数|浓度|数值|含量|多少|是多少|高不高|高吗|正常吗|正常不|怎么样|咋样|超标了?吗|超没超|超了?吗|超不超|几个?[lL][eE][lL])"
ONE = rf"^(?:查|看)?(?:一下)?[A-Za-z]{{1,6}}[-–— ]?\d{{1,6}}[A-Za-z]?(?:号)?(?:气体)?(?:探测器|探头|仪表|表)?(?:现在|当前|目前|的|是)*(?:{_HOW_MUCH})+[?？]?$"
BARE = r"\A[A-Za-z]{1,6}[-–— ]?\d{1,6}[A-Za-z]?\Z"
"""Nothing but a code: no command (\\A, not ^), for to «用哪台检测仪?» it is the answer."""
THERE = rf"(?:可燃|有毒|硫化氢|一氧化碳|氨|氯|氧|气体)(?:气体?|含量|浓度|探测器|探头)*(?:现在|目前|的|是|有)*{_HOW_MUCH}+[?？]?$|^\S{{2,12}}(?:气体|探测器|探头)(?:的)?(?:读数|浓度|情况)[?？]?$"
WIND = r"^(?:现在|外面|今天|目前)*(?:的)?(?:几级风|风力(?:多少|几级|多大)?|风速(?:多少|多大)?|风(?:有)?多大|风大(?:不大|吗))[?？]?$"


def one(turn: Turn) -> None:
    found = _named(turn)
    if found is not None:
        turn.say(_line(turn, found) + _NO_TEST)


def there(turn: Turn) -> None:
    """All meters of an area, those over a limit first."""
    area = place.area_named(turn.work, turn.text)
    assert area is not None  # `_in_an_area` looked
    found = sorted(
        (d for d in turn.work.readings.of_area(area.id) if d.kind != "wind"), key=lambda d: not _is_danger(turn, d)
    )
    if not found:
        turn.say(f"{area.name}没有登记气体探测器,请用便携仪测。")
        return
    turn.say(f"{area.name}的气体探测器:\n" + "\n".join(_line(turn, d) for d in found[:SHOWN]) + _NO_TEST)


def wind(turn: Turn) -> None:
    found, until = surroundings.weather(turn.work, turn.at)
    force = found.get("wind_force")
    if force is None:
        turn.say("没有接风速仪或天气服务,现在的风力不清楚。现场看风向标,拿不准就不上高、不吊装。")
        return
    fresh = f"(到{clock_time(until)}有效)" if until is not None else ""
    table = tables.rules_of(turn.work).table
    stops = "、".join(
        f"{what}{table.param(f'{rule}.ban_force'):g}级起停({table.by_id[rule].clause})" for rule, what in _STOPPED
    )
    turn.say(f"现在风力{force}级{fresh}。{stops}。")


def _named(turn: Turn) -> Detector | None:
    match = _CODE.search(turn.text)
    if match is None:
        return None
    plain = re.sub(r"[-–— ]", "", match.group()).upper()
    return next(iter(turn.work.readings.by_codes(_spellings(plain)).values()), None)


def _spellings(plain: str) -> list[str]:
    """«GT301», «gt-301»: with and without the line between letters and digits."""
    split = re.match(r"([A-Z]+)(\d+[A-Z]?)$", plain)
    return [plain, f"{split.group(1)}-{split.group(2)}"] if split else [plain]


def _line(turn: Turn, meter: Detector) -> str:
    silent, why = surroundings.silence(meter, turn.at)
    name = f"{meter.code}{f' {meter.name}' if meter.name else ''}"
    if silent or meter.last_value is None or meter.last_at is None:
        return f"· {name}:现在没有可用读数({';'.join(why) or '没有读数'})"
    what = "风速" if meter.kind == "wind" else meter.medium if meter.kind == "toxic" else gas_zh(meter.kind)
    force = f"({beaufort(meter.last_value)}级)" if meter.kind == "wind" and meter.unit == "m/s" else ""
    over = " ⚠超限" if _is_danger(turn, meter) else ""
    return f"· {name}:{what}{meter.last_value:g}{meter.unit}{force}({clock_time(meter.last_at)}){over}"


def _is_danger(turn: Turn, meter: Detector) -> bool:
    silent, _ = surroundings.silence(meter, turn.at)
    return not silent and meter.last_value is not None and surroundings.is_danger(meter, meter.last_value)


def _is_meter(turn: Turn) -> bool:
    return _named(turn) is not None


def _in_an_area(turn: Turn) -> bool:
    return place.area_named(turn.work, turn.text) is not None


flow = Flow(
    name="meters",
    starts=[
        Expect(Kind.TEXT, one, pattern=re.compile(ONE), fits=_is_meter),
        Expect(Kind.TEXT, one, pattern=re.compile(BARE), fits=_is_meter),
        Expect(Kind.TEXT, there, pattern=re.compile(THERE), fits=_in_an_area),
        like(WIND, wind),
    ],
)
