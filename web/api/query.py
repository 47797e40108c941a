"""Reading query parameters strictly: an unknown name or a wrong value is 400 and names the parameter."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import request

from storage.unit_of_work import UnitOfWork
from web.errors import Problem

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
MAX_ID = 2**63 - 1


def only(*known: str) -> None:
    """Refuse parameters that this address does not know, and repeated ones."""
    for name, values in request.args.lists():
        if name not in known:
            names = ", ".join(known) or "none"
            raise Problem(400, f"Unknown parameter «{name[:40]}». Known here: {names}.", parameter=name[:40])
        if len(values) > 1:
            raise Problem(400, f"The parameter «{name}» is given more than once.", parameter=name)


def one_of(name: str, values: Collection[str]) -> str | None:
    given = request.args.get(name)
    if given is None:
        return None
    if given not in values:
        raise Problem(400, f"«{name}» must be one of: {', '.join(values)}.", parameter=name)
    return given


def text(name: str) -> str | None:
    given = request.args.get(name)
    if given is not None and not given.strip():
        raise Problem(400, f"«{name}» is empty.", parameter=name)
    return given


def area(work: UnitOfWork) -> str | None:
    """The code of the area that is asked for by code or name."""
    given = text("area")
    if given is None:
        return None
    found = work.plant.area_called(given)
    if found is None:
        raise Problem(400, "«area» must be the code or the name of an area of the plant.", parameter="area")
    return found.code


def moment(name: str, zone: ZoneInfo) -> datetime | None:
    """An RFC 3339 time with offset, or a date, which means its beginning in plant time."""
    given = request.args.get(name)
    if given is None:
        return None
    try:
        if len(given) == 10:
            return datetime.combine(date.fromisoformat(given), time(), tzinfo=zone)
        found = datetime.fromisoformat(given.replace(" ", "+"))  # a plus sign that was not percent-encoded
    except ValueError as error:
        raise _bad_time(name) from error
    if found.tzinfo is None or not 1970 <= found.year <= 9998:
        raise _bad_time(name)
    return found


def _bad_time(name: str) -> Problem:
    return Problem(
        400,
        f"«{name}» must be an RFC 3339 time with offset, such as 2026-11-24T08:00:00+08:00, or a date.",
        parameter=name,
    )


def limit() -> int:
    given = request.args.get("limit")
    if given is None:
        return LIMIT_DEFAULT
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= LIMIT_MAX):
        raise Problem(400, f"«limit» must be a number from 1 to {LIMIT_MAX}.", parameter="limit")
    return int(given)


def make_cursor(kind: str, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{row_id}".encode()).decode().rstrip("=")


def cursor(kind: str) -> int | None:
    """The row id that the page before ended with."""
    given = request.args.get("cursor")
    if given is None:
        return None
    try:
        plain = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True).decode("ascii")
        name, _, number = plain.partition(":")
        if name == kind and number.isdigit() and 0 < int(number) <= MAX_ID:
            return int(number)
    except (binascii.Error, UnicodeError, ValueError):
        pass  # answered below, like every other cursor that is not ours
    raise Problem(400, "«cursor» must be the next_cursor of the page before.", parameter="cursor")
