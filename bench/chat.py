"""What it costs to find the function for a message: our callback and router beside Flask, wechatpy and one dict.

Both sides are whole WeCom rounds in one process, from the encrypted callback to the encrypted passive answer, without socket
and database: what is compared is reading, routing and answering.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, cast

from flask import Flask, Response, request
from wechatpy.enterprise import create_reply, parse_message
from wechatpy.enterprise.crypto import WeChatCrypto

import wiring
from bench import traffic
from bench.measuring import Row, at_most, row
from bot.flow import Flow, like, on, said
from bot.message import Inbound, Kind, Press
from bot.platforms.callbacks import Callbacks
from bot.platforms.wecom import WeComConfig, callback
from bot.router import Router
from bot.turn import Turn
from emulators.demo_plant import demo_plant, demo_secrets
from handlers import help as help_flow
from storage.models import Account, Conversation, Person
from storage.unit_of_work import UnitOfWork

ROUNDS, MESSAGES = 15, 400
FEW, MANY = 20, 200
RATIO_GOAL = 1.25  # issue 2
FLAT_GOAL = 1.1

Call = tuple[dict[str, Any], bytes]


def run() -> list[Row]:
    """CPU µs a message; the sides take turns and ratios are the medians of the rounds' ratios."""
    plant = demo_plant(public_url="http://bench", secrets=demo_secrets())
    sides: dict[str, Callable[[], float]] = {
        "bare": _side(_bare(plant, FEW), _calls(plant, FEW)),
        "few": _side(_ours(plant, FEW), _calls(plant, FEW)),
        "many": _side(_ours(plant, MANY), _calls(plant, MANY)),
    }
    few, many, turns = _router(FEW), _router(MANY), {n: _turns(n) for n in (FEW, MANY)}
    sides |= {"find_few": lambda: _find(few, turns[FEW]), "find_many": lambda: _find(many, turns[MANY])}
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(ROUNDS + 1):
        for name, measure in sides.items():
            took = measure()
            if number:  # the first round only warms up
                cpu[name].append(took)
    n, us = ROUNDS * MESSAGES, {name: median(found) for name, found in cpu.items()}
    real = len(wiring.FLOWS)
    return [
        row("chat.bare", us["bare"], "µs CPU", n=n, note="Flask, wechatpy, a dict of 20 words, encrypted answer"),
        row("chat.round", us["few"], "µs CPU", n=n, note=f"our callback, {real} real flows and {FEW} more"),
        at_most("chat.ratio", _ratio(cpu, "few", "bare"), "×", RATIO_GOAL, n=ROUNDS, note="round ÷ bare"),
        at_most("chat.flat", _ratio(cpu, "many", "few"), "×", FLAT_GOAL, n=ROUNDS, note=f"{MANY} more flows ÷ {FEW}"),
        row("chat.find", us["find_few"], "µs CPU", n=n, note="the router alone: a word, a button or a dialogue"),
        row(
            "chat.find_ratio",
            _ratio(cpu, "find_many", "find_few"),
            "×",
            n=ROUNDS,
            note=f"{MANY} ÷ {FEW}, of about a µs",
        ),
    ]


def _ratio(cpu: dict[str, list[float]], over: str, under: str) -> float:
    return median(a / b for a, b in zip(cpu[over], cpu[under], strict=True))


def _calls(plant: dict[str, Any], how_many: int) -> list[Call]:
    """Signed callbacks, one text after another of all those that have a handler."""
    found = []
    for number in range(MESSAGES):
        target, body = traffic.wecom_callback(plant, f"Crowd{number % 50:03d}", f"口令{number % how_many}")
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": "text/xml",
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "bench",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        found.append((environ, body))
    return found


def _side(app: Flask, calls: Sequence[Call]) -> Callable[[], float]:
    def measure() -> float:
        began, answered = time.process_time(), 0
        for environ, body in calls:
            answer = app.wsgi_app({**environ, "wsgi.input": io.BytesIO(body)}, lambda status, headers, info=None: None)  # type: ignore[arg-type]
            answered += b"<Encrypt>" in b"".join(answer)
        took = time.process_time() - began
        if answered != len(calls):
            raise RuntimeError(f"{len(calls) - answered} messages were not answered")
        return took / len(calls) * 1e6

    return measure


