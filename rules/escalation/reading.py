"""Policies from their stored form (JSON). Whatever is wrong is said in Chinese with the place it stands at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from rules.escalation.model import (
    CHANNELS,
    LADDERS,
    MISSING,
    OFF,
    PEOPLE,
    ROLES,
    ROLL_CALLS,
    WORKING,
    Hours,
    Notice,
    Plan,
    PolicyError,
    Span,
    Step,
    read_span,
)
from rules.lexicon import Category
from rules.terms import Grade

PLAN_KEYS = "name when owner acceptor first confirm_minutes rectify_hours accept_hours stale_minutes waits_for_working_hours ladders"
POLICY_KEYS = "plans shifts working_hours roll_calls evacuate gas_alarm permit note"
MAX_MINUTES = 60 * 24 * 60
MAX_STEPS = 20
GRADES = {grade.value: grade.zh for grade in Grade}
CATEGORIES = {category.value: category.zh for category in Category}


def _fail(where: str, words: str) -> PolicyError:
    return PolicyError(f"{where}:{words}")


def _likely(word: object, known: Collection[str]) -> str:
    found = get_close_matches(str(word), list(known), n=1)
    return f",是不是 {found[0]}?" if found else f",可填:{'、'.join(known)}"


def record(value: Any, where: str, known: str = "") -> Mapping[str, Any]:
    """An object, with no other keys than these when they are given. Raises PolicyError."""
    if not isinstance(value, Mapping):
        raise _fail(where, "应是一个对象 {…}")
    names = known.split()
    for key in value:
        if names and key not in names:
            raise _fail(f"{where}.{key}", "不认识这个键" + _likely(key, names))
    return value


def rows(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise _fail(where, "应是一个列表 […]")
    return value


def number(
    entry: Mapping[str, Any], name: str, where: str, *, least: float, whole: bool, default: float | None = None
) -> float:
    value = entry.get(name, default)
    if value is None:
        raise _fail(where, f"缺少 {name}")
    good = isinstance(value, int) if whole else isinstance(value, (int, float))
    if isinstance(value, bool) or not good or not value == value:
        raise _fail(f"{where}.{name}", f"“{str(value)[:20]}”应是{'整数' if whole else '数字'}")
    if not least <= value <= MAX_MINUTES:
        raise _fail(f"{where}.{name}", f"{value} 超出范围,应在 {least:g} 到 {MAX_MINUTES} 之间")
    return float(value)


def one_of(value: Any, where: str, known: Mapping[str, str], what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise _fail(where, f"“{str(value)[:20]}”不是{what}" + _likely(value, known))
    return value


def some_of(value: Any, where: str, known: Mapping[str, str], what: str) -> tuple[str, ...]:
    """One word or a list of them, as a tuple without repeats."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise _fail(where, f"是空的,至少写一个{what}")
    return tuple(dict.fromkeys(one_of(word, f"{where}[{n}]", known, what) for n, word in enumerate(found)))


# -- time of day


def read_hours(policy: Mapping[str, Any], where: str = "") -> Hours:
    """The working hours and shifts of a policy (or of a plan that was copied onto a case)."""
    shifts = policy.get("shifts", {})
    if not isinstance(shifts, Mapping):
        raise _fail(f"{where}shifts", "应是 {班次名: 时段},例如 {“夜班”: “20:00-08:00”}")
    named = {str(name): _span(span, f"{where}shifts.{name}") for name, span in shifts.items()}
    for name in named:
        if name in (WORKING, OFF) or not name.strip():
            raise _fail(f"{where}shifts.{name}", "这个名字不能当班次名")
    hours = Hours(shifts=named)
    if "working_hours" in policy:
        hours = Hours(_span(policy["working_hours"], f"{where}working_hours"), named)
        if hours.working.start >= hours.working.end:
            raise _fail(f"{where}working_hours", "上班时间不能跨过零点")
    return hours


def _span(value: Any, where: str) -> Span:
    try:
        return read_span(value)
    except PolicyError as problem:
        raise _fail(where, str(problem)) from None


def times(value: Any, where: str, hours: Hours) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    if not found:
        raise _fail(where, "是空的;不限时段就不要写 time")
    for n, word in enumerate(found):
        if word in (WORKING, OFF) or word in hours.shifts:
            continue
        try:
            read_span(word)
        except PolicyError:
            named = "、".join(hours.shifts) or "(没有定义班次)"
            raise _fail(
                f"{where}[{n}]",
                f"“{str(word)[:20]}”不是时段,可写 20:00-08:00、working(上班时间)、off(非上班时间)或班次名 {named}",
            ) from None
    return tuple(str(word) for word in found)


