"""`GET /api/v1/knowledge/search?q=&limit=`: the cards that answer a sentence, for other systems of the plant."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from handlers.knowledge import ear, rulebook, starter
from web.api import query
from web.api.shapes import FLAG, NUMBER, answers, many, parameter, record, ref, text
from web.context import WebContext
from web.errors import Problem

LIMIT_DEFAULT, LIMIT_MAX = 3, 50


def routes(ctx: WebContext) -> Blueprint:
    api = Blueprint("api_knowledge", __name__)

    @api.get("/knowledge/search")
    def search() -> ResponseReturnValue:
        query.only("q", "limit")
        words, limit = query.text("q"), _limit()
        if words is None:
            raise Problem(400, "«q» is missing: the sentence to search for.", parameter="q")
        with ctx.new_work(read_only=True) as work:
            empty = ear.unseeded(work)
        if empty:
            ctx.change(starter.load)
        with ctx.new_work(read_only=True) as work:
            result = ear.search(work, words, limit=limit)
            titles = {code: row.title for code, row in work.knowledge.by_codes([h.id for h in result.hits]).items()}
        cards = [
            {
                "id": h.id,
                "title": titles.get(h.id, ""),
                "score": h.score,
                "confidence": h.confidence.value,
                "why": h.why,
            }
            for h in result.hits
        ]
        asked = result.nothing_fits and (result.about_rules or rulebook.asked(words))
        answer: dict[str, object] = {"cards": cards, "nothing_fits": result.nothing_fits}
        if asked:
            answer["rules"] = [
                {"work": clause.work_zh, "told": clause.told, "clause": clause.source}
                for clause in rulebook.look_up(words)
            ]
        return jsonify(answer)

    return api


def _limit() -> int:
    limit = query.limit() if query.text("limit") is not None else LIMIT_DEFAULT
    if limit > LIMIT_MAX:
        raise Problem(400, f"«limit» must be a number from 1 to {LIMIT_MAX}.", parameter="limit")
    return limit


SCHEMAS = {
    "KnowledgeHit": record(
        {
            "id": text("Number of the card: K01…K60 for the starter pack, else JY-…"),
            "title": text("The sound or symptom, in Chinese"),
            "score": {**NUMBER, "description": "0 to 1: the share of what was said that it explains"},
            "confidence": text("In words: 很像, 可能, 仅供参考"),
            "why": text("What agrees, in Chinese"),
        }
    ),
    "KnowledgeRule": record(
        {
            "work": text("Level and kind of special work, in Chinese"),
            "told": text("What the rule table requires, in Chinese"),
            "clause": text("Standard and clause"),
        }
    ),
    "KnowledgeAnswer": record(
        {
            "cards": many(ref("KnowledgeHit")),
            "nothing_fits": FLAG,
            "rules": {
                **many(ref("KnowledgeRule")),
                "description": "Only for a question after a rule: clauses of the rule table; no card answers such a question",
            },
        },
        optional=("rules",),
    ),
}
PATHS = {
    "/knowledge/search": {
        "get": {
            "operationId": "searchKnowledge",
            "summary": "Experience cards that answer a sentence, best first; every one is a suspicion, not a finding",
            "parameters": [
                parameter("q", {"type": "string"}, "What was said; 400 characters of it are used", required=True),
                parameter("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 3}, "Cards at most"),
            ],
            "responses": answers("Cards, or an honest nothing_fits", ref("KnowledgeAnswer"), 400),
        }
    }
}
