"""Cards of cases and where their copies are. A post whose shown revision is behind is redrawn until it is true."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from storage.database import rows_changed
from storage.models import CardCopy, CardPost, CaseCard


class Cards:
    def __init__(self, db: Session) -> None:
        self.db = db

    def by_key(self, card_key: str) -> CaseCard | None:
        return self.db.scalar(
            select(CaseCard)
            .where(CaseCard.card_key == card_key)
            .options(selectinload(CaseCard.posts).selectinload(CardPost.copies))
        )

    def put(self, card_key: str, case_kind: str, case_id: int, content: dict[str, Any], *, at: datetime) -> CaseCard:
        """Create the card or give it new content; the revision moves only when something changed."""
        content = json.loads(json.dumps(content))  # as the database gives it back: a tuple is no change
        card = self.by_key(card_key)
        if card is None:
            card = CaseCard(
                card_key=card_key,
                case_kind=case_kind,
                case_id=case_id,
                content=content,
                revision=1,
                updated_at=at,
                posts=[],
            )
            self.db.add(card)
        elif card.content != content:
            card.content, card.revision, card.updated_at = content, card.revision + 1, at
        self.db.flush()
        return card

    def get(self, card_id: int) -> CaseCard:
        return self.db.get_one(
            CaseCard,
            card_id,
            options=[selectinload(CaseCard.posts).selectinload(CardPost.copies)],
            populate_existing=True,
        )

    def post(self, post_id: int) -> CardPost:
        return self.db.get_one(
            CardPost,
            post_id,
            options=[selectinload(CardPost.copies), joinedload(CardPost.card)],
            populate_existing=True,
        )

    def post_by_ref(self, ref: str) -> CardPost | None:
        return self.db.scalar(
            select(CardPost)
            .where(CardPost.ref == ref)
            .options(selectinload(CardPost.copies), joinedload(CardPost.card))
        )

    def add_post(
        self,
        card: CaseCard,
        platform: str,
        ref: str,
        *,
        revision: int,
        codes: list[str],
        copies: list[CardCopy],
        at: datetime,
    ) -> CardPost:
        post = CardPost(
            card_id=card.id,
            platform=platform,
            ref=ref,
            codes=[{"code": code, "at": at.isoformat()} for code in codes],
            shown_revision=revision,
            posted_at=at,
            copies=copies,
        )
        self.db.add(post)
        self.db.flush()
        return post

    def add_code(self, ref: str, code: str, *, at: datetime) -> None:
        """A press gave one more right to change this post."""
        post = self.post_by_ref(ref)
        if post is not None and code and all(known["code"] != code for known in post.codes):
            post.codes = [*post.codes, {"code": code, "at": at.isoformat()}][-5:]
            post.state = "live"  # a spent card can be drawn again

    def stale_ids(self, at: datetime, *, limit: int = 100) -> list[int]:
        """Live posts that show an older revision, longest stale first."""
        return list(
            self.db.scalars(
                select(CardPost.id)
                .join(CaseCard)
                .where(
                    CardPost.state == "live",
                    CardPost.shown_revision < CaseCard.revision,
                    or_(CardPost.lease_until.is_(None), CardPost.lease_until <= at),
                    or_(CardPost.next_try_at.is_(None), CardPost.next_try_at <= at),
                )
                .order_by(CaseCard.updated_at, CardPost.id)
                .limit(limit)
            )
        )

    def claim_post(self, post_id: int, at: datetime, *, lease: timedelta) -> bool:
        done = rows_changed(
            self.db,
            update(CardPost)
            .values(lease_until=at + lease, attempts=CardPost.attempts + 1)
            .where(CardPost.id == post_id, or_(CardPost.lease_until.is_(None), CardPost.lease_until <= at)),
        )
        return done == 1
