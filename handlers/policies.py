"""Publishing a policy, showing what it would change on open cases, and moving them to it in one press."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot import outbox
from bot.flow import Flow, said
from bot.turn import Turn
from cards import policy as cards
from cards.words import local
from handlers.hazard import dispatch, plans
from handlers.hazard.actions.steps import leave, tell
from handlers.permit import tables as permit_rules
from rules import escalation
from rules.errors import RuleBroken
from rules.escalation import LADDERS, Plan, PolicyError
from rules.terms import OPEN_STATES, HazardState, Role
from storage.models import Hazard, Person, Policy
from storage.unit_of_work import UnitOfWork

MANAGERS = (Role.ADMIN, Role.SAFETY_OFFICER)
PREVIEWED = 500  # open cases looked at for one preview


def may_manage(person: Person) -> bool:
    """Admins and safety officers of the whole plant."""
    return any(g.role in MANAGERS and g.area_id is None for g in person.roles)


# -- publishing


def problems_of(work: UnitOfWork, content: Any) -> list[str]:
    """Everything wrong with a policy, also areas the plant does not have."""
    found = escalation.problems_of(content, escalation.DEFAULT)
    known = {area.code for area in work.plant.areas()}
    entries = content.get("plans", []) if isinstance(content, Mapping) else []
    for n, entry in enumerate(entries if isinstance(entries, list) else []):
        when = entry.get("when", {}) if isinstance(entry, Mapping) else {}
        codes = when.get("area", []) if isinstance(when, Mapping) else []
        for code in codes if isinstance(codes, list) else [codes]:
            if code not in known:
                found.append(f"plans[{n}].when.area:没有区域“{str(code)[:20]}”,请填区域编码:{'、'.join(sorted(known))}")
    if isinstance(content, Mapping) and "permit" in content:
        found += [f"permit:{problem}" for problem in permit_rules.problems_of(content["permit"])]
    return found


def publish(work: UnitOfWork, content: dict[str, Any], *, by: Person | None) -> Policy:
    """Put a policy in force and give the managers the card that moves open cases. Raises PolicyError."""
    problems = problems_of(work, content)
    if problems:
        raise PolicyError(*problems)
    before = work.policies.current()
    row = work.policies.publish(content, at=work.at, by_id=by.id if by else None)
    if content.get("permit", {}) != (before.content.get("permit", {}) if before is not None else {}):
        work.permit_queue.touch_all(at=work.at)  # running work is judged by the new rules at once
        work.wake.add("chat")
    if before is not None:
        redraw(work, before)
    people = {p.id: p for role in MANAGERS for p in work.people.with_role(role, area_id=None, exact=True)}
    to = [address for p in people.values() if (address := outbox.address_of(p)) is not None]
    outbox.post_card(work, cards.key_of(row.version), _card(work, row), to, purpose="policy.published")
    return row


def _card(work: UnitOfWork, row: Policy) -> Any:
    seen = preview(work, row)
    newest = work.policies.current()
    return cards.admin_card(
        row,
        open_cases=seen.total,
        changed=len(seen.changed),
        lines=[f"{len(numbers)}条:{';'.join(lines)}" for lines, numbers in seen.groups()],
        newest=newest is not None and newest.version == row.version,
    )


def redraw(work: UnitOfWork, row: Policy) -> None:
    outbox.redraw(work, cards.key_of(row.version), _card(work, row))


# -- what would change


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What the version would change on one case: its plan, its deadlines, who would be told at once."""

    hazard_id: int
    number: str
    plan: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # deadlines and who is told at once: different for each case

    @property
    def changes(self) -> bool:
        return bool(self.plan or self.own)


