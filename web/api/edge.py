"""`POST /api/v1/edge/{device}`: events of an edge terminal, with the terminal's own token (`flask edge add`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

import structlog
from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from handlers import edge
from handlers.edge import KINDS, LEVELS, MAX_EVENTS, Outcome, Refused
from storage.unit_of_work import UnitOfWork
from web.api import body
from web.api.auth import REALM, bearer
from web.api.shapes import INTEGER, NUMBER, answers, choice, many, maybe, parameter, record, ref, text
from web.context import WebContext
from web.errors import Problem

log = structlog.get_logger()
MAX_BYTES = 20 * 1024 * 1024  # pictures come as Base64, which makes them a third longer
MAX_PICTURES = 9


def protect(routes: Blueprint, ctx: WebContext) -> None:
    """Only the terminal itself: an API token is no terminal's token, and one terminal's token is not another's."""

    @routes.before_request
    def check() -> None:
        token = bearer()
        given = hashlib.sha256(token.encode()).hexdigest()
        with ctx.new_work(read_only=True) as work:
            device = work.edge.device(str((request.view_args or {}).get("device", "")))
        if device is None or not device.active or not hmac.compare_digest(device.token_sha256, given):
            log.warning("edge.token_refused", device=device.id if device is not None else None)
            refused = f'{REALM}, error="invalid_token"'
            raise Problem(401, "This is not the token of a registered terminal.", headers={"WWW-Authenticate": refused})
        g.edge_device = device.code


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_edge", __name__)

    @api.post("/edge/<device>")
    def take(device: str) -> ResponseReturnValue:
        rows = _events(body.of_json(strict=False, max_bytes=MAX_BYTES))
        pictures, refused = _pictures(ctx, rows)
        outcome = ctx.change(lambda work: _take(ctx, work, rows, pictures))
        outcome.refused.extend(refused)
        if rows and len({r.index for r in outcome.refused}) == len(rows) and not outcome.taken:
            return _all_bad(outcome)
        return jsonify(_answer(outcome))

    return api


def _events(sent: Any) -> list[Any]:
    """One event, a list of them, or `{"events": […]}`."""
    rows = sent.get("events", [sent]) if isinstance(sent, dict) else sent
    if not isinstance(rows, list):
        raise Problem(400, "Send an event, a list of events, or an object with «events».")
    if len(rows) > MAX_EVENTS:
        raise Problem(413, f"At most {MAX_EVENTS} events a call; send the rest in another.")
    return rows


def _take(ctx: WebContext, work: UnitOfWork, rows: list[Any], pictures: dict[int, list[str]]) -> Outcome:
    device = work.edge.device(g.edge_device, lock=True)
    assert device is not None  # checked before the request came here
    return edge.take(work, device, rows, zone=ctx.zone, photos=pictures)


def _pictures(ctx: WebContext, rows: list[Any]) -> tuple[dict[int, list[str]], list[Refused]]:
    """Check and store the pictures before any transaction; one that cannot be used does not cost the event."""
    kept: dict[int, list[str]] = {}
    refused = []
    for index, row in enumerate(rows):
        media = row.get("media") if isinstance(row, dict) else None
        for item in media[:MAX_PICTURES] if isinstance(media, list) else ():
            why, sha = _keep(ctx, item)
            if why:
                refused.append(Refused(index, "media", why))
            else:
                kept.setdefault(index, []).append(sha)
    return kept, refused


def _keep(ctx: WebContext, item: Any) -> tuple[str, str]:
    """(Chinese reason, "") or ("", SHA-256)."""
    data = item.get("data") if isinstance(item, dict) else None
    try:
        raw = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if not raw:
        return "图片应是 Base64 的 data", ""
    row, facts = ctx.keep_photo(raw)
    if row is None:
        return str(facts["refused"]), ""
    with ctx.new_work() as work:
        sha = work.media.add(row).sha256
        work.commit()
    return "", sha


def _errors(outcome: Outcome) -> list[dict[str, Any]]:
    return [{"index": r.index, "field": r.field or None, "detail": r.why} for r in outcome.refused]


def _answer(outcome: Outcome) -> dict[str, Any]:
    return {
        "events": [{"event_id": t.event_id, "outcome": t.outcome, "hazard": t.number or None} for t in outcome.taken],
        "errors": _errors(outcome),
    }


def _all_bad(outcome: Outcome) -> Response:
    problem = {
        "type": "about:blank",
        "title": "Unprocessable content",
        "status": 422,
        "detail": "No event could be taken; each error names its event.",
        "errors": _errors(outcome),
    }
    words = json.dumps(problem, ensure_ascii=False)
    return Response(words, status=422, mimetype="application/problem+json")


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
SCHEMAS = {
    "EdgeEvent": {
        "type": "object",
        "required": ["type", "occurred_at"],
        "properties": {
            "event_id": text("The terminal's own id, unique for it; without one a digest of what happened stands in"),
            "type": choice(list(KINDS)),
            "level": choice(list(LEVELS), "Left out: alarm, or info for kinds that are never one"),
            "occurred_at": {
                "anyOf": [{"type": "string"}, NUMBER],
                "description": "RFC 3339; or seconds, milliseconds or microseconds since 1970. Without zone: plant time",
            },
            "channel": text("Camera or channel of the terminal"),
            "text": text("A few words of the terminal's own"),
            "confidence": {**_SHARE, "description": "Below 0.5 the event is kept and nobody is called"},
            "boxes": {"type": "array", "items": {"type": "array", "items": _SHARE, "minItems": 4, "maxItems": 4}},
            "gas": record({"value": NUMBER, "unit": text(), "kind": text()}),
            "face": record({"person_no": text(), "score": _SHARE}, optional=("score",)),
            "media": many(record({"kind": text("image"), "data": text("JPEG or PNG as Base64")}, optional=("kind",))),
        },
    },
    "EdgeTaken": record(
        {
            "events": many(
                record(
                    {
                        "event_id": text(),
                        "outcome": choice(["recorded", "opened", "joined", "late", "duplicate"]),
                        "hazard": maybe(text("The hazard that the alarm opened or belongs to")),
                    }
                )
            ),
            "errors": many(record({"index": INTEGER, "field": maybe(text()), "detail": text("In Chinese")})),
        }
    ),
}
_BODY = {
    "anyOf": [
        ref("EdgeEvent"),
        {"type": "array", "items": ref("EdgeEvent"), "maxItems": MAX_EVENTS},
        record({"events": {"type": "array", "items": ref("EdgeEvent"), "maxItems": MAX_EVENTS}}),
    ]
}
PATHS = {
    "/edge/{device}": {
        "post": {
            "operationId": "sendEdgeEvents",
            "summary": "Events of an edge terminal; an alarm opens a hazard. Answered after they are stored",
            "security": [{"device": []}],
            "parameters": [parameter("device", text(), "The terminal's code", where="path")],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}},
            "responses": answers("What became of the events", ref("EdgeTaken"), 400, 413, 415, 422),
        }
    }
}
