"""A gateway that takes an SMS says nothing of the phone: what the operator made of urgent ones is asked, and who got none told.

Both providers are asked by number, all texts to it at once. One that failed, or of which nothing is known after half an
hour, is said in chat where that was not done beside it; otherwise safety officers hear whom nobody could reach. The end of
a text is written in the transaction that tells of it, by a conditional update: told once, whatever dies or runs twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connectors.errors import OutsideError
from connectors.sms import WAITS, Fate, Receipt, Taken
from handlers import duty
from jobs import settle
from jobs.context import Services
from jobs.queue import DELIVERY
from jobs.send import short_key
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

AFTER = timedelta(minutes=1)  # an operator takes seconds, seldom minutes
SOON, OFTEN, SELDOM = timedelta(minutes=10), timedelta(minutes=2), timedelta(minutes=5)
UNTIL = timedelta(minutes=30)  # what is not known by then is told
LOOK_BACK = timedelta(hours=24)  # also what was sent before a long stop
AT_A_TIME = 200
NUMBERS = 20  # asked about in one run: Tencent answers twenty calls a second
GIVE_UP = 3  # calls that failed in a row: the provider is away, the other numbers wait for the next run
SHOWN = 8
REMEDY = "运营商没有送达:请打电话通知本人,并核对手机号(停机、关机、拦截都会这样)。"


@dataclass(frozen=True, slots=True)
class Text:
    """An SMS to ask about. `asked`: it was asked about before."""

    id: int
    mobile: str
    case: tuple[str, int]
    taken: Taken
    asked: bool


Answers = dict[int, Receipt]


def _due(services: Services, *, limit: int) -> list[Text]:
    if services.sms is None or not services.settings.sms_receipts:
        return []
    with services.new_work(read_only=True) as work:
        rows = work.sms_receipts.due(work.at, after=AFTER, since=LOOK_BACK, limit=limit)
        return [_text(row, row.confirmed_at) for row in rows if row.confirmed_at is not None]


def _text(row: Delivery, taken_at: datetime) -> Text:
    key = short_key(row.dedupe_key)
    taken = Taken(key=key, ref=row.ref, first_tried_at=row.first_tried_at or taken_at, taken_at=taken_at)
    return Text(row.id, row.user_id, (row.case_kind, row.case_id or 0), taken, row.receipt_due_at is not None)


def is_due(services: Services) -> bool:
    """Whether there is something to ask (scheduler)."""
    return bool(_due(services, limit=1))


def ask(services: Services) -> int:
    """Ask about what is due to be asked about and write down the answers; of how many SMS the end is known now."""
    texts = _due(services, limit=AT_A_TIME)
    answers = _answers(services, texts)
    by_case = defaultdict(list)
    for text in texts:
        if text.id in answers:
            by_case[text.case].append(text)
    ended = sum(_write_down(services, case, some, answers) for case, some in by_case.items())
    if ended:
        services.kick(DELIVERY)
    return ended


def _answers(services: Services, texts: Sequence[Text]) -> Answers:
    """Row → what the provider says; a code beside «waiting» means that it could not be asked."""
    by_number = defaultdict(list)
    for text in texts:
        by_number[text.mobile].append(text)
    answers, failures = Answers(), 0
    assert services.sms is not None or not by_number
    for mobile, some in list(by_number.items())[:NUMBERS]:
        try:
            found = services.sms.receipts(mobile, [text.taken for text in some])  # type: ignore[union-attr]
            failures = 0
        except OutsideError as error:
            log.warning("sms.not_asked", ids=[text.id for text in some], code=error.code)
            found = dict.fromkeys((text.taken.key for text in some), Receipt(Fate.WAITING, error.code))
            failures += 1
        answers |= {text.id: found.get(text.taken.key, WAITS) for text in some}
        if failures == GIVE_UP:
            break
    return answers


def _write_down(services: Services, case: tuple[str, int], texts: Sequence[Text], answers: Answers) -> int:
    """The answers about the SMS of one case, in one transaction with what is said because of them; how many ended."""
    ended: list[Delivery] = []
    with services.new_work() as work:
        for text in texts:
            receipt, error = _end(text, answers[text.id], work.at)
            if not receipt:
                work.sms_receipts.later(text.id, _next(text, work.at))
            elif work.sms_receipts.end(text.id, work.at, receipt, error=error):
                ended.append(work.outbox.get(text.id))
        lost = [row for row in ended if row.receipt != Fate.DELIVERED]
        _tell(services, work, case, lost)
        notes = [(row.id, row.receipt, row.error) for row in ended]
        work.commit()
    for row_id, receipt, error in notes:
        (log.info if receipt == Fate.DELIVERED else log.warning)("sms.receipt", id=row_id, receipt=receipt, code=error)
    settle.tell_admins(services, [(row_id, REMEDY) for row_id, receipt, _ in notes if receipt == Fate.FAILED])
    return len(notes)


def _end(text: Text, said: Receipt, at: datetime) -> tuple[str, str]:
    """(what is written down as its end, error); "" while it may still become known."""
    if said.fate is Fate.DELIVERED:
        return said.fate.value, ""
    if said.fate is Fate.FAILED:
        return said.fate.value, f"receipt {said.code}"
    over = at >= text.taken.taken_at + UNTIL
    if not over or (said.code and not text.asked):  # after a long stop one call that fails decides nothing
        return "", ""
    return "unknown", f"receipt not_asked {said.code}" if said.code else "receipt none"


def _next(text: Text, at: datetime) -> datetime:
    pause = OFTEN if at - text.taken.taken_at < SOON else SELDOM
    last = text.taken.taken_at + UNTIL
    return min(at + pause, last) if at < last else at + AFTER


def _tell(services: Services, work: UnitOfWork, case: tuple[str, int], lost: Sequence[Delivery]) -> None:
    """Say it another way to those who still need it; of whom there is none the safety officers hear."""
    holes = []
    for row in lost:
        needed = services.no_longer is None or not services.no_longer(work, row)
        if needed and not (services.fall_back is not None and services.fall_back(work, row)):
            holes.append(row)
    if holes and case[1]:
        text = f"{_number(work, case)} {_whom(work, holes)}。请打电话确认本人已经知道。"
        duty.tell_hole(work, text, case=case, dedupe_key=f"receipt:{holes[0].id}")


def _whom(work: UnitOfWork, rows: Sequence[Delivery]) -> str:
    """«短信没有送达:赵建国;30分钟没有短信回执,不知道收到没有:王芳»"""
    parts = []
    for receipt, words in ((Fate.FAILED.value, "短信没有送达"), ("unknown", "30分钟没有短信回执,不知道收到没有")):
        names = [work.people.get(row.person_id).name for row in rows if row.receipt == receipt and row.person_id]
        if names:
            more = f"等{len(names)}人" if len(names) > SHOWN else ""
            parts.append(f"{words}:{'、'.join(names[:SHOWN])}{more}")
    return ";".join(parts)


def _number(work: UnitOfWork, case: tuple[str, int]) -> str:
    kind, case_id = case
    if kind == "roll_call":
        call = work.roll_calls.find(case_id)
        return call.number if call is not None else ""
    found = work.hazards.find(case_id) if kind == "hazard" else work.permits.find(case_id)
    return (found.number or "") if found is not None else ""
