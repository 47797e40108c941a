"""The plant: areas with polygons, and the equipment ledger (设备台账)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId


class Area(Base):
    __tablename__ = "area"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32), default="")
    workshop: Mapped[str] = mapped_column(String(64), default="", index=True)
    zone: Mapped[str] = mapped_column(String(32), default="none")  # hazardous, fixed_hot_work, ban, dike, none
    media: Mapped[list[Any]] = mapped_column(default=list)  # names of hazardous media (介质)
    ignition: Mapped[list[Any]] = mapped_column(default=list)  # names of ignition sources (点火源)
    polygon: Mapped[list[Any]] = mapped_column(default=list)  # [[lon, lat], …] in WGS84
    active: Mapped[bool] = mapped_column(default=True)


class Equipment(Base):
    __tablename__ = "equipment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)  # 位号 as on the plate, e.g. P-101A
    code_key: Mapped[str] = mapped_column(String(64), index=True)  # the code without signs and case, for matching
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32), default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    medium: Mapped[str] = mapped_column(String(64), default="")
    ignition: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(32), default="")
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    active: Mapped[bool] = mapped_column(default=True)

    area: Mapped[Area | None] = relationship()
