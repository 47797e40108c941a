"""Experience cards, questions, uses and points. `version()` is what every process's search index polls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, distinct, func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from rules.knowledge import CardState
from storage.database import rows_changed
from storage.models import (
    Counter,
    KnowledgeCard,
    KnowledgeLink,
    KnowledgePoint,
    KnowledgeQuestion,
    KnowledgeUse,
    Person,
)

CHANGES, NUMBERS = "knowledge.changes", "knowledge"
UNANSWERED = ("nothing", "asked", "wrong")


def _with_people(query: Select[Any]) -> Select[Any]:
    return query.options(
        joinedload(KnowledgeCard.author).selectinload(Person.accounts),
        joinedload(KnowledgeCard.reviewed_by),
        joinedload(KnowledgeCard.merged_into),
        selectinload(KnowledgeCard.links),
    )


class Knowledge:
    def __init__(self, db: Session) -> None:
        self.db = db
        self.touched = False  # this transaction has changed cards: what it sees is not yet true for others

    # -- the number of the last change

    def version(self) -> int:
        """The number of the last committed change of any card; 0 before the first. One look-up by primary key."""
        return self.db.scalar(select(Counter.value).where(Counter.name == CHANGES)) or 0

    def touch(self, *cards: KnowledgeCard) -> None:
        """Give the cards the next change number. Call it before their rows are written: the counter's row is locked
        until the commit, so numbers become visible in order and no index misses one."""
        number = self._next(CHANGES)
        self.touched = True
        for card in cards:
            card.changed = number

    def next_code(self) -> str:
        return f"JY-{self._next(NUMBERS):04d}"

    def _next(self, name: str) -> int:
        taken = rows_changed(self.db, update(Counter).where(Counter.name == name).values(value=Counter.value + 1))
        if taken == 0:
            self.db.add(Counter(name=name, value=1))
            self.db.flush()
        return self.db.scalar(select(Counter.value).where(Counter.name == name)) or 0

    # -- cards

    def add(self, card: KnowledgeCard) -> KnowledgeCard:
        self.db.add(card)
        self.db.flush()
        return card

    def find(self, card_id: int) -> KnowledgeCard | None:
        return self.db.scalars(_with_people(select(KnowledgeCard).where(KnowledgeCard.id == card_id))).one_or_none()

    def by_code(self, code: str) -> KnowledgeCard | None:
        return self.db.scalars(
            _with_people(select(KnowledgeCard).where(KnowledgeCard.code == code.strip().upper()))
        ).one_or_none()

    def by_codes(self, codes: Sequence[str]) -> dict[str, KnowledgeCard]:
        rows = self.db.scalars(_with_people(select(KnowledgeCard).where(KnowledgeCard.code.in_(list(codes)))))
        return {row.code: row for row in rows}

    def known(self, codes: Sequence[str]) -> int:
        """How many of these codes there are."""
        return self.db.scalar(select(func.count()).where(KnowledgeCard.code.in_(list(codes)))) or 0

    def changed_since(self, number: int) -> Sequence[KnowledgeCard]:
        """Cards changed after that number, in order of change; all of them for 0."""
        return self.db.scalars(
            select(KnowledgeCard)
            .where(KnowledgeCard.changed > number)
            .order_by(KnowledgeCard.changed, KnowledgeCard.id)
        ).all()

    def published(self) -> Sequence[KnowledgeCard]:
        return self.db.scalars(
            _with_people(
                select(KnowledgeCard)
                .where(KnowledgeCard.state == CardState.PUBLISHED.value)
                .order_by(KnowledgeCard.code)
            )
        ).all()

    def all(self) -> Sequence[KnowledgeCard]:
        """Every card but drafts, by code, for the export."""
        return self.db.scalars(
            _with_people(
                select(KnowledgeCard).where(KnowledgeCard.state != CardState.DRAFT.value).order_by(KnowledgeCard.code)
            )
        ).all()

    def waiting_for_review(self, *, limit: int = 20) -> Sequence[KnowledgeCard]:
        """Cards in review, longest waiting first."""
        return self.db.scalars(
            _with_people(
                select(KnowledgeCard)
                .where(KnowledgeCard.state == CardState.IN_REVIEW.value)
                .order_by(KnowledgeCard.id)
                .limit(limit)
            )
        ).all()

    def of_author(self, person_id: int) -> Sequence[KnowledgeCard]:
        return self.db.scalars(
            select(KnowledgeCard)
            .where(KnowledgeCard.author_id == person_id, KnowledgeCard.state != CardState.DRAFT.value)
            .order_by(KnowledgeCard.id.desc())
        ).all()

    def authors_of(self, codes: Sequence[str]) -> list[Person]:
        """Active authors of these published cards, in the order of the codes."""
        cards = self.by_codes(codes)
        people = [cards[code].author for code in codes if code in cards]
        return list(dict.fromkeys(p for p in people if p is not None and p.active))

    def count(self) -> int:
        return self.db.scalar(select(func.count()).select_from(KnowledgeCard)) or 0

    def count_shown(self, cards: Sequence[KnowledgeCard]) -> None:
        """One more showing of each. Not a change that indexes must follow at once."""
        ids = sorted(card.id for card in cards)
        if ids:
            self.db.execute(
                update(KnowledgeCard)
                .where(KnowledgeCard.id.in_(ids))
                .values(shown=KnowledgeCard.shown + 1)
                .execution_options(synchronize_session=False)
            )

    def link(self, card: KnowledgeCard, kind: str, ref: str, *, at: datetime) -> None:
        """Note where the card helped; once."""
        known = self.db.scalar(
            select(KnowledgeLink.id).where(
                KnowledgeLink.card_id == card.id, KnowledgeLink.kind == kind, KnowledgeLink.ref == ref
            )
        )
        if known is None:
            self.db.add(KnowledgeLink(card_id=card.id, kind=kind, ref=ref, at=at))

    # -- questions and what was said of the answers

    def add_question(self, question: KnowledgeQuestion) -> KnowledgeQuestion:
        self.db.add(question)
        self.db.flush()
        return question

    def question(self, question_id: int) -> KnowledgeQuestion | None:
        return self.db.scalars(
            select(KnowledgeQuestion)
            .where(KnowledgeQuestion.id == question_id)
            .options(
                joinedload(KnowledgeQuestion.equipment),
                joinedload(KnowledgeQuestion.asker).selectinload(Person.accounts),
            )
        ).one_or_none()

    def unanswered(self, *, since: datetime, limit: int = 10) -> Sequence[KnowledgeQuestion]:
        """Questions that no card and nobody answered, latest first."""
        return self.db.scalars(
            select(KnowledgeQuestion)
            .where(KnowledgeQuestion.state.in_(UNANSWERED), KnowledgeQuestion.asked_at >= since)
            .options(joinedload(KnowledgeQuestion.asker), joinedload(KnowledgeQuestion.equipment))
            .order_by(KnowledgeQuestion.id.desc())
            .limit(limit)
        ).all()

    def use_of(self, question_id: int, card_id: int, person_id: int) -> KnowledgeUse | None:
        return self.db.scalar(
            select(KnowledgeUse).where(
                KnowledgeUse.question_id == question_id,
                KnowledgeUse.card_id == card_id,
                KnowledgeUse.person_id == person_id,
            )
        )

    def add_use(self, use: KnowledgeUse) -> KnowledgeUse:
        self.db.add(use)
        self.db.flush()
        return use

    def use(self, use_id: int) -> KnowledgeUse | None:
        return self.db.get(KnowledgeUse, use_id)

    def to_follow_up(self, *, before: datetime, limit: int = 50) -> Sequence[KnowledgeUse]:
        """Helpful uses from before that time whose person was not yet asked whether it came back."""
        return self.db.scalars(
            select(KnowledgeUse)
            .where(KnowledgeUse.helped, KnowledgeUse.at <= before, KnowledgeUse.follow_up_at.is_(None))
            .order_by(KnowledgeUse.id)
            .limit(limit)
        ).all()

    def helped(
        self, *, since: datetime, until: datetime, person_id: int | None = None, named: bool = False
    ) -> dict[int, int]:
        """Author id -> how many different people their cards helped in [since, until). `named`: only cards whose author
        consented to be named."""
        query = (
            select(KnowledgeCard.author_id, func.count(distinct(KnowledgeUse.person_id)))
            .join(KnowledgeCard, KnowledgeCard.id == KnowledgeUse.card_id)
            .where(
                KnowledgeUse.helped,
                KnowledgeUse.at >= since,
                KnowledgeUse.at < until,
                KnowledgeCard.author_id.is_not(None),
                KnowledgeCard.author_id != KnowledgeUse.person_id,
            )
            .group_by(KnowledgeCard.author_id)
        )
        if person_id is not None:
            query = query.where(KnowledgeCard.author_id == person_id)
        if named:
            query = query.where(KnowledgeCard.named)
        return {author: people for author, people in self.db.execute(query) if author is not None}

    # -- points

    def award(self, person_id: int, points: int, why: str, *, key: str, at: datetime, card_id: int | None) -> bool:
        """One line of the ledger; False when this reason was counted before."""
        if self.db.scalar(select(KnowledgePoint.id).where(KnowledgePoint.reason_key == key)) is not None:
            return False
        self.db.add(KnowledgePoint(person_id=person_id, points=points, why=why, reason_key=key, at=at, card_id=card_id))
        self.db.flush()
        return True

    def points_of(self, person_id: int) -> int:
        return self.db.scalar(select(func.sum(KnowledgePoint.points)).where(KnowledgePoint.person_id == person_id)) or 0
