"""One requests session a platform: time-outs on every call, repeats only where nothing can have been taken."""

from __future__ import annotations

from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT_S = (3.05, 8.0)  # connect, read
POOL = 20


class TimedAdapter(HTTPAdapter):
    """Gives every request a time-out: the SDKs' token calls have none of their own."""

    def __init__(self, timeout_s: tuple[float, float], **kwargs: Any) -> None:
        self.timeout_s = timeout_s
        super().__init__(**kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs["timeout"] = kwargs.get("timeout") or self.timeout_s
        return super().send(request, **kwargs)


def session(*, timeout_s: tuple[float, float] = TIMEOUT_S, user_agent: str = "anshao") -> requests.Session:
    """A session with a pool, time-outs and one repeat of a connection that could not be opened.

    Nothing that was sent is sent again here: whether a repeat is safe is known where the message is known.
    """
    made = requests.Session()
    made.headers["User-Agent"] = user_agent
    retry = Retry(total=1, connect=1, read=0, status=0, redirect=0, other=0, backoff_factor=0.2, allowed_methods=None)
    adapter = TimedAdapter(timeout_s, max_retries=retry, pool_connections=POOL, pool_maxsize=POOL)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
