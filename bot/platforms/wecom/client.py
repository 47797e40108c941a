"""Calls of the WeCom API: one place for tokens, time-outs, error codes and answers that are no answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests

from bot.platforms.base import Failure, PlatformError
from bot.platforms.http import transport_failure
from bot.platforms.tokens import TokenKeeper
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.errors import TOKEN_CODES, error_of, status_error
from bot.platforms.wecom.sdk import TIMEOUT_S, TOKEN, SdkClient, WeChatClientException

UPLOAD_TIMEOUT_S = (3.05, 30.0)
NO_TOKEN = {"access_token": None}  # wechatpy adds its token unless the name is there; requests leaves None out

Json = dict[str, Any]


class Api:
    """Every method raises PlatformError and nothing else. Paths are those behind /cgi-bin/."""

    def __init__(self, config: WeComConfig, *, http: requests.Session, tokens: TokenKeeper) -> None:
        self._http, self._tokens, self._base = http, tokens, config.api_base + "/cgi-bin/"
        self._sdk = SdkClient(config, http=http, tokens=tokens)

    def get(self, path: str, **query: str) -> Json:
        """A reading call: made twice it changes nothing, so a time-out means RETRY."""
        return self._called(path, "get", {"params": query}, repeatable=True)

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False, **query: str) -> Json:
        headers = {"Content-Type": "application/json; charset=utf-8"}  # wechatpy sends none
        return self._called(
            path, "post", {"params": query, "data": dict(body), "headers": headers}, repeatable=repeatable
        )

    def upload(self, path: str, data: bytes, *, name: str, mime: str, **query: str) -> Json:
        """A file, as bytes: the second attempt after a refused token must not find a read-out file object."""
        files = {"media": (name, data, mime)}
        request = {"params": query, "files": files, "timeout": UPLOAD_TIMEOUT_S}
        return self._called(path, "post", request, repeatable=True)

    def post_keyed(self, path: str, body: Mapping[str, Any], **query: str) -> Json:
        """A call that carries its own key instead of the app's token (group robots)."""
        request = {"params": NO_TOKEN | query, "data": dict(body), "headers": {"Content-Type": "application/json"}}
        return self._once(path, "post", request, repeatable=False)

    def upload_keyed(self, path: str, data: bytes, *, name: str, mime: str, **query: str) -> Json:
        request = {"params": NO_TOKEN | query, "files": {"media": (name, data, mime)}, "timeout": UPLOAD_TIMEOUT_S}
        return self._once(path, "post", request, repeatable=True)

    def open(self, path: str, headers: Mapping[str, str], **query: str) -> requests.Response:
        """A streamed answer with the app's token; the caller reads, bounds and closes it."""
        params = {"access_token": self.token(), **query}
        try:
            return self._http.get(
                self._base + path,
                params=params,
                headers=dict(headers),
                timeout=UPLOAD_TIMEOUT_S,
                stream=True,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise PlatformError(Failure.RETRY, transport_failure(error)[1]) from None

    def token(self) -> str:
        return self._guarded(lambda: self._sdk.access_token, repeatable=True)

    def forget_token(self, refused: str) -> None:
        self._tokens.forget(TOKEN, refused)

    def ticket(self, name: str, path: str, **query: str) -> str:
        """A JS-SDK ticket, kept like the token: the platform allows few of these calls an hour."""

        def fetch() -> tuple[str, int]:
            answer = self.get(path, **query)
            return str(answer.get("ticket") or ""), int(answer.get("expires_in") or 7200)

        return self._tokens.get(name, fetch)

    def _called(self, path: str, method: str, request: Json, *, repeatable: bool) -> Json:
        """With our token; one that is refused is replaced, and the call made once more."""
        for last in (False, True):
            token = self.token()
            params = {**request["params"], "access_token": token}
            try:
                return self._once(path, method, {**request, "params": params}, repeatable=repeatable)
            except PlatformError as error:
                if last or error.code not in _TOKEN_CODES:
                    raise
            self.forget_token(token)
        raise AssertionError("unreachable")

    def _once(self, path: str, method: str, request: Json, *, repeatable: bool) -> Json:
        call = getattr(self._sdk, method)
        request = {"timeout": TIMEOUT_S, "allow_redirects": False, **request}
        answer = self._guarded(lambda: call(path, **request), repeatable=repeatable)
        if not isinstance(answer, dict):  # wechatpy hands an answer that is no JSON object back as it came
            raise PlatformError(Failure.RETRY, "not_json")
        return answer

    @staticmethod
    def _guarded(call: Callable[[], Any], *, repeatable: bool) -> Any:
        """The call, with every way it can fail as a PlatformError. The originals hold the token: they end here."""
        try:
            return call()
        except WeChatClientException as error:
            if error.errcode is None:
                failed = status_error(error.response.status_code)
            else:
                failed = error_of(int(error.errcode))
        except (requests.RequestException, OSError) as error:
            failure, code = transport_failure(error)
            failed = PlatformError(failure, code)
        except (KeyError, TypeError, ValueError) as error:
            failed = PlatformError(Failure.RETRY, f"odd_answer_{type(error).__name__}")
        if repeatable and failed.failure is Failure.UNKNOWN:
            failed.failure = Failure.RETRY
        raise failed


_TOKEN_CODES = frozenset(str(code) for code in TOKEN_CODES)