@dataclass(slots=True)
class Preview:
    version: int
    total: int = 0
    more: bool = False  # there are open cases beyond those looked at
    cases: list[CaseChange] = field(default_factory=list)

    @property
    def changed(self) -> list[CaseChange]:
        return [case for case in self.cases if case.changes]

    def groups(self) -> list[tuple[tuple[str, ...], list[str]]]:
        """(what changes in the plan, numbers of the cases), the largest group first."""
        found: dict[tuple[str, ...], list[str]] = {}
        for case in self.changed:
            found.setdefault(case.plan or case.own, []).append(case.number)
        return sorted(found.items(), key=lambda pair: -len(pair[1]))


def preview(work: UnitOfWork, row: Policy) -> Preview:
    """What moving the open cases to this version would do, without doing it."""
    ids = work.policies.cases_on_others(row.version, limit=PREVIEWED + 1)
    seen = Preview(row.version, total=len(ids), more=len(ids) > PREVIEWED)
    for hazard_id in ids[:PREVIEWED]:
        hazard = work.hazards.get(hazard_id)
        entry = plans.entry_of(work, hazard, row.content)
        seen.cases.append(_change(work, hazard, entry))
    return seen


def _change(work: UnitOfWork, hazard: Hazard, entry: Mapping[str, Any]) -> CaseChange:
    new = escalation.read_plan(entry)
    confirm_due, due_at = deadlines(hazard, new, at=work.at)
    before = work.ladder.of("hazard", hazard.id, generation=hazard.generation)
    own = []
    if confirm_due != hazard.confirm_due_at and hazard.confirmed_at is None:
        own.append(f"确认期限 {local(hazard.confirm_due_at)} ⇒ {local(confirm_due)}")
    if due_at != hazard.due_at:
        own.append(f"整改期限 {local(hazard.due_at)} ⇒ {local(due_at)}")
    for due in plans.planned(hazard, new, before, due_at=due_at, at=work.at):
        if due.at_once:
            who = "、".join(escalation.notice_zh(n, new.hours) for n in due.step.notices) or "(没有安排人)"
            own.append(f"{LADDERS[due.ladder]}阶梯:马上通知{who}")
    return CaseChange(hazard.id, hazard.number or "", tuple(escalation.differences(hazard.plan, entry)), tuple(own))


def deadlines(hazard: Hazard, new: Plan, *, at: datetime) -> tuple[datetime | None, datetime | None]:
    """(confirm, rectify) under the new plan. A granted extension stays; a deadline never moves into the past."""
    confirm_due, due_at = hazard.confirm_due_at, hazard.due_at
    if hazard.confirmed_at is None and hazard.assigned_at is not None:
        confirm_due = hazard.assigned_at + timedelta(minutes=new.confirm_minutes)
    extended = any(extension.granted for extension in hazard.extensions)
    if due_at is None or extended or hazard.state == HazardState.TO_ACCEPT.value:
        return confirm_due, due_at
    try:
        old_hours = escalation.read_plan(hazard.plan).rectify_hours
    except PolicyError:
        old_hours = new.rectify_hours
    moved = due_at + timedelta(hours=new.rectify_hours - old_hours)
    if moved < at:  # the shorter time is over already: it counts from now, but never gives more than before
        moved = min(due_at, at + timedelta(hours=new.rectify_hours))
    return confirm_due, moved


# -- moving


def ask_move(work: UnitOfWork, version: int, *, by: Person | None, via: str) -> Policy:
    """Open cases shall go by this version from now on; jobs/policies.py moves them one by one. Raises RuleBroken."""
    if by is not None and not may_manage(by):
        raise RuleBroken("who", "只有管理员或安全员能让在办案件改用新策略,请联系他们。")
    row, newest = work.policies.version(version), work.policies.current()
    if row is None or newest is None:
        raise RuleBroken("version", "没有这个版本的策略,请从卡片或页面重新打开。")
    if newest.version != row.version:
        raise RuleBroken("version", f"已有更新的策略 v{newest.version},请看它的变化后再改用。")
    if row.move_asked_at is not None and row.moved_at is None:
        raise RuleBroken("already", f"正在改用策略 v{version},完成后告诉您。")
    if not work.policies.cases_on_others(version, limit=1):
        raise RuleBroken("already", f"在办案件都已按策略 v{version} 走,不用再改。")
    row.move_asked_at, row.moved_at, row.moved_count = work.at, None, 0
    row.move_by_id, row.move_via = by.id if by else None, via
    work.flush()
    redraw(work, row)
    return row


