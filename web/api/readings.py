"""`POST /api/v1/readings`: values of gas and weather detectors, up to 5 000 a call; the same call twice changes nothing."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, g, jsonify
from flask.typing import ResponseReturnValue

from handlers import readings
from handlers.readings import MAX_ROWS, STATUSES, UNITS, Taken
from storage.unit_of_work import UnitOfWork
from web.api import body
from web.api.shapes import INTEGER, answers, choice, many, maybe, record, ref, text
from web.context import WebContext
from web.errors import Problem


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_readings", __name__)

    @api.post("/readings")
    def take() -> ResponseReturnValue:
        if "write" not in g.api_scopes:
            raise Problem(403, "This token may only read; make one that may write.")
        rows = body.of_json(strict=False)
        if not isinstance(rows, list):
            raise Problem(400, "Send a list of readings.")
        if len(rows) > MAX_ROWS:
            raise Problem(413, f"At most {MAX_ROWS} readings a call; send the rest in another.")
        taken = ctx.change(lambda work: _take(work, rows))
        if rows and len(taken.errors) == len(rows):
            return _all_bad(taken)
        return jsonify(_answer(taken))

    return api


def _take(work: UnitOfWork, rows: list[Any]) -> Taken:
    return readings.take(work, rows)


def _errors(taken: Taken) -> list[dict[str, Any]]:
    return [{"index": e.index, "field": e.field or None, "detail": e.why} for e in taken.errors]


def _answer(taken: Taken) -> dict[str, Any]:
    return {"new": taken.new, "known": taken.known, "refused": len(taken.errors), "errors": _errors(taken)}


def _all_bad(taken: Taken) -> Response:
    problem = {
        "type": "about:blank",
        "title": "Unprocessable content",
        "status": 422,
        "detail": "No row could be taken; each error names its row.",
        "errors": _errors(taken),
    }
    words = json.dumps(problem, ensure_ascii=False)
    return Response(words, status=422, mimetype="application/problem+json")


SCHEMAS = {
    "Reading": record(
        {
            "detector": text("Its code in the ledger, such as GT-201"),
            "kind": text("combustible, o2, h2s, co, nh3, cl2, wind …; the detector's own kind when left out"),
            "value": maybe({"type": "number"}),
            "unit": choice(sorted(set(UNITS.values())), "Turned into the detector's own unit when it differs"),
            "status": choice(list(STATUSES), "ok when left out"),
            "at": {"type": "string", "format": "date-time", "description": "RFC 3339 with offset, ≤ 2 minutes ahead"},
        },
        optional=("kind", "value", "unit", "status"),
    ),
    "ReadingError": record({"index": INTEGER, "field": maybe(text()), "detail": text("In Chinese, what to do")}),
    "ReadingsTaken": record(
        {
            "new": INTEGER,
            "known": {"type": "integer", "description": "Repeats of what was there already"},
            "refused": INTEGER,
            "errors": many(ref("ReadingError")),
        }
    ),
}
PATHS = {
    "/readings": {
        "post": {
            "operationId": "sendReadings",
            "summary": "Send readings; good rows are kept, bad ones named. Needs a token that may write",
            "parameters": [],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"type": "array", "items": ref("Reading"), "maxItems": MAX_ROWS}}
                },
            },
            "responses": answers("What became of the rows", ref("ReadingsTaken"), 400, 403, 413, 415, 422),
        }
    }
}
