"""Writing outgoing messages: rows in the same transaction as the change they tell of. Sending is jobs/deliver.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cards.card import Card
from storage.models import Account, CaseCard, Delivery, Person
from storage.unit_of_work import UnitOfWork

ALARM, URGENT, REPLY, NORMAL, LATER = 0, 1, 2, 5, 8


@dataclass(frozen=True, slots=True)
class Address:
    """A person's 1:1 chat on a platform, or a group there; `platform="sms"` with a mobile number as user_id."""

    platform: str
    user_id: str = ""
    group_id: str = ""
    person_id: int | None = None

    @property
    def key(self) -> str:
        return f"{self.platform}:{'g' if self.group_id else 'u'}:{self.group_id or self.user_id}"


def pick_account(person: Person, *, prefer: str = "") -> Account | None:
    """The one account a person is reached at: the preferred platform, else where the person spoke last."""
    accounts = [account for account in person.accounts if account.user_id and account.left_at is None]
    for account in accounts:
        if account.platform == prefer:
            return account
    accounts.sort(key=lambda a: (a.last_seen_at is None, -(a.last_seen_at.timestamp() if a.last_seen_at else 0), a.id))
    return accounts[0] if accounts else None


def address_of(person: Person, *, prefer: str = "") -> Address | None:
    account = pick_account(person, prefer=prefer)
    return Address(account.platform, user_id=account.user_id, person_id=person.id) if account else None


def say(
    work: UnitOfWork,
    to: Address,
    text: str,
    *,
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int] | None = None,
    urgency: int = NORMAL,
    reply_to: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Delivery | None:
    """A text. None when the same message (dedupe_key) was written before."""
    return _add(
        work,
        to,
        what="text",
        payload={"text": text, **({"reply_to": reply_to} if reply_to else {})},
        purpose=purpose,
        dedupe_key=f"{dedupe_key}:{to.key}"[:160],
        case=case,
        urgency=urgency,
        due_at=due_at,
        expires_at=expires_at,
    )


def send_sms(
    work: UnitOfWork,
    person: Person,
    params: dict[str, str],
    *,
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int],
    urgency: int = ALARM,
) -> Delivery | None:
    """An SMS by the approved template. None when the person has no mobile number or it was written before."""
    if not person.mobile:
        return None
    return _add(
        work,
        Address("sms", user_id=person.mobile, person_id=person.id),
        what="sms",
        payload={"params": params},
        purpose=purpose,
        dedupe_key=f"{dedupe_key}:{person.id}"[:160],
        case=case,
        urgency=urgency,
        expires_at=work.at + timedelta(hours=12),
    )


def send_picture(
    work: UnitOfWork,
    to: Address,
    sha256: str,
    *,
    name: str,
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int] | None,
) -> Delivery | None:
    """A stored picture as a message of its own."""
    return _add(
        work,
        to,
        what="image",
        payload={"sha256": sha256, "name": name},
        purpose=purpose,
        dedupe_key=f"{dedupe_key}:{to.key}"[:160],
        case=case,
        urgency=NORMAL,
    )


def send_notice(
    work: UnitOfWork,
    to: Address,
    card: Card,
    *,
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int] | None,
    urgency: int = NORMAL,
) -> Delivery | None:
    """A card without buttons that call back, for places that take no others (groups of WeCom)."""
    return _add(
        work,
        to,
        what="notice",
        payload={"card": card.to_json()},
        purpose=purpose,
        dedupe_key=f"{dedupe_key}:{to.key}"[:160],
        case=case,
        urgency=urgency,
    )


