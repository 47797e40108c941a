"""The starter pack K01…K60: put into the database once, as published cards that no veteran of the plant has confirmed."""

from __future__ import annotations

from rules.knowledge import VALID_FOR, CardState
from search import STARTER_MARK, starter_cards
from storage.models import KnowledgeCard
from storage.unit_of_work import UnitOfWork

STARTER = "starter"
MARK = STARTER_MARK


def needed(work: UnitOfWork) -> bool:
    """Whether cards of the pack are missing: also when the plant told its own experience before it asked anything."""
    codes = [card.id for card in starter_cards()]
    return work.knowledge.known(codes) < len(codes)


def load(work: UnitOfWork) -> int:
    """Add the cards of the pack that the database does not have; returns how many. Cards changed here stay as they are."""
    pack = starter_cards()
    known = work.knowledge.by_codes([card.id for card in pack])
    new = [card for card in pack if card.id not in known]
    if not new:
        return 0
    rows = [
        KnowledgeCard(
            code=card.id,
            state=CardState.PUBLISHED.value,
            origin=STARTER,
            title=card.title,
            kind=card.kind,
            cause=card.cause,
            first_action=card.first_action,
            danger_sign=card.danger_sign,
            sayings=list(card.sayings),
            features={
                "machines": list(card.machines),
                "parts": list(card.parts),
                "sounds": list(card.sounds),
                "signs": list(card.signs),
                "needs": list(card.needs),
            },
            edition=1,
            photos=[],
            also_by=[],
            created_at=work.at,
            published_at=work.at,
            valid_until=work.at + VALID_FOR,
        )
        for card in new
    ]
    work.knowledge.touch(*rows)
    work.db.add_all(rows)
    work.flush()
    return len(rows)


def unconfirmed(card: KnowledgeCard) -> bool:
    """Whether the card still bears the mark 待本厂老师傅确认."""
    return card.origin == STARTER and card.reviewed_by_id is None
