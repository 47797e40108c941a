"""The addresses that platforms call, as plain WSGI.

A plant's callbacks come by the thousand where a page is opened once, and need nothing of what pages need: no session, no
template, no form. So they are answered before Flask is asked; everything else is passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import structlog

from bot.platforms import refusals

MAX_BODY_BYTES = 1024 * 1024
MAX_PARAMETERS = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    mimetype: str = "text/plain"
    status: int = 200


class NotTaken(Exception):
    """Ends a handler with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


class Asked:
    """One request, read as far as the handler wants."""

    __slots__ = ("_environ", "query")

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.query = _query(str(environ.get("QUERY_STRING", "")))

    def header(self, name: str) -> str:
        return str(self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    @property
    def length(self) -> int | None:
        """The announced length of the body; None when it was not announced, or is no number."""
        given = str(self._environ.get("CONTENT_LENGTH") or "")
        return int(given) if given.isascii() and given.isdigit() else None

    def body(self) -> bytes:
        """All of it. Raises NotTaken: 413 over the limit, announced or not, 400 when less came than was announced."""
        length = self.length
        if length is not None and length > MAX_BODY_BYTES:
            refuse(413, "too_large")
        # without a length nobody may read on, unless the server promises that the stream ends with the request
        if length is None and not self._environ.get("wsgi.input_terminated"):
            return b""
        most = MAX_BODY_BYTES + 1 if length is None else length
        found = self._read(most)
        if length is None and len(found) > MAX_BODY_BYTES:
            refuse(413, "too_large")
        if length is not None and len(found) < length:
            refuse(400, "cut")
        return found

    def _read(self, most: int) -> bytes:
        stream, found = self._environ["wsgi.input"], b""
        while len(found) < most and (part := stream.read(most - len(found))):
            found += part
        return found


Handler = Callable[[Asked], Answer]
Routes = Mapping[str, Mapping[str, Handler]]
"""Handlers by path and method."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def refuse(status: int, reason: str) -> NoReturn:
    """End the request with a problem document; `reason` is a code of bot/platforms/refusals.py."""
    raise NotTaken(_problem(status, reason))


def _problem(status: int, reason: str) -> Answer:
    return Answer(refusals.problem(status, reason).encode(), refusals.MIMETYPE, status)


class Callbacks:
    """Answers what is in `routes` and leaves the rest to `otherwise`.

    `headers` go with every answer; `counted` hears of each: first part of the path, status, seconds.
    """

    def __init__(
        self,
        routes: Routes,
        otherwise: Wsgi,
        *,
        headers: Sequence[tuple[str, str]] = (),
        counted: Callable[[str, int, float], object] = lambda platform, status, took_s: None,
    ) -> None:
        self._routes, self._otherwise = routes, otherwise
        self._headers, self._counted = list(headers), counted

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._routes)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        methods = self._routes.get(path)
        if methods is None:
            return self._otherwise(environ, start)
        began = perf_counter()
        answer = _answer(methods, environ)
        head = [("Content-Type", answer.mimetype), ("Content-Length", str(len(answer.body))), *self._headers]
        if answer.status == 405:
            head.append(("Allow", ", ".join(sorted(methods))))
        start(_STATUS[answer.status], head)
        self._counted(path.split("/", 2)[1], answer.status, perf_counter() - began)
        return [answer.body]


_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def _answer(methods: Mapping[str, Handler], environ: dict[str, Any]) -> Answer:
    handler = methods.get(environ["REQUEST_METHOD"])
    if handler is None:
        return _problem(405, "method")
    try:
        return handler(Asked(environ))
    except NotTaken as end:
        return end.answer
    except Exception as error:
        log.error("callback.failed", path=environ.get("PATH_INFO"), exc_info=error)
        return _problem(500, "failed")


def _query(given: str) -> dict[str, str]:
    """The first value of each parameter; none of a query that nobody sends."""
    try:
        pairs = parse_qsl(given, keep_blank_values=True, errors="replace", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found
