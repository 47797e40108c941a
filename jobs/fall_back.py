"""When a message cannot arrive as it is: the next channel (card → text → the other platform → SMS → chat; group → its people)."""

from __future__ import annotations

from datetime import timedelta

from bot import outbox
from bot.outbox import Address
from bot.platforms.base import only_answers
from cards import hazard as hazard_cards
from cards import permit as permit_cards
from cards.card import Card
from handlers import duty
from handlers.hazard import dispatch
from handlers.roll_call import actions as roll_calls
from handlers.roll_call import still_needed
from rules.escalation import ROLL_CALLS
from rules.terms import OPEN_STATES, HazardState
from storage.models import Delivery, Person
from storage.unit_of_work import UnitOfWork

REPLACED = ("card", "text", "todo", "notice", "sms")
BESIDE = timedelta(minutes=5)  # what is said in chat and by SMS as well is written together


def next_channel(work: UnitOfWork, row: Delivery, *, ahead: bool = False) -> bool:
    """Write what replaces a refused message; True when something was. Each step is tried once.

    `ahead`: the row is still tried here, so only another platform or SMS helps.
    """
    if row.what not in REPLACED:
        return False
    if row.person_id is None:
        return not ahead and _group(work, row)
    person = work.people.get(row.person_id)
    if row.what == "sms":
        return _in_chat(work, row, person)
    to = None if ahead else _same_platform(row, person)
    to = to or _other_platform(work, row, person)
    return _said(work, row, to) if to is not None else _by_sms(work, row, person)


def _same_platform(row: Delivery, person: Person) -> Address | None:
    """As a text, when it was a card; useless when the platform does not know the person or has nothing left to give."""
    gone = row.error.startswith(("nobody", "quota"))
    if row.what not in ("card", "notice") or row.fallback_of_id is not None or gone:
        return None
    return Address(row.platform, user_id=row.user_id, person_id=person.id)


def _tried(work: UnitOfWork, row: Delivery) -> set[str]:
    """Where it was tried before, and SMS among it."""
    tried = {row.platform}
    while row.fallback_of_id is not None:
        row = work.outbox.get(row.fallback_of_id)
        tried.add(row.platform)
    return tried


def _in_chat(work: UnitOfWork, row: Delivery, person: Person) -> bool:
    """An SMS that does not arrive: said on a platform where nothing of it was said beside it."""
    tried = _tried(work, row)
    if row.case_kind and row.case_id is not None:
        tried |= {
            other.platform
            for other in work.outbox.of_case(row.case_kind, row.case_id)
            if (other.person_id, other.purpose) == (row.person_id, row.purpose)
            and other.created_at >= row.created_at - BESIDE
        }
    first = outbox.pick_account(person)
    accounts = [*([first] if first is not None else []), *person.accounts]
    other = next((a for a in accounts if a.platform not in tried and a.user_id and a.left_at is None), None)
    return other is not None and _said(work, row, Address(other.platform, user_id=other.user_id, person_id=person.id))


def _other_platform(work: UnitOfWork, row: Delivery, person: Person) -> Address | None:
    tried = _tried(work, row)
    other = next((a for a in person.accounts if a.platform not in tried and a.user_id and a.left_at is None), None)
    return Address(other.platform, user_id=other.user_id, person_id=person.id) if other is not None else None


def _said(work: UnitOfWork, row: Delivery, to: Address) -> bool:
    case = (row.case_kind, row.case_id) if row.case_kind and row.case_id is not None else None
    added = outbox.say(
        work,
        to,
        _words(work, row),
        purpose=row.purpose,
        dedupe_key=f"instead:{row.id}",
        case=case,
        urgency=row.urgency,
    )
    if added is not None:
        added.fallback_of_id = row.id
    return added is not None


def _words(work: UnitOfWork, row: Delivery) -> str:
    if row.card_id is not None:
        return Card.from_json(work.cards.get(row.card_id).content).as_text() + "\n发编号可以办理。"
    if row.what == "notice":
        return Card.from_json(row.payload["card"]).as_text()
    if row.what == "sms":
        said = row.payload["params"]
        then = "发“待办”可以确认。" if row.case_kind == "roll_call" else "发编号可以办理。"
        return f"{said['grade']} {said['number']}:{said['area']},{said['time']},请立即处理。短信没有送到。{then}"
    return str(row.payload.get("text") or row.payload.get("subject") or "")


