"""The register of risks in chat: «风险» for the plant, «风险 甲醇罐区» for one area."""

from __future__ import annotations

import re

from bot.flow import Expect, Flow, said
from bot.message import Kind
from bot.turn import Turn
from cards.words import short
from handlers.hazard import place
from handlers.hazard.report import looks_like_hazard
from rules.lec import RiskLevel
from storage.models import Risk

AREA = re.compile(
    r"^\s*(?:(?:风险清单|风险)[\s:：]+(?P<after>\S{1,24})|(?P<before>\S{2,24}?)(?:的)?风险清单"
    r"|(?P<asked>\S{2,24}?)(?:都)?有(?:什么|哪些)风险点?[?？]?)\s*$"
)
SHOWN = 8
NO_REGISTER = "还没有导入风险评价表,请安全员用 flask import-risks 导入《危险源辨识与风险评价表》。"


def plant(turn: Turn) -> None:
    """How many risks of each colour the plant has, and the worst of them."""
    _answer(turn, "全厂", None)


def of_area(turn: Turn) -> None:
    """The risks of one area, the most serious first."""
    wanted = _wanted(turn)
    area = place.area_named(turn.work, wanted)
    if area is None:
        names = "、".join(a.name for a in turn.work.plant.areas())
        turn.say(
            f"没有找到区域“{wanted[:16]}”,可以问:{names or '(还没有导入区域)'}。例如“风险 {names.split('、')[0]}”。"
        )
        return
    _answer(turn, area.name, area.id)


def _wanted(turn: Turn) -> str:
    match = AREA.match(turn.text)
    return (match.group("after") or match.group("before") or match.group("asked")) if match else ""


def asks(turn: Turn) -> bool:
    """«风险 3号泵房» and «3号泵房有什么风险» ask for the register; «风险:3号泵房漏油» is a report."""
    match = AREA.match(turn.text)
    if match is not None and match.group("asked"):
        return place.area_named(turn.work, turn.text) is not None
    return turn.work.plant.area_called(_wanted(turn)) is not None or not looks_like_hazard(turn)


def _answer(turn: Turn, title: str, area_id: int | None) -> None:
    counts = turn.work.risks.counts(area_id=area_id)
    if not counts:
        known = area_id is not None and turn.work.risks.counts()
        turn.say(f"{title}在风险评价表里还没有登记。发“风险”看全厂的。" if known else NO_REGISTER)
        return
    head = "、".join(f"{level.zh}{counts[level.value]}" for level in RiskLevel if level.value in counts)
    lines = [_line(risk, with_place=area_id is None) for risk in turn.work.risks.worst(area_id=area_id, limit=SHOWN)]
    total = sum(counts.values())
    more = f"\n共{total}条,先列最重的{SHOWN}条" + ("。" if area_id is not None else ";发“风险 区域名”看一个区域的。")
    turn.say(f"{title}风险:{head}\n" + "\n".join(lines) + (more if total > SHOWN else ""))


def _line(risk: Risk, *, with_place: bool) -> str:
    where = risk.area.name if risk.area is not None else risk.place
    parts = [where if with_place else "", risk.activity, short(risk.hazard, 40)]
    who = risk.owner_name or risk.unit
    tail = [f"D={risk.score:g}" if risk.score is not None else "", f"责任:{who}" if who else "没有责任人"]
    tail += ["⚠待核对"] if risk.to_check else []
    return f"· {RiskLevel(risk.colour).zh} {'/'.join(part for part in parts if part)}({' '.join(t for t in tail if t)})"


flow = Flow(
    name="risk",
    starts=[
        said(("风险", "风险清单", "全厂风险", "风险评价表"), plant),
        Expect(Kind.TEXT, of_area, pattern=AREA, fits=asks),
    ],
)
