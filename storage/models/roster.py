"""Who is on duty, who is away and who stands in (代班)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area


class Leave(Base):
    """A person is away; the substitute gets what would have gone to them. Without one, the next in the ladder does."""

    __tablename__ = "leave"
    __table_args__ = (Index("ix_leave_span", "person_id", "starts_at", "ends_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    felt_at: Mapped[datetime | None]  # when its beginning, or its end, was last seen to (jobs/away.py); null: not yet

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    substitute: Mapped[Person | None] = relationship(foreign_keys=[substitute_id])


class Duty(Base):
    """One line of the duty roster (值班表): this person holds the role for the area (null: everywhere) in that span."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_span", "role", "starts_at", "ends_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    role: Mapped[str] = mapped_column(String(32))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    shift: Mapped[str] = mapped_column(String(24), default="", server_default="")  # 白班, 夜班 … as the table says

    person: Mapped[Person] = relationship()
    area: Mapped[Area | None] = relationship()
