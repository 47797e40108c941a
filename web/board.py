"""The sign board (公示牌) of an area: live permits on the plan of the plant, for a wall screen and for phones.

`/h5/board`, `/h5/board/<area code>`, and `…/live` as JSON every few seconds. A wall screen has nobody who signs in: it
opens the link with a key that a signed-in person made on the page; the key shows boards only and ends after 180 days.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from storage.models import Area
from storage.unit_of_work import UnitOfWork
from web.board_view import live_rows, plan
from web.context import WebContext
from web.errors import Refused
from web.session import needs_person

KEY_LASTS = timedelta(days=180)
NO_AREA = "没有找到这个区域,请从公示牌上选一个。"


def make_key(secret: str, until: date) -> str:
    """`20270523.<signature>`: opens every board until that day ends."""
    day = f"{until:%Y%m%d}"
    made = hmac.new(secret.encode(), f"board:{day}".encode(), hashlib.sha256).digest()
    return f"{day}.{base64.urlsafe_b64encode(made[:15]).decode()}"


def key_is_good(secret: str, key: str, today: date) -> bool:
    day = key.partition(".")[0]
    if len(day) != 8 or not day.isdecimal() or not day.isascii() or day < f"{today:%Y%m%d}":
        return False
    try:
        until = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return hmac.compare_digest(key.encode(), make_key(secret, until).encode())


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("board", __name__)
    signed_in = needs_person(ctx)

    def guarded(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        """With a good key, or signed in."""
        inner = signed_in(view)

        def look(**kwargs: Any) -> ResponseReturnValue:
            key = request.args.get("key", "")[:64]
            if key and key_is_good(ctx.secret_key, key, ctx.local(ctx.clock()).date()):
                return view(**kwargs)
            return inner(**kwargs)

        look.__name__ = view.__name__
        return look

    @pages.get("/h5/board", defaults={"code": ""})
    @pages.get("/h5/board/<code>")
    @guarded
    def board(code: str) -> ResponseReturnValue:
        key = request.args.get("key", "")[:64]
        with ctx.new_work(read_only=True) as work:
            area = _area(work, code)
            drawn = plan(work, area)
            areas = [(a.code, a.name) for a in work.plant.areas()]
        until = ctx.local(ctx.clock()).date() + KEY_LASTS
        return render_template(
            "board.html",
            plan=drawn,
            title=f"{area.name if area else ctx.plant_name}作业公示牌",
            code=code,
            areas=areas,
            key=key,
            zone=ctx.zone.key,
            live=f"/h5/board/{code}/live" if code else "/h5/board/-/live",
            wall="" if key else f"{ctx.public_url}{request.path}?key={make_key(ctx.secret_key, until)}",
            until=f"{until:%Y-%m-%d}",
        )

    @pages.get("/h5/board/<code>/live")
    @guarded
    def live(code: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            area = _area(work, "" if code == "-" else code)
            return jsonify(live_rows(work, area))

    return pages


def _area(work: UnitOfWork, code: str) -> Area | None:
    if not code:
        return None
    found = next((area for area in work.plant.areas() if area.code == code), None)
    if found is None:
        raise Refused(404, NO_AREA)
    return found
