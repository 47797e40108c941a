"""Answering with cards: the question is noted, the cards are counted as shown, the answer is one live card."""

from __future__ import annotations

from collections.abc import Sequence

from bot.turn import Turn
from cards import knowledge as cards
from cards.card import Card
from cards.knowledge import Shown
from handlers.knowledge import ear, heard
from search import Confidence, SearchResult
from storage.models import Equipment, Hazard, KnowledgeQuestion
from storage.unit_of_work import UnitOfWork

TEXT_CHARS = 500


def note_question(
    turn: Turn, text: str, result: SearchResult | None, *, equipment: Equipment | None, hazard: Hazard | None = None
) -> KnowledgeQuestion:
    """The question as a row, with what was found."""
    hits = [
        {"code": hit.id, "score": hit.score, "confidence": hit.confidence.value, "why": hit.why}
        for hit in (result.hits if result is not None else ())
    ]
    voice = next((f.sha256 for f in turn.fetched if f.kind == "voice"), "")
    return turn.work.knowledge.add_question(
        KnowledgeQuestion(
            asker_id=turn.person.id,
            text=text[:TEXT_CHARS],
            platform=turn.via,
            group_id=turn.message.group,
            equipment=equipment,
            hazard_id=hazard.id if hazard is not None else None,
            voice_sha=voice,
            hits=hits,
            state="offered" if hits else "nothing",
            asked_at=turn.at,
            answer="",
            answer_voice_sha="",
        )
    )


def show(turn: Turn, text: str, result: SearchResult, *, equipment: Equipment | None) -> KnowledgeQuestion:
    """Answer in the chat the question came from."""
    question = note_question(turn, text, result, equipment=equipment)
    shown = shown_of(turn.work, question)
    if shown:
        turn.work.knowledge.count_shown([s.card for s in shown])
    turn.show(card_of(question, shown), key=cards.key_of(question.id), case=("knowledge", question.id))
    return question


def card_of(question: KnowledgeQuestion, shown: Sequence[Shown], *, last: str = "") -> Card:
    if not shown:
        return cards.nothing_card(question, last=last)
    return cards.answer_card(question, shown, last=last, offered=question.hazard_id is not None)


def shown_of(work: UnitOfWork, question: KnowledgeQuestion) -> list[Shown]:
    """The cards of the question as they are now; one that was withdrawn since is left out."""
    rows = work.knowledge.by_codes([str(hit["code"]) for hit in question.hits])
    return [
        Shown(rows[hit["code"]], str(hit["confidence"]), str(hit["why"]))
        for hit in question.hits
        if hit["code"] in rows and rows[hit["code"]].state == "published"
    ]


def offer_after_report(turn: Turn, hazard: Hazard) -> None:
    """While a fault is reported: matching cards, without being asked. Silent unless a card is at least likely."""
    if hazard.emergency or not hazard.description or not heard.has_symptom(hazard.description):
        return
    result = ear.search(turn.work, hazard.description, equipment_kind=heard.kind_of(hazard.equipment))
    if not any(hit.confidence is Confidence.LIKELY for hit in result.hits[:2]):
        return
    question = note_question(turn, hazard.description, result, equipment=hazard.equipment, hazard=hazard)
    shown = shown_of(turn.work, question)
    if shown:
        turn.work.knowledge.count_shown([s.card for s in shown])
        turn.show(card_of(question, shown), key=cards.key_of(question.id), case=("knowledge", question.id))
