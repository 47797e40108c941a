"""Plans and ladders in Chinese: on the case, on the policy page, and what a new version changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.escalation.model import CHANNELS, LADDERS, MISSING, PEOPLE, Hours, Notice, Plan, PolicyError, Step
from rules.escalation.reading import CATEGORIES, GRADES, read_plan, read_when

FROM = {"confirm": "派单", "stale": "再次询问", "rectify": "期限", "accept": "验收期限"}


def span_zh(minutes: float) -> str:
    """«2小时», «1天12小时», «45分钟»."""
    whole = int(abs(minutes))
    days, hours, rest = whole // 1440, whole % 1440 // 60, whole % 60
    parts = [f"{days}天" if days else "", f"{hours}小时" if hours else "", f"{rest}分钟" if rest or not whole else ""]
    return "".join(parts)


def person_zh(to: str) -> str:
    return "没有确认的人" if to == MISSING else PEOPLE.get(to, to)


def notice_zh(notice: Notice, hours: Hours) -> str:
    """«分管领导(短信)»."""
    by = "" if notice.channels == ("app",) else f"({'、'.join(CHANNELS[c] for c in notice.channels)})"
    when = f"[{'、'.join(hours.zh(word) for word in notice.time)}]" if notice.time else ""
    return person_zh(notice.to) + by + when


def step_zh(ladder: str, step: Step, hours: Hours) -> str:
    """«2小时→责任人(短信)»; before a deadline «前1天→责任人»."""
    minutes = step.after_minutes
    when = "当时" if minutes == 0 else span_zh(minutes) if minutes > 0 else f"前{span_zh(minutes)}"
    who = "、".join(notice_zh(n, hours) for n in step.notices) or "(没有安排人)"
    return f"{when}→{who}"


def ladder_zh(plan: Plan, name: str) -> str:
    """«2小时→责任人,4小时→安全员»; "" when the ladder has no step."""
    return ",".join(step_zh(name, step, plan.hours) for step in plan.ladders[name])


WHEN_NOBODY = {"confirm": "没人确认时", "stale": "确认后没动作时", "rectify": "没改完时", "accept": "没人验收时"}


def reminders_zh(plan: Plan, name: str, *, owner: str) -> str:
    """The ladder as a worker reads it: «没人确认时:2小时后催陈刚,4小时后告知安全员»; "" when it has no step.

    Every time counts from what the worker saw happen (dispatch, confirmation, deadline, submission). `owner` is the
    name of who is responsible. In a step that others hear of, the owner goes without saying.
    """
    steps = [_reminder_zh(plan, name, step, owner) for step in plan.ladders[name] if step.notices]
    return f"{WHEN_NOBODY[name]}:{','.join(steps)}" if steps else ""


def _reminder_zh(plan: Plan, name: str, step: Step, owner: str) -> str:
    """«2小时后催陈刚», «到期前1天提醒陈刚», «过期1天告知分管领导»."""
    waited = {"stale": plan.stale_minutes, "accept": plan.accept_hours * 60}.get(name, 0)
    minutes = step.after_minutes + waited
    if name == "rectify":
        when = "到期时" if minutes == 0 else f"过期{span_zh(minutes)}" if minutes > 0 else f"到期前{span_zh(minutes)}"
    else:
        when = f"{span_zh(minutes)}后" if minutes > 0 else "马上"
    names = {"owner": owner, "acceptor": PEOPLE["acceptor"]}
    others = [n for n in step.notices if n.to not in names]
    told = others or step.notices
    who = "、".join(dict.fromkeys(_whom_zh(n, plan.hours, names.get(n.to, "")) for n in told))
    return when + ("告知" if others else "提醒" if minutes < 0 else "催") + who


def _whom_zh(notice: Notice, hours: Hours, name: str) -> str:
    """«安全员», «值班领导(夜班)»."""
    when = f"({'、'.join(hours.zh(word) for word in notice.time)})" if notice.time else ""
    return (name or person_zh(notice.to)) + when


def when_zh(entry: Mapping[str, Any], hours: Hours, areas: Mapping[str, str]) -> str:
    """«二级(橙) · 甲醇罐区 · 20:00-08:00»."""
    when = read_when(entry, "plan", hours)
    words = [
        "、".join(GRADES[g] for g in when["grade"]) if "grade" in when else "所有等级",
        "、".join(areas.get(code, code) for code in when.get("area", ())),
        "、".join(CATEGORIES[c] for c in when.get("category", ())),
        "、".join(hours.zh(word) for word in when.get("time", ())),
    ]
    return " · ".join(word for word in words if word)


def plan_lines(plan: Plan) -> list[tuple[str, str]]:
    """(name, value) of everything a plan says."""
    first = "、".join(notice_zh(n, plan.hours) for n in plan.first) or "(没有安排人)"
    stale = f"{span_zh(plan.stale_minutes)}没有动作再问一次" if plan.stale_minutes else "不再询问"
    lines = [
        ("责任人", person_zh(plan.owner)),
        ("验收人", person_zh(plan.acceptor)),
        ("首次通知", first),
        ("确认时限", span_zh(plan.confirm_minutes)),
        ("整改时限", span_zh(plan.rectify_hours * 60)),
        ("验收时限", span_zh(plan.accept_hours * 60)),
        ("确认之后", stale),
        ("低等级等上班", f"是({plan.hours.working})" if plan.waits_for_working_hours else "否"),
    ]
    return lines + [(f"{LADDERS[name]}阶梯", ladder_zh(plan, name) or "—") for name in LADDERS]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What the new plan says otherwise than the one a case carries, a line each; [] when nothing.

    The first notices are left out: they were sent when the case was dispatched.
    """
    try:
        before = dict(plan_lines(read_plan(old)))
    except PolicyError:
        before = {}  # a plan of a version this program does not know any more: all of it is new
    after = dict(plan_lines(read_plan(new)))
    return [
        f"{name}:{before.get(name, '—')} ⇒ {value}"
        for name, value in after.items()
        if before.get(name) != value and name != "首次通知"
    ]
