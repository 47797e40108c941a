"""Gas detectors, their readings, zones on the plan, certificates, and sources of outside data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId
from storage.models.people import Person
from storage.models.plant import Area


class Detector(Base):
    """A fixed or portable detector of the ledger. `kind`: combustible, o2, h2s, co, nh3, cl2, toxic, voc, wind …"""

    __tablename__ = "detector"
    __table_args__ = (
        Index("ix_detector_wind", "id", sqlite_where=text("kind = 'wind'"), postgresql_where=text("kind = 'wind'")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64), default="")
    kind: Mapped[str] = mapped_column(String(24))
    unit: Mapped[str] = mapped_column(String(16))  # %LEL, %vol, ppm, mg/m3, m/s
    medium: Mapped[str] = mapped_column(String(64), default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    max_age_s: Mapped[int] = mapped_column(default=300)  # older than this the last reading says nothing
    calibrated_until: Mapped[date | None] = mapped_column(Date)
    last_at: Mapped[datetime | None]
    last_value: Mapped[float | None]
    last_status: Mapped[str] = mapped_column(String(16), default="")
    active: Mapped[bool] = mapped_column(default=True)

    area: Mapped[Area | None] = relationship()


class Reading(Base):
    """One value of one detector. The index is what makes a verdict cost microseconds with millions of rows."""

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("detector_id", "at", "kind"),
        Index("ix_reading_span", "detector_id", "kind", "at", "value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    detector_id: Mapped[int] = mapped_column(ForeignKey("detector.id"))
    kind: Mapped[str] = mapped_column(String(24))
    value: Mapped[float | None]  # null when the status says that there is none
    status: Mapped[str] = mapped_column(String(16), default="ok")  # ok, fault, calibrating, offline, suspect
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class Zone(Base):
    """A zone on the plan: fixed_hot_work, hazardous (火灾爆炸危险场所), dike (重大危险源防火堤), ban (绝对禁火)."""

    __tablename__ = "zone"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(24), index=True)
    polygon: Mapped[list[Any]] = mapped_column(default=list)  # [[lon, lat], …] in WGS84
    medium: Mapped[str] = mapped_column(String(64), default="")
    active: Mapped[bool] = mapped_column(default=True, index=True)


class Certificate(Base):
    """A person's certificate: guardian training, welding, electrician, height …"""

    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("person_id", "kind", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(48))
    number: Mapped[str] = mapped_column(String(64), default="")
    issued_on: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(24), default="")

    person: Mapped[Person] = relationship()


class SourceState(Base):
    """Where a feed of outside data stands: last contact, cursor, last error."""

    __tablename__ = "source_state"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    cursor: Mapped[str] = mapped_column(String(128), default="")
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(200), default="")
    last_error_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
