"""`/h5/permits/<ref>/boxes`: what only this work's form asks for (pipe, plate, rigging, supply …), filled in on the phone.

No rule reads these boxes: they stand on the sheet as they were written, and the trail says by whom.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cards import permit as cards
from handlers.permit import actions, cast
from rules.errors import RuleBroken
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.permit_sheet import boxes_of
from web.permits import find
from web.session import csrf_token, needs_person, visitor

MAX_CHARS = 120
NOT_YOURS = "这张作业票现在不由您填写,请让申请人或票上的人填。"


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("permit_boxes", __name__)

    @pages.get("/h5/permits/<ref>/boxes")
    @needs_person(ctx)
    def boxes(ref: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            permit = find(work, ref)
            if not cast.may_answer(permit, work.people.get(visitor().person_id)):
                raise Refused(403, NOT_YOURS)
            title = f"{permit.number or ''} {cards.name(permit)}".strip()
            fields = boxes_of(permit)
        return render_template(
            "permit_boxes.html", ref=ref, title=title, fields=fields, max_chars=MAX_CHARS, csrf=csrf_token()
        )

    @pages.post("/h5/permits/<ref>/boxes")
    @needs_person(ctx)
    def filled(ref: str) -> ResponseReturnValue:
        person_id = visitor().person_id

        def act(work: UnitOfWork) -> int:
            permit = work.permits.get(find(work, ref).id, lock=True)
            person = work.people.get(person_id)
            cast.need_answerer(permit, person)
            told = {
                key: request.form.get(f"box.{key}", "").strip()[:MAX_CHARS]
                for key, _, now in boxes_of(permit)
                if request.form.get(f"box.{key}", "").strip() != now
            }
            if told:
                permit.boxes = {key: text for key, text in {**permit.boxes, **told}.items() if text}
                actions.leave_line(
                    work, permit, "answered", by=person, via="web", why=f"票面栏目{len(told)}项", boxes=sorted(told)
                )
            return len(told)

        try:
            count = ctx.change(act)
        except RuleBroken as broken:
            flash(broken.message_zh, "bad")
        else:
            flash(f"已填{count}项,会印在作业票上。" if count else "没有改动。", "good")
        return redirect(url_for("permits.permit_page", ref=ref), code=303)

    return pages
