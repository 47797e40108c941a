"""Budgets in chat: «额度» says how the month stands, «节约模式 开/关/自动» switches frugal mode (admins)."""

from __future__ import annotations

import re
from typing import Any

from bot.flow import Flow, like, said
from bot.turn import Turn
from cards import deliveries as words
from cards.words import duration, local
from handlers import frugal
from rules.terms import Role
from storage.models import Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

SWITCH = re.compile(r"^\s*节约模式\s*(开启?|打开|关闭?|关掉|自动)?\s*$")
WANTED = {"开": "on", "开启": "on", "打开": "on", "关": "off", "关闭": "off", "关掉": "off", "自动": "auto"}
NOT_YOURS = "额度和投递情况只给管理员和安全员看。"


def may_see(person: Person) -> bool:
    return has_role(person, Role.ADMIN) or any(g.role == Role.SAFETY_OFFICER.value for g in person.roles)


def may_switch(person: Person) -> bool:
    return has_role(person, Role.ADMIN)


def show(turn: Turn) -> None:
    """How the budgets stand, whether frugal mode is on, what waits and why."""
    if not may_see(turn.person):
        turn.say(NOT_YOURS)
        return
    lines = [*budget_lines(turn.work), *waiting_lines(turn.work)]
    turn.say("\n".join([*lines, "打开“待办”页面最下面的“额度和投递”看明细。"]))


def budget_lines(work: UnitOfWork) -> list[str]:
    platforms: dict[str, Any] = work.budgets.note(frugal.SNAPSHOT).get("platforms", {})
    if not platforms:
        return ["还没有额度数据:调度进程启动一分钟后才有。"]
    on = frugal.active(work)
    lines = []
    for name, platform in platforms.items():
        for found in platform["budgets"]:
            period = "本月" if found["period"] == "month" else "今天"
            end = f",⚠预计{found['runs_out_on'][5:]}用完" if found["runs_out"] and found["runs_out_on"] else ""
            lines.append(
                f"{platform['title']} {found['title']}:{period}{found['used']}/{found['limit']},"
                f"照此约{found['expected']}{end}"
            )
        lines.append(f"{platform['title']} 节约模式:{'开' if name in on else '关'}")
    return lines


def waiting_lines(work: UnitOfWork) -> list[str]:
    groups = work.outbox.waiting_groups(work.at)
    if not groups:
        return ["没有排队的消息。"]
    return [
        f"排队:{words.PLATFORM_ZH.get(g.platform, g.platform)} {g.how_many}条"
        f"{'(一级、二级)' if g.urgent else ''},{words.waits_zh(g.reason)},最早{local(g.oldest)}起"
        f"(已等{duration((work.at - g.oldest).total_seconds())})"
        for g in groups[:8]
    ]


def switch(turn: Turn) -> None:
    match = SWITCH.match(turn.text)
    wanted = WANTED.get((match.group(1) or "") if match else "")
    if wanted is None:
        how = frugal.MODES[frugal.mode(turn.work)]
        turn.say(f"节约模式现在是“{how}”。说“节约模式 开”“节约模式 关”或“节约模式 自动”。")
        return
    if not may_switch(turn.person):
        turn.say("节约模式由管理员切换,请找管理员。")
        return
    turn.say(switched(turn.work, wanted, by=turn.person))


def switched(work: UnitOfWork, wanted: str, *, by: Person | None) -> str:
    """Switch and say what is so now."""
    on = frugal.choose(work, wanted, by=by)
    platforms: dict[str, Any] = work.budgets.note(frugal.SNAPSHOT).get("platforms", {})
    names = "、".join(platforms[name]["title"] for name in on if name in platforms)
    now = f"现在开着:{names}" if names else "现在没有平台在节约"
    return f"节约模式已设为“{frugal.MODES[wanted]}”,{now}。一级、二级隐患任何时候都照常单独通知。"


flow = Flow(
    name="budgets",
    starts=[said(("额度", "用量", "平台额度", "额度和投递"), show), like(r"^\s*节约模式", switch)],
)
