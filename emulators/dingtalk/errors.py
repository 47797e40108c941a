"""The two error styles of the platform and the answers that are neither."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, jsonify


class ApiError(Exception):
    """An error of the new API (`/v1.0`): an HTTP status and `{"code","message","requestid"}`."""

    def __init__(self, code: str, message: str = "", *, status: int = 400, extra: dict[str, Any] | None = None):
        super().__init__(code)
        self.code, self.message, self.status, self.extra = code, message or code, status, extra or {}


class OldError(Exception):
    """An error of the old API: HTTP 200 and `{"errcode","errmsg","request_id"}`."""

    def __init__(self, errcode: int, errmsg: str, *, extra: dict[str, Any] | None = None):
        super().__init__(f"{errcode} {errmsg}")
        self.errcode, self.errmsg, self.extra = errcode, errmsg, extra or {}


class RawAnswer(Exception):
    """Something that is no API answer at all: an HTML page, a ban notice, a cut connection."""

    def __init__(self, body: str, *, status: int, content_type: str = "text/html; charset=utf-8", cut: bool = False):
        super().__init__(str(status))
        self.body, self.status, self.content_type, self.cut = body, status, content_type, cut


def request_id() -> str:
    return str(uuid.uuid4()).upper()


def new_error(error: ApiError) -> Response:
    rid = request_id()
    answer = jsonify({"code": error.code, "requestid": rid, "message": error.message, **error.extra})
    answer.status_code = error.status
    answer.headers["x-acs-request-id"] = rid
    return answer


def old_error(error: OldError) -> Response:
    return jsonify({"errcode": error.errcode, "errmsg": error.errmsg, **error.extra, "request_id": request_id()})


def raw_answer(answer: RawAnswer) -> Response:
    response = Response(answer.body, status=answer.status, content_type=answer.content_type)
    if answer.cut:
        response.headers[CUT_HEADER] = "1"
    return response


CUT_HEADER = "X-Emulator-Cut"


class CutConnections:
    """WSGI layer that breaks a marked answer off in the middle, as a reset connection does.

    The body announces more bytes than it brings and then fails, so a real server closes the socket and an
    in-process transport sees the ConnectionResetError itself.
    """

    def __init__(self, inner: Any):
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        seen: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen[:] = [status, headers]
            if not any(name == CUT_HEADER for name, _ in headers):
                return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)
            return lambda _data: None

        body = self.inner(environ, start)
        if not any(name == CUT_HEADER for name, _ in seen[1]):
            return body
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "4096")])
        return self._broken()

    @staticmethod
    def _broken() -> Any:
        yield b'{"'
        raise ConnectionResetError(104, "connection reset by the emulator")
