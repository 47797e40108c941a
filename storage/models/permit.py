"""Permits to work (作业票), the people on them, approvals, gas tests, and every verdict with the facts it rested on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area, Equipment


class Permit(Base):
    __tablename__ = "permit"
    __table_args__ = (Index("ix_permit_live", "state", "valid_until"), Index("ix_permit_place", "state", "lat", "lon"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str | None] = mapped_column(String(32), unique=True)  # ZY-0001; null while a draft
    work: Mapped[str] = mapped_column(String(24))  # hot_work, confined_space, … as in rules/permit
    level: Mapped[str] = mapped_column(String(12), default="")  # special, l1, l2, …
    level_why: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text, default="")  # what is to be done, in the applicant's words
    method: Mapped[str] = mapped_column(Text, default="")

    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"), index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    height_m: Mapped[float | None]
    place_words: Mapped[str] = mapped_column(String(200), default="")

    applicant_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    planned_start: Mapped[datetime | None]
    planned_end: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    interrupted_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspend_why: Mapped[list[Any]] = mapped_column(default=list)  # [{rule, message, resumes_when}]
    ended_at: Mapped[datetime | None]

    facts: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # answered by people, by fact name (rules/permit/facts.toml)
    # what only this work's form asks for, by the keys of cards/pdf/forms.toml; no rule reads it
    boxes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    result: Mapped[str] = mapped_column(String(12), default="")  # of the last verdict
    verdict_id: Mapped[int | None]  # the last row in permit_verdict
    judge_at: Mapped[datetime | None] = mapped_column(index=True)  # when the clock alone makes a new verdict due
    judge_failures: Mapped[int] = mapped_column(default=0, server_default="0")  # judgements that broke, in a row
    unjudged_since: Mapped[datetime | None]  # when the first of them broke, or met other writers time after time
    next_due: Mapped[list[Any]] = mapped_column(default=list)  # [{at, what}] shown on the card
    renewal_of_id: Mapped[int | None] = mapped_column(ForeignKey("permit.id"))  # extension by a new permit only

    generation: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]

    area: Mapped[Area | None] = relationship(foreign_keys=[area_id])
    equipment: Mapped[Equipment | None] = relationship(foreign_keys=[equipment_id])
    applicant: Mapped[Person | None] = relationship(foreign_keys=[applicant_id])
    guardian: Mapped[Person | None] = relationship(foreign_keys=[guardian_id])
    parties: Mapped[list[PermitParty]] = relationship(order_by="PermitParty.id", back_populates="permit")
    approvals: Mapped[list[PermitApproval]] = relationship(order_by="PermitApproval.id", back_populates="permit")
    gas_tests: Mapped[list[GasTest]] = relationship(order_by="GasTest.id", back_populates="permit")

    __mapper_args__ = {"version_id_col": version}


class PermitParty(Base):
    """A person on a permit: guardian, worker, analyst, shift leader … `confirmed_at`: acknowledged the last call."""

    __tablename__ = "permit_party"
    __table_args__ = (UniqueConstraint("permit_id", "person_id", "role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    permit_id: Mapped[int] = mapped_column(ForeignKey("permit.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(24))  # guardian, worker, analyst, briefer, shift_leader
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    briefed_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]  # the last call that everyone must confirm (suspension, recall)
    confirmed_at: Mapped[datetime | None]

    permit: Mapped[Permit] = relationship(back_populates="parties")
    person: Mapped[Person] = relationship()


class PermitApproval(Base):
    """One approval, countersign, check or measure confirmed by name."""

    __tablename__ = "permit_approval"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    permit_id: Mapped[int] = mapped_column(ForeignKey("permit.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))  # approve, countersign, shift_leader, measure, briefing, acceptance
    step: Mapped[str] = mapped_column(String(64), default="")  # role id, or the measure's id
    wanted_role: Mapped[str] = mapped_column(String(32), default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)  # who must, or who did
    decided_at: Mapped[datetime | None]
    granted: Mapped[bool | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    words: Mapped[str] = mapped_column(Text, default="")
    said: Mapped[str] = mapped_column(Text, default="", server_default="")  # evidence in words: a value, a list
    photo_sha: Mapped[str] = mapped_column(String(64), default="")  # evidence: a picture or a video

    permit: Mapped[Permit] = relationship(back_populates="approvals")
    person: Mapped[Person | None] = relationship()


class GasTest(Base):
    """An analysis (气体分析) taken for a permit: values by fact name, by whom, where, when, with which meter."""

    __tablename__ = "gas_test"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    permit_id: Mapped[int] = mapped_column(ForeignKey("permit.id"), index=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    meter: Mapped[str] = mapped_column(String(64), default="")
    point: Mapped[str] = mapped_column(String(64), default="")
    values: Mapped[list[Any]] = mapped_column(default=list)  # [{gas, value, unit}]
    said: Mapped[str] = mapped_column(Text, default="")
    photo_sha: Mapped[str] = mapped_column(String(64), default="")

    permit: Mapped[Permit] = relationship(back_populates="gas_tests")


class PermitVerdict(Base):
    """A stored verdict: the facts, the table's version and the outcome, so that it can be replayed years later."""

    __tablename__ = "permit_verdict"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    permit_id: Mapped[int] = mapped_column(ForeignKey("permit.id"), index=True)
    at: Mapped[datetime]
    cause: Mapped[str] = mapped_column(String(48), default="")  # asked, reading, certificate, hazard, clock …
    facts: Mapped[dict[str, Any]]
    verdict: Mapped[dict[str, Any]]
    result: Mapped[str] = mapped_column(String(12))
    table_version: Mapped[str] = mapped_column(String(64))
    took_ms: Mapped[float] = mapped_column(default=0.0)


class PlaceAnswer(Base):
    """What people answered last time for the same place and work: offered, never taken for granted."""

    __tablename__ = "place_answer"
    __table_args__ = (UniqueConstraint("place_key", "work", "fact"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    place_key: Mapped[str] = mapped_column(String(64))  # equipment:12 or area:3
    work: Mapped[str] = mapped_column(String(24))
    fact: Mapped[str] = mapped_column(String(64))
    value: Mapped[dict[str, Any]]
    at: Mapped[datetime]
