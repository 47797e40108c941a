"""`GET /api/v1/permits`, `/api/v1/permits/{number}`, and `POST /api/v1/permits/evaluate`: a dry run that stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from handlers.permit import measures, tables
from rules.permit import Stage, UnknownWork, evaluate
from rules.permit.facts import fact_dictionary
from storage.models import Permit, PermitApproval, PermitVerdict, TrailLine
from storage.unit_of_work import UnitOfWork
from web.api import body, query
from web.api.hazards import stamp
from web.api.people import short
from web.api.permit_shapes import PATHS, SCHEMAS, STATES, WORKS
from web.context import WebContext
from web.errors import Problem
from web.media import picture_url

__all__ = ["PATHS", "SCHEMAS", "routes"]

MEMBERS = ("work", "level", "at", "facts", "stage")


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_permits", __name__)

    @api.get("/permits")
    def permits() -> ResponseReturnValue:
        query.only("state", "work", "area", "since", "until", "cursor", "limit")
        state, kind = query.one_of("state", STATES), query.one_of("work", WORKS)
        since, until = query.moment("since", ctx.zone), query.moment("until", ctx.zone)
        limit, after = query.limit(), query.cursor("p")
        with ctx.new_work(read_only=True) as work:
            area = query.area(work)
            rows = work.permits.page(
                state=state, work=kind, area_code=area, since=since, until=until, after_id=after, limit=limit + 1
            )
            verdicts = work.permit_verdicts.current(rows[:limit])
            items = [summary(ctx, permit, verdicts.get(permit.verdict_id or 0)) for permit in rows[:limit]]
        more = query.make_cursor("p", rows[limit - 1].id) if len(rows) > limit else None
        return jsonify({"items": items, "next_cursor": more})

    @api.get("/permits/<number>")
    def permit(number: str) -> ResponseReturnValue:
        query.only()
        with ctx.new_work(read_only=True) as work:
            found = work.permits.by_number(number)
            if found is None:
                raise Problem(404, "There is no permit with this number.", parameter="number")
            return jsonify(detail(ctx, work, found))

    @api.post("/permits/evaluate")
    def dry_run() -> ResponseReturnValue:
        query.only()
        asked = body.of_json()
        with ctx.new_work(read_only=True) as work:
            table = tables.rules_of(work).table
        started = perf_counter()
        found = _judged(table, asked)
        verdict = {**found, "decided_in_ms": round((perf_counter() - started) * 1000, 3)}
        return jsonify({**verdict, "verdict": verdict})

    return api


# -- dry run


def _judged(table: Any, asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise Problem(400, "Send an object with work, level, at and facts.")
    if strange := sorted(set(asked) - set(MEMBERS)):
        raise Problem(400, f"Unknown members: {', '.join(name[:40] for name in strange)}. Known: {', '.join(MEMBERS)}.")
    kind = asked.get("work")
    if kind not in WORKS:
        raise Problem(400, f"«work» must be one of: {', '.join(WORKS)}.", parameter="work")
    stage = asked.get("stage")
    if stage is not None and stage not in [one.value for one in Stage]:
        raise Problem(400, f"«stage» must be one of: {', '.join(Stage)}.", parameter="stage")
    at, facts = _moment(asked.get("at")), _facts(asked.get("facts", {}))
    level = asked.get("level")
    if level is not None and (isinstance(level, bool) or not isinstance(level, (str, int))):
        raise Problem(400, "«level» must be text, such as l1.", parameter="level")
    try:
        verdict = evaluate(table, work=kind, level=level, at=at, facts=facts, stage=Stage(stage) if stage else None)
    except UnknownWork as error:
        raise Problem(400, str(error), parameter="level") from error
    return _public(verdict.as_dict())


def _moment(given: Any) -> datetime:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9998:
        raise Problem(
            400, "«at» must be an RFC 3339 time with offset, such as 2026-11-24T09:00:00+08:00.", parameter="at"
        )
    return at


def _facts(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise Problem(400, "«facts» must be an object: fact name → value.", parameter="facts")
    if strange := sorted(set(given) - set(fact_dictionary())):
        names = ", ".join(name[:40] for name in strange[:20])
        raise Problem(400, f"Unknown facts: {names}. Their names are in docs/permits.md.", parameter="facts")
    return given


def _public(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict as the contract has it: the rules in the way first, then what passed."""
    return {
        "result": verdict["result"],
        "work": verdict["work"],
        "level": verdict["level"],
        "at": verdict["at"],
        "stage": verdict["stage"],
        "basis": verdict["basis"],
        "rules": [{name: row[name] for name in _RULE_MEMBERS} for row in verdict["rules"]],
        "missing": list(verdict["missing"]),
        "fix": list(verdict["fix"]),
        "due_next": list(verdict["due_next"]),
        "table_version": verdict["table_version"],
    }


