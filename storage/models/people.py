"""People, their chat accounts, their roles, chat groups and API tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, BigId


class Person(Base):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)  # the plant's own staff number
    name: Mapped[str] = mapped_column(String(64))
    mobile: Mapped[str] = mapped_column(String(32), default="")
    title: Mapped[str] = mapped_column(String(64), default="")
    team: Mapped[str] = mapped_column(String(64), default="")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    accounts: Mapped[list[Account]] = relationship(back_populates="person", order_by="Account.id")
    roles: Mapped[list[RoleGrant]] = relationship(
        back_populates="person", order_by="RoleGrant.id", cascade="all, delete-orphan"
    )

    @property
    def gone(self) -> bool:
        """Had accounts and has none left; whoever never had one is reached by other ways."""
        return bool(self.accounts) and all(account.left_at is not None for account in self.accounts)


class Account(Base):
    """A person on one chat platform. `person_id` is null while the plant does not know whose it is."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("platform", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[str] = mapped_column(String(128))  # WeCom ids are compared in lower case
    union_id: Mapped[str] = mapped_column(String(128), default="")
    nick: Mapped[str] = mapped_column(String(128), default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]  # the platform said that the account is gone: nothing is sent there
    # the last silent position (WeCom LOCATION event); used for a report within minutes, then forgotten
    last_lat: Mapped[float | None]
    last_lon: Mapped[float | None]
    last_accuracy_m: Mapped[float | None]
    last_position_at: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship(back_populates="accounts")


class RoleGrant(Base):
    """A role of a person, for one area or (area null) for the whole plant."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("person_id", "role", "area_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(32), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)

    person: Mapped[Person] = relationship(back_populates="roles")


class GroupChat(Base):
    """A chat group the bot may post into; bound to a workshop by an admin («绑定 合成车间»)."""

    __tablename__ = "group_chat"
    __table_args__ = (UniqueConstraint("platform", "conversation_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[str] = mapped_column(String(256))
    title: Mapped[str] = mapped_column(String(128), default="")
    workshop: Mapped[str] = mapped_column(String(64), default="", index=True)  # "" = the whole plant
    bound_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    bound_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)


class ApiToken(Base):
    """A bearer token of the read API; only its SHA-256 is stored."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(128), default="read")
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
