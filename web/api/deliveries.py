"""`GET /api/v1/deliveries?case=YH-0001` (ZY-, DM-): every outgoing message of a case, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from cards.deliveries import waits_zh
from storage.models import Delivery, Hazard, Permit, RollCall
from storage.outbox import WAITING
from storage.unit_of_work import UnitOfWork
from web.api import query
from web.api.hazards import stamp
from web.api.people import short
from web.api.shapes import FLAG, INTEGER, TIME, answers, many, maybe, parameter, record, ref, text
from web.context import WebContext
from web.errors import Problem

# what goes to people for their duty; whatever else an anonymous reporter gets would say who that is
DUTY = ("hazard.dispatch", "hazard.transfer", "hazard.confirm", "hazard.rectify", "hazard.accept", "hazard.extension")


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_deliveries", __name__)

    @api.get("/deliveries")
    def deliveries() -> ResponseReturnValue:
        query.only("case")
        number = query.text("case")
        if number is None:
            raise Problem(
                400, "«case» is missing: give a number such as YH-0001, ZY-0001 or DM-0001.", parameter="case"
            )
        with ctx.new_work(read_only=True) as work:
            kind, case = _case(work, number)
            people = {p.id: p for p in work.people.everyone()}
            hidden = _hidden(case) if isinstance(case, Hazard) else set()
            rows = work.outbox.of_case(kind, case.id)
            items = [_item(ctx, row, people.get(row.person_id or 0), hidden) for row in rows]
            return jsonify({"case": case.number, "items": items})

    return api


def _case(work: UnitOfWork, number: str) -> tuple[str, Hazard | Permit | RollCall]:
    """The case with its kind in the outbox: YH- a hazard, ZY- a permit, DM- a roll call. Raises Problem 404."""
    finds: dict[str, Callable[[str], Hazard | Permit | RollCall | None]] = {
        "hazard": work.hazards.by_number,
        "permit": work.permits.by_number,
        "roll_call": work.roll_calls.by_number,
    }
    for kind, find in finds.items():
        case = find(number)
        if case is not None:
            return kind, case
    raise Problem(404, "There is no case with this number.", parameter="case")


def _item(ctx: WebContext, row: Delivery, person: Any, hiding: Set[int]) -> dict[str, Any]:
    hidden = row.person_id in hiding and not row.purpose.startswith(DUTY)
    since = (row.wanted_at or row.created_at) if row.state in WAITING else None
    waits = since is not None and since <= ctx.clock()
    return {
        "id": row.id,
        "purpose": row.purpose,
        "kind": row.what,
        "channel": row.platform,
        "person": None if hidden else short(person),
        "person_hidden": hidden,
        "group": row.group_id or None,
        "urgency": row.urgency,
        "state": row.state,
        "attempts": row.attempts,
        "waits_for": row.wait_reason or None,
        "waits_for_zh": waits_zh(row.wait_reason) if waits else None,
        "waiting_since": stamp(ctx, since) if waits else None,
        "waiting_s": round((ctx.clock() - since).total_seconds()) if waits and since is not None else None,
        "error": row.error or None,
        "receipt": row.receipt or None,
        "instead_of": row.fallback_of_id,
        "created_at": stamp(ctx, row.created_at),
        "due_at": stamp(ctx, row.due_at),
        "first_tried_at": stamp(ctx, row.first_tried_at),
        "confirmed_at": stamp(ctx, row.confirmed_at),
    }


def _hidden(hazard: Hazard) -> set[int]:
    """Ids of those who did not want to be named."""
    hidden = {j.person_id for j in hazard.joiners if j.anonymous}
    if hazard.anonymous and hazard.reporter_id is not None:
        hidden.add(hazard.reporter_id)
    return hidden


SCHEMAS = {
    "Delivery": record(
        {
            "id": INTEGER,
            "purpose": text("What it is for, such as hazard.dispatch"),
            "kind": text("text, image, file, card, notice, todo, todo_done, sms"),
            "channel": text("wecom, dingtalk, sms"),
            "person": maybe(ref("PersonRef")),
            "person_hidden": FLAG,
            "group": maybe(text("The group's id on the platform")),
            "urgency": {"type": "integer", "description": "0 alarm … 9 whenever"},
            "state": text("due, claimed, confirmed, unknown, refused, expired"),
            "attempts": INTEGER,
            "waits_for": maybe(text("Why it is not sent yet: retry, reconcile, config, frugal, throttled:…, quota:…")),
            "waits_for_zh": maybe(text("The same in Chinese, naming the limit")),
            "waiting_since": maybe({**TIME, "description": "When it was to go out at first; retries do not move it"}),
            "waiting_s": maybe({"type": "integer", "description": "How long that is, in seconds"}),
            "error": maybe(text()),
            "receipt": maybe(
                {
                    "type": "string",
                    "enum": ["delivered", "failed", "unknown"],
                    "description": "What the operator made of an SMS",
                }
            ),
            "instead_of": maybe({"type": "integer", "description": "The delivery that failed and this one replaces"}),
            "created_at": TIME,
            "due_at": TIME,
            "first_tried_at": maybe(TIME),
            "confirmed_at": maybe(TIME),
        }
    ),
    "Deliveries": record({"case": text(), "items": many(ref("Delivery"))}),
}
PATHS = {
    "/deliveries": {
        "get": {
            "operationId": "listDeliveries",
            "summary": "Every outgoing message of a case, oldest first",
            "parameters": [
                parameter(
                    "case",
                    text(),
                    "A hazard's number (YH-0001), a permit's (ZY-0001) or a roll call's (DM-0001)",
                    required=True,
                )
            ],
            "responses": answers("The messages", ref("Deliveries"), 400, 404),
        }
    }
}
