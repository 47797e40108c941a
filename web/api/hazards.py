"""`GET /api/v1/hazards` and `/api/v1/hazards/{number}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from cards import treatment
from handlers.hazard import plans
from rules.escalation import CHANNELS, LADDERS, PEOPLE
from rules.hazard.evidence import FIVE_FIXES
from rules.lexicon import Category
from rules.terms import Grade, HazardState, PlaceSource
from storage.models import Hazard, HazardPhoto, LadderStep, TrailLine
from storage.unit_of_work import UnitOfWork
from web.api import query
from web.api.people import short
from web.api.shapes import (
    CURSOR,
    FLAG,
    INTEGER,
    LIMIT,
    NUMBER,
    TIME,
    answers,
    choice,
    many,
    maybe,
    parameter,
    record,
    ref,
    text,
)
from web.context import WebContext
from web.errors import Problem
from web.hazard_view import is_hidden
from web.media import picture_url

STATES = [state.value for state in HazardState]
GRADES = [grade.value for grade in Grade]


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_hazards", __name__)

    @api.get("/hazards")
    def hazards() -> ResponseReturnValue:
        query.only("state", "grade", "area", "since", "until", "cursor", "limit")
        state, grade = query.one_of("state", STATES), query.one_of("grade", GRADES)
        since, until = query.moment("since", ctx.zone), query.moment("until", ctx.zone)
        limit, after = query.limit(), query.cursor("h")
        with ctx.new_work(read_only=True) as work:
            area = query.area(work)
            rows = work.hazards.page(
                state=state, grade=grade, area_code=area, since=since, until=until, after_id=after, limit=limit + 1
            )
            items = [summary(ctx, hazard) for hazard in rows[:limit] if hazard.number]
        more = query.make_cursor("h", rows[limit - 1].id) if len(rows) > limit else None
        return jsonify({"items": items, "next_cursor": more})

    @api.get("/hazards/<number>")
    def hazard(number: str) -> ResponseReturnValue:
        query.only()
        with ctx.new_work(read_only=True) as work:
            found = work.hazards.by_number(number)
            if found is None:
                raise Problem(404, "There is no hazard with this number.", parameter="number")
            return jsonify(detail(ctx, work, found))

    return api


def stamp(ctx: WebContext, at: datetime | None) -> str | None:
    """RFC 3339 in plant time, with its offset."""
    return ctx.local(at).isoformat(timespec="seconds") if at is not None else None


def summary(ctx: WebContext, hazard: Hazard) -> dict[str, Any]:
    """The hazard without its trail."""
    return {
        "number": hazard.number,
        "state": hazard.state,
        "grade": hazard.grade,
        "grade_why": hazard.grade_why,
        "description": hazard.description,
        "category": hazard.category or Category.UNKNOWN.value,
        "annotations": [{"kind": a["kind"], "value": a["value"], "why": a["why"]} for a in hazard.annotations],
        "major_candidate": hazard.major_candidate or None,
        "major": hazard.major,
        "treatment": _treatment(ctx, hazard),
        "emergency": hazard.emergency,
        "area": {"code": hazard.area.code, "name": hazard.area.name} if hazard.area else None,
        "equipment": {"code": hazard.equipment.code, "name": hazard.equipment.name} if hazard.equipment else None,
        "location": _location(hazard),
        "photos": [_photo(ctx, hazard, photo) for photo in hazard.photos if not photo.dropped],
        "evidence_url": _link(ctx, hazard.evidence_sha, "small") if hazard.evidence_sha else None,
        "anonymous": hazard.anonymous,
        "reporter": None if hazard.anonymous else short(hazard.reporter),
        "owner": short(hazard.owner),
        "rectified_by": short(hazard.rectified_by),
        "rectification": hazard.rectification,
        "accepted_by": short(hazard.accepted_by),
        "signals": [{"id": s["id"], "strength": s["strength"], "message": s["message"]} for s in hazard.signals],
        "merged_into": hazard.merged_into.number if hazard.merged_into else None,
        "reported_at": stamp(ctx, hazard.reported_at),
        "confirm_due_at": stamp(ctx, hazard.confirm_due_at),
        "confirmed_at": stamp(ctx, hazard.confirmed_at),
        "due_at": stamp(ctx, hazard.due_at),
        "policy_version": hazard.policy_version,
        "closed_at": stamp(ctx, hazard.closed_at),
    }


def _treatment(ctx: WebContext, hazard: Hazard) -> dict[str, Any] | None:
    """The five fixes and the evaluation of what is, or may be, a major hazard."""
    if not treatment.concerns(hazard):
        return None
    known = treatment.five_fixes(hazard)
    return {
        "five_fixes": {part: _entry(ctx, known.get(part)) for part in FIVE_FIXES},
        "missing": [part for part in FIVE_FIXES if part not in known],
        "evaluation": _entry(ctx, treatment.evaluation(hazard)),
    }


def _entry(ctx: WebContext, entry: treatment.Entry | None) -> dict[str, Any] | None:
    return {"words": entry.words, "by": short(entry.by), "at": stamp(ctx, entry.at)} if entry is not None else None


def detail(ctx: WebContext, work: UnitOfWork, hazard: Hazard) -> dict[str, Any]:
    lines = work.trail.of("hazard", hazard.id)
    return {
        **summary(ctx, hazard),
        "ladder": [_rung(ctx, step) for step in work.ladder.of("hazard", hazard.id, generation=hazard.generation)],
        "trail": [_line(ctx, work, hazard, line) for line in lines],
    }


def _rung(ctx: WebContext, step: LadderStep) -> dict[str, Any]:
    state = "told" if step.taken_at is not None else "called_off" if step.called_off_at is not None else "waiting"
    return {
        "ladder": step.ladder,
        "position": step.position,
        "due_at": stamp(ctx, step.due_at),
        "state": state,
        "told_at": stamp(ctx, step.taken_at),
        "notices": [{"to": n.to, "channels": list(n.channels), "time": list(n.time)} for n in plans.notices_of(step)],
    }


def _location(hazard: Hazard) -> dict[str, Any] | None:
    if not hazard.place_source:
        return None
    return {
        "lat": hazard.lat,
        "lon": hazard.lon,
        "accuracy_m": hazard.accuracy_m,
        "source": hazard.place_source,
        "notes": [str(note) for note in hazard.place_notes],
    }


def _photo(ctx: WebContext, hazard: Hazard, photo: HazardPhoto) -> dict[str, Any]:
    # The original's EXIF can name its phone or its owner: of an anonymous report only the cleaned copy is linked.
    kind = "small" if hazard.anonymous and photo.kind == "before" else "original"
    return {
        "id": photo.id,
        "kind": photo.kind,
        "sha256": photo.sha256,
        "taken_at": stamp(ctx, photo.taken_at),
        "received_at": stamp(ctx, photo.received_at),
        "url": _link(ctx, photo.sha256, kind),
    }


def _link(ctx: WebContext, sha: str, kind: Any) -> str:
    return picture_url(ctx.secret_key, ctx.public_url, sha, kind, clock=ctx.clock)


def _line(ctx: WebContext, work: UnitOfWork, hazard: Hazard, line: TrailLine) -> dict[str, Any]:
    hidden = is_hidden(line, hazard)
    by = short(work.people.get(line.by_id)) if line.by_id is not None and not hidden else None
    return {
        "at": stamp(ctx, line.at),
        "by": by,
        "by_hidden": hidden,
        "action": line.action,
        "from": line.from_state or None,
        "to": line.to_state or None,
        "why": line.why,
        "via": line.via or None,
    }


_STATE = choice(STATES)
_ENTRY = maybe(
    record(
        {"words": text("As it was said"), "by": maybe(ref("PersonRef")), "at": maybe(TIME)},
        words="Without by and at it follows from the case itself (owner, deadline)",
    )
)
_SUMMARY: dict[str, Any] = {
    "number": text("YH-0001 …"),
    "state": _STATE,
    "grade": choice(GRADES, "red 一级, orange 二级, yellow 三级"),
    "grade_why": text("Why it has this grade, in Chinese"),
    "description": text("As it was said"),
    "category": choice([c.value for c in Category]),
    "annotations": many(record({"kind": text(), "value": text(), "why": text()})),
    "major_candidate": maybe(
        text("Criterion code when it may be a major hazard (重大隐患), to be decided by a person")
    ),
    "major": maybe({"type": "boolean", "description": "As an authorised person decided; null: not decided"}),
    "treatment": maybe(
        record(
            {
                "five_fixes": record(dict.fromkeys(FIVE_FIXES, _ENTRY), words="五落实"),
                "missing": many(choice(list(FIVE_FIXES))),
                "evaluation": _ENTRY,
            },
            words="Of what is, or may be, a major hazard; FC-12 and FC-14 rest on it",
        )
    ),
    "emergency": FLAG,
    "area": maybe(record({"code": text(), "name": text()})),
    "equipment": maybe(record({"code": text(), "name": text()})),
    "location": maybe(
        record(
            {
                "lat": maybe(NUMBER),
                "lon": maybe(NUMBER),
                "accuracy_m": maybe(NUMBER),
                "source": choice([s.value for s in PlaceSource]),
                "notes": many(text("What the sources of the position disagree on, in Chinese")),
            },
            words="WGS84; null members when only an area was chosen",
        )
    ),
    "photos": many(
        record(
            {
                "id": INTEGER,
                "kind": choice(["before", "after"]),
                "sha256": text("Of the file as it was sent"),
                "taken_at": maybe(TIME),
                "received_at": TIME,
                "url": {
                    "type": "string",
                    "format": "uri",
                    "description": "Signed, for a week. The original file; of an anonymous report a copy without EXIF",
                },
            }
        )
    ),
    "evidence_url": maybe({"type": "string", "format": "uri", "description": "The before/after picture"}),
    "anonymous": FLAG,
    "reporter": maybe(ref("PersonRef")),
    "owner": maybe(ref("PersonRef")),
    "rectified_by": maybe(ref("PersonRef")),
    "rectification": text("What was done"),
    "accepted_by": maybe(ref("PersonRef")),
    "signals": many(record({"id": text("FC-01 …"), "strength": choice(["strong", "weak"]), "message": text()})),
    "merged_into": maybe(text()),
    "reported_at": TIME,
    "confirm_due_at": maybe(TIME),
    "confirmed_at": maybe(TIME),
    "due_at": maybe(TIME),
    "policy_version": maybe({"type": "integer", "description": "Of the policy it opened under; 0 is the built-in one"}),
    "closed_at": maybe(TIME),
}
_RUNG = record(
    {
        "ladder": choice(list(LADDERS)),
        "position": INTEGER,
        "due_at": TIME,
        "state": choice(["waiting", "told", "called_off"]),
        "told_at": maybe(TIME),
        "notices": many(
            record(
                {
                    "to": choice(list(PEOPLE)),
                    "channels": many(choice(list(CHANNELS))),
                    "time": many(text("Spans of the clock or names of shifts; none: always")),
                }
            )
        ),
    },
    words="A due step of the case, copied from the policy; those of the generation that counts",
)
_TRAIL = record(
    {
        "at": TIME,
        "by": maybe(ref("PersonRef")),
        "by_hidden": {"type": "boolean", "description": "true: an anonymous reporter; by is null then"},
        "action": text(),
        "from": maybe(_STATE),
        "to": maybe(_STATE),
        "why": text(),
        "via": maybe(text("wecom, dingtalk, web, clock")),
    }
)
SCHEMAS = {
    "HazardSummary": record(_SUMMARY),
    "Hazard": record({**_SUMMARY, "ladder": many(ref("LadderStep")), "trail": many(ref("TrailLine"))}),
    "LadderStep": _RUNG,
    "TrailLine": _TRAIL,
    "Hazards": record({"items": many(ref("HazardSummary")), "next_cursor": maybe(text())}),
}
_WHEN = "RFC 3339 time with offset, or a date (its beginning in plant time)"
PATHS = {
    "/hazards": {
        "get": {
            "operationId": "listHazards",
            "summary": "Filed hazards, newest first",
            "parameters": [
                parameter("state", _STATE, "Only hazards in this state (drafts are never listed)"),
                parameter("grade", choice(GRADES), "Only hazards of this grade"),
                parameter("area", text(), "Only hazards of the area with this code or name"),
                parameter("since", text(), f"Reported at or after this. {_WHEN}"),
                parameter("until", text(), f"Reported before this. {_WHEN}"),
                CURSOR,
                LIMIT,
            ],
            "responses": answers("A page of hazards", ref("Hazards"), 400),
        }
    },
    "/hazards/{number}": {
        "get": {
            "operationId": "getHazard",
            "summary": "One hazard with its trail",
            "parameters": [parameter("number", text(), "YH-0001 …", where="path")],
            "responses": answers("The hazard", ref("Hazard"), 400, 404),
        }
    },
}
