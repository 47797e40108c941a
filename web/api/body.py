"""Reading a JSON body strictly: what is no JSON, not finite or too long is a problem that says so."""

from __future__ import annotations

import json
import sys
from typing import Any

from flask import request

from rules.text import storable
from web.errors import Problem

MAX_BYTES = 4_000_000


def of_json(*, strict: bool = True, max_bytes: int = MAX_BYTES) -> Any:
    """The request's JSON. Raises Problem 400, 413 or 415.

    `strict`: numbers beyond every float and words that are no text (half a surrogate pair) cost the call. A feed of
    many rows is read without: it refuses the row alone, or the sender would offer the whole call for ever.
    """
    if not request.is_json:
        raise Problem(415, "Send application/json.")
    if (request.content_length or 0) > max_bytes:
        raise Problem(413, f"The body is larger than {max_bytes} bytes; send it in parts.")
    request.max_content_length = max_bytes  # pages and callbacks have a smaller limit
    raw = request.get_data()
    if len(raw) > max_bytes:
        raise Problem(413, f"The body is larger than {max_bytes} bytes; send it in parts.")

    def constant(name: str) -> float:
        if strict:
            raise Problem(400, f"{name} is not a number that JSON knows.")
        return float(name.replace("Infinity", "inf"))

    try:
        found = json.loads(raw, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not JSON.") from error
    if strict:
        _check(found)
    return found


def _check(value: Any) -> None:
    """Numbers written too large for a float (1e999) become infinite, and integers know no end: refused both."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (int, float)) and not abs(part) <= sys.float_info.max:
            raise Problem(400, "A number is out of range.")
        if isinstance(part, str) and not storable(part):
            raise Problem(400, "A text holds what is no character (NUL or half a surrogate pair).")
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
