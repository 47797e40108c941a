"""What came in: stored by the callback, handled here. One message is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic, perf_counter, sleep
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm.exc import StaleDataError

from bot import outbox
from bot.message import Inbound, Kind
from bot.platforms.base import Accept
from bot.turn import Fetched, Turn
from handlers import leaving, people, spoken
from handlers.knowledge import tell
from jobs import flood
from jobs.context import Services
from jobs.queue import CHAT, DELIVERY, MEDIA, Kicker
from rules import hazard as hazard_rules
from storage.inbox import received_at
from storage.intake import Intake
from storage.models import Inbox
from storage.people import account_key

log = structlog.get_logger()

WITH_MEDIA = {Kind.IMAGE, Kind.VOICE, Kind.VIDEO}
MAX_ATTEMPTS = 4
AT_ONCE = 5  # then it is looked again whether something urgent came in
BACK_OFF_S = (1, 5, 30)
HOLD_S = (
    5.2  # WeCom gives up after 5 s and then sends the message again; DingTalk does not, for it this is one more chance
)
HOLD_STEP_S = 0.2
REPEATED_AFTER = timedelta(seconds=4)  # platforms wait at least so long for an answer before they push again
UNHEARD = "语音收到了,但没听清文字,请打字再说一遍;录音已保存。"
APOLOGY = "抱歉,刚才那条消息没有处理成功。内容和照片都保存着,已通知管理员;急事请直接打电话。"


def accept_into(engine: Engine, kick: Kicker, clock: Callable[[], datetime], first_aid: Callable[[str], str]) -> Accept:
    """The function callbacks store messages with. It does nothing slow: one insert, one wake-up.

    `first_aid(text)` gives the stop/evacuate line for words of imminent danger; it is answered at once,
    before any worker runs.
    """

    def stored(rows: Sequence[dict[str, Any]]) -> None:
        for queue in {MEDIA if row["needs_media"] else CHAT for row in rows}:
            kick(queue)

    intake = Intake(engine, stored)

    def accept(messages: Sequence[Inbound]) -> Sequence[str]:
        now = clock()
        lines = [first_aid(message.text) if message.text else "" for message in messages]
        rows = [_row(message, now, urgent=bool(line)) for message, line in zip(messages, lines, strict=True)]
        if not rows:
            return []
        _store_or_wait(intake, rows)
        return [
            line if line and not message.group and _not_answered(engine, message, now) else ""
            for line, message in zip(lines, messages, strict=True)
        ]

    return accept


def _not_answered(engine: Engine, message: Inbound, now: datetime) -> bool:
    """Whether this push is the first of its message, or comes so late that the answer to the first cannot have arrived."""
    first = received_at(engine, message.platform, message.key)
    return first is None or first == now or now - first > REPEATED_AFTER


def _store_or_wait(intake: Intake, rows: Sequence[dict[str, Any]]) -> None:
    """Store; while the database is away do not answer either: WeCom repeats what got no answer, not what got an error."""
    end = monotonic() + HOLD_S
    while True:
        try:
            intake.store(rows)
            return
        except intake.away:
            if monotonic() > end:
                raise
            sleep(HOLD_STEP_S)


def _row(message: Inbound, now: datetime, *, urgent: bool) -> dict[str, Any]:
    needs_media = (
        message.kind in WITH_MEDIA and bool(message.media) and not (message.kind is Kind.VOICE and message.text)
    )
    needs_media = needs_media or (message.kind is Kind.TEXT and bool(message.media))
    return {
        "platform": message.platform,
        "key": message.key,
        "sender": account_key(message.platform, message.sender),  # one spelling a person, for the order
        "payload": message.to_json(),
        "state": "new",
        "urgent": urgent,
        "needs_media": needs_media,
        "media": [],
        "received_at": now,
        "sent_at": message.sent_at,
        "attempts": 0,
        "error": "",
    }


def handle_ready(services: Services) -> int:
    """Handle every message that can be handled now; returns how many were taken."""
    with services.new_work(read_only=True) as work:
        ids = work.inbox.ready_ids(services.clock(), limit=AT_ONCE)
    done = 0
    for row_id in ids:
        if handle(services, row_id):
            done += 1
            services.kick(DELIVERY)  # the answer goes out while the next message is handled
    return done


def handle(services: Services, row_id: int) -> bool:
    """Handle one message in one transaction. False when another worker has it."""
    started = perf_counter()
    try:
        with services.new_work() as work:
            row = work.inbox.take(row_id, services.clock(), lease=timedelta(minutes=2))
            if row is None:
                return False
            held = flood.hold(work, row, most=services.settings.inbound_per_minute)
            route = "flood.held" if held else _dispatch(services, work, row)
            if row.state == "taken":
                row.state, row.handled_at, row.lease_until, row.error = "done", work.at, None, ""
            work.commit()
            for queue in work.wake:
                services.kick(queue)
    except Exception as error:
        _failed(services, row_id, error)
        return True
    log.info("inbound.handled", id=row_id, route=route, took_ms=round((perf_counter() - started) * 1000, 1))
    return True


def _dispatch(services: Services, work: Any, row: Inbox) -> str:
    message = Inbound.from_json(row.payload)
    if message.kind is Kind.LEFT:
        return leaving.left(work, message)
    who = people.who(work, message)
    if who is None:
        return people.unknown_sender(work, message, row)
    account, person = who
    turn = Turn(
        work=work,
        message=message,
        inbox_id=row.id,
        account=account,
        person=person,
        at=work.at,
        fetched=tuple(
            Fetched(m["kind"], m.get("sha256", ""), m.get("refused", ""), tuple(m.get("codes", ()))) for m in row.media
        ),
        data={"received_at": row.received_at, "urgent": row.urgent},
    )
    if not turn.text and message.kind is Kind.VOICE:
        words = next((m.get("words", "") for m in row.media if m.get("words")), "")
        turn.message = message.with_text(words)
        turn.data["urgent"] = hazard_rules.emergency(words) is not None
    turn.conversation = work.conversations.load(turn.chat_key, at=work.at)
    if message.press is not None and message.press.response_code:
        work.cards.add_code(message.press.card_ref, message.press.response_code, at=work.at)
    if message.kind is Kind.VOICE and not _heard(turn):
        return "voice.unheard"
    route = services.router.find(turn)
    route.run(turn)
    return route.name


def _heard(turn: Turn) -> bool:
    """Show what was recognised, so that it can be put right; without words keep the recording and ask to type.

    False when the message is dealt with. A dialogue that collects experience takes the recording itself as well.
    """
    if turn.text:
        turn.say(f"听到的是:“{turn.text[:200]}”。不对请打字。", purpose="voice.heard")
        spoken.remember(turn)
        return True
    if turn.conversation is not None and turn.conversation.flow == tell.FLOW:
        return True
    reason = next((f.refused for f in turn.fetched if f.refused), "")
    turn.say(f"{reason}。录音已保存。" if reason else UNHEARD, purpose="voice.unheard")
    return False


def _failed(services: Services, row_id: int, error: Exception) -> None:
    """Roll back, note it, and try again later; after the last try tell the person and keep the row for an admin."""
    conflict = isinstance(error, StaleDataError)
    with services.new_work() as work:
        row = work.inbox.get(row_id)
        row.attempts += 1
        row.error = type(error).__name__
        if row.attempts < MAX_ATTEMPTS or (conflict and row.attempts < 10):
            wait = 0 if conflict else BACK_OFF_S[min(row.attempts, len(BACK_OFF_S)) - 1]
            row.state, row.next_try_at = "new", work.at + timedelta(seconds=wait)
        else:
            row.state, row.handled_at = "failed", work.at
            _apologise(work, row)
        attempts, state = row.attempts, row.state
        work.commit()
    if conflict:
        log.info("inbound.conflict", id=row_id, attempts=attempts)
    else:
        log.error("inbound.failed", id=row_id, attempts=attempts, state=state, exc_info=error)


def _apologise(work: Any, row: Inbox) -> None:
    group = str(row.payload.get("group", ""))
    to = outbox.Address(row.platform, user_id="" if group else row.sender, group_id=group)
    if to.user_id or to.group_id:
        outbox.say(
            work,
            to,
            APOLOGY,
            purpose="apology",
            dedupe_key=f"apology:{row.id}",
            urgency=outbox.REPLY,
            reply_to=row.payload.get("reply_to"),
        )
