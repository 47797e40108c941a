"""`GET /api/v1/risks`: the register of risks as it was imported, with what a person still has to check."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from rules.lec import RiskLevel
from storage.models import Risk
from web.api import query
from web.api.hazards import stamp
from web.api.people import short
from web.api.shapes import (
    CURSOR,
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

LEVELS = [level.value for level in RiskLevel]


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_risks", __name__)

    @api.get("/risks")
    def risks() -> ResponseReturnValue:
        query.only("level", "area", "to_check", "cursor", "limit")
        level, checked = query.one_of("level", LEVELS), query.one_of("to_check", ("true", "false"))
        limit, after = query.limit(), query.cursor("r")
        with ctx.new_work(read_only=True) as work:
            area = query.area(work)
            to_check = None if checked is None else checked == "true"
            rows = work.risks.page(colour=level, area_code=area, to_check=to_check, after_id=after, limit=limit + 1)
            items = [full(ctx, risk) for risk in rows[:limit]]
        more = query.make_cursor("r", rows[limit - 1].id) if len(rows) > limit else None
        return jsonify({"items": items, "next_cursor": more})

    return api


def full(ctx: WebContext, risk: Risk) -> dict[str, Any]:
    return {
        "id": risk.id,
        "seq": risk.seq,
        "place": risk.place,
        "area": {"code": risk.area.code, "name": risk.area.name} if risk.area else None,
        "activity": risk.activity,
        "hazard": risk.hazard,
        "accidents": list(risk.accidents),
        "level": risk.colour,
        "written": {
            "l": risk.likelihood,
            "e": risk.exposure,
            "c": risk.consequence,
            "d": risk.score_written,
            "level": risk.level_written or None,
            "residual": risk.residual_written or None,
        },
        "computed": {"d": risk.score, "level": risk.computed or None, "scheme": risk.scheme},
        "measures": [{"kind": kind, "words": words} for kind, words in risk.measures.items()],
        "control_level": risk.control_level or None,
        "unit": risk.unit or None,
        "owner_name": risk.owner_name or None,
        "owner": short(risk.owner),
        "cycle": risk.cycle or None,
        "to_check": [{"code": note["code"], "message": note["words"]} for note in risk.notes],
        "imported_at": stamp(ctx, risk.imported_at),
    }


SCHEMAS = {
    "Risk": record(
        {
            "id": INTEGER,
            "seq": text("序号 as the table has it"),
            "place": text("风险点 as written"),
            "area": maybe(record({"code": text(), "name": text()})),
            "activity": text("作业活动 or 设备设施"),
            "hazard": text("危险源"),
            "accidents": many(text("Accident type of GB 6441-2025")),
            "level": choice(LEVELS, "As the table says; computed where it does not"),
            "written": record(
                {
                    "l": maybe(NUMBER),
                    "e": maybe(NUMBER),
                    "c": maybe(NUMBER),
                    "d": maybe(NUMBER),
                    "level": maybe(text()),
                    "residual": maybe(text("现有风险")),
                },
                words="What the table says",
            ),
            "computed": record(
                {
                    "d": maybe(NUMBER),
                    "level": maybe(choice(LEVELS)),
                    "scheme": choice(["A", "B", "C", "D", "E"], "How D becomes a colour (docs/risks.md)"),
                },
                words="L × E × C",
            ),
            "measures": many(
                record(
                    {
                        "kind": choice(
                            ["existing", "engineering", "management", "training", "protection", "emergency"]
                        ),
                        "words": text(),
                    }
                )
            ),
            "control_level": maybe(text("管控层级 as written")),
            "unit": maybe(text("责任单位")),
            "owner_name": maybe(text("责任人 as written")),
            "owner": maybe(ref("PersonRef")),
            "cycle": maybe(text("检查频次")),
            "to_check": many(record({"code": text(), "message": text("In Chinese")})),
            "imported_at": TIME,
        }
    ),
    "Risks": record({"items": many(ref("Risk")), "next_cursor": maybe(text())}),
}
PATHS = {
    "/risks": {
        "get": {
            "operationId": "listRisks",
            "summary": "The register of risks (危险源辨识与风险评价表), in the order of import",
            "parameters": [
                parameter("level", choice(LEVELS), "Only rows of this colour"),
                parameter("area", text(), "Only rows of the area with this code or name"),
                parameter("to_check", choice(["true", "false"]), "Only rows with (or without) something to check"),
                CURSOR,
                LIMIT,
            ],
            "responses": answers("A page of risks", ref("Risks"), 400),
        }
    }
}
