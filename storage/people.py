"""People, accounts, roles and groups."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from rules.terms import Role
from storage.models import Account, ApiToken, GroupChat, Person, RoleGrant


def account_key(platform: str, user_id: str) -> str:
    """WeCom compares user ids without case and answers in lower case; DingTalk's are exact."""
    return user_id.lower() if platform == "wecom" else user_id


# built once: asked for every message
_ACCOUNT = (
    select(Account)
    .where(Account.platform == bindparam("platform"), Account.user_id == bindparam("user"))
    .options(
        joinedload(Account.person).selectinload(Person.accounts),
        joinedload(Account.person).selectinload(Person.roles),
    )
)


class People:
    def __init__(self, db: Session) -> None:
        self.db = db

    def get(self, person_id: int) -> Person:
        return self.db.get_one(Person, person_id, options=[selectinload(Person.accounts), selectinload(Person.roles)])

    def by_code(self, code: str) -> Person | None:
        return self.db.scalar(select(Person).where(Person.code == code))

    def account(self, platform: str, user_id: str) -> Account | None:
        return self.db.scalar(_ACCOUNT, {"platform": platform, "user": account_key(platform, user_id)})

    def account_by_id(self, account_id: int) -> Account | None:
        return self.db.scalar(
            select(Account)
            .where(Account.id == account_id)
            .options(joinedload(Account.person).selectinload(Person.accounts))
        )

    def add_account(
        self,
        platform: str,
        user_id: str,
        *,
        at: datetime,
        union_id: str = "",
        nick: str = "",
        person: Person | None = None,
    ) -> Account:
        """Find or add; binds to `person` when given and fills in what was unknown."""
        account = self.account(platform, user_id)
        if account is None:
            account = Account(
                platform=platform, user_id=account_key(platform, user_id), created_at=at, union_id="", nick=""
            )
            self.db.add(account)
        account.union_id = union_id or account.union_id
        account.nick = nick or account.nick
        if person is not None:
            account.person = person
        self.db.flush()
        return account

    def with_role(self, role: Role, *, area_id: int | None = None, exact: bool = False) -> Sequence[Person]:
        """Active people holding the role for the area; those of the whole plant too unless `exact`. Area's own first."""
        wanted = (
            RoleGrant.area_id == area_id if exact else or_(RoleGrant.area_id == area_id, RoleGrant.area_id.is_(None))
        )
        people = self.db.scalars(
            select(Person)
            .join(RoleGrant)
            .where(RoleGrant.role == role.value, wanted, Person.active)
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(RoleGrant.area_id.is_(None), RoleGrant.id)
        ).all()
        return list(dict.fromkeys(people))

    def all_active(self) -> Sequence[Person]:
        return self.db.scalars(
            select(Person)
            .where(Person.active)
            .options(selectinload(Person.accounts), selectinload(Person.roles))
            .order_by(Person.id)
        ).all()

    def everyone(self) -> Sequence[Person]:
        """All people, also those who left: old cases still name them."""
        return self.db.scalars(select(Person).order_by(Person.id)).all()

    def page(self, *, after_id: int | None = None, limit: int = 50) -> Sequence[Person]:
        """Active people by id, `after_id` being the last id of the page before."""
        query = select(Person).where(Person.active).options(selectinload(Person.roles)).order_by(Person.id).limit(limit)
        if after_id is not None:
            query = query.where(Person.id > after_id)
        return self.db.scalars(query).all()

    def by_name(self, name: str) -> Sequence[Person]:
        return self.db.scalars(select(Person).where(Person.name == name, Person.active).order_by(Person.id)).all()

    def by_names(self, names: Collection[str]) -> Sequence[Person]:
        """Active people who have one of these names."""
        if not names:
            return []
        return self.db.scalars(select(Person).where(Person.name.in_(names), Person.active).order_by(Person.id)).all()

    def group(self, platform: str, conversation_id: str) -> GroupChat | None:
        return self.db.scalar(
            select(GroupChat).where(GroupChat.platform == platform, GroupChat.conversation_id == conversation_id)
        )

    def groups_of_workshop(self, workshop: str) -> Sequence[GroupChat]:
        """Bound groups of the workshop; those of the whole plant when it has none."""
        rows = self.db.scalars(
            select(GroupChat)
            .where(GroupChat.active, GroupChat.bound_at.is_not(None), GroupChat.workshop.in_([workshop, ""]))
            .order_by(GroupChat.id)
        ).all()
        own = [row for row in rows if row.workshop == workshop and workshop]
        return own or [row for row in rows if row.workshop == ""]

    def token(self, secret: str) -> ApiToken | None:
        """The live API token with this secret."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return self.db.scalar(select(ApiToken).where(ApiToken.sha256 == digest, ApiToken.revoked_at.is_(None)))

    def token_named(self, name: str) -> ApiToken | None:
        """The live API token with this name."""
        return self.db.scalar(select(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None)))

    def add_token(self, name: str, sha256: str, *, at: datetime) -> ApiToken:
        token = ApiToken(name=name, sha256=sha256, scopes="read", created_at=at)
        self.db.add(token)
        self.db.flush()
        return token

    def count(self) -> int:
        return self.db.scalar(select(func.count()).select_from(Person)) or 0


def has_role(person: Person, role: Role, *, area_id: int | None = None) -> bool:
    """Whether the person holds the role for that area or for the whole plant."""
    return any(g.role == role.value and (g.area_id is None or g.area_id == area_id) for g in person.roles)
