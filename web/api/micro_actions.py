"""`GET /api/v1/micro-actions`, `…/{ref}`: the checks of moments that no permit covers (MA-20, MA-21, MA-22)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from handlers import moment_records
from handlers.moment_records import Record
from web.api import query
from web.api.hazards import stamp
from web.api.people import short
from web.api.shapes import CURSOR, LIMIT, NUMBER, TIME, answers, choice, many, maybe, parameter, record, ref, text
from web.context import WebContext
from web.errors import Problem
from web.media import picture_url

MICROS = list(moment_records.NAMES)
RESULTS = list(moment_records.RESULT_ZH)


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_micro_actions", __name__)

    @api.get("/micro-actions")
    def micro_actions() -> ResponseReturnValue:
        query.only("micro", "area", "since", "until", "cursor", "limit")
        micro, limit, before = query.one_of("micro", MICROS), query.limit(), query.cursor("m")
        since, until = query.moment("since", ctx.zone), query.moment("until", ctx.zone)
        with ctx.new_work(read_only=True) as work:
            code = query.area(work)
            area = work.plant.area_by_code(code) if code is not None else None
            found = moment_records.page(
                work,
                micro=micro,
                area_id=area.id if area is not None else None,
                since=since,
                until=until,
                before_id=before,
                limit=limit + 1,
            )
            items = [_shape(ctx, row) for row in found[:limit]]
        more = query.make_cursor("m", found[limit - 1].id) if len(found) > limit else None
        return jsonify({"items": items, "next_cursor": more})

    @api.get("/micro-actions/<ref>")
    def micro_action(ref: str) -> ResponseReturnValue:
        query.only()
        with ctx.new_work(read_only=True) as work:
            found = moment_records.one(work, ref)
            if found is None:
                raise Problem(404, "There is no micro-action with this reference.", parameter="ref")
            people = {person.id: person for person in (found.by, found.second) if person is not None}
            lines = [
                {
                    "at": stamp(ctx, line.at),
                    "by": short(people.get(line.by_id or 0)),
                    "action": line.action,
                    "via": line.via or None,
                    "hash": line.hash,
                }
                for line in found.lines
            ]
            return jsonify({**_shape(ctx, found), "trail": lines})

    return api


def _shape(ctx: WebContext, row: Record) -> dict[str, Any]:
    link = picture_url(ctx.secret_key, ctx.public_url, row.photo, clock=ctx.clock) if row.photo else None
    return {
        "ref": row.ref,
        "micro": row.micro,
        "name": row.name,
        "result": row.result,
        "area": {"code": row.area.code, "name": row.area.name},
        "where": row.where,
        "words": row.words,
        "at": stamp(ctx, row.at),
        "by": short(row.by),
        "second": short(row.second),
        "second_at": stamp(ctx, row.second_at),
        "value": row.value,
        "limit": row.limit,
        "unit": "%vol" if row.value is not None else None,
        "photo_sha256": row.photo or None,
        "photo_url": link,
    }


_MEMBERS = {
    "ref": text("Area id and number within the area, as «3.7»"),
    "micro": choice(MICROS, "Those of a permit stand in its approvals"),
    "name": text(),
    "result": choice(RESULTS),
    "area": record({"code": text(), "name": text()}),
    "where": text("Equipment code or area"),
    "words": text(),
    "at": TIME,
    "by": maybe(ref("PersonRef")),
    "second": maybe(ref("PersonRef")),
    "second_at": maybe(TIME),
    "value": maybe(NUMBER),
    "limit": maybe(NUMBER),
    "unit": maybe(text()),
    "photo_sha256": maybe(text("Of the picture as it was sent")),
    "photo_url": maybe(text("Signed, lives a week")),
}
_LINE = {
    "at": TIME,
    "by": maybe(ref("PersonRef")),
    "action": text(),
    "via": maybe(text()),
    "hash": text("SHA-256 seal"),
}
SCHEMAS = {
    "MicroAction": record(_MEMBERS, words="A check at the moment of work that no permit covers; enterprise practice"),
    "MicroActionWithTrail": record({**_MEMBERS, "trail": many(record(_LINE))}),
    "MicroActions": record({"items": many(ref("MicroAction")), "next_cursor": maybe(text())}),
}
PATHS = {
    "/micro-actions": {
        "get": {
            "operationId": "listMicroActions",
            "summary": "Micro-actions outside of permits (unloading, charging, purging), newest first",
            "parameters": [
                parameter("micro", choice(MICROS), "Only this micro-action"),
                parameter("area", text(), "Only those of the area with this code or name"),
                parameter("since", TIME, "Begun at or after this time"),
                parameter("until", TIME, "Begun before this time"),
                CURSOR,
                LIMIT,
            ],
            "responses": answers("A page of micro-actions", ref("MicroActions"), 400),
        }
    },
    "/micro-actions/{ref}": {
        "get": {
            "operationId": "getMicroAction",
            "summary": "One micro-action with its lines of the trail",
            "parameters": [parameter("ref", text(), "The ref of the list", where="path")],
            "responses": answers("The micro-action", ref("MicroActionWithTrail"), 400, 404),
        }
    },
}
