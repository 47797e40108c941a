"""The OpenAPI 3.1 document, put together from what each part says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from web.api.shapes import INTEGER, many, record, ref, text
from web.context import WebContext

VERSION = "1.0.0"
PROBLEMS = {
    400: "A parameter is unknown or wrong; `parameter` names it",
    401: "The bearer token is missing, unknown or revoked",
    403: "The token may not do this",
    404: "There is no such thing",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "Nothing of the body could be taken; `errors` names every row",
}


def document(ctx: WebContext, parts: Iterable[Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {
        "Problem": record(
            {
                "type": text(),
                "title": text(),
                "status": INTEGER,
                "detail": text(),
                "parameter": text(),
                "errors": many(ref("ReadingError")),
            },
            words="RFC 9457",
            optional=("parameter", "errors"),
        )
    }
    for part in parts:
        paths.update(part.PATHS)
        schemas.update(part.SCHEMAS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AnShao read API",
            "version": VERSION,
            "description": "Hazards of the plant for other systems. Anonymous reporters are never shown.",
        },
        "servers": [{"url": f"{ctx.public_url}/api/v1"}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "flask token create NAME"},
                "device": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The terminal's own: flask edge add CODE",
                },
            },
            "schemas": dict(sorted(schemas.items())),
            "responses": {
                f"Problem{status}": {
                    "description": words,
                    "content": {"application/problem+json": {"schema": ref("Problem")}},
                }
                for status, words in PROBLEMS.items()
            },
        },
    }
