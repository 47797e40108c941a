"""A small, strict reader of the JSON Schema that our OpenAPI document uses; a keyword it does not know is an error."""

from __future__ import annotations

import re
from typing import Any

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "properties",
    "required",
    "type",
}
OFFSET_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")


def faults(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "$") -> list[str]:
    """What is wrong with the value; empty when it fits. Raises ValueError for a schema that it cannot read."""
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"unknown keywords {unknown} at {where}")
    if "$ref" in schema:
        target = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return faults(value, target, document, where)
    if "anyOf" in schema:
        tried = [faults(value, option, document, where) for option in schema["anyOf"]]
        return [] if any(not found for found in tried) else [f"{where}: fits none of {tried}"]
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and schema["type"] != "boolean"):
        return [f"{where}: {value!r} is no {schema['type']}"]
    return [*_scalar(value, schema, where), *_members(value, schema, document, where)]


def _scalar(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is not in {schema['enum']}"]
    if schema.get("format") == "date-time" and not OFFSET_TIME.fullmatch(value):
        return [f"{where}: {value!r} is no RFC 3339 time with offset"]
    if schema.get("format") == "uri" and not value.startswith(("http://", "https://")):
        return [f"{where}: {value!r} is no absolute address"]
    return []


def _members(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += faults(item, schema["items"], document, f"{where}[{number}]")
    if isinstance(value, dict):
        properties = schema["properties"]
        found += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{where}: {name} is not described" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            found += faults(value[name], properties[name], document, f"{where}.{name}")
    return found
