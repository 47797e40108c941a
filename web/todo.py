"""`/h5/todo`: what waits for me, and what I reported; `/h5/tasks` leads there."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from cards import permit as permit_cards
from cards import roll_call as roll_call_cards
from cards.words import local, place_of
from handlers.budgets import may_see
from handlers.todo import Waiting, waiting_for
from rules.permit.life import PermitState
from rules.terms import OPEN_STATES, Grade, HazardState
from storage.models import Hazard, Permit
from web.context import WebContext
from web.session import needs_person, visitor

Row = dict[str, object]
REPORTED = 20  # of mine, newest first


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("todo", __name__)

    @pages.get("/h5/tasks")
    def tasks() -> ResponseReturnValue:
        return redirect("/h5/todo")

    @pages.get("/h5/todo")
    @needs_person(ctx)
    def todo() -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            found = waiting_for(work, person)
            reported = [h for h in work.hazards.reported_by(person.id, limit=REPORTED) if h.merged_into_id is None]
            groups = [*_groups(found, work.at), ("我上报的", [_hazard(h, work.at) for h in reported])]
            return render_template(
                "todo.html", groups=groups, reviews=found.reviews, name=person.name, budgets=may_see(person)
            )

    return pages


def _groups(found: Waiting, at: datetime) -> list[tuple[str, list[Row]]]:
    """Two are always there, so that an empty page says that nothing waits; the others when there is something."""
    calls: list[Row] = [
        {"page": roll_call_cards.page_of(c), "title": c.number, "words": roll_call_cards.line(c), "colour": "red"}
        for c in found.roll_calls
    ]
    kinds: dict[str, list[Row]] = {
        "没有确认的点名": calls,
        "作业票": [_permit(permit, what) for permit, what in found.permits],
        "等我整改": [_hazard(h, at) for h in found.rectify],
        "等我验收": [_hazard(h, at) for h in found.accept],
        "等我批延期": [_hazard(h, at) for h in found.decide],
        "没有责任人的隐患": [_hazard(h, at) for h in found.ownerless],
    }
    return [(title, rows) for title, rows in kinds.items() if rows or title in ("等我整改", "等我验收")]


def _permit(permit: Permit, what: str) -> Row:
    return {
        "page": permit_cards.page_of(permit),
        "title": f"{permit.number or '草稿'} {permit_cards.name(permit)} · {what}",
        "words": permit.content,
        "place": permit_cards.place(permit),
        "due": permit_cards.span(permit),
        "colour": permit_cards.STATE_COLOUR.get(PermitState(permit.state), "blue"),
    }


def _hazard(hazard: Hazard, at: datetime) -> Row:
    state = HazardState(hazard.state)
    late = hazard.due_at is not None and hazard.due_at < at and hazard.closed_at is None and state in OPEN_STATES
    return {
        "page": f"/h5/hazards/{hazard.number}",
        "title": f"{hazard.number} · {state.zh}",
        "words": hazard.description,
        "place": f"{place_of(hazard)} · {Grade(hazard.grade).zh}",
        "due": f"闭环 {local(hazard.closed_at)}" if hazard.closed_at else f"期限 {local(hazard.due_at)}",
        "late": late,
        "colour": hazard.grade,
    }
