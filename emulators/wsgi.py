"""A requests transport that calls a WSGI app in the same process: no ports, no sleeps.

Faults that need a socket are signalled by the emulators in response headers and become the exceptions
a real socket would give: `X-Emulator-Slow-S` (answer later than the caller's timeout) and `X-Emulator-Reset`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from http.client import HTTPMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

SLOW_HEADER = "X-Emulator-Slow-S"
RESET_HEADER = "X-Emulator-Reset"


class _Original:
    """The part of an http.client response that requests reads cookies from."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.msg = HTTPMessage()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True


class WsgiAdapter(BaseAdapter):
    """Mount with `session.mount("http://wecom.test", WsgiAdapter(app))`; `prefix` is cut off as SCRIPT_NAME."""

    def __init__(self, app: Callable[..., Iterable[bytes]], *, prefix: str = "") -> None:
        super().__init__()
        self.app = app
        self.prefix = prefix.rstrip("/")

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        status, headers, body = self._call(request)
        lowered = {name.lower(): value for name, value in headers}
        limit = timeout[1] if isinstance(timeout, tuple) else timeout
        slow_s = float(lowered.get(SLOW_HEADER.lower(), 0))
        if RESET_HEADER.lower() in lowered:
            raise requests.ConnectionError("connection reset by the emulator", request=request)
        if limit is not None and slow_s > float(limit):
            raise requests.ReadTimeout(f"no answer within {limit} s", request=request)
        raw = HTTPResponse(
            original_response=_Original(headers),  # type: ignore[arg-type]
            body=io.BytesIO(body),
            headers=HTTPHeaderDict(headers),
            status=int(status.split(" ", 1)[0]),
            reason=status.split(" ", 1)[1] if " " in status else "",
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is held open."""

    def _call(self, request: requests.PreparedRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        environ = self._environ(request)
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
            answer["status"], answer["headers"] = status, headers
            return lambda data: None

        chunks = self.app(environ, start_response)
        try:
            body = b"".join(chunks)
        except ConnectionResetError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        return answer["status"], answer["headers"], body

    def _environ(self, request: requests.PreparedRequest) -> dict[str, Any]:
        parts = urlsplit(request.url or "")
        path = unquote(parts.path or "/")
        if self.prefix and path.startswith(self.prefix):
            path = path[len(self.prefix) :] or "/"
        body: Any = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode("utf-8")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": self.prefix,
            "PATH_INFO": path.encode("utf-8").decode("latin-1"),
            "QUERY_STRING": parts.query,
            "SERVER_NAME": parts.hostname or "localhost",
            "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": parts.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": parts.netloc,
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[key] = text
            elif key != "TRANSFER_ENCODING":
                environ[f"HTTP_{key}"] = text
        return environ
