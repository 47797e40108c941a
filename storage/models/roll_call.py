"""Roll calls (点名): gas alarm, evacuation, permits called off. Everybody called must confirm, by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area


class RollCall(Base):
    """`kind`: gas_alarm, evacuation, permit_recall. Its ladder is copied when it starts, as a hazard's plan is."""

    __tablename__ = "roll_call"
    __table_args__ = (Index("ix_roll_call_of", "case_kind", "case_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)  # null: the whole plant
    why: Mapped[str] = mapped_column(Text, default="")
    case_kind: Mapped[str] = mapped_column(String(16), default="")  # what it belongs to: hazard, permit, detector
    case_id: Mapped[int | None]
    plan: Mapped[list[Any]] = mapped_column(default=list)  # the steps in force when it started
    policy_version: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=1)  # an ended call can never wake anybody
    version: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # null: the machine
    all_confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    area: Mapped[Area | None] = relationship()
    started_by: Mapped[Person | None] = relationship(foreign_keys=[started_by_id])
    ended_by: Mapped[Person | None] = relationship(foreign_keys=[ended_by_id])
    members: Mapped[list[RollCallMember]] = relationship(back_populates="call", order_by="RollCallMember.id")

    __mapper_args__ = {"version_id_col": version}


class RollCallMember(Base):
    __tablename__ = "roll_call_member"
    __table_args__ = (UniqueConstraint("call_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("roll_call.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    called_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    via: Mapped[str] = mapped_column(String(16), default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who confirmed for them, seen with own eyes
    help_at: Mapped[datetime | None]  # «需要救援»

    call: Mapped[RollCall] = relationship(back_populates="members")
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
