"""The address WeCom calls. It verifies, parses, accepts and answers; nothing slow."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

import structlog

from bot.message import Inbound
from bot.platforms.base import Accept
from bot.platforms.callbacks import Answer, Asked, Handler, NotTaken, Routes, refuse
from bot.platforms.wecom import aibot
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.crypto import BotEnvelope, Corrupt, Envelope, WrongEnvelope, encrypted_json, encrypted_part
from bot.platforms.wecom.parse import can_be_answered, inbound_of, read
from bot.platforms.wecom.text import TEXT_BYTES, cut_bytes, harmless

log = structlog.get_logger(__name__)


Pressed = Callable[[Inbound], dict[str, Any] | None]
"""What the presser of a robot's card sees at once instead of it; None: the card stays as it is."""


def routes(
    config: WeComConfig, *, accept: Accept, clock: Callable[[], datetime], pressed: Pressed | None = None
) -> Routes:
    """`/wecom/callback`: GET is the console's check of the address, POST a message or an event.

    `/wecom/bot` is the same for the 智能机器人, and only there when the settings name one.
    """
    envelope = Envelope(config)

    def check_address(asked: Asked) -> Answer:
        return Answer(_open(envelope, asked.query.get("echostr", ""), asked, config, clock()).encode())

    def take(asked: Asked) -> Answer:
        now = clock()
        try:
            data = read(_open(envelope, encrypted_part(_body(asked)), asked, config, now))
            inbound = inbound_of(data, now=now, datum=config.datum)
        except Corrupt as error:
            _malformed(str(error), asked)
        if inbound is None:
            return Answer()
        answers = _accept(accept, inbound)
        if not answers or not answers[0]:
            return Answer()
        if not inbound.sender or not can_be_answered(data):
            log.warning("wecom.answer_not_possible", key=inbound.key)
            return Answer()
        reply = envelope.close(
            passive_text(answers[0], user=inbound.sender, corp_id=config.corp_id, now=now),
            timestamp=str(int(now.timestamp())),
            nonce=str(secrets.randbelow(10**10)),
        )
        return Answer(reply.encode(), "text/xml; charset=utf-8")

    found: dict[str, dict[str, Handler]] = {"/wecom/callback": {"GET": check_address, "POST": take}}
    if config.bot_token:
        found["/wecom/bot"] = _bot_handlers(config, accept=accept, clock=clock, pressed=pressed)
    return found


NO_PICTURES = "{}的照片收不到,请到应用里发。"


def _bot_handlers(
    config: WeComConfig, *, accept: Accept, clock: Callable[[], datetime], pressed: Pressed | None
) -> dict[str, Handler]:
    envelope = BotEnvelope(config)

    def check_address(asked: Asked) -> Answer:
        return Answer(_open(envelope, asked.query.get("echostr", ""), asked, config, clock()).encode())

    def take(asked: Asked) -> Answer:
        now = clock()
        try:
            data = aibot.read(_open(envelope, encrypted_json(_body(asked)), asked, config, now))
            inbound = aibot.inbound_of(data, now=now)
        except Corrupt as error:
            _malformed(str(error), asked)
        if inbound is None:
            return Answer()
        answers = _accept(accept, inbound)
        told = ""
        if inbound.press is not None:
            told = _after_press(pressed, inbound)
        elif aibot.can_be_answered(data):
            said = [
                *answers[:1],
                NO_PICTURES.format("群里" if inbound.group else "这里") if aibot.has_pictures(data) else "",
            ]
            words = "\n".join(line for line in said if line)
            told = aibot.passive_text(words, ref=inbound.key) if words else ""
        if not told:
            return Answer()
        reply = envelope.close(told, timestamp=str(int(now.timestamp())), nonce=asked.query.get("nonce", ""))
        return Answer(reply.encode(), "application/json")

    return {"GET": check_address, "POST": take}


def _after_press(pressed: Pressed | None, inbound: Inbound) -> str:
    """The press is stored already: whatever goes wrong here only leaves the card as it is."""
    try:
        change = pressed(inbound) if pressed is not None else None
    except Exception as error:
        log.warning("wecom.card_not_redrawn", key=inbound.key, error=type(error).__name__)
        return ""
    return json.dumps(change, ensure_ascii=False) if change else ""


def passive_text(text: str, *, user: str, corp_id: str, now: datetime) -> str:
    """The XML of a passive text reply; the text cannot end its CDATA section."""
    fields = {
        "ToUserName": user,
        "FromUserName": corp_id,
        "CreateTime": str(int(now.timestamp())),
        "MsgType": "text",
        "Content": cut_bytes(harmless(text), TEXT_BYTES),
    }
    inner = "".join(f"<{n}><![CDATA[{v.replace(']]>', ']]]]><![CDATA[>')}]]></{n}>" for n, v in fields.items())
    return f"<xml>{inner}</xml>"


def _open(envelope: Envelope, encrypted: str, asked: Asked, config: WeComConfig, now: datetime) -> str:
    """The plaintext; 403 for a wrong signature, time or receiver, 400 for what cannot be read."""
    given = asked.query
    timestamp = given.get("timestamp", "")
    if not _is_recent(timestamp, now, config.max_skew_s):
        _refuse("timestamp")
    signature, nonce = given.get("msg_signature", ""), given.get("nonce", "")
    try:
        return envelope.open(encrypted, signature=signature, timestamp=timestamp, nonce=nonce)
    except WrongEnvelope as error:
        _refuse(str(error))
    except Corrupt as error:
        _malformed(str(error), asked)


def _is_recent(timestamp: str, now: datetime, max_skew_s: int) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= max_skew_s


def _body(asked: Asked) -> bytes:
    try:
        return asked.body()
    except NotTaken:
        log.warning("wecom.callback_not_read", size=asked.length)
        raise


def _accept(accept: Accept, inbound: Inbound) -> Sequence[str]:
    """500 when it could not be stored, so that nothing counts as taken that is not."""
    try:
        return accept((inbound,))
    except Exception as error:
        log.error("wecom.callback_not_stored", key=inbound.key, error=type(error).__name__)
        refuse(500, "not_stored")


def _refuse(reason: str) -> NoReturn:
    log.warning("wecom.callback_refused", reason=reason)
    refuse(403, reason)


def _malformed(reason: str, asked: Asked) -> NoReturn:
    log.warning("wecom.callback_malformed", reason=reason, size=asked.length)
    refuse(400, reason)
