"""The WeCom emulator put together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import requests
from flask import Flask, Response, jsonify, request

from .aibot import AiBot
from .api import Api
from .callbacks import Courier, Delivery
from .cards import CardRules
from .content import Contents
from .control import Control
from .core import Core
from .directory import Directory
from .groups import Groups
from .h5 import Pages
from .media import MediaStore
from .menu import Menus
from .messages import Messages
from .passive import PassiveReplies
from .phones import Phones
from .screens import Screens
from .tokens import Tokens

TICK_S = 0.1
MAX_REQUEST = 64 * 1024 * 1024


class WeComEmulator:
    """One corp. `app` serves /cgi-bin/…, /connect/oauth2/authorize and /_phone/…; mount it where you like.

    `public_url` is where `app` is reached, mount prefix included. With `background` callbacks go out at once from
    a small pool; without it nothing is sent until `tick()`.
    """

    def __init__(
        self,
        plant: dict[str, Any],
        *,
        http: requests.Session,
        clock: Callable[[], float] = time.time,
        background: bool = True,
        public_url: str = "http://127.0.0.1:8001",
    ) -> None:
        self.http = http
        plant = {**plant, "wecom": dict(plant["wecom"])}
        self.core = Core(plant, clock=clock, public_url=public_url, background=background)
        self.directory = Directory(self.core)
        self.tokens = Tokens(self.core)
        self.screens = Screens(self.core)
        self.media = MediaStore(self.core)
        self.menus = Menus()
        rules = CardRules(self.core)
        contents = Contents(self.media, rules)
        self.messages = Messages(self.core, self.directory, self.tokens, self.screens, contents, rules)
        self.groups = Groups(self.core, self.directory, self.screens, contents, self.media, rules)
        self.courier = Courier(self.core, http, on_reply=self._replied)
        self._replies = PassiveReplies(
            self.core, self.screens, self.messages, contents, rules, lambda: self.courier.keys
        )
        self.bot = AiBot(self.core, self.screens, contents, rules, self.groups, self.courier)
        self.phones = Phones(
            self.core,
            self.directory,
            self.screens,
            self.media,
            self.menus,
            self.messages,
            self.groups,
            self.courier,
            self.bot,
        )
        self.app = self._build_app()
        self._stop = threading.Event()
        if background:
            threading.Thread(target=self._run, name="wecom-tick", daemon=True).start()

    def _build_app(self) -> Flask:
        app = Flask("emulators.wecom")
        app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST
        app.json.ensure_ascii = False  # type: ignore[attr-defined]
        api = Api(self.core, self.directory, self.tokens, self.messages, self.media, self.menus, self.groups, self.bot)
        control = Control(
            self.core,
            self.directory,
            self.phones,
            self.screens,
            self.media,
            self.groups,
            self.menus,
            self.tokens,
            self.courier,
            self.tick,
        )
        app.register_blueprint(api.blueprint)
        app.register_blueprint(Pages(self.core, self.directory, self.tokens).blueprint)
        app.register_blueprint(control.blueprint)
        app.after_request(_open_to_pages)
        app.register_error_handler(404, self._unknown)
        return app

    def _replied(self, delivery: Delivery, body: bytes) -> None:
        (self.bot if delivery.bot else self._replies).apply(delivery, body)

    def _unknown(self, error: Exception) -> Any:
        if not request.path.startswith("/_phone/"):
            with self.core.lock:
                self.core.problem(f"{request.method} {request.path}: unknown path")
        return jsonify(errcode=404, errmsg="not found"), 404

    def tick(self) -> int:
        """Send the callbacks that are due at clock(); returns how many. Expiries are judged when things are used."""
        return self.courier.tick()

    def expect_nothing_unexpected(self) -> list[str]:
        """What a correct client would not have done, in order; empty is good."""
        with self.core.lock:
            return list(self.core.problems)

    def close(self) -> None:
        """Stop the background threads."""
        self._stop.set()
        self.courier.close()

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self.tick()


def _open_to_pages(answer: Response) -> Response:
    """H5 pages live on another origin and call /_phone/ from the JS bridge."""
    if request.path.startswith("/_phone/"):
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    return answer
