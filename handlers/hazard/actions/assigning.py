"""Owner, deadlines, ladders and first notices by the plan; the grade that decides them."""

from __future__ import annotations

from datetime import timedelta

from bot import outbox
from cards import hazard as cards
from cards.words import place_of
from handlers.hazard import dispatch, ladder, plans
from handlers.hazard.actions.steps import check, leave, relations, restart_rectify_ladder
from handlers.roll_call import triggers
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.terms import Grade, HazardState
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork


def assign(work: UnitOfWork, hazard: Hazard, *, via: str, came_from: str = "") -> None:
    """Choose owner and deadlines by the plan, start the ladders, send the first notices.

    `came_from`: the state the last line of the trail ends with, when the case is dispatched anew.
    """
    plan = dispatch.choose_plan(work, hazard)
    before = came_from or hazard.state
    owner = dispatch.find_owner(work, hazard, plan)
    hazard.owner = owner
    hazard.assigned_at = work.at
    hazard.confirm_due_at = work.at + timedelta(minutes=plan.confirm_minutes)
    hazard.due_at = work.at + timedelta(hours=plan.rectify_hours)
    if owner is not None:
        hazard.state = HazardState.ASSIGNED.value
    work.flush()
    why = f"派给{owner.name}" if owner else "没有找到责任人,已通知安全员指派"
    leave(work, hazard, "assigned", by=None, via=via, from_state=before, why=why)
    dispatch.start_ladder(work, hazard, "confirm", start=work.at)
    restart_rectify_ladder(work, hazard)
    ladder.first_sent(work, hazard, dispatch.send_first(work, hazard, plan))
    dispatch.redraw(work, hazard, "")
    triggers.for_hazard(work, hazard, via=via)


def place_known(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """A hazard filed in haste now has its place: choose owner and ladder again and tell the right people."""
    check(work, hazard, Action.CORRECT, by)
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    leave(work, hazard, "corrected", by=by, via=via, from_state=hazard.state, why=f"位置:{place_of(hazard)}")
    before, hazard.state = hazard.state, HazardState.REPORTED.value
    assign(work, hazard, via=via, came_from=before)
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def place_added(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """Another position of the same place: noted, and what it disagrees on is shown."""
    check(work, hazard, Action.CORRECT, by)
    last = leave(work, hazard, "place_added", by=by, via=via, from_state=hazard.state, why=place_of(hazard))
    dispatch.redraw(work, hazard, last)


def set_grade(work: UnitOfWork, hazard: Hazard, *, by: Person, grade: Grade, reason: str, via: str) -> None:
    """Change the grade; lowering needs a safety officer or above, and a new dispatch follows in any case."""
    rules.check_grade(
        old=Grade(hazard.grade),
        new=grade,
        state=HazardState(hazard.state),
        relations=relations(work, hazard, by),
        confirms_major=bool(hazard.major),  # what was decided to be major stays red until it is decided otherwise
    )
    if grade.value == hazard.grade:
        raise RuleBroken("same_grade", f"{hazard.number} 已经是{grade.zh}。")
    raised = grade.rank < Grade(hazard.grade).rank
    hazard.grade, hazard.grade_why, hazard.grade_by_id = grade.value, reason, by.id
    leave(work, hazard, "graded", by=by, via=via, from_state=hazard.state, why=f"{grade.zh}:{reason}")
    dispatch_anew(work, hazard, raised=raised, via=via)


def dispatch_anew(work: UnitOfWork, hazard: Hazard, *, raised: bool, via: str) -> None:
    """The grade changed: owner, deadlines and notices by the new one; a rectification under way keeps its owner."""
    if hazard.state in (HazardState.REPORTED.value, HazardState.ASSIGNED.value):
        hazard.generation += 1
        work.ladder.call_off("hazard", hazard.id, at=work.at)
        before, hazard.state = hazard.state, HazardState.REPORTED.value
        hazard.confirmed_at = hazard.asked_again_at = None
        assign(work, hazard, via=via, came_from=before)
    else:
        plan = dispatch.choose_plan(work, hazard)
        if raised and hazard.due_at is not None:  # a higher grade never gives more time
            hazard.due_at = min(hazard.due_at, work.at + timedelta(hours=plan.rectify_hours))
        plans.restart(work, hazard)
        ladder.first_sent(work, hazard, dispatch.send_first(work, hazard, plan))
        dispatch.redraw(work, hazard, "")
