"""`/h5/knowledge`: cards found by a sentence, whose experience helped this month. `/h5/knowledge/<code>`: one card whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from cards import knowledge as cards
from cards.words import local
from handlers.knowledge import ear, recording, starter, veterans
from handlers.knowledge.review import month_start
from rules.knowledge import FIELD_ZH, CardState, as_suspicion
from storage.models import KnowledgeCard, Person
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.media import picture_url
from web.session import needs_person, visitor

GONE = "没有找到这张经验卡,请核对编号或回到聊天里重新打开。"
MAX_WORDS, SHOWN, HELPERS = 400, 10, 20
SHOWN_TO_ALL = (CardState.PUBLISHED.value, CardState.RETIRED.value, CardState.MERGED.value)


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the list: the card, how sure the search is, and why."""

    code: str
    title: str
    first_action: str
    confidence: str
    why: str


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("knowledge", __name__)

    @pages.get("/h5/knowledge")
    @needs_person(ctx)
    def search() -> ResponseReturnValue:
        words = request.args.get("q", "").strip()[:MAX_WORDS]
        with ctx.new_work(read_only=True) as work:
            empty = ear.unseeded(work)
        if empty:
            ctx.change(starter.load)
        with ctx.new_work(read_only=True) as work:
            found = _find(work, words) if words else []
            helped = _helped(work)
        return render_template("knowledge.html", words=words, found=found, helped=helped)

    @pages.get("/h5/knowledge/<code>")
    @needs_person(ctx)
    def card(code: str) -> ResponseReturnValue:
        link = partial(picture_url, ctx.secret_key, ctx.public_url, clock=ctx.clock)
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            row = _visible(work, code, person)
            photos = [(link(str(sha), "thumb"), link(str(sha), "small")) for sha in row.photos]
            facts = _facts(row)
            shown = {
                "code": row.code,
                "title": row.title,
                "state": CardState(row.state).zh,
                "photos": photos,
                "facts": facts,
                "voice": recording.may_hear(row, person),
                "links": [
                    (use.ref, f"/h5/hazards/{use.ref}" if use.kind == "hazard" else "", local(use.at))
                    for use in row.links
                ],
                "counts": f"看过{row.shown}次,有用{row.used}次,没再犯{row.solved}次,“不是这个”{row.rejected}次",
                "note": cards.ONLY_SUSPECTED,
            }
        return render_template("knowledge_card.html", card=shown)

    @pages.get("/h5/knowledge/<code>/voice")
    @needs_person(ctx)
    def voice(code: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            person = work.people.get(visitor().person_id)
            row = _visible(work, code, person)
            if not recording.may_hear(row, person):
                raise Refused(404, "这张卡没有可以听的录音。")
            sha = row.voice_sha
        sound, mime = recording.playable(ctx.pictures.open(sha))
        return sound, 200, {"Content-Type": mime}

    return pages


def _visible(work: UnitOfWork, code: str, person: Person) -> KnowledgeCard:
    """The card, if this person may see it in its state. Raises Refused."""
    row = work.knowledge.by_code(code)
    mine = row is not None and (row.author_id == person.id or veterans.may_review(person))
    if row is None or not (row.state in SHOWN_TO_ALL or (mine and row.state != CardState.DRAFT.value)):
        raise Refused(404, GONE)
    return row


def _facts(row: KnowledgeCard) -> list[tuple[str, str]]:
    values = {name: str(getattr(row, name) or "") for name in FIELD_ZH}
    values["cause"] = as_suspicion(values["cause"]).removeprefix("怀疑")
    order = ("first_action", "cause", "danger_sign", "kind")
    facts = [(FIELD_ZH[name], values[name]) for name in order]
    reviewed = f"{row.reviewed_by.name} {local(row.reviewed_at)}" if row.reviewed_by else cards.MARK
    facts += [
        ("来自", cards.credit(row)),
        ("审核", reviewed),
        ("版次", f"第{row.edition}版"),
        ("复审", local(row.valid_until) if row.valid_until else ""),
        ("规定提示", row.rule_note),
        ("口语说法", "、".join(str(saying) for saying in row.sayings[:8])),
        ("并入", row.merged_into.code if row.merged_into else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _find(work: UnitOfWork, words: str) -> list[Found]:
    result = ear.search(work, words, limit=SHOWN)
    rows = work.knowledge.by_codes([hit.id for hit in result.hits])
    return [
        Found(hit.id, rows[hit.id].title, rows[hit.id].first_action, hit.confidence.value, hit.why)
        for hit in result.hits
        if hit.id in rows
    ]


def _helped(work: UnitOfWork) -> list[str]:
    """«李师傅的经验本月帮到 14 人», most first. Somebody who gave no name stays unnamed here too."""
    helped = work.knowledge.helped(since=month_start(work.at), until=work.at + timedelta(seconds=1), named=True)
    best = sorted(helped.items(), key=lambda pair: (-pair[1], pair[0]))[:HELPERS]
    return [f"{work.people.get(author_id).name}师傅的经验本月帮到 {people} 人" for author_id, people in best]
