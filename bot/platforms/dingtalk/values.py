"""Reading foreign JSON: whatever type arrives, a sane value or an empty one comes out, and nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

ID_CHARS = 128


class Malformed(ValueError):
    """A body that is not the JSON object it must be."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def json_object(raw: str | bytes) -> dict[str, Any]:
    """The JSON object in `raw`; raises Malformed for anything else, however deep or odd."""
    try:
        data = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    if not isinstance(data, dict):
        raise Malformed("not an object")
    return data


def as_dict(value: Any) -> dict[str, Any]:
    """An object, also one that arrives as a JSON string; {} for anything else."""
    if isinstance(value, str):
        try:
            return json_object(value)
        except Malformed:
            return {}
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Text that any database takes: no NUL, no half surrogate pairs."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else str(value)
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def as_id(value: Any) -> str:
    """An identifier; "" when it is longer than any of theirs."""
    text = as_text(value).strip()
    return text if len(text) <= ID_CHARS else ""


def as_code(value: Any) -> str:
    """A download code, webhook address or message handle: like an identifier, but longer."""
    text = as_text(value).strip()
    return text if len(text) <= 2048 else ""


def as_bool(value: Any) -> bool:
    """The directory's samples print booleans as strings."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def as_float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e18 else None


def instant(ms: Any, otherwise: datetime) -> datetime:
    """Milliseconds since 1970, number or string, as UTC; `otherwise` when there is no such moment."""
    number = as_float(ms)
    if number is None or number <= 0:
        return otherwise
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return otherwise
