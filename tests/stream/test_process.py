"""`python worker.py --stream` as a real process against the gateway over real HTTP and WebSockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time

import pytest
import redis
import requests
from sqlalchemy import func, select
from werkzeug.serving import make_server

from bot.platforms.dingtalk import stream_board
from emulators.dingtalk import DingTalkEmulator
from storage.database import open_engine
from storage.models import Inbox
from tests.emulators.dingtalk_kit import plant as small_plant

ROOT = Path(__file__).parents[2]
WAIT_S = 30


def until(condition) -> None:
    began, pause = monotonic(), threading.Event()
    while not condition():
        assert monotonic() - began < WAIT_S, "it did not happen"
        pause.wait(0.02)


@pytest.fixture
def gateway() -> Iterator[DingTalkEmulator]:
    emulator = DingTalkEmulator(
        small_plant(), http=requests.Session(), clock=time, background=True, public_url="http://127.0.0.1"
    )
    server = make_server("127.0.0.1", 0, emulator.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    emulator.start_stream(0)
    emulator.address = f"http://127.0.0.1:{server.server_port}"
    emulator.app.test_client().post("/_phone/modes", json={"robot": "stream", "events": "stream"})
    yield emulator
    emulator.close()
    server.shutdown()
    thread.join()
    server.server_close()


def environment(address: str, database_url: str, redis_url: str, **more: str) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANSHAO_")},
        "ANSHAO_DATABASE_URL": database_url,
        "ANSHAO_REDIS_URL": redis_url,
        "ANSHAO_SECRET_KEY": "s" * 40,
        "ANSHAO_DINGTALK_CORP_ID": "dingcorp",
        "ANSHAO_DINGTALK_CLIENT_ID": "dingkey",
        "ANSHAO_DINGTALK_CLIENT_SECRET": "demo secret",
        "ANSHAO_DINGTALK_ROBOT_CODE": "dingrobot",
        "ANSHAO_DINGTALK_CARD_TEMPLATE_ID": "t.schema",
        "ANSHAO_DINGTALK_API_BASE": address,
        "ANSHAO_DINGTALK_OAPI_BASE": address,
        "ANSHAO_DINGTALK_MODE": "stream",
        **more,
    }


def test_it_stores_what_is_said_and_stops_cleanly(gateway, sqlite_url, redis_url):
    env = environment(gateway.address, sqlite_url, redis_url)
    child = subprocess.Popen([sys.executable, "worker.py", "--stream"], cwd=ROOT, env=env)
    engine = open_engine(sqlite_url)

    def stored() -> int:
        with engine.connect() as db:
            # the canary's row is nobody's message
            return db.scalar(select(func.count()).where(Inbox.platform != "canary")) or 0

    until(lambda: gateway.stream.connections)
    phone = gateway.app.test_client()
    for number in range(5):
        assert phone.post("/_phone/user001/say", json={"text": str(number)}).status_code == 200
    until(lambda: stored() == 5)
    client = redis.Redis.from_url(redis_url)
    until(lambda: [link.state for link in stream_board.read(client)] == ["live"])
    child.send_signal(signal.SIGTERM)
    assert child.wait(WAIT_S) == 0
    until(lambda: not gateway.stream.connections)
    assert stream_board.read(client) == []
    assert gateway.expect_nothing_unexpected() == []
    client.close()
    engine.dispose()


def test_it_says_why_it_cannot_start(sqlite_url, redis_url):
    env = environment("http://127.0.0.1:9", sqlite_url, redis_url, ANSHAO_DINGTALK_MODE="http")
    done = subprocess.run(
        [sys.executable, "worker.py", "--stream"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "ANSHAO_DINGTALK_MODE=stream" in done.stderr
