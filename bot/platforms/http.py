"""HTTP sessions for the platform clients: never without a time-out, never an endless answer, careful repeats.

Only a connection that was never made is tried again, and only for calls that change nothing when made twice: all
other repeats are decided where the meaning of a call is known.
"""

from __future__ import annotations

from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from bot.platforms.base import Failure

TIMEOUT_S = (3.05, 8.0)
MAX_BODY_BYTES = 32 * 1024 * 1024
CONNECT_RETRIES = 2
POOL_SIZE = 24  # more than jobs/deliver.py has senders
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class BodyTooLarge(requests.RequestException):
    """The answer is longer than the session allows; the rest was not read."""


class ConnectRetry(Retry):
    """Repeats a failed connect of an idempotent call; everything else fails at once."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: Any = None,
    ) -> Self:
        budget = self if (method or "").upper() in IDEMPOTENT else self.new(total=0)
        return super(ConnectRetry, budget).increment(method, url, response, error, _pool, _stacktrace)


class Session(requests.Session):
    """A session whose every call has a time-out and a bound on the answer, whatever transport is mounted."""

    def __init__(self, *, timeout_s: tuple[float, float], user_agent: str, max_body_bytes: int) -> None:
        super().__init__()
        self.timeout_s, self.max_body_bytes = timeout_s, max_body_bytes
        self.headers["User-Agent"] = user_agent
        retry = ConnectRetry(
            total=CONNECT_RETRIES,
            connect=CONNECT_RETRIES,
            read=False,  # not 0: a read error is raised as it is
            redirect=0,
            status=0,
            other=0,
            backoff_factor=0.1,
            respect_retry_after_header=False,
        )
        adapter = HTTPAdapter(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=retry)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As in requests. With `stream` the caller reads the answer, and bounds it, itself."""
        streamed = bool(kwargs.get("stream"))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout_s
        response = super().send(request, **{**kwargs, "stream": True})
        if not streamed:
            response._content = read_bounded(response, self.max_body_bytes)
        return response


def session(
    *, timeout_s: tuple[float, float] = TIMEOUT_S, user_agent: str = "anshao", max_body_bytes: int = MAX_BODY_BYTES
) -> requests.Session:
    """A new session. `timeout_s` is (connect, silence between two bytes); tests mount their transport on it."""
    return Session(timeout_s=timeout_s, user_agent=user_agent, max_body_bytes=max_body_bytes)


def read_bounded(response: requests.Response, limit_bytes: int) -> bytes:
    """The whole body; raises BodyTooLarge when it goes past the limit. The connection is given back or closed."""
    with response:
        data = bytearray()
        for chunk in response.iter_content(64 * 1024):
            data += chunk
            if len(data) > limit_bytes:
                raise BodyTooLarge(f"over {limit_bytes} bytes", request=response.request, response=response)
        return bytes(data)


def transport_failure(error: Exception) -> tuple[Failure, str]:
    """What a failed exchange means: never connected is RETRY; anything later may have arrived and is UNKNOWN."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Failure.RETRY, "connect_timeout"
    if isinstance(error, requests.exceptions.Timeout):
        return Failure.UNKNOWN, "read_timeout"
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure.RETRY, "proxy"
    if isinstance(error, requests.exceptions.ConnectionError):
        cause = error.args[0] if error.args else None
        reason = cause.reason if isinstance(cause, MaxRetryError) else cause
        return (Failure.RETRY, "not_connected") if isinstance(reason, ConnectTimeoutError) else (Failure.UNKNOWN, "cut")
    return Failure.UNKNOWN, type(error).__name__
