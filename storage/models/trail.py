"""The trail (留痕): who, when, from where, why; each line holds the hash of the line before it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, BigId


class TrailLine(Base):
    __tablename__ = "trail_line"
    __table_args__ = (UniqueConstraint("case_kind", "case_id", "seq"),)  # two writers cannot fork the chain

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_kind: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[int]
    seq: Mapped[int]  # 1, 2, 3 … within the case
    at: Mapped[datetime]
    by_id: Mapped[int | None]  # no foreign key: the line stays true whatever happens to the person
    by_hidden: Mapped[bool] = mapped_column(default=False)  # an anonymous reporter: never shown
    action: Mapped[str] = mapped_column(String(32))
    from_state: Mapped[str] = mapped_column(String(16), default="")
    to_state: Mapped[str] = mapped_column(String(16), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    via: Mapped[str] = mapped_column(String(32), default="")  # wecom, dingtalk, web, clock
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before_hash: Mapped[str] = mapped_column(String(64), default="")
    hash: Mapped[str] = mapped_column(String(64), unique=True)
