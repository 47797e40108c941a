"""The WeCom emulator on a virtual clock and the adapter that talks to it; no ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from werkzeug.exceptions import NotFound

from bot.message import Inbound
from bot.platforms.callbacks import Callbacks
from bot.platforms.http import session
from bot.platforms.wecom import GroupRobot, WeCom, WeComConfig
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.wecom import WeComEmulator
from emulators.wsgi import WsgiAdapter

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
APP, API, PUBLIC = "http://app.test", "http://wecom.test", "https://plant.test"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def no_redis() -> redis.Redis:
    """A client whose server is away."""
    return redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class World:
    """The emulator, the adapter that talks to it, and the messages the adapter handed on."""

    def __init__(self, clock: Clock, store: Any) -> None:
        self.clock, self.store = clock, store
        self.received: list[Inbound] = []
        self.answer: Callable[[Inbound], str] = lambda message: ""
        self.http = session(user_agent="test")
        self.http.trust_env = False
        self.plant = demo_plant(public_url=APP, secrets=demo_secrets())
        self.settings = self.plant["wecom"]
        self.plant["groups"] = [
            {
                "id": "wr1",
                "platform": "wecom",
                "title": "安全群",
                "members": ["ZhangWei", "ChenGang"],
                "webhook_key": "robot-key",
            }
        ]
        self.emulator = WeComEmulator(
            self.plant, http=self.http, clock=lambda: clock().timestamp(), background=False, public_url=API
        )
        self.http.mount(API, WsgiAdapter(self.emulator.app))
        self.wecom = self.adapter(store)
        self.app = Callbacks(self.wecom.callbacks(self._accept), NotFound())
        self.http.mount(APP, WsgiAdapter(self.app))

    def adapter(self, store: Any, **changes: Any) -> WeCom:
        """Another process's adapter of the same app."""
        settings = self.settings
        fields: dict[str, Any] = {
            "corp_id": settings["corp_id"],
            "agent_id": settings["agent_id"],
            "secret": settings["secret"],
            "token": settings["token"],
            "aes_key": settings["aes_key"],
            "api_base": API,
            "oauth_base": API,
            "plant_name": "演示工厂",
            "group_robots": (GroupRobot("安全群", "robot-key"),),
        }
        return WeCom(
            WeComConfig(**{**fields, **changes}),
            redis=store,
            http=self.http,
            clock=self.clock,
            public_url=PUBLIC,
            picture_url=lambda sha: f"{PUBLIC}/pictures/{sha}",
        )

    def _accept(self, messages: Sequence[Inbound]) -> list[str]:
        self.received += messages
        return [self.answer(message) for message in messages]

    def phone(self, user: str, action: str, body: dict[str, Any] | None = None, **files: Any) -> dict[str, Any]:
        """Do something on a phone and deliver what it pushes."""
        url = f"{API}/_phone/{user}/{action}"
        answer = self.http.post(url, files=files, data=body) if files else self.http.post(url, json=body or {})
        assert answer.status_code == 200, answer.text
        self.emulator.tick()
        return dict(answer.json())

    def screen(self, user: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"{API}/_phone/{user}/screen").json()["items"])

    def from_bot(self, user: str) -> list[dict[str, Any]]:
        return [item for item in self.screen(user) if item["from"] == "bot"]

    def switch(self, **wish: Any) -> None:
        assert self.http.post(f"{API}/_phone/faults", json=wish).status_code == 200

    def calls(self) -> dict[str, int]:
        return dict(self.http.get(f"{API}/_phone/calls").json())

    def problems(self) -> list[str]:
        return self.emulator.expect_nothing_unexpected()


@pytest.fixture
def world(clock: Clock, redis_client: redis.Redis) -> Iterator[World]:
    world = World(clock, redis_client)
    yield world
    world.http.close()


@pytest.fixture
def wecom(world: World) -> WeCom:
    return world.wecom
