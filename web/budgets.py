"""Budgets and deliveries (额度和投递): what the platforms' budgets come to, what waits and why, what failed.

For admins and safety officers; frugal mode is switched by admins. Shown are cases and kinds of messages, never to whom:
a receiver could tell who an anonymous reporter is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cards import deliveries as words
from cards.words import duration, local
from handlers import budgets, frugal
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.session import csrf_token, needs_person, visitor

FAILED_FOR = timedelta(days=3)
OLD_S = 180  # the snapshot is written every minute: older than this, no scheduler runs


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("budgets", __name__)

    @pages.get("/h5/budgets")
    @needs_person(ctx)
    def page() -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            if not budgets.may_see(person):
                raise Refused(403, budgets.NOT_YOURS)
            seen = _view(work)
        return render_template("budgets.html", **seen, may_switch=budgets.may_switch(person), csrf=csrf_token())

    @pages.post("/h5/budgets/frugal")
    @needs_person(ctx)
    def switch() -> ResponseReturnValue:
        sent = request.get_json(silent=True) if request.is_json else request.form
        wanted = str((sent if sent is not None else {}).get("mode", ""))
        person_id = visitor().person_id

        def act(work: UnitOfWork) -> tuple[str, str]:
            person = work.people.get(person_id)
            if not budgets.may_switch(person):
                raise Refused(403, "节约模式由管理员切换,请找管理员。")
            if wanted not in frugal.MODES:
                return "bad", "请选“自动”“开”或“关”。"
            return "good", budgets.switched(work, wanted, by=person)

        tone, said = ctx.change(act)
        flash(said, tone)
        return redirect(url_for("budgets.page"), code=303)

    return pages


def _view(work: UnitOfWork) -> dict[str, Any]:
    snapshot = work.budgets.note(frugal.SNAPSHOT)
    at = datetime.fromisoformat(snapshot["at"]) if snapshot.get("at") else None
    state, on = work.budgets.note(frugal.STATE), frugal.active(work)
    platforms = [
        {
            "title": found["title"],
            "frugal": name in on,
            "since": local(datetime.fromisoformat(state[name]["since"]))
            if name in on and "since" in state[name]
            else "",
            "budgets": [_budget(row) for row in found["budgets"]],
        }
        for name, found in snapshot.get("platforms", {}).items()
    ]
    return {
        "platforms": platforms,
        "mode": frugal.mode(work, str(snapshot.get("default", "auto"))),
        "modes": frugal.MODES,
        "at": local(at) if at else "",
        "stale": at is None or (work.at - at).total_seconds() > OLD_S,
        "groups": [_group(work, g) for g in work.outbox.waiting_groups(work.at)],
        "waiting": [_row(work, row) for row in work.outbox.longest_waiting(work.at)],
        "failed": [_row(work, row) for row in work.outbox.failed_since(work.at - FAILED_FOR)],
    }


def _budget(row: dict[str, Any]) -> dict[str, Any]:
    most = max(row["days"].values(), default=0)
    return {
        **row,
        "period_zh": "本月" if row["period"] == "month" else "今天",
        "share": min(100, round(100 * row["used"] / row["limit"])) if row["limit"] else 0,
        "bars": [(day[5:], n, round(100 * n / most) if most else 0) for day, n in row["days"].items()],
    }


def _group(work: UnitOfWork, group: Any) -> dict[str, Any]:
    return {
        "platform": words.PLATFORM_ZH.get(group.platform, group.platform),
        "urgent": group.urgent,
        "reason": words.waits_zh(group.reason),
        "how_many": group.how_many,
        "since": local(group.oldest),
        "age": duration((work.at - group.oldest).total_seconds()),
    }


def _row(work: UnitOfWork, row: Delivery) -> dict[str, Any]:
    since = row.wanted_at or row.created_at
    hazard = work.hazards.find(row.case_id) if row.case_kind == "hazard" and row.case_id is not None else None
    return {
        "id": row.id,
        "case": hazard.number if hazard is not None else "",
        "purpose": words.PURPOSE_ZH.get(row.purpose, "通知"),
        "what": words.WHAT_ZH.get(row.what, row.what),
        "platform": words.PLATFORM_ZH.get(row.platform, row.platform),
        "state": words.STATE_ZH[row.state],
        "why": row.error if row.state == "refused" else words.waits_zh(row.wait_reason),
        "since": local(since),
        "age": duration((work.at - since).total_seconds()),
        "tries": row.attempts,
        "next": local(row.due_at) if row.state == "due" and row.due_at > work.at else "",
    }
