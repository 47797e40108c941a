"""Load over plain sockets: requests are made beforehand, so the client costs as little as it can beside the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter, sleep

TIMEOUT_S = 20.0


def request(method: str, target: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    head = {"Host": "bench", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclass
class Measured:
    """Latencies in ms of the good answers; `bad` counts the others by status (0: no answer)."""

    latencies_ms: list[float] = field(default_factory=list)
    bad: dict[int, int] = field(default_factory=dict)
    span_s: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.span_s if self.span_s else 0.0

    def note(self, status: int, took_s: float) -> None:
        if status == 200:
            self.latencies_ms.append(took_s * 1000)
        else:
            self.bad[status] = self.bad.get(status, 0) + 1


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None

    def ask(self, raw: bytes) -> int:
        """Send one request and read its whole answer; the status, 0 when the connection broke."""
        try:
            return self._ask(raw)
        except OSError:
            self.close()
            return 0

    def _ask(self, raw: bytes) -> int:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(raw)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._read()
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
        missing = int(fields.get(b"content-length", b"0")) - len(body)
        while missing > 0:
            missing -= len(self._read())
        if fields.get(b"connection") == b"close":
            self.close()
        return int(lines[0].split(b" ", 2)[1])

    def _read(self) -> bytes:
        assert self._socket is not None
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionError("closed")
        return part

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def open_loop(port: int, requests: Sequence[bytes], *, per_s: float, connections: int = 16) -> Measured:
    """Send at fixed times, whatever the server does. A latency counts from the planned time, so a stall is not hidden."""
    numbers, found, lock = count(), Measured(), threading.Lock()
    began = perf_counter() + 0.05

    def run() -> None:
        connection = Connection(port)
        while (number := next(numbers)) < len(requests):
            due = began + number / per_s
            if (wait := due - perf_counter()) > 0:
                sleep(wait)
            status = connection.ask(requests[number])
            took = perf_counter() - due
            with lock:
                found.note(status, took)
        connection.close()

    _together(run, connections)
    found.span_s = perf_counter() - began
    return found


def closed_loop(port: int, requests: Sequence[bytes], *, connections: int = 16) -> Measured:
    """Every connection sends its next request when it has the answer to the last one."""
    numbers, found, lock = count(), Measured(), threading.Lock()

    def run() -> None:
        connection = Connection(port)
        while (number := next(numbers)) < len(requests):
            sent = perf_counter()
            status = connection.ask(requests[number])
            took = perf_counter() - sent
            with lock:
                found.note(status, took)
        connection.close()

    began = perf_counter()
    _together(run, connections)
    found.span_s = perf_counter() - began
    return found


def _together(run: object, how_many: int) -> None:
    threads = [threading.Thread(target=run) for _ in range(how_many)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
