"""When a message can never arrive as it is: the next channel (card → text → the other platform → SMS)."""

from __future__ import annotations

from bot import outbox
from cards import hazard as hazard_cards
from cards.card import Card
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork


def next_channel(work: UnitOfWork, row: Delivery) -> None:
    """Write the message that replaces a refused one. Each step is tried once; the last failure stays with the row."""
    if row.person_id is None or row.what not in ("card", "text", "todo", "notice"):
        return
    person = work.people.get(row.person_id)
    case = (row.case_kind, row.case_id) if row.case_kind and row.case_id is not None else None
    text = _words(work, row)
    other = next((a for a in person.accounts if a.platform != row.platform), None)
    if row.what in ("card", "notice") and row.fallback_of_id is None and "nobody" not in row.error:
        to = outbox.Address(row.platform, user_id=row.user_id, person_id=person.id)
    elif other is not None and row.platform != other.platform and not _tried(work, row, other.platform):
        to = outbox.Address(other.platform, user_id=other.user_id, person_id=person.id)
    else:
        _by_sms(work, row)
        return
    added = outbox.say(
        work, to, text, purpose=row.purpose, dedupe_key=f"instead:{row.id}", case=case, urgency=row.urgency
    )
    if added is not None:
        added.fallback_of_id = row.id


def _tried(work: UnitOfWork, row: Delivery, platform: str) -> bool:
    """Whether this message came from that platform already."""
    while row.fallback_of_id is not None:
        row = work.outbox.get(row.fallback_of_id)
        if row.platform == platform:
            return True
    return False


def _words(work: UnitOfWork, row: Delivery) -> str:
    if row.card_id is not None:
        return Card.from_json(work.cards.get(row.card_id).content).as_text() + "\n发编号可以办理。"
    return str(row.payload.get("text") or row.payload.get("subject") or "")


def _by_sms(work: UnitOfWork, row: Delivery) -> None:
    """Only what is urgent goes by SMS, and only what a template can say."""
    if row.urgency > outbox.URGENT or row.case_kind != "hazard" or row.case_id is None or row.person_id is None:
        return
    hazard = work.hazards.find(row.case_id)
    if hazard is not None and hazard.number:
        outbox.send_sms(
            work,
            work.people.get(row.person_id),
            hazard_cards.sms_params(hazard),
            purpose=row.purpose,
            dedupe_key=f"instead:{row.id}",
            case=("hazard", hazard.id),
        )
