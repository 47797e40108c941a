"""The state and services every part of the emulator shares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from .agenda import Agenda
from .faults import Faults
from .journal import Journal
from .limits import Limits, Meters
from .people import App, Directory, Person, private_conversation, read_directory
from .screen import Screens


class Core:
    """One lock guards all state; it is never held during HTTP, sleeping or socket work."""

    def __init__(
        self, plant: dict[str, Any], *, http: requests.Session, clock: Callable[[], float], background: bool, url: str
    ):
        self.conf: dict[str, Any] = plant["dingtalk"]
        self.http, self.clock, self.public_url = http, clock, url.rstrip("/")
        self.background = background
        self.sleep: Callable[[float], None] = time.sleep if background else (lambda _seconds: None)
        self.lock = threading.RLock()
        self.journal = Journal(clock)
        self.faults = Faults()
        self.limits = Limits()
        self.meters = Meters(self.limits, clock)
        self.directory: Directory = read_directory(plant)
        self.screens = Screens(clock)
        self.agenda = Agenda(clock, background=background, on_failure=self.problem)
        mode = self.conf.get("mode", "http")
        self.modes = {"robot": mode, "events": mode}

    def problem(self, text: str) -> None:
        with self.lock:
            self.journal.problem(text)

    @property
    def own_app(self) -> App:
        return self.directory.apps[self.conf["client_id"]]

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def conversation_of(self, person: Person) -> str:
        return private_conversation(self.conf["corp_id"], person.userid)
