"""The three addresses DingTalk calls in HTTP mode. Each one verifies, parses, accepts and answers; nothing slow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

import structlog
from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot.message import Inbound
from bot.platforms import refusals
from bot.platforms.base import Accept
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.events import CHECK, EventEnvelope, WrongEnvelope, event_inbounds, is_paid
from bot.platforms.dingtalk.parse import robot_message
from bot.platforms.dingtalk.presses import PressReader
from bot.platforms.dingtalk.signatures import card_api_secret, card_sign, is_recent, robot_sign, same
from bot.platforms.dingtalk.values import Malformed, as_text, json_object

MAX_BODY_BYTES = 1024 * 1024

log = structlog.get_logger(__name__)


def blueprint(
    config: DingTalkConfig,
    *,
    accept: Accept,
    clock: Callable[[], datetime],
    presses: PressReader,
    paid: Callable[[], object] = lambda: None,
) -> Blueprint:
    """`/dingtalk/robot`, `/dingtalk/cards` and `/dingtalk/events`. `paid` hears of events that cost and are not stored."""
    routes = Blueprint("dingtalk", __name__, url_prefix="/dingtalk")
    envelope = EventEnvelope(config)
    api_secret = card_api_secret(config.client_secret)

    @routes.post("/robot")
    def robot() -> Response:
        timestamp, sign = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        if not is_recent(timestamp, clock()):
            _refuse("robot", "timestamp")
        if not same(sign, robot_sign(timestamp, config.client_secret)):
            _refuse("robot", "signature")
        body = _body("robot")
        if not _is_for_us(body, config):
            _refuse("robot", "receiver")
        answers = _accept("robot", accept, (robot_message(body, now=clock()),))
        if answers and answers[0]:
            return jsonify({"msgtype": "text", "text": {"content": answers[0]}})
        return jsonify({"msgtype": "empty"})

    @routes.post("/cards")
    def cards() -> Response:
        timestamp = request.headers.get("x-ddpaas-signature-timestamp", "")
        if not is_recent(timestamp, clock()):
            _refuse("cards", "timestamp")
        if not same(request.headers.get("x-ddpaas-signature", ""), card_sign(timestamp, api_secret)):
            _refuse("cards", "signature")
        body = _body("cards")
        if as_text(body.get("corpId")) not in ("", config.corp_id):
            _refuse("cards", "receiver")
        _accept("cards", accept, (presses.read(body, delivery=timestamp),))
        return jsonify({})

    @routes.post("/events")
    def events() -> Response:
        if not (config.event_token and config.event_aes_key):
            abort(404)
        given = request.args
        timestamp, nonce = given.get("timestamp", ""), given.get("nonce", "")
        body = _body("events")
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
            _malformed("events")
        if as_text(event.get("EventType")) != CHECK:
            found = event_inbounds(event, now=clock())
            if found:
                _accept("events", accept, found)
            elif is_paid(event):
                paid()
        return jsonify(envelope.success(timestamp=timestamp, nonce=nonce))

    return routes


def _body(route: str) -> dict[str, Any]:
    """The JSON object sent; 413 over the limit, also when the length was not announced, 400 for anything else."""
    request.max_content_length = MAX_BODY_BYTES
    try:
        return json_object(request.get_data(cache=False))
    except RequestEntityTooLarge:
        log.warning("dingtalk.callback_too_large", route=route, size=request.content_length)
        _answer(413, "too_large")
    except Malformed:
        _malformed(route)


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
        abort(500)


def _refuse(route: str, reason: str) -> NoReturn:
    log.warning("dingtalk.callback_refused", route=route, reason=reason)
    _answer(403, reason)


def _malformed(route: str) -> NoReturn:
    log.warning("dingtalk.callback_malformed", route=route, size=request.content_length)
    _answer(400, "json")


def _answer(status: int, reason: str) -> NoReturn:
    abort(Response(refusals.problem(status, reason), status=status, mimetype=refusals.MIMETYPE))
