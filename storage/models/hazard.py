"""The hazard (隐患) and what belongs to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area, Equipment


class Counter(Base):
    """Running numbers, one row a series; taken under the row's lock."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class Hazard(Base):
    __tablename__ = "hazard"
    __table_args__ = (Index("ix_hazard_open", "state", "due_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str | None] = mapped_column(String(32), unique=True)  # null while a draft
    state: Mapped[str] = mapped_column(String(16))
    grade: Mapped[str] = mapped_column(String(16), default="yellow")
    grade_why: Mapped[str] = mapped_column(Text, default="")
    grade_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # null: suggested by the bot
    category: Mapped[str] = mapped_column(String(32), default="")
    category_why: Mapped[str] = mapped_column(Text, default="")
    major_candidate: Mapped[str] = mapped_column(String(32), default="")  # criterion code such as CM-18
    major: Mapped[bool | None]  # 重大隐患, as an authorised person decided; null: not decided
    description: Mapped[str] = mapped_column(Text, default="")
    annotation: Mapped[str] = mapped_column(Text, default="")  # «涉及甲醇介质、邻近加热炉»
    annotations: Mapped[list[Any]] = mapped_column(default=list)  # [{kind, value, why}]
    emergency: Mapped[bool] = mapped_column(default=False)

    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"), index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    place_source: Mapped[str] = mapped_column(String(32), default="")
    place_notes: Mapped[list[Any]] = mapped_column(default=list)  # what the sources disagree on, in Chinese
    places: Mapped[list[Any]] = mapped_column(default=list)  # every position given: {source, lat, lon, accuracy_m, at}

    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    anonymous: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    rectified_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("hazard.id"))
    reopened_from: Mapped[int] = mapped_column(default=0)  # how many times «还在» brought it back
    rectification: Mapped[str] = mapped_column(Text, default="")  # what was done
    signals: Mapped[list[Any]] = mapped_column(default=list)  # FC-… signals of the last submission
    round: Mapped[int] = mapped_column(default=1)  # which submission is being worked at; grows with 退回 and 还在
    evidence_sha: Mapped[str] = mapped_column(String(64), default="")  # the before/after picture
    evidence_state: Mapped[str] = mapped_column(
        String(8), default="", index=True
    )  # "due": to be made (jobs/evidence.py)

    policy_version: Mapped[int | None]
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the plan in force when it was dispatched, copied
    generation: Mapped[int] = mapped_column(default=1)  # ladder steps of an older generation are void
    version: Mapped[int] = mapped_column(default=1)

    created_at: Mapped[datetime]
    reported_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    asked_again_at: Mapped[datetime | None]  # confirmed, but nothing happened: the card asks again since then
    started_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    confirm_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]

    area: Mapped[Area | None] = relationship(foreign_keys=[area_id])
    equipment: Mapped[Equipment | None] = relationship(foreign_keys=[equipment_id])
    reporter: Mapped[Person | None] = relationship(foreign_keys=[reporter_id])
    owner: Mapped[Person | None] = relationship(foreign_keys=[owner_id])
    rectified_by: Mapped[Person | None] = relationship(foreign_keys=[rectified_by_id])
    accepted_by: Mapped[Person | None] = relationship(foreign_keys=[accepted_by_id])
    merged_into: Mapped[Hazard | None] = relationship(remote_side=[id], foreign_keys=[merged_into_id])
    photos: Mapped[list[HazardPhoto]] = relationship(back_populates="hazard", order_by="HazardPhoto.id")
    extensions: Mapped[list[HazardExtension]] = relationship(back_populates="hazard", order_by="HazardExtension.id")
    joiners: Mapped[list[Joiner]] = relationship(order_by="Joiner.id")
    treatments: Mapped[list[HazardTreatment]] = relationship(order_by="HazardTreatment.id")

    __mapper_args__ = {"version_id_col": version}  # two writers of one hazard: the second fails and tries again


class HazardPhoto(Base):
    __tablename__ = "hazard_photo"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hazard_id: Mapped[int] = mapped_column(ForeignKey("hazard.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # before, after
    sha256: Mapped[str] = mapped_column(ForeignKey("media.sha256"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    received_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]  # EXIF, when the platform kept it
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    dropped: Mapped[bool] = mapped_column(default=False)  # refused as proof; kept for the record
    round: Mapped[int] = mapped_column(default=1)  # which submission it belongs to

    hazard: Mapped[Hazard] = relationship(back_populates="photos")


class HazardExtension(Base):
    """A request for more time (延期): reason and interim measure; granted only by another person."""

    __tablename__ = "hazard_extension"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hazard_id: Mapped[int] = mapped_column(ForeignKey("hazard.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text)
    measure: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    until: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    granted: Mapped[bool | None]

    hazard: Mapped[Hazard] = relationship(back_populates="extensions")


class HazardTreatment(Base):
    """One of the five fixes (五落实) of a major hazard, or its evaluation. Only added: the newest of a part holds."""

    __tablename__ = "hazard_treatment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hazard_id: Mapped[int] = mapped_column(ForeignKey("hazard.id"), index=True)
    part: Mapped[str] = mapped_column(String(16))  # responsibility, measures, funds, time_limit, plan, evaluation
    words: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    round: Mapped[int] = mapped_column(
        default=1
    )  # an evaluation is of one round of work: 退回 and 还在 ask for another

    by: Mapped[Person] = relationship(foreign_keys=[by_id])


class Joiner(Base):
    """A person who saw the same hazard and joined it; told when it closes."""

    __tablename__ = "hazard_joiner"
    __table_args__ = (UniqueConstraint("hazard_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hazard_id: Mapped[int] = mapped_column(ForeignKey("hazard.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    anonymous: Mapped[bool] = mapped_column(default=False)
