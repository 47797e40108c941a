"""The old API, oapi.dingtalk.com, through dingtalk-sdk: token, contacts, work notices, media; and webhooks.

The SDK is imported at the first call: it is large, and a process that only takes callbacks never needs it.
"""

from __future__ import annotations

import io
import logging
import mimetypes
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property, lru_cache
from typing import Any

import requests

from bot.platforms.base import Failure
from bot.platforms.dingtalk.client import TIMEOUT_S
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.errors import (
    DingTalkError,
    Meaning,
    html_error,
    meaning_of_status,
    old_error,
    safe_to_repeat,
    transport_error,
)
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.tokens import TokenKeeper

_TOKEN = "oapi"
UPLOAD_TIMEOUT_S = (3.05, 60.0)


class OldApi:
    """Calls of the old API. Every method raises DingTalkError (a PlatformError) and nothing else."""

    def __init__(
        self, config: DingTalkConfig, *, http: requests.Session, tokens: TokenKeeper, meter: Meter | None = None
    ) -> None:
        self._config, self._http, self._tokens, self._meter = config, http, tokens, meter
        self._importing = threading.Lock()

    @cached_property
    def _sdk(self) -> Any:
        with self._importing:
            return _client_class()(self._config, self._http, self._tokens)

    def call(self, path: str, body: dict[str, Any], *, repeatable: bool = False) -> dict[str, Any]:
        """POST `topapi/…` with our token; returns the whole answer, whose errcode is 0."""
        return self._with_token(path, lambda: self._sdk.post(path, dict(body)), repeatable=repeatable)

    def read(self, path: str) -> dict[str, Any]:
        """GET with our token, what is read being gone afterwards: not made again after an unknown end."""
        return self._with_token(path, lambda: self._sdk.get(path), repeatable=False, method="GET")

    def upload(self, kind: str, data: bytes, name: str) -> str:
        """Upload an "image", "voice", "video" or "file"; returns the media id."""
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"

        def send() -> Any:
            return self._sdk.message.media_upload(kind, (name, io.BytesIO(data), mime))

        return str(self._with_token("media/upload", send, repeatable=True).get("media_id") or "")

    def token(self) -> str:
        try:
            return str(self._translated(lambda: self._sdk.access_token))
        except DingTalkError as error:
            raise safe_to_repeat(error) from None

    def _with_token(
        self, path: str, send: Callable[[], Any], *, repeatable: bool, method: str = "POST"
    ) -> dict[str, Any]:
        try:
            token = self.token()
            try:
                return self._metered(method, path, send)
            except DingTalkError as error:
                if not error.stale_token:
                    raise
            self._tokens.forget(_TOKEN, token)
            self.token()
            return self._metered(method, path, send)
        except DingTalkError as error:
            raise (safe_to_repeat(error) if repeatable else error) from None

    def _metered(self, method: str, path: str, send: Callable[[], Any]) -> dict[str, Any]:
        with self._meter.call(method, path) if self._meter is not None else nullcontext():
            return self._checked(self._translated(send))

    @staticmethod
    def _checked(answer: Any) -> dict[str, Any]:
        """The SDK hands back the raw response when it is no JSON, and lets a ban notice pass as success."""
        if not isinstance(answer, dict):
            raise html_error(getattr(answer, "status_code", 200))
        error = old_error(answer)
        if error:
            raise error
        return answer

    @staticmethod
    def _translated(send: Callable[[], Any]) -> Any:
        try:
            return send()
        except requests.RequestException as error:
            raise transport_error(error) from None
        except OSError as error:
            raise DingTalkError(Meaning(Failure.UNKNOWN), type(error).__name__) from None
        except Exception as error:
            if type(error).__module__ != "dingtalk.core.exceptions":
                raise
            raise _from_sdk(error) from None


def post_webhook(
    http: requests.Session, url: str, body: dict[str, Any], query: dict[str, str] | None = None
) -> dict[str, Any]:
    """Post a message to a session webhook or a group robot: no token, the address is the right to write."""
    try:
        answer = http.post(url, json=body, params=query, timeout=TIMEOUT_S, allow_redirects=False)
        data = _json_or_none(answer)
    except requests.RequestException as error:
        raise transport_error(error) from None
    except OSError as error:
        raise DingTalkError(Meaning(Failure.UNKNOWN), type(error).__name__) from None
    if not isinstance(data, dict):
        raise html_error(answer.status_code)
    told = old_error(data)
    if told:
        raise told
    if answer.status_code >= 400:
        raise DingTalkError(meaning_of_status(answer.status_code), str(answer.status_code))
    return data


def _json_or_none(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _from_sdk(error: Any) -> DingTalkError:
    """Sub codes stand in the answer, which the SDK keeps beside its exception."""
    response = getattr(error, "response", None)
    data = _json_or_none(response) if response is not None else None
    if isinstance(data, dict):
        known = old_error(data)
        if known:
            return known
    if response is not None and response.status_code >= 400:
        if response.status_code == 504:
            return DingTalkError(Meaning(Failure.UNKNOWN), "504")
        return DingTalkError(meaning_of_status(response.status_code), str(response.status_code))
    return old_error({"errcode": getattr(error, "errcode", None) or -1}) or html_error(500)


@lru_cache(maxsize=1)
def _client_class() -> type:
    # It logs addresses with secrets and whole bodies at ERROR: nothing of that may reach our log.
    logging.getLogger("dingtalk").setLevel(logging.CRITICAL + 1)
    from dingtalk.client import AppKeyClient

    class Client(AppKeyClient):
        """Own session (the SDK shares one among all), our token keeper, a base that may have a path, no retry."""

        def __init__(self, config: DingTalkConfig, http: requests.Session, tokens: TokenKeeper) -> None:
            super().__init__(
                config.corp_id, config.client_id, config.client_secret, timeout=TIMEOUT_S, auto_retry=False
            )
            self._http, self._tokens = http, tokens
            self.API_BASE_URL = config.oapi_base.rstrip("/") + "/"

        @property
        def access_token(self) -> str:
            return self._tokens.get(_TOKEN, self._fetch_token)

        def _fetch_token(self) -> tuple[str, int]:
            answer = OldApi._checked(self.get_access_token())
            return str(answer.get("access_token") or ""), int(answer.get("expires_in") or 7200)

        def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
            if not url_or_endpoint.startswith(("http://", "https://")):
                url_or_endpoint = self.API_BASE_URL + url_or_endpoint.lstrip("/")
            if "files" in kwargs:
                kwargs["timeout"] = UPLOAD_TIMEOUT_S
            return super()._request(method, url_or_endpoint, **kwargs)

        def _handle_pre_top_request(self, params: Any, uri: str) -> Any:
            raise NotImplementedError("the TOP gateway is a second fixed host; use post('/topapi/…')")

    return Client
