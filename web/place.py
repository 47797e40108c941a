"""`/h5/place/<draft>`: the device is asked where it is until that is good to 15 metres; the area list is the way out."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from handlers.hazard import from_page, place, report
from handlers.hazard.from_page import PlaceOutcome, Result
from rules import geo
from rules.geo import Point
from rules.terms import HazardState
from storage.models import Area
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.session import csrf_token, needs_person, visitor

TIME_OUT_S = 45
FINISHED = {Result.NOTED, Result.JOINING, Result.FILED, Result.OVER}
NOT_YOURS = "只有上报人自己能补位置,请让上报人打开这个页面。"


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("place", __name__)

    @pages.get("/h5/place")
    @needs_person(ctx)
    def any_draft() -> ResponseReturnValue:
        """From the quick entry: the report being told now, or a new one that begins with its place."""
        with ctx.new_work(read_only=True) as work:
            draft = work.hazards.draft_of(visitor().person_id, since=work.at - report.TOGETHER)
            if draft is not None:
                return redirect(f"/h5/place/{draft.id}")
            return _show(ctx, work, 0, work.plant.areas())

    @pages.get("/h5/place/<int:draft_id>")
    @needs_person(ctx)
    def one_draft(draft_id: int) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            draft = work.hazards.find(draft_id)
            if draft is None:
                raise Refused(404, "没有找到这条上报,请回到聊天里重新拍照上报。")
            if draft.reporter_id != visitor().person_id:
                raise Refused(403, NOT_YOURS)
            if draft.state != HazardState.DRAFT.value:
                said = f"这条已经上报({draft.number}),不用再补位置。" if draft.number else "这条上报已经结束了。"
                return render_template("place_done.html", message=said, number=draft.number or "", good=True)
            return _show(ctx, work, draft.id, place.choices(work, draft))

    @pages.post("/h5/place/<int:draft_id>")
    @needs_person(ctx)
    def sent(draft_id: int) -> ResponseReturnValue:
        body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        outcome = _take(ctx, draft_id, body if isinstance(body, dict) else {})
        if not request.is_json:
            good = outcome.result in FINISHED
            return render_template("place_done.html", message=outcome.message_zh, number=outcome.number, good=good)
        answer = {
            "result": outcome.result.value,
            "finished": outcome.result in FINISHED,
            "message": outcome.message_zh,
            "number": outcome.number,
            "draft": outcome.draft_id,
        }
        return jsonify(answer)

    return pages


def _show(ctx: WebContext, work: UnitOfWork, draft_id: int, areas: Sequence[Area]) -> str:
    platform = visitor().platform
    return render_template(
        "place.html",
        draft_id=draft_id,
        areas=areas,
        limit_m=int(geo.ACCURACY_LIMIT_M),
        time_out_s=TIME_OUT_S,
        submit_key=secrets.token_urlsafe(12),
        csrf=csrf_token(),
        platform=platform,
        bridge=ctx.scripts.get(platform, ""),
    )


def _take(ctx: WebContext, draft_id: int, body: dict[str, Any]) -> PlaceOutcome:
    """Bring the place into the report. A refused one leaves nothing behind."""
    who, key = visitor(), str(body.get("key", ""))[:64]
    if not key:
        raise Refused(400, "页面不完整,请重新打开这个页面。")
    point, accuracy_m = position(body)

    def act(work: UnitOfWork) -> PlaceOutcome:
        where: Point | Area
        if point is None:
            where = _area(work, body)
        else:
            where = point
        outcome = from_page.place_sent(
            work,
            work.people.get(who.person_id),
            draft_id,
            where,
            accuracy_m=accuracy_m,
            at=work.at,
            submit_key=key,
            account_id=who.account_id,
        )
        if outcome.result is Result.REFUSED:
            raise _NotUsed(outcome)
        return outcome

    try:
        return ctx.change(act)
    except _NotUsed as refused:
        return refused.outcome


class _NotUsed(Exception):
    """Rolls back; the outcome is still told."""

    def __init__(self, outcome: PlaceOutcome) -> None:
        self.outcome = outcome


def position(body: dict[str, Any]) -> tuple[Point | None, float | None]:
    """The position in WGS84 and its accuracy in metres; (None, None) when an area was chosen instead."""
    if "lat" not in body and "lon" not in body:
        return None, None
    lat, lon = _number(body.get("lat")), _number(body.get("lon"))
    if lat is None or lon is None:
        raise Refused(400, "没有收到经纬度,请重新定位。")
    problem = geo.position_problem(lat, lon)
    if problem:
        raise Refused(400, problem)
    point = Point(lat=lat, lon=lon)
    return (geo.gcj02_to_wgs84(point) if body.get("datum") == "gcj02" else point), _number(body.get("accuracy_m"))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _area(work: UnitOfWork, body: dict[str, Any]) -> Area:
    chosen = str(body.get("area", ""))
    area = next((a for a in work.plant.areas() if str(a.id) == chosen), None)
    if area is None:
        raise Refused(400, "没有找到这个区域,请从列表里选一个。")
    return area
