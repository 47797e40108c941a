"""`/h5/policy`: the policy in force in words, what it would change on open cases, and the one press that moves them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from cards.words import local
from handlers import policies
from handlers.hazard import plans
from handlers.hazard.from_page import WEB
from rules import escalation
from rules.errors import RuleBroken
from rules.terms import Role
from storage.models import Person
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.session import csrf_token, needs_person, visitor

SEES = (*policies.MANAGERS, Role.EXECUTIVE)
NOT_FOR_YOU = "策略由管理员和安全员管理,需要请联系他们。"
GONE = "没有这个版本的策略,请从卡片里重新打开。"


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("policy", __name__)

    @pages.get("/h5/policy", defaults={"version": None})
    @pages.get("/h5/policy/<int:version>")
    @needs_person(ctx)
    def policy(version: int | None) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            if not any(g.role in SEES and g.area_id is None for g in person.roles):
                raise Refused(403, NOT_FOR_YOU)
            return render_template("policy.html", csrf=csrf_token(), **_view(work, person, version))

    @pages.post("/h5/policy/<int:version>/move")
    @needs_person(ctx)
    def move(version: int) -> ResponseReturnValue:
        person_id = visitor().person_id

        def act(work: UnitOfWork) -> str:
            policies.ask_move(work, version, by=work.people.get(person_id), via=WEB)
            return f"在办案件正在改用策略 v{version},完成后告诉您。"

        try:
            tone, said = "good", ctx.change(act)
        except RuleBroken as broken:
            tone, said = "bad", broken.message_zh
        flash(said, tone)
        return redirect(url_for("policy.policy", version=version), code=303)

    return pages


def _view(work: UnitOfWork, person: Person, version: int | None) -> dict[str, object]:
    newest = work.policies.current()
    row = newest if version is None else work.policies.version(version)
    if row is None and version:
        raise Refused(404, GONE)
    _, content = plans.content_of(work, row.version if row is not None else 0)
    seen = policies.preview(work, row) if row is not None else None
    is_newest = row is not None and newest is not None and newest.version == row.version
    running = row is not None and row.move_asked_at is not None and row.moved_at is None
    return {
        "version": row.version if row is not None else 0,
        "newest": newest.version if newest is not None else 0,
        "published": local(row.created_at) if row is not None else "",
        "versions": [other.version for other in work.policies.all()],
        "plans": _plans(work, content),
        "roll_calls": _roll_calls(content),
        "seen": seen,
        "groups": [(lines, policies.numbers_zh(numbers, most=20)) for lines, numbers in seen.groups()] if seen else [],
        "running": running,
        "moved": f"{local(row.moved_at)} 改用完成,共{row.moved_count}条" if row is not None and row.moved_at else "",
        "may_move": bool(policies.may_manage(person) and is_newest and seen and seen.total and not running),
    }


def _plans(work: UnitOfWork, content: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(when it holds, what it says) of every plan, in the order they are tried."""
    areas = {area.code: area.name for area in work.plant.areas()}
    hours = escalation.read_hours(content)
    shared: dict[str, Any] = {name: content[name] for name in ("shifts", "working_hours") if name in content}
    return [
        (escalation.when_zh(entry, hours, areas), escalation.plan_lines(escalation.read_plan({**entry, **shared})))
        for entry in content["plans"]
    ]


def _roll_calls(content: dict[str, Any]) -> list[tuple[str, str]]:
    hours = escalation.read_hours(content)
    return [
        (
            name,
            ",".join(escalation.step_zh("everyone", step, hours) for step in escalation.roll_call_steps(content, kind)),
        )
        for kind, name in escalation.ROLL_CALLS.items()
    ]