# -- plans


def read_plan(entry: Mapping[str, Any], where: str = "plan") -> Plan:
    """A plan from its stored form, also from the copy on a case. Raises PolicyError naming the first thing wrong.

    Keys it does not know are left alone: an older program reads what a newer one stored.
    """
    entry = record(entry, where)
    hours = read_hours(entry, f"{where}.")
    ladders = record(entry.get("ladders", {}), f"{where}.ladders", " ".join(LADDERS))
    for name in ("owner", "acceptor", "first"):
        if name not in entry:
            raise _fail(where, f"缺少 {name}")
    waits = entry.get("waits_for_working_hours", False)
    if not isinstance(waits, bool):
        raise _fail(f"{where}.waits_for_working_hours", "应是 true 或 false")
    return Plan(
        owner=one_of(entry["owner"], f"{where}.owner", ROLES, "角色"),
        acceptor=one_of(entry["acceptor"], f"{where}.acceptor", ROLES, "角色"),
        first=read_notices(entry["first"], f"{where}.first", hours),
        confirm_minutes=int(number(entry, "confirm_minutes", where, least=1, whole=True)),
        rectify_hours=number(entry, "rectify_hours", where, least=0.1, whole=False),
        accept_hours=number(entry, "accept_hours", where, least=0.1, whole=False),
        stale_minutes=int(number(entry, "stale_minutes", where, least=0, whole=True, default=0)),
        waits_for_working_hours=waits,
        ladders={
            name: read_steps(ladders.get(name, []), f"{where}.ladders.{name}", hours, before=name == "rectify")
            for name in LADDERS
        },
        hours=hours,
    )


def read_steps(
    value: Any, where: str, hours: Hours, *, before: bool = False, to: Mapping[str, str] = PEOPLE
) -> tuple[Step, ...]:
    """Steps, each later than the one before it; `before`: they may lie before the deadline."""
    found: list[Step] = []
    least = -MAX_MINUTES if before else 0
    for n, row in enumerate(rows(value, where)):
        at = f"{where}[{n}]"
        row = record(row, at, "after_minutes notices")
        minutes = int(number(row, "after_minutes", at, least=least, whole=True))
        if found and minutes <= found[-1].after_minutes:
            raise _fail(f"{at}.after_minutes", f"{minutes} 应大于上一级的 {found[-1].after_minutes}")
        found.append(Step(minutes, read_notices(row.get("notices", []), f"{at}.notices", hours, to=to)))
    if len(found) > MAX_STEPS:
        raise _fail(where, f"有{len(found)}级,最多{MAX_STEPS}级")
    return tuple(found)


def read_notices(value: Any, where: str, hours: Hours, *, to: Mapping[str, str] = PEOPLE) -> tuple[Notice, ...]:
    return tuple(_notice(row, f"{where}[{n}]", hours, to) for n, row in enumerate(rows(value, where)))


def _notice(value: Any, where: str, hours: Hours, to: Mapping[str, str]) -> Notice:
    value = record(value, where, "to channels time")
    for name in ("to", "channels"):
        if name not in value:
            raise _fail(where, f"缺少 {name}")
    return Notice(
        one_of(value["to"], f"{where}.to", to, "通知对象"),
        some_of(value["channels"], f"{where}.channels", CHANNELS, "通道"),
        times(value["time"], f"{where}.time", hours) if "time" in value else (),
    )


def read_roll_calls(policy: Mapping[str, Any], default: Mapping[str, Any], hours: Hours) -> dict[str, tuple[Step, ...]]:
    """The ladder of each kind of roll call; what the policy does not name is the default's."""
    given = record(policy.get("roll_calls", {}), "roll_calls", " ".join(ROLL_CALLS))
    to = {MISSING: "没有确认的人", **ROLES}
    return {kind: read_steps(given.get(kind, default[kind]), f"roll_calls.{kind}", hours, to=to) for kind in ROLL_CALLS}


# -- a whole policy, before it is published


