"""Reading a JSON body strictly: what is no JSON, not finite or too long is a problem that says so."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request

from web.errors import Problem

MAX_BYTES = 4_000_000


def of_json(*, finite: bool = True, max_bytes: int = MAX_BYTES) -> Any:
    """The request's JSON. Raises Problem 400, 413 or 415; NaN and Infinity are refused when `finite`."""
    if not request.is_json:
        raise Problem(415, "Send application/json.")
    if (request.content_length or 0) > max_bytes:
        raise Problem(413, f"The body is larger than {max_bytes} bytes; send it in parts.")
    request.max_content_length = max_bytes  # pages and callbacks have a smaller limit
    raw = request.get_data()
    if len(raw) > max_bytes:
        raise Problem(413, f"The body is larger than {max_bytes} bytes; send it in parts.")

    def constant(name: str) -> float:
        if finite:
            raise Problem(400, f"{name} is not a number that JSON knows.")
        return float(name.replace("Infinity", "inf"))

    try:
        found = json.loads(raw, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not JSON.") from error
    if finite:
        _check(found)
    return found


def _check(value: Any) -> None:
    """Numbers written too large for a float (1e999) become infinite: they are refused too."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem(400, "A number is out of range.")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check(part)