def _bare(plant: dict[str, Any], how_many: int) -> Flask:
    """What one would write first: wechatpy and a dict from word to function."""
    app, settings = Flask("bare"), plant["wecom"]
    crypto = WeChatCrypto(settings["token"], settings["aes_key"], settings["corp_id"])
    handlers: dict[str, Callable[[], str]] = {f"口令{n}": lambda n=n: f"答复{n}" for n in range(how_many)}  # type: ignore[misc]

    @app.post("/wecom/callback")
    def take() -> Response:
        given = request.args
        xml = crypto.decrypt_message(request.data, given["msg_signature"], given["timestamp"], given["nonce"])
        message = parse_message(xml)
        text = handlers[message.content]()
        reply = create_reply(text, message).render()
        return Response(crypto.encrypt_message(reply, given["nonce"], given["timestamp"]), mimetype="text/xml")

    return app


def _ours(plant: dict[str, Any], how_many: int) -> Flask:
    """The product's callback with a router instead of the inbox behind it; a function answers by returning words."""
    app, settings, router, who = Flask("ours"), plant["wecom"], _router(how_many), _somebody()
    config = WeComConfig(
        corp_id=settings["corp_id"],
        agent_id=int(settings["agent_id"]),
        secret=settings["secret"],
        token=settings["token"],
        aes_key=settings["aes_key"],
    )

    def accept(messages: Sequence[Inbound]) -> Sequence[str]:
        turns = [_turn(message, who) for message in messages]
        return [cast(str, cast(Any, router.find(turn)).run(turn)) for turn in turns]

    found = callback.routes(config, accept=accept, clock=lambda: datetime.now(UTC))
    app.wsgi_app = Callbacks(found, app.wsgi_app)  # type: ignore[method-assign, assignment]
    return app


def _router(how_many: int) -> Router:
    return Router([*wiring.FLOWS, *(_flow(number) for number in range(how_many))], help=help_flow.not_understood)


def _flow(number: int) -> Flow:
    """One feature more: a command, a button, a menu entry and a dialogue that reads along."""

    def answer(turn: Turn) -> None:
        return f"答复{number}"  # type: ignore[return-value]  # the callback's passive answer, see _ours

    def pressed(turn: Turn, rest: str) -> None:
        return None

    return Flow(
        name=f"bench.{number}",
        starts=[said(f"口令{number}", answer)],
        states={"asked": [like(rf"^编号{number}$", answer), on(Kind.TEXT, answer)]},
        anywhere=[said("取消", answer)],
        buttons={f"bench{number}.yes": pressed, f"bench{number}.no": pressed},
        menus={f"bench{number}": answer},
    )


def _somebody() -> tuple[Account, Person]:
    """Who speaks. Loading them is the database's part and not measured here."""
    person = Person(id=1, name="")
    return Account(platform="wecom", user_id="crowd", person=person), person


def _turn(message: Inbound, who: tuple[Account, Person]) -> Turn:
    """A turn without a database: routing must not need one."""
    account, person = who
    nothing = cast(UnitOfWork, None)
    return Turn(work=nothing, message=message, inbox_id=1, account=account, person=person, at=message.sent_at)


def _turns(how_many: int) -> list[Turn]:
    found, at, who = [], datetime.now(UTC), _somebody()
    for number in range(MESSAGES):
        which = number % how_many
        press = Press(f"bench{which}.yes:7") if number % 3 == 1 else None
        kind, text = (Kind.PRESS, "") if press else (Kind.TEXT, f"口令{which}")
        turn = _turn(Inbound("wecom", str(number), "u", kind, at, text=text, press=press), who)
        if number % 3 == 2:
            turn.conversation = Conversation(flow=f"bench.{which}", state="asked", facts={})
        found.append(turn)
    return found


def _find(router: Router, turns: Sequence[Turn]) -> float:
    began = time.process_time()
    for turn in turns:
        router.find(turn)
    return (time.process_time() - began) / len(turns) * 1e6
