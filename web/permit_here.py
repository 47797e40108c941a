"""`/h5/permits/<id>/here`: the approver's phone says where it is; the signature counts only at the work (4.11 a).

The way for DingTalk, whose location messages tell a bot nothing, and for anybody whose chat cannot send a position.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from cards import permit as cards
from handlers.permit import signing
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.permits import find
from web.place import position
from web.session import csrf_token, needs_person, visitor

LIMIT_M = 50  # a fix rougher than this is asked for again on the page
TIME_OUT_S = 45


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("permit_here", __name__)

    @pages.get("/h5/permits/<int:permit_id>/here")
    @needs_person(ctx)
    def here(permit_id: int) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            permit = find(work, str(permit_id))
            signing.check_signer(work, permit, work.people.get(visitor().person_id), "approve")
            title = f"{permit.number} {cards.name(permit)}"
            return render_template(
                "permit_here.html",
                permit_id=permit.id,
                title=title,
                place=cards.place(permit),
                content=permit.content,
                limit_m=LIMIT_M,
                time_out_s=TIME_OUT_S,
                csrf=csrf_token(),
                bridge=ctx.scripts.get(visitor().platform, ""),
            )

    @pages.post("/h5/permits/<int:permit_id>/here")
    @needs_person(ctx)
    def sent(permit_id: int) -> ResponseReturnValue:
        body = request.get_json(silent=True)
        point, accuracy_m = position(body if isinstance(body, dict) else {})
        if point is None:
            raise Refused(400, "没有收到经纬度,请重新定位。")
        who = visitor()

        def act(work: UnitOfWork) -> dict[str, Any]:
            permit = work.permits.get(find(work, str(permit_id)).id, lock=True)
            person = work.people.get(who.person_id)
            signing.approve(work, permit, by=person, here=point, accuracy_m=accuracy_m, via="web")
            work.conversations.end(f"person:{person.id}", at=work.at)
            words = f"{permit.number} 已批准,{cards.span(permit)}有效。"
            return {"finished": permit.state == PermitState.APPROVED.value, "message": words}

        try:
            return jsonify(ctx.change(act))
        except RuleBroken as broken:
            return jsonify({"finished": False, "message": broken.message_zh})

    return pages
