"""The three addresses DingTalk calls in HTTP mode. Each one verifies, parses, accepts and answers; nothing slow."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

import structlog

from bot.message import Inbound
from bot.platforms.base import Accept
from bot.platforms.callbacks import Answer, Asked, Handler, NotTaken, Routes, refuse
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.events import CHECK, EventEnvelope, WrongEnvelope, event_inbounds, is_paid
from bot.platforms.dingtalk.parse import robot_message
from bot.platforms.dingtalk.presses import PressReader
from bot.platforms.dingtalk.signatures import card_api_secret, card_sign, is_recent, robot_sign, same
from bot.platforms.dingtalk.values import Malformed, as_text, json_object

log = structlog.get_logger(__name__)


def routes(
    config: DingTalkConfig,
    *,
    accept: Accept,
    clock: Callable[[], datetime],
    presses: PressReader,
    paid: Callable[[], object] = lambda: None,
) -> Routes:
    """`/dingtalk/robot`, `/dingtalk/cards` and `/dingtalk/events`. `paid` hears of events that cost and are not stored."""
    envelope = EventEnvelope(config)
    api_secret = card_api_secret(config.client_secret)

    def robot(asked: Asked) -> Answer:
        timestamp = asked.header("timestamp")
        if not is_recent(timestamp, clock()):
            _refuse("robot", "timestamp")
        if not same(asked.header("sign"), robot_sign(timestamp, config.client_secret)):
            _refuse("robot", "signature")
        body = _body("robot", asked)
        if not _is_for_us(body, config):
            _refuse("robot", "receiver")
        answers = _accept("robot", accept, (robot_message(body, now=clock()),))
        if answers and answers[0]:
            return _told({"msgtype": "text", "text": {"content": answers[0]}})
        return _EMPTY

    def cards(asked: Asked) -> Answer:
        timestamp = asked.header("x-ddpaas-signature-timestamp")
        if not is_recent(timestamp, clock()):
            _refuse("cards", "timestamp")
        if not same(asked.header("x-ddpaas-signature"), card_sign(timestamp, api_secret)):
            _refuse("cards", "signature")
        body = _body("cards", asked)
        if as_text(body.get("corpId")) not in ("", config.corp_id):
            _refuse("cards", "receiver")
        _accept("cards", accept, (presses.read(body, delivery=timestamp),))
        return _told({})

    def events(asked: Asked) -> Answer:
        given = asked.query
        timestamp, nonce = given.get("timestamp", ""), given.get("nonce", "")
        body = _body("events", asked)
        if not is_recent(timestamp, clock()):
            _refuse("events", "timestamp")
        try:
            event = envelope.open(
                as_text(body.get("encrypt")),
                signature=given.get("msg_signature") or given.get("signature", ""),
                timestamp=timestamp,
                nonce=nonce,
            )
        except WrongEnvelope as error:
            _refuse("events", str(error))
        except Malformed:
            _malformed("events", asked)
        if as_text(event.get("EventType")) != CHECK:
            found = event_inbounds(event, now=clock())
            if found:
                _accept("events", accept, found)
            elif is_paid(event):
                paid()
        return _told(envelope.success(timestamp=timestamp, nonce=nonce))

    found: dict[str, dict[str, Handler]] = {"/dingtalk/robot": {"POST": robot}, "/dingtalk/cards": {"POST": cards}}
    if config.event_token and config.event_aes_key:
        found["/dingtalk/events"] = {"POST": events}
    return found


def _told(said: dict[str, Any]) -> Answer:
    return Answer(json.dumps(said, ensure_ascii=False).encode(), "application/json")


_EMPTY = _told({"msgtype": "empty"})


def _body(route: str, asked: Asked) -> dict[str, Any]:
    """The JSON object sent; 413 over the limit, also when the length was not announced, 400 for anything else."""
    try:
        return json_object(asked.body())
    except NotTaken:
        log.warning("dingtalk.callback_not_read", route=route, size=asked.length)
        raise
    except Malformed:
        _malformed(route, asked)


def _is_for_us(body: dict[str, Any], config: DingTalkConfig) -> bool:
    """The signature covers no body, so a message for another robot or company is told by its own fields."""
    robot, corp = as_text(body.get("robotCode")), as_text(body.get("chatbotCorpId"))
    return robot in ("", config.robot) and corp in ("", config.corp_id)


def _accept(route: str, accept: Accept, found: tuple[Inbound, ...]) -> list[str]:
    """500 when it could not be stored: then the platform, or at least the sender, knows that it is not taken."""
    try:
        return list(accept(found))
    except Exception as error:
        log.error("dingtalk.callback_not_stored", route=route, keys=[i.key for i in found], error=type(error).__name__)
        refuse(500, "not_stored")


def _refuse(route: str, reason: str) -> NoReturn:
    log.warning("dingtalk.callback_refused", route=route, reason=reason)
    refuse(403, reason)


def _malformed(route: str, asked: Asked) -> NoReturn:
    log.warning("dingtalk.callback_malformed", route=route, size=asked.length)
    refuse(400, "json")
