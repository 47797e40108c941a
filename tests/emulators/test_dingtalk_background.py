"""The stand-alone way of running: deliveries on threads, a real HTTP server, a real clock."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
import requests
import waitress

from emulators.dingtalk import DingTalkEmulator
from emulators.wsgi import WsgiAdapter
from tests.emulators.dingtalk_kit import Bot, plant

WAIT_S = 5


class Served:
    """An emulator behind waitress on a free port, its bot in process; `heard` is set after `expected` pushes."""

    def __init__(self) -> None:
        self.bot, self.heard, self.expected = Bot(), threading.Event(), 1
        self.bot.answers["/dingtalk/robot"] = self._count
        session = requests.Session()
        session.mount("http://bot.test", WsgiAdapter(self.bot))
        self.emulator = DingTalkEmulator(plant(), http=session, clock=time.time, background=True)
        self.server = waitress.create_server(self.emulator.app, host="127.0.0.1", port=0)
        self.url = f"http://127.0.0.1:{self.server.effective_port}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with suppress(OSError):  # closing takes the socket away under a select that waits
            self.server.run()

    def _count(self, _push):
        if len(self.bot.robot()) >= self.expected:
            self.heard.set()
        return 200, ""

    def post(self, path, body):
        with requests.Session() as session:
            session.trust_env = False
            return session.post(f"{self.url}{path}", json=body, timeout=WAIT_S)

    def close(self):
        self.emulator.close()
        self.server.close()
        self.thread.join(timeout=WAIT_S)


@pytest.fixture
def served():
    made = Served()
    yield made
    made.close()


def test_messages_of_one_person_arrive_at_once_and_in_order(served):
    served.expected = 20
    for number in range(20):
        assert served.post("/_phone/user001/say", {"text": str(number)}).status_code == 200
    assert served.heard.wait(WAIT_S)
    assert [body["text"]["content"] for body in served.bot.robot()] == [str(number) for number in range(20)]
    assert served.emulator.expect_nothing_unexpected() == []


def test_a_delayed_push_comes_without_anybody_calling_tick(served):
    served.post("/_phone/faults", {"delay_callbacks_s": 0.2, "times": 1})
    served.post("/_phone/user001/say", {"text": "x"})
    assert not served.heard.is_set() or served.bot.robot()
    assert served.heard.wait(WAIT_S)


def test_a_reset_breaks_a_real_connection(served):
    served.post("/_phone/faults", {"reset": True, "times": 1})
    body = {"appKey": "dingkey", "appSecret": "demo secret"}
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        served.post("/v1.0/oauth2/accessToken", body)
    assert served.post("/v1.0/oauth2/accessToken", body).json()["expireIn"] == 7200


def test_a_slow_answer_really_takes_time(served):
    waited = []
    served.emulator.sleep = waited.append
    served.post("/_phone/faults", {"slow_api_s": 8, "times": 1})
    served.post("/v1.0/oauth2/accessToken", {"appKey": "dingkey", "appSecret": "demo secret"})
    assert waited == [8.0]


def test_what_goes_wrong_inside_is_a_problem():
    session = requests.Session()

    class Broken(WsgiAdapter):
        def send(self, *_args, **_more):
            raise RuntimeError("inside")

    session.mount("http://bot.test", Broken(Bot()))
    emulator = DingTalkEmulator(plant(), http=session, background=False)
    emulator.app.test_client().post("/_phone/user001/say", json={"text": "x"})
    assert emulator.tick() == 1
    assert emulator.expect_nothing_unexpected() == ["emulator job failed: RuntimeError: inside"]
