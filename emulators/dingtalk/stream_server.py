"""The WebSocket side of Stream mode: a small threaded server."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from .stream import Stream

SUBSCRIPTIONS = "_emulator_subscriptions"


class WebSocket:
    """What the stream needs of a connection; a socket that is already gone swallows sends, as TCP would."""

    def __init__(self, inner: ServerConnection, note: Any):
        self._inner, self._note = inner, note

    def send(self, text: str) -> None:
        try:
            self._inner.send(text)
        except ConnectionClosed:
            self._note("stream_send_lost")

    def close(self, code: int = 1000) -> None:
        self._inner.close(code)

    def kill(self) -> None:
        """Cuts the TCP connection without a closing handshake."""
        self._inner.socket.shutdown(socket.SHUT_RDWR)


class StreamServer:
    """Serves `ws://host:port/connect?ticket=…` on daemon threads until close()."""

    def __init__(self, stream: Stream, port: int, host: str = "127.0.0.1"):
        self._stream = stream
        self._server: Server = serve(self._talk, host, port, process_request=self._admit, ping_interval=None)
        self.port: int = self._server.socket.getsockname()[1]
        stream.endpoint = f"ws://{host}:{self.port}/connect"
        self._thread = threading.Thread(target=self._server.serve_forever, name="dingtalk-stream", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stream.endpoint = ""
        self._server.shutdown()
        for connection in list(self._stream.connections.values()):
            connection.socket.close(1001)
        self._thread.join(timeout=5)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        ticket = parse_qs(parts.query).get("ticket", [""])[0]
        topics = self._stream.use_ticket(ticket) if parts.path == "/connect" else None
        if topics is None:
            return connection.respond(401, "invalid ticket\n")
        setattr(connection, SUBSCRIPTIONS, topics)
        return None

    def _talk(self, inner: ServerConnection) -> None:
        wrapped = WebSocket(inner, self._stream.core.journal.note)
        connection = self._stream.joined(wrapped, getattr(inner, SUBSCRIPTIONS))
        if connection is None:
            inner.close(1000)
            return
        try:
            for text in inner:
                self._stream.received(connection, text if isinstance(text, str) else text.decode())
        except ConnectionClosed:
            self._stream.core.journal.note("stream_broken", id=connection.id)
        finally:
            self._stream.left(connection)
