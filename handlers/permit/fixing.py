"""«按建议办理»: the proposed set of changes taken over: time and guardian at once; what has to be done or measured is
asked for, never assumed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.turn import Turn
from handlers.permit import actions, apply, gas_talk, who_said
from storage.models import Permit


def apply_fix(turn: Turn, permit: Permit) -> None:
    """«按建议办理»: the first proposed set."""
    apply.need_draft(turn, permit)
    stored = turn.work.permit_verdicts.get(permit.verdict_id)
    sets = stored.verdict.get("fix") if stored is not None else None
    if not sets:
        apply.show_verdict(turn, permit)
        return
    measured = False
    for change in sets[0]["changes"]:
        measured |= _apply_change(turn, permit, change)
    actions.leave_line(
        turn.work,
        permit,
        "fix_taken",
        by=turn.person,
        via=turn.via,
        why=";".join(c["text"] for c in sets[0]["changes"])[:300],
    )
    turn.work.flush()
    apply.remember(turn, permit, gas_done=True, guardian_done=True)
    if measured:
        gas_talk.ask_gas(turn, permit, then="request", note="按建议重新取样后,报一下数值。")
    else:
        apply.go_on(turn, permit)


MEASURED = {"last_analysis_time", "gas_reading_vol", "oxygen_vol", "toxic_ratio", "alarm_active"}


def _apply_change(turn: Turn, permit: Permit, change: dict[str, Any]) -> bool:
    """Make one change of the set true; returns whether it asks for a new gas test."""
    facts = change["facts"]
    if change["id"].startswith("guardian:"):
        who_said.set_guardian(turn, permit, turn.work.people.get(int(facts["guardian_id"])))
        return False
    if MEASURED & set(facts):
        return True
    if permit.planned_start is not None and permit.planned_end is not None:
        _move_time(permit, change)
    # what is to be done or shown (加装盲板, 方案审批) is not done by a tap: it is asked anew, and whoever answers says it
    permit.facts = {name: value for name, value in permit.facts.items() if name not in facts}
    return False


def _move_time(permit: Permit, change: dict[str, Any]) -> None:
    assert permit.planned_start is not None
    assert permit.planned_end is not None
    length = permit.planned_end - permit.planned_start
    if change.get("at"):
        permit.planned_start = datetime.fromisoformat(change["at"])
        permit.planned_end = permit.planned_start + length
    ends = change["facts"].get("valid_to")
    if isinstance(ends, str):
        permit.planned_end = datetime.fromisoformat(ends)
