"""Pieces of JSON Schema that several parts of the API share."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: dict[str, Schema], *, words: str = "", optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these members; all are always there unless named optional."""
    shape: Schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
    return {"description": words, **shape} if words else shape


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def text(words: str = "") -> Schema:
    return {"type": "string", "description": words} if words else {"type": "string"}


def choice(values: list[str], words: str = "") -> Schema:
    return {"type": "string", "enum": values, **({"description": words} if words else {})}


INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339 with offset, in plant time"}


def parameter(name: str, schema: Schema, words: str, *, where: str = "query", required: bool = False) -> Schema:
    return {"name": name, "in": where, "required": required or where == "path", "schema": schema, "description": words}


def answers(words: str, schema: Schema, *others: int) -> Schema:
    """200 with this schema, and problems with these statuses (401 always)."""
    found: Schema = {"200": {"description": words, "content": {"application/json": {"schema": schema}}}}
    for status in sorted({401, *others}):
        found[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return found


LIMIT = parameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Rows a page")
CURSOR = parameter("cursor", {"type": "string"}, "The next_cursor of the page before")
