"""`GET /api/v1/roll-calls`: gas alarms, evacuations and permits called off, with who has not confirmed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from cards import roll_call as cards
from rules.escalation import ROLL_CALLS
from storage.models import RollCall
from web.api import query
from web.api.people import short
from web.api.shapes import INTEGER, LIMIT, TIME, answers, choice, many, maybe, parameter, record, ref, text
from web.context import WebContext

STATES = ["open", "over"]


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_roll_calls", __name__)

    @api.get("/roll-calls")
    def roll_calls() -> ResponseReturnValue:
        query.only("state", "limit")
        state, limit = query.one_of("state", STATES), query.limit()
        with ctx.new_work(read_only=True) as work:
            rows = work.roll_calls.open() if state == "open" else work.roll_calls.recent(limit=limit)
            items = [_shape(ctx, row) for row in rows if state != "over" or row.ended_at is not None]
        return jsonify({"items": items[:limit]})

    return api


def _shape(ctx: WebContext, call: RollCall) -> dict[str, Any]:
    def stamp(at: Any) -> str | None:
        return ctx.local(at).isoformat(timespec="seconds") if at is not None else None

    return {
        "number": call.number,
        "kind": call.kind,
        "state": "over" if call.ended_at is not None else "open",
        "area": call.area.code if call.area is not None else None,
        "why": call.why,
        "started_at": stamp(call.started_at),
        "ended_at": stamp(call.ended_at),
        "called": len(call.members),
        "confirmed": sum(m.confirmed_at is not None for m in call.members),
        "missing": [{"person": short(m.person), "help": m.help_at is not None} for m in cards.missing(call)],
    }


SCHEMAS = {
    "RollCall": record(
        {
            "number": text("DM-0001 …"),
            "kind": choice(list(ROLL_CALLS)),
            "state": choice(STATES),
            "area": maybe(text("Code of the area; null: the whole plant")),
            "why": text(),
            "started_at": TIME,
            "ended_at": maybe(TIME),
            "called": INTEGER,
            "confirmed": INTEGER,
            "missing": many(record({"person": maybe(ref("PersonRef")), "help": {"type": "boolean"}})),
        },
        words="Everybody called must confirm by name",
    ),
    "RollCalls": record({"items": many(ref("RollCall"))}),
}
PATHS = {
    "/roll-calls": {
        "get": {
            "operationId": "listRollCalls",
            "summary": "Roll calls, newest first, with who has not confirmed",
            "parameters": [parameter("state", choice(STATES), "Only those under way, or over"), LIMIT],
            "responses": answers("Roll calls", ref("RollCalls"), 400),
        }
    }
}