def post_card(
    work: UnitOfWork,
    card_key: str,
    card: Card,
    to: Sequence[Address],
    *,
    purpose: str,
    case: tuple[str, int] | None = None,
    urgency: int = NORMAL,
    batch: str = "",
    again: bool = False,
    reply_to: dict[str, Any] | None = None,
) -> CaseCard:
    """Put the card's content and post it to those who do not have it yet (to all of them with `again`).

    Addresses on one platform travel in one call and share the posting, so that one update later changes all copies.
    `reply_to`: the message it answers, where a group takes answers only.
    """
    kind, case_id = case or ("", 0)
    row = work.cards.put(card_key, kind, case_id, card.to_json(), at=work.at)
    have = {
        (post.platform, copy.user_id or copy.group_id)
        for post in row.posts
        if post.state == "live"
        for copy in post.copies
    }
    waiting = {(d.platform, d.user_id or d.group_id) for d in work.outbox.waiting_for_card(row.id)}
    # Each posting is a call with a name of its own: the platforms refuse, or ignore, a second one under the same name,
    # as when a rung of the ladder posts the unchanged card to more people.
    earlier = work.outbox.sends_of_card(row.id)
    for address in dict.fromkeys(to):
        place = (address.platform, address.user_id or address.group_id)
        if place in waiting or (place in have and not again):
            continue
        stamp = batch or f"{card_key}:{row.revision}"
        _add(
            work,
            address,
            what="card",
            payload={"reply_to": reply_to} if reply_to else {},
            purpose=purpose,
            dedupe_key=f"card:{stamp}:{address.key}"[:160],
            case=case,
            urgency=urgency,
            card_id=row.id,
            batch_key=f"{address.platform}|{f'{earlier}|' if earlier else ''}{stamp}"[:128],
        )
    return row


def redraw(work: UnitOfWork, card_key: str, card: Card) -> None:
    """Give a posted card new content; every live copy is redrawn soon after the commit."""
    known = work.cards.by_key(card_key)
    if known is not None:
        work.cards.put(card_key, known.case_kind, known.case_id, card.to_json(), at=work.at)


def send_todo(
    work: UnitOfWork,
    to: Address,
    subject: str,
    *,
    due_at: datetime | None,
    page: str,
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int],
    urgency: int = NORMAL,
) -> Delivery | None:
    """A to-do in the platform's own list."""
    payload = {"subject": subject, "page": page, "due_ms": int(due_at.timestamp() * 1000) if due_at else None}
    return _add(
        work,
        to,
        what="todo",
        payload=payload,
        purpose=purpose,
        dedupe_key=f"{dedupe_key}:{to.key}"[:160],
        case=case,
        urgency=urgency,
    )


def finish_todos(work: UnitOfWork, case: tuple[str, int]) -> None:
    """Tick off every to-do of the case; one that was not created yet is called off."""
    for row in work.outbox.of_case(*case):
        if row.what != "todo":
            continue
        if row.state == "due":
            row.state, row.error = "expired", "no longer needed"
        elif row.state in ("claimed", "confirmed", "unknown"):
            _add(
                work,
                Address(row.platform, user_id=row.user_id, person_id=row.person_id),
                what="todo_done",
                payload={"todo_of": row.id},
                purpose="todo.done",
                dedupe_key=f"todo_done:{row.id}",
                case=case,
                urgency=LATER,
            )


def _add(
    work: UnitOfWork,
    to: Address,
    *,
    what: str,
    payload: dict[str, Any],
    purpose: str,
    dedupe_key: str,
    case: tuple[str, int] | None,
    urgency: int,
    card_id: int | None = None,
    batch_key: str = "",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Delivery | None:
    kind, case_id = case or ("", None)
    return work.outbox.add(
        Delivery(
            dedupe_key=dedupe_key,
            case_kind=kind,
            case_id=case_id,
            purpose=purpose,
            what=what,
            platform=to.platform,
            person_id=to.person_id,
            user_id=to.user_id,
            group_id=to.group_id,
            payload=payload,
            card_id=card_id,
            batch_key=batch_key,
            urgency=urgency,
            due_at=due_at or work.at,
            wanted_at=due_at or work.at,
            expires_at=expires_at or work.at + timedelta(days=7),
            created_at=work.at,
        )
    )
