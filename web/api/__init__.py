"""The read API `/api/v1`. A part is a module with `routes(ctx)`, `PATHS` and `SCHEMAS`; a new one is one line in PARTS."""

from __future__ import annotations

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from web.api import (
    auth,
    deliveries,
    edge,
    hazards,
    knowledge,
    micro_actions,
    openapi,
    people,
    permits,
    readings,
    risks,
    roll_calls,
)
from web.context import WebContext

PARTS = (hazards, permits, readings, people, deliveries, knowledge, risks, edge, roll_calls, micro_actions)
PREFIX = "/api/v1"


def register(app: Flask, ctx: WebContext) -> None:
    for part in PARTS:
        routes = part.routes(ctx)
        getattr(part, "protect", auth.protect)(routes, ctx)
        app.register_blueprint(routes, url_prefix=PREFIX)
    document = openapi.document(ctx, PARTS)
    about = Blueprint("api_about", __name__)

    @about.get("/openapi.json")
    def openapi_json() -> ResponseReturnValue:
        return jsonify(document)

    app.register_blueprint(about, url_prefix=PREFIX)
