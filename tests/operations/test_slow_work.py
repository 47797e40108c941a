"""Real workers: while slow work hangs people get their answers, and what hangs is killed, written down and tried again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

import wiring
from bot.message import Inbound, Kind
from jobs import inbound, slow
from jobs import queue as queues
from jobs.context import Services
from jobs.queue import CHAT, SLOW
from settings import load
from storage.models import Delivery, Inbox
from tests.plant import Plant
from tools import processes

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60  # two processes start on a busy machine
LIMIT_S = 12  # longer than an answer and another kind of slow work take on the busiest machine
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n["


class Dripping:
    """A training system that answers a byte at a time: no time limit of a socket ever runs out."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked, self._end = threading.Event(), threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(caller,), daemon=True).start()

    def _drip(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.recv(65536)
            self.asked.set()
            caller.sendall(ANSWER)
            while not self._end.wait(0.1):
                caller.sendall(b" ")

    def close(self) -> None:
        self._end.set()
        self._listener.close()


@contextmanager
def workers(environment: dict[str, str], *roles: str) -> Iterator[None]:
    children = [
        processes.start([sys.executable, "worker.py", role], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
        for role in roles
    ]
    try:
        yield
    finally:
        processes.stop(children)


def until(what) -> float:
    began, pause = monotonic(), threading.Event()
    while not what():
        assert monotonic() - began < WAIT_S
        pause.wait(0.05)
    return monotonic() - began


@pytest.fixture
def system() -> Iterator[Dripping]:
    made = Dripping()
    yield made
    made.close()


@pytest.fixture
def plant(postgres_url, redis_client, tmp_path) -> Iterator[Plant]:
    made = Plant(postgres_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def environment(plant, postgres_url, redis_url, tmp_path, system) -> dict[str, str]:
    """The settings of the workers: as the plant's, with a training system that drips."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ANSHAO_")}
    training = {"ANSHAO_TRAINING_URL": f"http://127.0.0.1:{system.port}/certificates", "ANSHAO_TRAINING_TOKEN": "t"}
    return {**ours, **plant._environment(postgres_url, tmp_path), "ANSHAO_REDIS_URL": redis_url, **training}


@pytest.fixture
def services(environment, redis_client) -> Iterator[Services]:
    """A machine whose clock is the real one, as that of the workers."""
    made = wiring.build(load(environment), redis_client=redis_client)
    yield made
    made.engine.dispose()


def facts(services: Services) -> dict[str, Any]:
    with services.new_work(read_only=True) as work:
        return work.chores.facts("certificates")


def last_ok(services: Services, name: str) -> datetime | None:
    with services.new_work(read_only=True) as work:
        row = work.readings.known_source(f"slow:{name}")
        return row.last_ok_at if row is not None else None


def is_done(services: Services, key: str) -> bool:
    with services.new_work(read_only=True) as work:
        return work.db.scalars(select(Inbox.state).where(Inbox.key == key)).one() == "done"


def failed_jobs(client, name: str) -> int:
    return FailedJobRegistry(queue=Queue(name, connection=client, serializer=JSONSerializer)).count


def test_slow_work_that_hangs_delays_no_message_and_is_killed(
    plant, services, environment, system, redis_client, monkeypatch
):
    monkeypatch.setitem(queues.SLOW_TIMEOUT_S, "certificates", LIMIT_S)
    user = next(p["wecom"] for p in plant.data["people"] if p["name"] == "张伟")
    accept = inbound.accept_into(services.engine, services.kick, services.clock, wiring.first_aid)

    def say(key: str) -> None:
        accept([Inbound("wecom", key, user, Kind.TEXT, datetime.now(UTC), text="帮助")])
        until(lambda: is_done(services, key))

    with workers(environment, "slow", "chat"):
        say("both are up")
        assert slow.wake(services, "certificates")
        until(system.asked.is_set)
        assert slow.wake(services, "retention")
        say("while it hangs")
        until(lambda: last_ok(services, "retention") is not None)  # in the other lane
        assert "ends_by" in facts(services)  # it hangs still, and both are done
        with services.new_work(read_only=True) as work:
            assert work.db.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "due")) == 2
        until(lambda: facts(services).get("failed") == 1)
        until(lambda: failed_jobs(redis_client, SLOW) == 1)
    with services.new_work(read_only=True) as work:
        assert work.readings.known_source("slow:certificates").last_error == "JobTimeoutException"
        assert not work.chores.may_begin("certificates", work.at, every=slow.NOW_AND_AGAIN)
        assert work.chores.may_begin("certificates", work.at + slow.WAITS[0], every=slow.NOW_AND_AGAIN)
    assert failed_jobs(redis_client, CHAT) == 0
