"""A small client of the new API, api.dingtalk.com/v1.0: token in a header, errors by HTTP status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, Literal, cast

import requests
import structlog

from bot.platforms import outside
from bot.platforms.base import Failure, PlatformError
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.errors import (
    DingTalkError,
    Meaning,
    ban,
    html_error,
    is_ban,
    new_error,
    safe_to_repeat,
    transport_error,
)
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.tokens import TokenKeeper

TIMEOUT_S = (3.05, 10.0)
TOKEN_HEADER = "x-acs-dingtalk-access-token"
MAX_DOWNLOAD_BYTES = 25 * 1024 * 1024
_TOKEN = "v1"

log = structlog.get_logger(__name__)

Method = Literal["GET", "POST", "PUT", "DELETE"]


class ApiClient:
    """Calls of the new API. Every method raises DingTalkError (a PlatformError) and nothing else."""

    def __init__(
        self, config: DingTalkConfig, *, http: requests.Session, tokens: TokenKeeper, meter: Meter | None = None
    ) -> None:
        self._config, self._http, self._tokens, self._meter = config, http, tokens, meter
        self._outside = outside.session(http)

    def call(
        self,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> dict[str, Any]:
        """One call with our token; a refused token is replaced and the call made once more.

        `repeatable`: made twice it changes nothing more, so a time-out means RETRY and not UNKNOWN.
        """
        try:
            return self._with_token(lambda token: self._send(method, path, body, query, token))
        except DingTalkError as error:
            if repeatable or method == "GET":
                raise safe_to_repeat(error) from None
            raise

    def token(self) -> str:
        return self._tokens.get(_TOKEN, self._fetch_token)

    def js_ticket(self) -> str:
        def fetch() -> tuple[str, int]:
            answer = self.call("POST", "/v1.0/oauth2/jsapiTickets", {}, repeatable=True)
            return str(answer.get("jsapiTicket") or ""), int(answer.get("expireIn") or 7200)

        return self._tokens.get("js_ticket", fetch)

    def fetch_bytes(self, url: str) -> bytes:
        """The file behind a signed address that the platform gave us. A refusal means that it has expired."""
        try:
            with outside.get(self._outside, url, home=self._config.api_base, ours=self._http) as answer:
                if answer.status_code in (403, 404, 410):
                    raise PlatformError(Failure.EXPIRED, f"download_{answer.status_code}")
                if answer.status_code >= 400:
                    raise PlatformError(Failure.RETRY, f"download_{answer.status_code}")
                data = bytearray()
                for chunk in answer.iter_content(64 * 1024):
                    data += chunk
                    if len(data) > MAX_DOWNLOAD_BYTES:
                        raise PlatformError(Failure.PERMANENT, "download_too_large")
                return bytes(data)
        except outside.NotOutside as refused:
            log.warning("dingtalk.download_refused", reason=str(refused))
            raise PlatformError(Failure.PERMANENT, f"download_{refused}") from None
        except (requests.RequestException, OSError) as error:
            raise PlatformError(Failure.RETRY, f"download_{type(error).__name__}") from None

    def _fetch_token(self) -> tuple[str, int]:
        body = {"appKey": self._config.client_id, "appSecret": self._config.client_secret}
        try:
            answer = self._send("POST", "/v1.0/oauth2/accessToken", body, None, "")
        except DingTalkError as error:
            raise safe_to_repeat(error) from None
        return str(answer.get("accessToken") or ""), int(answer.get("expireIn") or 7200)

    def _with_token(self, send: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        token = self.token()
        try:
            return send(token)
        except DingTalkError as error:
            if not error.stale_token:
                raise
        self._tokens.forget(_TOKEN, token)
        return send(self.token())

    def _send(
        self,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        token: str,
    ) -> dict[str, Any]:
        with self._meter.call(method, path) if self._meter is not None else nullcontext():
            return self._exchange(method, path, body, query, token)

    def _exchange(
        self,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        token: str,
    ) -> dict[str, Any]:
        headers = {TOKEN_HEADER: token} if token else {}
        url = self._config.api_base.rstrip("/") + path
        try:
            answer = self._http.request(
                method, url, json=body, params=query, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise transport_error(error) from None
        except OSError as error:
            raise DingTalkError(Meaning(Failure.UNKNOWN), type(error).__name__) from None
        return read_answer(answer)


def read_answer(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of a good answer; raises DingTalkError for any other."""
    try:
        data = answer.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        if answer.status_code == 504:
            raise DingTalkError(Meaning(Failure.UNKNOWN), "html_504")
        raise html_error(answer.status_code)
    if is_ban(data):
        raise ban()
    if answer.status_code == 504:  # the gateway gave up waiting: the service behind it may have done it
        raise DingTalkError(Meaning(Failure.UNKNOWN), "504")
    if answer.status_code >= 300:
        raise new_error(answer.status_code, data, request_id=answer.headers.get("x-acs-request-id", ""))
    return cast("dict[str, Any]", data)
