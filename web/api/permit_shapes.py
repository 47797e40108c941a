"""The permit part of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rules.permit import Result, Stage, Work
from rules.permit.life import PermitState
from web.api.shapes import (
    CURSOR,
    FLAG,
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

STATES = [state.value for state in PermitState]
WORKS = [work.value for work in Work]

_POINT = maybe(record({"lat": maybe(NUMBER), "lon": maybe(NUMBER)}, words="WGS84"))
_STATE = choice(STATES)
_GAS_VALUE = record(
    {"gas": text(), "value": NUMBER, "unit": text(), "point": text("取样部位, when it was told")}, optional=("point",)
)
_VERDICT: dict[str, Any] = {
    "result": choice([result.value for result in Result]),
    "work": choice(WORKS),
    "level": maybe(text("special, l1, l2; I … IV; 1 … 3; none")),
    "at": TIME,
    "stage": maybe(choice([stage.value for stage in Stage])),
    "basis": text("Standard and whether it binds this plant (依据/参照)"),
    "rules": many(
        record(
            {
                "id": text("HW-A03 …, see docs/permits.md"),
                "result": choice([result.value for result in Result]),
                "facts": {"type": "object", "properties": {}, "description": "What it was judged on"},
                "limit": text(),
                "clause": text(),
                "message": text("In Chinese"),
                "src": choice(["std", "ent"], "Clause of the standard, or rule of the plant"),
                "remedy": text(),
                "missing": many(text("Facts that are not known")),
            }
        )
    ),
    "missing": many(text()),
    "fix": many(
        record(
            {
                "changes": many(
                    record(
                        {
                            "id": text(),
                            "text": text("What to do, in Chinese"),
                            "facts": {"type": "object", "properties": {}, "description": "What it changes"},
                            "level": maybe(text()),
                            "at": maybe(TIME),
                            "kind": choice(["act", "wait", "supply"]),
                            "cost": {"type": "integer"},
                        }
                    )
                ),
                "result": choice([result.value for result in Result]),
                "level": maybe(text()),
                "at": TIME,
                "minimal": FLAG,
            },
            words="A smallest set of changes that makes it pass; the first is the cheapest",
        )
    ),
    "due_next": many(record({"at": TIME, "rule": text(), "clause": text(), "message": text()})),
    "table_version": text("Changes with any rule, limit or setting"),
    "decided_in_ms": NUMBER,
}
_SUMMARY: dict[str, Any] = {
    "number": text("ZY-0001 …"),
    "state": _STATE,
    "work": choice(WORKS),
    "level": text(),
    "level_why": text("In Chinese"),
    "content": text("What is done, as it was said"),
    "area": maybe(record({"code": text(), "name": text()})),
    "equipment": maybe(record({"code": text(), "name": text()})),
    "location": _POINT,
    "applicant": maybe(ref("PersonRef")),
    "guardian": maybe(ref("PersonRef")),
    "workers": many(maybe(ref("PersonRef"))),
    "planned_start": maybe(TIME),
    "planned_end": maybe(TIME),
    "valid_from": maybe(TIME),
    "valid_until": maybe(TIME),
    "started_at": maybe(TIME),
    "ended_at": maybe(TIME),
    "suspended": many(record({"rule": text(), "message": text(), "resumes_when": text()})),
    "verdict": maybe(ref("PermitVerdict")),
}
SCHEMAS = {
    "PermitVerdict": record(_VERDICT),
    "PermitDryRun": record({**_VERDICT, "verdict": ref("PermitVerdict")}),
    "PermitSummary": record(_SUMMARY),
    "Permits": record({"items": many(ref("PermitSummary")), "next_cursor": maybe(text())}),
    "Permit": record(
        {
            **_SUMMARY,
            "gas_tests": many(
                record(
                    {
                        "at": TIME,
                        "by": maybe(ref("PersonRef")),
                        "meter": maybe(text()),
                        "point": maybe(text()),
                        "values": many(_GAS_VALUE),
                        "photo_url": maybe(text()),
                    }
                )
            ),
            "approvals": many(
                record(
                    {
                        "kind": text(
                            "approve, countersign, shift_leader, measure, briefing, start, check_in, handover, finish, "
                            "fire_watch, acceptance"
                        ),
                        "step": text(),
                        "role": maybe(text()),
                        "words": text(),
                        "by": maybe(ref("PersonRef")),
                        "granted": maybe(FLAG),
                        "decided_at": maybe(TIME),
                        "location": _POINT,
                        "photo_url": maybe(text("Picture or film")),
                        "micro": maybe(text("Micro-action MA-01 … MA-25")),
                        "clause": maybe(text("Clause of the measure")),
                        "evidence": choice(["none", "tick", "photo", "sketch", "video", "value", "list", "check_in"]),
                        "said": maybe(text("The value or list that was told")),
                    }
                )
            ),
            "trail": many(ref("PermitTrailLine")),
        }
    ),
    "PermitTrailLine": record(
        {
            "at": TIME,
            "by": maybe(ref("PersonRef")),
            "action": text(),
            "from": maybe(_STATE),
            "to": maybe(_STATE),
            "why": text(),
            "via": maybe(text("wecom, dingtalk, web, clock")),
        }
    ),
    "PermitRequest": record(
        {
            "work": choice(WORKS),
            "level": {"description": "special, l1, l2; I … IV; 1 … 3; left out or null: not graded yet"},
            "at": TIME,
            "facts": {
                "type": "object",
                "properties": {},
                "description": "Fact name → value, see docs/permits.md; missing = unknown",
            },
            "stage": maybe(choice([stage.value for stage in Stage], "Only the rules asked then; left out: all")),
        },
        optional=("level", "stage", "facts"),
    ),
}
PATHS = {
    "/permits": {
        "get": {
            "operationId": "listPermits",
            "summary": "Permits with a number, newest first",
            "parameters": [
                parameter("state", _STATE, "Only this state"),
                parameter("work", choice(WORKS), "Only this kind of work"),
                parameter("area", text(), "Code or name of an area"),
                parameter("since", text(), "Submitted at or after: RFC 3339 time, or a date in plant time"),
                parameter("until", text(), "Submitted before"),
                CURSOR,
                LIMIT,
            ],
            "responses": answers("One page", ref("Permits"), 400),
        }
    },
    "/permits/{number}": {
        "get": {
            "operationId": "getPermit",
            "summary": "One permit with verdict, gas tests, signatures and trail",
            "parameters": [parameter("number", text(), "ZY-0001", where="path")],
            "responses": answers("The permit", ref("Permit"), 404),
        }
    },
    "/permits/evaluate": {
        "post": {
            "operationId": "evaluatePermit",
            "summary": "Judge facts without storing anything",
            "parameters": [],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("PermitRequest")}},
            },
            "responses": answers("The verdict", ref("PermitDryRun"), 400, 413, 415),
        }
    },
}
