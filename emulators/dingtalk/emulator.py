"""The DingTalk emulator: one Flask app with every host of the platform and the control API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import flask
import requests
from flask import Flask, Response, request

from .cards import CardApi, CardPresses, CardStore
from .console import Console
from .contacts import Contacts
from .core import Core
from .errors import ApiError, CutConnections, new_error
from .events import Events
from .inbound import Inbound
from .media import Media
from .notices import Notices
from .phone import Phone
from .receipts import Receipts
from .robot import Robot
from .routing import Gate
from .sessions import Sessions
from .stream import Stream
from .stream_server import StreamServer
from .talk import Talk
from .todo import Todo
from .tokens import Tokens

MAX_REQUEST_BYTES = 64 * 1024 * 1024


class DingTalkEmulator:
    """plant: see the reader in people.py. clock: epoch seconds. http: the session all pushes to the bot use.

    background=True delivers on threads of its own; background=False does nothing until tick(). public_url is where
    the app is mounted, as the bot reaches it (session webhooks, downloads and pictures point there).
    """

    def __init__(
        self, plant: dict[str, Any], *, http: requests.Session, clock: Callable[[], float] = time.time,
        background: bool = True, public_url: str = "http://127.0.0.1:8001",
    ):  # fmt: skip
        self.core = core = Core(plant, http=http, clock=clock, background=background, url=public_url)
        self.tokens, self.media, self.stream = Tokens(core), Media(core), Stream(core)
        self.events = Events(core, self.stream)
        self.robot = Robot(core, self.media)
        self.receipts = Receipts(core, self.robot, self.events)
        self.sessions = Sessions(core, self.media, self.robot)
        self.cards = CardStore(core, self.media)
        self.card_api = CardApi(core, self.cards, self.robot)
        self.notices, self.todo = Notices(core, self.media), Todo(core, self.events)
        talk = Talk(core, Inbound(core, self.media, self.sessions, self.stream))
        phone = Phone(
            core, talk=talk, media=self.media, presses=CardPresses(core, self.cards, self.card_api, self.stream),
            receipts=self.receipts, notices=self.notices, robot=self.robot, todo=self.todo, tokens=self.tokens,
        )  # fmt: skip
        console = Console(core, events=self.events, sessions=self.sessions, stream=self.stream, tokens=self.tokens)
        self._server: StreamServer | None = None
        self.app: flask.Flask = self._build_app(phone, console)

    def tick(self) -> int:
        """Performs the deliveries, retries and pings that are due at clock(); how many."""
        return self.core.agenda.run_due()

    def expect_nothing_unexpected(self) -> list[str]:
        """The problems seen so far: unknown paths, malformed requests, undrawable cards, wrong event answers …"""
        with self.core.lock:
            return list(self.core.journal.problems)

    def check_event_url(self) -> None:
        """Saves the event address in the console: a check_url push; results in events.check_results."""
        with self.core.lock:
            self.events.check_url()

    def start_stream(self, port: int = 0, *, host: str = "127.0.0.1") -> int:
        """Starts the WebSocket server and lets the gateway hand out its address; returns the port."""
        self._server = StreamServer(self.stream, port, host)
        return self._server.port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.core.agenda.close()

    @property
    def sleep(self) -> Callable[[float], None]:
        """How slow answers pass time: really when in the background, not at all otherwise. May be replaced."""
        return self.core.sleep

    @sleep.setter
    def sleep(self, sleep: Callable[[float], None]) -> None:
        self.core.sleep = sleep

    def _build_app(self, phone: Phone, console: Console) -> Flask:
        app = Flask("emulators.dingtalk", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
        app.json.ensure_ascii = False  # type: ignore[attr-defined]
        gate = Gate(self.core, self.tokens.owner, self.tokens.forget)
        parts = (
            self.tokens, Contacts(self.core), self.media, self.robot, self.receipts, self.sessions, self.card_api,
            self.notices, self.todo, self.events, self.stream,
        )  # fmt: skip
        for part in parts:
            for route in part.routes():
                gate.bind(app, route)
        self.media.bind(app)
        console.bind(app)
        phone.bind(app)
        app.register_error_handler(404, self._unknown_path)
        app.register_error_handler(405, self._unknown_path)
        app.wsgi_app = CutConnections(app.wsgi_app)  # type: ignore[method-assign]
        return app

    def _unknown_path(self, _error: Exception) -> Response:
        if not request.path.startswith("/_phone/"):
            self.core.problem(f"unknown path {request.method} {request.path}")
        return new_error(ApiError("InvalidAction.NotFound", "Specified api is not found", status=404))