def problems_of(policy: Any, default: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a policy, in words; empty when it can be published."""
    found: list[str] = []

    def attempt(step: Callable[[], object]) -> Any:
        try:
            return step()
        except PolicyError as problem:
            found.extend(problem.problems)
            return None

    if attempt(lambda: record(policy, "策略", POLICY_KEYS)) is None:
        return found
    hours = attempt(lambda: read_hours(policy)) or Hours()
    plans = attempt(lambda: rows(policy.get("plans"), "plans"))
    attempt(lambda: read_roll_calls(policy, default["roll_calls"], hours))
    attempt(lambda: _evacuate(policy))
    attempt(lambda: _gas_alarm(policy))
    whens: list[Mapping[str, tuple[str, ...]]] = []
    for n, entry in enumerate(plans or ()):
        where = f"plans[{n}]"
        shared = {name: policy[name] for name in ("shifts", "working_hours") if name in policy}
        attempt(lambda e=entry, w=where, s=shared: _checked_plan(e, w, s, hours))  # type: ignore[misc]
        when = attempt(lambda e=entry, w=where: read_when(e, w, hours))  # type: ignore[misc]
        if when is None:
            continue
        hidden_by = next((k for k, earlier in enumerate(whens) if _covers(earlier, when)), None)
        if hidden_by is not None:
            found.append(f"{where}:永远轮不到,前面的 plans[{hidden_by}] 条件更宽;请把条件细的写在前面")
        whens.append(when)
    found += [
        f"plans:没有{GRADES[grade]}的兜底方案(when 里只写 grade、不带其他条件)"
        for grade in GRADES
        if plans is not None and not any(set(w) <= {"grade"} and grade in w.get("grade", (grade,)) for w in whens)
    ]
    return list(dict.fromkeys(found))


def _checked_plan(entry: Any, where: str, shared: Mapping[str, Any], hours: Hours) -> Plan:
    for name in ("shifts", "working_hours"):
        if isinstance(entry, Mapping) and name in entry:
            raise _fail(f"{where}.{name}", "写在策略的最外层,不要写在方案里")
    plan = read_plan({**record(entry, where, PLAN_KEYS), **shared}, where)
    for name in ("confirm", "rectify", "accept"):
        if not plan.ladders[name]:
            raise _fail(f"{where}.ladders", f"缺少 {name}({LADDERS[name]})阶梯,至少写一级")
    if plan.stale_minutes and not plan.ladders["stale"]:
        raise _fail(f"{where}.ladders", "写了 stale_minutes,就要有 stale 阶梯")
    grades = read_when(entry, where, hours).get("grade", tuple(GRADES))
    if plan.waits_for_working_hours and set(grades) != {Grade.YELLOW.value}:
        raise _fail(f"{where}.waits_for_working_hours", "只有三级(黄)可以等上班时间,一级、二级从不等待")
    return plan


def read_when(entry: Any, where: str, hours: Hours) -> dict[str, tuple[str, ...]]:
    """The conditions of a plan: grade, area (codes), category, time of day. Raises PolicyError."""
    when = record(record(entry, where).get("when", {}), f"{where}.when", "grade area category time")
    found: dict[str, tuple[str, ...]] = {}
    if "grade" in when:
        found["grade"] = some_of(when["grade"], f"{where}.when.grade", GRADES, "等级")
    if "category" in when:
        found["category"] = some_of(when["category"], f"{where}.when.category", CATEGORIES, "类别")
    if "area" in when:
        found["area"] = tuple(
            str(code) for code in (when["area"] if isinstance(when["area"], list) else [when["area"]])
        )
    if "time" in when:
        found["time"] = times(when["time"], f"{where}.when.time", hours)
    return found


def _covers(earlier: Mapping[str, tuple[str, ...]], later: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether all that fits the later one fits the earlier one already."""
    return all(name in later and set(later[name]) <= set(values) for name, values in earlier.items())


def _evacuate(policy: Mapping[str, Any]) -> tuple[str, ...]:
    value = policy.get("evacuate", [])
    for n, word in enumerate(rows(value, "evacuate")):
        one_of(word, f"evacuate[{n}]", EVACUATE, "险情")
    return tuple(value)


EVACUATE = {"fire": "着火", "explosion": "爆炸", "toxic_leak": "泄漏中毒"}


def _gas_alarm(policy: Mapping[str, Any]) -> None:
    entry = record(policy.get("gas_alarm", {}), "gas_alarm", "lel_percent oel_ratio")
    for name in entry:
        number(entry, name, "gas_alarm", least=0.1, whole=False)