def move(work: UnitOfWork, hazard: Hazard, row: Policy) -> bool:
    """Let one open case go by this version: plan, deadlines, due steps. False when it is closed or does so already."""
    if HazardState(hazard.state) not in OPEN_STATES or hazard.policy_version == row.version:
        return False
    entry = plans.entry_of(work, hazard, row.content)
    change = _change(work, hazard, entry)
    old_version, old_due = hazard.policy_version, hazard.due_at
    hazard.confirm_due_at, hazard.due_at = deadlines(hazard, escalation.read_plan(entry), at=work.at)
    hazard.plan, hazard.policy_version = entry, row.version
    plans.restart(work, hazard)
    by = work.people.get(row.move_by_id) if row.move_by_id is not None else None
    why = f"v{old_version or 0} ⇒ v{row.version}"
    last = leave(
        work,
        hazard,
        "policy_moved",
        by=by,
        via=row.move_via,
        from_state=hazard.state,
        why=why,
        changes=[*change.plan, *change.own],
    )
    dispatch.redraw(work, hazard, last)
    if hazard.owner is not None and hazard.due_at != old_due:
        words = f"{hazard.number} 改用新的升级策略,整改期限改为{local(hazard.due_at)}。"
        tell(work, hazard, hazard.owner, words, tag=f"policy{row.version}")
    work.policies.one_moved(row.version)
    return True


def moved(work: UnitOfWork, row: Policy, failed: Sequence[int]) -> None:
    """The move is over: tell who asked for it, and show it on the card."""
    redraw(work, row)
    if row.move_by_id is None:
        return
    address = outbox.address_of(work.people.get(row.move_by_id))
    if address is not None:
        words = f"在办案件已改用策略 v{row.version}:{row.moved_count}条。"
        if failed:
            words += f"有{len(failed)}条没有改成,仍按原来的走,请稍后再按一次。"
        key = f"policy:{row.version}:{row.move_asked_at:%Y%m%d%H%M%S}" if row.move_asked_at else f"policy:{row.version}"
        outbox.say(work, address, words, purpose="policy.moved", dedupe_key=key)


def numbers_zh(numbers: Iterable[str], *, most: int = 5) -> str:
    listed = list(numbers)
    return "、".join(listed[:most]) + (f" 等{len(listed)}条" if len(listed) > most else "")


# -- in chat


def show(turn: Turn) -> None:
    """«策略»: the version in force, and the card that moves open cases."""
    if not may_manage(turn.person):
        turn.say("策略由管理员和安全员管理;您的隐患按哪条阶梯走,发编号就能看到。")
        return
    row = turn.work.policies.current()
    if row is None:
        turn.say("现在用的是内置的默认策略。管理员可用 flask policy default 导出、修改后用 flask policy set 发布。")
        return
    turn.show(_card(turn.work, row), key=cards.key_of(row.version), purpose="policy.asked")


def press_move(turn: Turn, rest: str) -> None:
    try:
        if not rest.isdigit():
            raise RuleBroken("version", "没有这个版本的策略,请从卡片或页面重新打开。")
        row = ask_move(turn.work, int(rest), by=turn.person, via=turn.via)
    except RuleBroken as broken:
        turn.say(broken.message_zh)
        return
    turn.say(f"好,在办案件正在改用策略 v{row.version},完成后告诉您。")


flow = Flow(name="policy", starts=[said(("策略", "升级策略", "派单策略"), show)], buttons={"policy.move": press_move})
