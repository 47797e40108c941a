"""`/h5/roll-calls/<id>`: who has confirmed and who has not, live; the same steps as in chat."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cards import roll_call as cards
from cards.words import local
from handlers.hazard.from_page import WEB
from handlers.permit import feel
from handlers.roll_call import actions, talk
from rules.errors import RuleBroken
from storage.models import Person, RollCall, RollCallMember
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.session import csrf_token, needs_person, visitor

GONE = "没有找到这次点名,请回到聊天里发“点名”重新打开。"
NOT_CALLED = "这次点名没有点到您。"
Do = Callable[[UnitOfWork, RollCall, Person, str], str]


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("roll_calls", __name__)

    @pages.get("/h5/roll-calls")
    @needs_person(ctx)
    def calls() -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            rows = [call for call in work.roll_calls.recent() if _may_see(work, call, person)]
            lines = [(call.id, cards.line(call), call.ended_at is not None, local(call.started_at)) for call in rows]
        return render_template("roll_calls.html", lines=lines)

    @pages.get("/h5/roll-calls/<int:call_id>")
    @needs_person(ctx)
    def call(call_id: int) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            found, person = _find(work, call_id), work.people.get(visitor().person_id)
            if not _may_see(work, found, person):
                raise Refused(403, NOT_CALLED)
            mine = actions.member_of(found, person)
            leads = actions.may_lead(work, found, person)
            return render_template(
                "roll_call.html",
                csrf=csrf_token(),
                call=found,
                title=f"{found.number} {cards.kind_zh(found)} · {cards.place(found)}",
                must=cards.MUST[found.kind],
                safe_label=cards.SAFE[found.kind],
                missing=[_row(m) for m in cards.missing(found)] if leads else [],
                confirmed=[_row(m) for m in found.members if m.confirmed_at is not None] if leads else [],
                standing=cards.standing(found),
                started=local(found.started_at),
                ended=local(found.ended_at) if found.ended_at else "",
                leads=leads and found.ended_at is None,
                mine=mine is not None and mine.confirmed_at is None and found.ended_at is None,
            )

    @pages.post("/h5/roll-calls/<int:call_id>/<verb>")
    @needs_person(ctx)
    def step(call_id: int, verb: str) -> ResponseReturnValue:
        do = VERBS.get(verb)
        if do is None:
            raise Refused(404, GONE)
        person_id, chosen = visitor().person_id, request.form.get("person", "")

        def act(work: UnitOfWork) -> str:
            found = work.roll_calls.get(_find(work, call_id).id, lock=True)
            return do(work, found, work.people.get(person_id), chosen)

        try:
            tone, said = "good", ctx.change(act)
        except RuleBroken as broken:
            tone, said = "bad", broken.message_zh
        flash(said, tone)
        return redirect(url_for("roll_calls.call", call_id=call_id), code=303)

    return pages


def _find(work: UnitOfWork, call_id: int) -> RollCall:
    found = work.roll_calls.find(call_id)
    if found is None:
        raise Refused(404, GONE)
    return found


def _may_see(work: UnitOfWork, call: RollCall, person: Person) -> bool:
    return actions.member_of(call, person) is not None or actions.may_lead(work, call, person)


def _row(member: RollCallMember) -> dict[str, object]:
    return {
        "id": member.person_id,
        "name": member.person.name,
        "mobile": member.person.mobile,
        "help": member.help_at is not None and member.confirmed_at is None,
        "when": local(member.confirmed_at) if member.confirmed_at else "",
    }


def _safe(work: UnitOfWork, call: RollCall, by: Person, _chosen: str) -> str:
    if call.case_kind == "permit" and call.case_id is not None:
        feel.confirm(work, work.permits.get(call.case_id, lock=True), by=by, via=WEB)
    else:
        actions.confirm(work, call, person=by, by=by, via=WEB)
    return "已记下,您安全。"


def _help(work: UnitOfWork, call: RollCall, by: Person, _chosen: str) -> str:
    actions.ask_help(work, call, by=by, via=WEB)
    return "已通知负责人来救援。能动就往上风向走。"


def _again(work: UnitOfWork, call: RollCall, by: Person, _chosen: str) -> str:
    return f"已再催{actions.again(work, call, by=by, via=WEB)}人。"


def _end(work: UnitOfWork, call: RollCall, by: Person, _chosen: str) -> str:
    actions.end(work, call, by=by, via=WEB)
    return "已解除,已告诉所有人。"


def _seen(work: UnitOfWork, call: RollCall, by: Person, chosen: str) -> str:
    member = next((m for m in call.members if str(m.person_id) == chosen), None)
    if member is None:
        raise RuleBroken("person", "没有选人,请从名单里点。")
    talk.seen(work, call, member.person, by=by, via=WEB)
    return f"已确认{member.person.name}安全。"


VERBS: dict[str, Do] = {"safe": _safe, "help": _help, "again": _again, "end": _end, "seen": _seen}