def _by_sms(work: UnitOfWork, row: Delivery, person: Person) -> bool:
    """Only what is urgent goes by SMS, and only what a template can say."""
    if "sms" in _tried(work, row):
        return False  # it stands for an SMS that did not arrive
    if row.urgency > outbox.URGENT or row.case_id is None or row.case_kind not in ("hazard", "permit", "roll_call"):
        return False
    if row.case_kind == "permit":
        return _permit_by_sms(work, row, person, row.case_id)
    if row.case_kind == "roll_call":
        return _call_by_sms(work, row, person, row.case_id)
    hazard = work.hazards.find(row.case_id)
    if hazard is None or not hazard.number:
        return False
    added = outbox.send_sms(
        work,
        person,
        hazard_cards.sms_params(hazard),
        purpose=row.purpose,
        dedupe_key=f"instead:{row.id}",
        case=("hazard", hazard.id),
    )
    if added is not None:
        added.fallback_of_id = row.id
    return added is not None


def _permit_by_sms(work: UnitOfWork, row: Delivery, person: Person, permit_id: int) -> bool:
    """A stop is told by text and by card: both may fail, one SMS stands for both."""
    permit = work.permits.find(permit_id)
    if permit is None or not permit.number or not person.mobile:
        return False
    added = outbox.send_sms(
        work,
        person,
        permit_cards.sms_params(permit, at=work.at),
        purpose=row.purpose,
        dedupe_key=f"instead:permit:{permit.id}:{permit.generation}:{row.purpose}",
        case=("permit", permit.id),
        urgency=row.urgency,
    )
    if added is not None:
        added.fallback_of_id = row.id
    return True


def _call_by_sms(work: UnitOfWork, row: Delivery, person: Person, call_id: int) -> bool:
    """Whoever is called must hear of it. A step of the ladder may have written the same SMS already: one stands for both."""
    what = row.purpose.partition(".")[2]
    call = work.roll_calls.find(call_id)
    if call is None or not person.mobile or what not in (*ROLL_CALLS, *roll_calls.OTHERS_BY_SMS):
        return False
    first = still_needed.first_of(work, row)
    tag = first.dedupe_key.removeprefix("card:").removesuffix(f":{first.platform}:u:{first.user_id}")
    if what == "help":
        tag = tag.rpartition(":")[0]  # without its time, as the SMS of the cry itself
    elif what == "list":
        tag = f"roll:{call.id}:start"  # that the call has begun is said once, also to who leads and is called
    added = roll_calls.sms(work, call, person, tag=tag, what="" if what in ROLL_CALLS else what)
    if added is not None:
        added.fallback_of_id = row.id
    return True


def _group(work: UnitOfWork, row: Delivery) -> bool:
    """A group that takes no cards (WeCom) gets a notice; one that is gone is replaced by who must see to the case."""
    if only_answers(row.group_id):
        return _to_the_asker(work, row)
    case = (row.case_kind, row.case_id) if row.case_kind and row.case_id is not None else None
    if row.what == "card" and row.card_id is not None and "no_cards" in row.error:
        content = work.cards.get(row.card_id).content
        added = outbox.send_notice(
            work,
            Address(row.platform, group_id=row.group_id),
            Card.from_json(content),
            purpose=row.purpose,
            dedupe_key=f"instead:{row.id}",
            case=case,
            urgency=row.urgency,
        )
        if added is not None:
            added.fallback_of_id = row.id
        return added is not None
    hazard = work.hazards.find(row.case_id) if row.case_kind == "hazard" and row.case_id is not None else None
    if hazard is None or HazardState(hazard.state) not in OPEN_STATES:
        return False
    written = False
    people = dispatch.present(work, [hazard.owner] if hazard.owner is not None else [])
    for person in people or duty.safety_officers(work):
        to = outbox.address_of(person)
        written |= to is not None and _said(work, row, to)
    return written


def _to_the_asker(work: UnitOfWork, row: Delivery) -> bool:
    """What a group can no longer be told goes to the person who asked there, a card with its buttons."""
    asked = row.payload.get("reply_to") or {}
    account = work.people.account(row.platform, str(asked.get("user") or ""))
    if account is None or account.person is None:
        return False
    to = Address(row.platform, user_id=account.user_id, person_id=account.person.id)
    if row.what != "card" or row.card_id is None:
        return _said(work, row, to)
    card = work.cards.get(row.card_id)
    case = (row.case_kind, row.case_id) if row.case_kind and row.case_id is not None else None
    outbox.post_card(
        work,
        card.card_key,
        Card.from_json(card.content),
        [to],
        case=case,
        purpose=row.purpose,
        urgency=row.urgency,
        batch=f"instead:{row.id}",
    )
    return True
