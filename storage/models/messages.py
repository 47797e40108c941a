"""Messages: the inbox, conversations, cards with their copies, and the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId

TO_ASK = text("what = 'sms' AND checked_at IS NULL")  # SMS of which the operator's word is not known yet


class Inbox(Base):
    """One inbound message. The unique key is what makes «handled once» true across restarts."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("platform", "key"),
        Index("ix_inbox_open", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(160))
    sender: Mapped[str] = mapped_column(String(128), default="")
    payload: Mapped[dict[str, Any]]
    # new → (fetching → new) → taken → done; parked: sender unknown to the plant; failed: see error
    state: Mapped[str] = mapped_column(String(12), default="new")
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())  # words of danger: handled first
    needs_media: Mapped[bool] = mapped_column(default=False)
    media: Mapped[list[Any]] = mapped_column(default=list)  # fetched: [{sha256, kind, refused}] in message order
    received_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(200), default="")


class Conversation(Base):
    """Where a person is in a dialogue; one row a chat, changed in the same transaction as the data."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("chat_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    chat_key: Mapped[str] = mapped_column(String(300))  # person:12, or person:12@group:cid…
    flow: Mapped[str] = mapped_column(String(48), default="")
    state: Mapped[str] = mapped_column(String(48), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class CaseCard(Base):
    """The one card of a case for one audience; redrawn on every change, wherever its copies are."""

    __tablename__ = "case_card"
    __table_args__ = (UniqueConstraint("card_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    card_key: Mapped[str] = mapped_column(String(64))  # hazard:12:duty
    case_kind: Mapped[str] = mapped_column(String(16), index=True)
    case_id: Mapped[int]
    content: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]

    posts: Mapped[list[CardPost]] = relationship(back_populates="card", order_by="CardPost.id")


class CardPost(Base):
    """One posting of a card on one platform (a WeCom task_id, a DingTalk outTrackId) with its recipients."""

    __tablename__ = "card_post"
    __table_args__ = (Index("ix_card_post_stale", "state", "next_try_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("case_card.id"), index=True)
    platform: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str] = mapped_column(String(128), unique=True)
    codes: Mapped[list[Any]] = mapped_column(default=list)  # single-use rights to change it: [{code, at}]
    shown_revision: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12), default="live")  # live, dead (cannot be changed any more)
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    posted_at: Mapped[datetime]
    redrawn_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(100), default="")

    card: Mapped[CaseCard] = relationship(back_populates="posts")
    copies: Mapped[list[CardCopy]] = relationship(back_populates="post", order_by="CardCopy.id")


class CardCopy(Base):
    __tablename__ = "card_copy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("card_post.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    user_id: Mapped[str] = mapped_column(String(128), default="")
    group_id: Mapped[str] = mapped_column(String(256), default="")

    post: Mapped[CardPost] = relationship(back_populates="copies")


class Delivery(Base):
    """One outgoing message to one place: the outbox and its record."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index("ix_delivery_due", "state", "urgency", "due_at"),
        Index("ix_delivery_case", "case_kind", "case_id"),
        Index("ix_delivery_receipt", "confirmed_at", sqlite_where=TO_ASK, postgresql_where=TO_ASK),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(160))
    case_kind: Mapped[str] = mapped_column(String(16), default="")
    case_id: Mapped[int | None]
    purpose: Mapped[str] = mapped_column(String(48))  # what it is for, e.g. hazard.dispatch; shown by the API
    what: Mapped[str] = mapped_column(String(12))  # text, image, file, card, notice, todo, todo_done, sms
    platform: Mapped[str] = mapped_column(String(16))  # wecom, dingtalk, sms
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    user_id: Mapped[str] = mapped_column(String(128), default="")
    group_id: Mapped[str] = mapped_column(String(256), default="")
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    card_id: Mapped[int | None] = mapped_column(ForeignKey("case_card.id"), index=True)
    batch_key: Mapped[str] = mapped_column(String(128), default="", index=True)  # sent together in one platform call

    urgency: Mapped[int] = mapped_column(default=5)  # 0 alarm … 9 whenever; lower goes first
    state: Mapped[str] = mapped_column(String(12), default="due")  # due, claimed, confirmed, unknown, refused, expired
    due_at: Mapped[datetime]  # when it is tried next
    wanted_at: Mapped[datetime | None]  # when it was to go out at first; its age counts from here (created_at if null)
    expires_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    first_tried_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    ref: Mapped[str] = mapped_column(String(256), default="")  # the platform's handle
    error: Mapped[str] = mapped_column(String(100), default="")
    wait_reason: Mapped[str] = mapped_column(String(48), default="")  # why it is not sent yet: cards/deliveries.py
    checked_at: Mapped[datetime | None]  # the platform was asked whether it really arrived
    receipt: Mapped[str] = mapped_column(String(12), default="", server_default="")  # SMS: delivered, failed, unknown
    receipt_due_at: Mapped[datetime | None]  # SMS: when the provider is asked next; null: not asked yet
    fallback_of_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    created_at: Mapped[datetime]