_RULE_MEMBERS = ("id", "result", "facts", "limit", "clause", "message", "src", "remedy", "missing")


# -- permits


def summary(ctx: WebContext, permit: Permit, verdict: PermitVerdict | None) -> dict[str, Any]:
    return {
        "number": permit.number,
        "state": permit.state,
        "work": permit.work,
        "level": permit.level or "none",
        "level_why": permit.level_why,
        "content": permit.content,
        "area": {"code": permit.area.code, "name": permit.area.name} if permit.area else None,
        "equipment": {"code": permit.equipment.code, "name": permit.equipment.name} if permit.equipment else None,
        "location": {"lat": permit.lat, "lon": permit.lon} if permit.lat is not None else None,
        "applicant": short(permit.applicant),
        "guardian": short(permit.guardian),
        "workers": [short(p.person) for p in permit.parties if p.role == "worker" and p.left_at is None],
        "planned_start": stamp(ctx, permit.planned_start),
        "planned_end": stamp(ctx, permit.planned_end),
        "valid_from": stamp(ctx, permit.valid_from),
        "valid_until": stamp(ctx, permit.valid_until),
        "started_at": stamp(ctx, permit.started_at),
        "ended_at": stamp(ctx, permit.ended_at),
        "suspended": [
            {"rule": why["rule"], "message": why["message"], "resumes_when": why["resumes_when"]}
            for why in permit.suspend_why
        ],
        "verdict": _stored(ctx, verdict) if verdict is not None else None,
    }


def _stored(ctx: WebContext, row: PermitVerdict) -> dict[str, Any]:
    return {**_public(row.verdict), "decided_in_ms": row.took_ms}


def detail(ctx: WebContext, work: UnitOfWork, permit: Permit) -> dict[str, Any]:
    people = {person.id: person for person in work.people.everyone()}
    return {
        **summary(ctx, permit, work.permit_verdicts.get(permit.verdict_id)),
        "gas_tests": [
            {
                "at": stamp(ctx, test.at),
                "by": short(people.get(test.by_id or 0)),
                "meter": test.meter or None,
                "point": test.point or None,
                "values": test.values,
                "photo_url": _photo(ctx, test.photo_sha),
            }
            for test in permit.gas_tests
        ],
        "approvals": [
            {
                "kind": row.kind,
                "step": row.step,
                "role": row.wanted_role or None,
                "words": row.words,
                "by": short(row.person),
                "granted": row.granted,
                "decided_at": stamp(ctx, row.decided_at),
                "location": {"lat": row.lat, "lon": row.lon} if row.lat is not None else None,
                "photo_url": _photo(ctx, row.photo_sha),
                **_micro(row),
            }
            for row in permit.approvals
        ],
        "trail": [_line(ctx, people, line) for line in work.trail.of("permit", permit.id)],
    }


def _micro(row: PermitApproval) -> dict[str, Any]:
    """Which micro-action this was, by which clause, and what was told as its evidence."""
    known = measures.micro_of(row)
    return {
        "micro": known.micro or None,
        "clause": known.clause or None,
        "evidence": known.evidence,
        "said": row.said or None,
    }


def _photo(ctx: WebContext, sha: str) -> str | None:
    return picture_url(ctx.secret_key, ctx.public_url, sha, "original", clock=ctx.clock) if sha else None


def _line(ctx: WebContext, people: Mapping[int, Any], line: TrailLine) -> dict[str, Any]:
    return {
        "at": stamp(ctx, line.at),
        "by": short(people.get(line.by_id or 0)),
        "action": line.action,
        "from": line.from_state or None,
        "to": line.to_state or None,
        "why": line.why,
        "via": line.via or None,
    }
