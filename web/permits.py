"""`/h5/permits/<number>`: verdict, rules, facts, signatures, trail, the sheet as PDF, and the form for long answers.

A card names its permit by id, people by number; both open. `…/verify` is for whoever scans a printed sheet: without
signing in it says whether the sheet is true, and nothing about people.
"""

from __future__ import annotations

import hmac
from functools import partial

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cards import permit as cards
from cards.pdf import permit_pdf
from cards.words import local
from handlers.permit import cast, from_page, gas_facts, heights, questions
from rules.errors import RuleBroken
from rules.permit import Result
from rules.permit.life import PermitState
from storage.models import Permit
from storage.unit_of_work import UnitOfWork
from web import permit_sheet
from web.context import WebContext
from web.errors import Refused
from web.media import picture_url
from web.permit_view import view
from web.session import csrf_token, needs_person, visitor

GONE = "没有找到这张作业票,请核对编号或回到聊天里重新打开。"
FORGED = "这个二维码不是本系统打印的,请向安全管理部门核实后再作业。"
MAX_ANSWER = 120
DRAFT = "draft-"  # and its id: how a sheet names a request that has no number yet


def find(work: UnitOfWork, ref: str) -> Permit:
    """A permit by number (ZY-0001) or id. Raises Refused."""
    permit = work.permits.find(int(ref)) if ref.isdecimal() and len(ref) < 19 else work.permits.by_number(ref[:32])
    if permit is None:
        raise Refused(404, GONE)
    return permit


def _printed(work: UnitOfWork, number: str) -> Permit | None:
    """The permit that a sheet of ours names; a draft by its id."""
    given = number.removeprefix(DRAFT)
    if given != number and given.isdecimal() and len(given) < 19:
        return work.permits.find(int(given))
    return work.permits.by_number(number[:32])


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("permits", __name__)
    link = partial(picture_url, ctx.secret_key, ctx.public_url, clock=ctx.clock)

    @pages.get("/h5/permits/<ref>")
    @needs_person(ctx)
    def permit_page(ref: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            permit = find(work, ref)
            person = work.people.get(visitor().person_id)
            seen = view(work, permit, may_answer=cast.may_answer(permit, person), link=link)
        return render_template("permit.html", permit=seen)

    @pages.get("/h5/permits/<ref>/sheet.pdf")
    @needs_person(ctx)
    def sheet(ref: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            permit = find(work, ref)
            number = permit.number or f"{DRAFT}{permit.id}"
            url = permit_sheet.verify_url(ctx.public_url, ctx.secret_key, number)
            made = permit_sheet.sheet_of(work, permit, plant=ctx.plant_name, verify=url)
            name = permit_sheet.filename(permit, ctx.local(work.at))
        answer = Response(permit_pdf(made), mimetype="application/pdf")
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return answer

    @pages.get("/h5/permits/<number>/verify")
    def verify(number: str) -> ResponseReturnValue:
        given = request.args.get("sig", "")[:64]
        good = hmac.compare_digest(given.encode(), permit_sheet.signature(ctx.secret_key, number).encode())
        with ctx.new_work(read_only=True) as work:
            permit = _printed(work, number) if good else None
            if permit is None:
                raise Refused(403, FORGED)
            draft = number.startswith(DRAFT)
            facts = {
                "number": permit.number,
                "draft": draft,
                "name": cards.name(permit),
                "state": permit.state,
                "state_zh": PermitState(permit.state).zh,
                "span": cards.span(permit),
                "place": cards.place(permit),
                "now": local(work.at),
                "works": permit.state == PermitState.ACTIVE.value and not draft,
            }
        return render_template("permit_verify.html", **facts)

    @pages.get("/h5/permits/<ref>/facts")
    @needs_person(ctx)
    def facts(ref: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            permit = find(work, ref)
            if not cast.may_answer(permit, work.people.get(visitor().person_id)):
                raise Refused(403, "这张作业票现在不由您填写,请让申请人或票上的人填。")
            open_now = from_page.open_questions(work, permit)
            no_meter = not gas_facts.needs_meter(work, permit)
            rows = [_field(question, no_meter=no_meter) for question in open_now]
            about = {"title": f"{permit.number or ''} {cards.name(permit)}".strip(), "ref": ref}
        return render_template("permit_facts.html", fields=rows, csrf=csrf_token(), **about)

    @pages.post("/h5/permits/<ref>/facts")
    @needs_person(ctx)
    def answered(ref: str) -> ResponseReturnValue:
        person_id = visitor().person_id
        answers = {
            name.removeprefix("fact."): value.strip()[:MAX_ANSWER]
            for name, value in request.form.items()
            if name.startswith("fact.")
        }

        def act(work: UnitOfWork) -> tuple[str, list[str], bool]:
            permit = work.permits.get(find(work, ref).id, lock=True)
            done = from_page.answer_facts(work, permit, by=work.people.get(person_id), answers=answers, via="web")
            left = bool(from_page.open_questions(work, permit))
            return f"已填{len(done.taken)}项,判定:{Result(permit.result).zh}。", done.wrong, left

        try:
            said, wrong, left = ctx.change(act)
        except RuleBroken as broken:
            flash(broken.message_zh, "bad")
            return redirect(url_for("permits.permit_page", ref=ref), code=303)
        for sentence in wrong:
            flash(sentence, "bad")
        flash(said, "good")
        return redirect(url_for("permits.facts" if left else "permits.permit_page", ref=ref), code=303)

    return pages


def _field(question: questions.Question, *, no_meter: bool) -> dict[str, object]:
    """One question as the template draws it. `offer`: what may be filled in with one tap, never by itself."""
    if question.fact == from_page.HEIGHT:
        how = f"{heights.ASKED}填个数,在地面就填“地面”。"
        return {"name": f"fact.{question.fact}", "label": question.label, "how": how, "quick": "地面"}
    taps = questions.choices(question.fact, no_meter=no_meter)
    offer = cards.value_zh(question.fact, question.proposed) if question.proposed is not None else ""
    if question.proposed == "none" or question.proposed == []:
        offer = "没有"
    return {
        "name": f"fact.{question.fact}",
        "label": question.label,
        "how": questions.how_to_answer(question.fact).replace("说个数", "填个数"),
        "choices": taps if len(taps) > 1 else [],
        "quick": taps[0][1] if len(taps) == 1 else "",
        "offer": next((answer for label, answer in taps if offer in (label, answer)), offer if len(taps) < 2 else ""),
        "remembered": question.remembered,
    }
