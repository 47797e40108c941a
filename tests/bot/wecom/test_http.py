"""The shared HTTP session, against real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from bot.platforms.base import Failure
from bot.platforms.http import BodyTooLarge, session, transport_failure


class Port:
    """Answers every connection with `reply`, None for silence and b"" for hanging up; counts them."""

    def __init__(self, reply: bytes | None) -> None:
        self.reply, self.connections = reply, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.recv(65536)
            if self.reply is None:
                self._open.append(connection)
                continue
            connection.sendall(self.reply)
            connection.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._thread.join()
        for connection in self._open:
            connection.close()


@pytest.fixture
def port() -> Iterator[Callable[[bytes | None], Port]]:
    made: list[Port] = []

    def build(reply: bytes | None) -> Port:
        made.append(Port(reply))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    made = session(timeout_s=(0.5, 0.2), user_agent="anshao-test", max_body_bytes=1000)
    made.trust_env = False
    yield made
    made.close()


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nRetry-After: 0\r\n\r\n".encode() + body


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_silence_ends_and_may_have_arrived(http, port, method):
    silent = port(None)
    with pytest.raises(requests.ReadTimeout) as caught:
        http.request(method, silent.url)
    assert transport_failure(caught.value) == (Failure.UNKNOWN, "read_timeout")
    assert silent.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_cut_connection_is_not_repeated(http, port, method):
    cut = port(b"")
    with pytest.raises(requests.ConnectionError) as caught:
        http.request(method, cut.url)
    assert transport_failure(caught.value) == (Failure.UNKNOWN, "cut")
    assert cut.connections == 1


@pytest.mark.parametrize(("method", "tries"), [("GET", 3), ("POST", 1)])
def test_only_a_connect_of_a_harmless_call_is_repeated(http, monkeypatch, method, tries):
    attempts = []

    def refuse(*args: object, **kwargs: object) -> socket.socket:
        attempts.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    with pytest.raises(requests.ConnectionError) as caught:
        http.request(method, "http://127.0.0.1:9/")
    assert transport_failure(caught.value) == (Failure.RETRY, "not_connected")
    assert len(attempts) == tries


def test_a_busy_server_is_asked_once(http, port):
    busy = port(answer(b"", "503 Service Unavailable"))
    assert http.get(busy.url).status_code == 503
    assert busy.connections == 1


@pytest.mark.parametrize("size", [0, 1000])
def test_an_answer_within_the_limit(http, port, size):
    response = http.get(port(answer(b"x" * size)).url)
    assert response.content == b"x" * size
    assert response.request.headers["User-Agent"] == "anshao-test"


def test_an_answer_over_the_limit_is_not_read_on(http, port):
    with pytest.raises(BodyTooLarge) as caught:
        http.get(port(answer(b"x" * 1001)).url)
    assert transport_failure(caught.value)[0] is Failure.UNKNOWN


def test_a_streamed_answer_is_left_to_the_caller(http, port):
    with http.get(port(answer(b"x" * 5000)).url, stream=True) as response:
        assert sum(len(chunk) for chunk in response.iter_content(1000)) == 5000
