"""`GET /api/v1/people`: who is in the plant and what they may decide. No phone numbers, no chat accounts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from rules.terms import Role
from storage.models import Person
from web.api import query
from web.api.shapes import CURSOR, INTEGER, LIMIT, answers, choice, many, maybe, record, ref, text
from web.context import WebContext


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_people", __name__)

    @api.get("/people")
    def people() -> ResponseReturnValue:
        query.only("cursor", "limit")
        limit, after = query.limit(), query.cursor("p")
        with ctx.new_work(read_only=True) as work:
            rows = work.people.page(after_id=after, limit=limit + 1)
            areas = {area.id: area.code for area in work.plant.areas()}
            items = [full(person, areas) for person in rows[:limit]]
        more = query.make_cursor("p", rows[limit - 1].id) if len(rows) > limit else None
        return jsonify({"items": items, "next_cursor": more})

    return api


def full(person: Person, areas: dict[int, str]) -> dict[str, Any]:
    roles = [{"role": g.role, "area": areas.get(g.area_id) if g.area_id is not None else None} for g in person.roles]
    return {"id": person.id, "name": person.name, "title": person.title, "roles": roles}


def short(person: Person | None) -> dict[str, Any] | None:
    return {"id": person.id, "name": person.name} if person is not None else None


SCHEMAS = {
    "PersonRef": record({"id": INTEGER, "name": text()}),
    "Person": record(
        {
            "id": INTEGER,
            "name": text(),
            "title": text("Job title, may be empty"),
            "roles": many(
                record({"role": choice([r.value for r in Role]), "area": maybe(text("Area code; null: whole plant"))})
            ),
        }
    ),
    "People": record({"items": many(ref("Person")), "next_cursor": maybe(text())}),
}
PATHS = {
    "/people": {
        "get": {
            "operationId": "listPeople",
            "summary": "Active people of the plant, by id",
            "parameters": [CURSOR, LIMIT],
            "responses": answers("A page of people", ref("People"), 400),
        }
    }
}
