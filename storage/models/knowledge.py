"""Veterans' experience: cards, questions with what became of them, who helped whom, and the ledger of points."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Equipment


class KnowledgeCard(Base):
    """One experience card (老师傅经验卡). What it says is a suspicion (怀疑), never a finding."""

    __tablename__ = "knowledge_card"
    __table_args__ = (Index("ix_knowledge_card_state", "state", "published_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)  # K01…K60 of the starter pack, else JY-0001
    state: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16))  # starter, told, answer, sheet
    title: Mapped[str] = mapped_column(String(200), default="")  # the sound or symptom
    kind: Mapped[str] = mapped_column(String(64), default="")  # which kind of equipment
    cause: Mapped[str] = mapped_column(String(300), default="")
    first_action: Mapped[str] = mapped_column(String(300), default="")
    danger_sign: Mapped[str] = mapped_column(String(300), default="")
    sayings: Mapped[list[Any]] = mapped_column(default=list)  # how people say it
    features: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {machines, parts, sounds, signs, needs} when named
    told: Mapped[str] = mapped_column(Text, default="")  # the contributor's own words

    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(64), default="")  # of somebody who has no account here
    named: Mapped[bool] = mapped_column(default=False)  # the author consents to be named
    also_by: Mapped[list[Any]] = mapped_column(default=list)  # ids of people whose cards were merged into this one
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # null: 待本厂老师傅确认
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(String(300), default="")  # why it was rejected or retired
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("knowledge_card.id"))
    question_id: Mapped[int | None]  # the question it answers, when it came about so; the question points back

    edition: Mapped[int] = mapped_column(default=1)
    rule_edition: Mapped[str] = mapped_column(String(64), default="")  # of the rule table when it was reviewed
    rule_note: Mapped[str] = mapped_column(String(300), default="")  # what it says against or about the rules
    photos: Mapped[list[Any]] = mapped_column(default=list)  # SHA-256 of stored pictures
    voice_sha: Mapped[str] = mapped_column(String(64), default="")  # the sound itself, or the veteran telling

    shown: Mapped[int] = mapped_column(default=0)
    used: Mapped[int] = mapped_column(default=0)
    solved: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[datetime | None]

    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]  # to be looked at again by then
    changed: Mapped[int] = mapped_column(BigId, default=0, index=True)  # number of the last change: what indexes poll
    version: Mapped[int] = mapped_column(default=1)

    author: Mapped[Person | None] = relationship(foreign_keys=[author_id])
    reviewed_by: Mapped[Person | None] = relationship(foreign_keys=[reviewed_by_id])
    merged_into: Mapped[KnowledgeCard | None] = relationship(remote_side=[id], foreign_keys=[merged_into_id])
    links: Mapped[list[KnowledgeLink]] = relationship(back_populates="card", order_by="KnowledgeLink.id")

    __mapper_args__ = {"version_id_col": version}


class KnowledgeLink(Base):
    """Where a card helped: a hazard or a work order."""

    __tablename__ = "knowledge_link"
    __table_args__ = (UniqueConstraint("card_id", "kind", "ref"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("knowledge_card.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # hazard, work_order
    ref: Mapped[str] = mapped_column(String(64))  # YH-0012, or the order's number
    at: Mapped[datetime]

    card: Mapped[KnowledgeCard] = relationship(back_populates="links")


class KnowledgeQuestion(Base):
    """One question and what became of it."""

    __tablename__ = "knowledge_question"
    __table_args__ = (Index("ix_knowledge_question_state", "state", "asked_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asker_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    text: Mapped[str] = mapped_column(String(500))
    platform: Mapped[str] = mapped_column(String(16), default="")
    group_id: Mapped[str] = mapped_column(String(256), default="")
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    hazard_id: Mapped[int | None] = mapped_column(ForeignKey("hazard.id"))  # offered while this was reported
    voice_sha: Mapped[str] = mapped_column(String(64), default="")
    hits: Mapped[list[Any]] = mapped_column(default=list)  # [{code, score, confidence, why}], best first
    # offered (cards were shown), nothing (none fitted), asked (went to veterans), answered, helped, wrong
    state: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answer: Mapped[str] = mapped_column(Text, default="")
    answer_voice_sha: Mapped[str] = mapped_column(String(64), default="")

    asker: Mapped[Person] = relationship(foreign_keys=[asker_id])
    equipment: Mapped[Equipment | None] = relationship(foreign_keys=[equipment_id])


class KnowledgeUse(Base):
    """What one person said of one card: it helped, or it was not this. The base of «帮到 14 人»."""

    __tablename__ = "knowledge_use"
    __table_args__ = (UniqueConstraint("question_id", "card_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("knowledge_question.id"))
    card_id: Mapped[int] = mapped_column(ForeignKey("knowledge_card.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    helped: Mapped[bool]
    at: Mapped[datetime] = mapped_column(index=True)
    follow_up_at: Mapped[datetime | None]  # when the person was asked whether it came back
    came_back: Mapped[bool | None]


class KnowledgePoint(Base):
    """The ledger of points: append only, one line a reason."""

    __tablename__ = "knowledge_point"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    points: Mapped[int]
    why: Mapped[str] = mapped_column(String(100))
    card_id: Mapped[int | None] = mapped_column(ForeignKey("knowledge_card.id"))
    reason_key: Mapped[str] = mapped_column(String(100), unique=True)  # the same reason counts once
    at: Mapped[datetime] = mapped_column(index=True)
