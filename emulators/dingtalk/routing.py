"""The gate every API call goes through: counting, faults, body parsing, token, quotas, and the error style."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from flask import Flask, Response, jsonify, request

from .core import Core
from .errors import ApiError, OldError, RawAnswer, new_error, old_error, raw_answer, request_id


class Style(Enum):
    NEW = "api.dingtalk.com"
    OLD = "oapi.dingtalk.com"


class Meter(Enum):
    API = "api"
    WEBHOOK = "webhook_stream"
    FREE = "free"


@dataclass(frozen=True)
class Call:
    """One request as a handler sees it. client_id is the app whose token came along ('' for calls without)."""

    args: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    client_id: str = ""


SLOW_HEADER = "X-Emulator-Slow-S"
Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True)
class Route:
    method: str
    rule: str
    handler: Handler
    style: Style = Style.NEW
    auth: bool = True
    meter: Meter = Meter.API
    limited: bool = True

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"


@dataclass
class Gate:
    """Binds routes to a Flask app. `who` finds the app of a token, `forget` drops a token (a fault)."""

    core: Core
    who: Callable[[str], str | None]
    forget: Callable[[str], None]
    rules: set[str] = field(default_factory=set)

    def bind(self, app: Flask, route: Route) -> None:
        def view(**args: str) -> Response:
            return self._serve(route, args)

        app.add_url_rule(route.rule, endpoint=route.name, view_func=view, methods=[route.method])
        self.rules.add(route.rule)

    def _serve(self, route: Route, args: dict[str, str]) -> Response:
        core = self.core
        with core.lock:
            core.journal.calls[route.name] += 1
        slow_s = self._slow_down(route)
        try:
            with core.lock:
                self._refuse_by_fault(route)
                answer = self._handle(route, args)
            slow_s += self._spoil_answer(route)
            response = jsonify(answer)
        except ApiError as error:
            self._note_refusal(route, error.code)
            response = new_error(error)
        except OldError as error:
            self._note_refusal(route, str(error.errcode))
            response = old_error(error)
        except RawAnswer as answer_error:
            self._note_refusal(route, f"raw {answer_error.status}")
            response = raw_answer(answer_error)
        if slow_s:
            response.headers[SLOW_HEADER] = str(slow_s)
        return response

    def _handle(self, route: Route, args: dict[str, str]) -> dict[str, Any]:
        body = self._body(route)
        client_id = self._authenticate(route) if route.auth else ""
        self._check_quota(route, client_id)
        answer = route.handler(Call(args, request.args.to_dict(), body, client_id))
        if route.meter is not Meter.FREE:
            self.core.meters.month()[route.meter.value] += 1
        if route.style is Style.OLD:
            return {"errcode": 0, "errmsg": "ok", **answer, "request_id": request_id()}
        return answer

    def _body(self, route: Route) -> dict[str, Any]:
        if request.method not in ("POST", "PUT") or request.files:
            return dict(request.form)
        if request.form:
            return {name: _maybe_json(value) for name, value in request.form.items()}
        raw = request.get_data()
        if not raw:
            return {}
        try:
            body = json.loads(raw)
        except ValueError as error:
            self.core.journal.problem(f"malformed JSON sent to {route.name}")
            raise _bad_body(route, "invalid JSON") from error
        if not isinstance(body, dict):
            self.core.journal.problem(f"body of {route.name} is not an object")
            raise _bad_body(route, "body must be an object")
        if "json" not in (request.content_type or ""):
            self.core.journal.problem(f"{route.name} called without Content-Type application/json")
            raise _bad_body(route, "content-type must be application/json", errcode=43004)
        return body

    def _authenticate(self, route: Route) -> str:
        header = request.headers.get("x-acs-dingtalk-access-token", "")
        token = header if route.style is Style.NEW else request.args.get("access_token", "")
        if token and self.core.faults.take("token_expired", route.rule):
            self.forget(token)
        client_id = self.who(token)
        if client_id is None:
            if route.style is Style.NEW:
                raise ApiError("InvalidAuthentication", "不合法的access_token")
            raise OldError(40014, "不合法的access_token")
        return client_id

    def _check_quota(self, route: Route, client_id: str) -> None:
        core = self.core
        if route.limited and not core.meters.within_qps(f"{client_id} {route.name}"):
            raise _throttled(route)
        if route.meter is Meter.API and not core.meters.api_left():
            raise _quota_used_up(route)

    def _slow_down(self, route: Route) -> float:
        """Sleeps as long as the fault says; the seconds also go into a header for in-process transports."""
        with self.core.lock:
            seconds = self.core.faults.number("slow_api_s", route.rule, default=8.0) or 0.0
        if seconds:
            self.core.sleep(seconds)
        return seconds

    def _refuse_by_fault(self, route: Route) -> None:
        for name, refuse in _REFUSALS.items():
            if name in _ONLY_FOR and not _ONLY_FOR[name](route):
                continue
            value = self.core.faults.take(name, route.rule)
            if value is not None:
                raise refuse(route, value)

    def _spoil_answer(self, route: Route) -> float:
        """The call has been carried out; its answer may still come too late (seconds) or break off."""
        with self.core.lock:
            late_s = self.core.faults.number("timeout_but_delivered", route.rule, default=60.0) or 0.0
            cut = self.core.faults.take("reset_but_delivered", route.rule)
        if late_s:
            self.core.sleep(late_s)
        if cut is not None:
            raise RawAnswer("", status=200, cut=True)
        return late_s

    def _note_refusal(self, route: Route, code: str) -> None:
        with self.core.lock:
            self.core.journal.note("call_refused", call=route.name, code=code)


def _maybe_json(value: str) -> Any:
    """The old API accepts forms whose structured fields are JSON texts."""
    if value[:1] not in "{[":
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _bad_body(route: Route, message: str, *, errcode: int = 40035) -> Exception:
    return ApiError("InvalidBody", message) if route.style is Style.NEW else OldError(errcode, message)


def _either(route: Route, code: str, status: int, errcode: int, message: str, **extra: Any) -> Exception:
    if route.style is Style.NEW:
        return ApiError(code, message, status=status, extra=extra)
    return OldError(errcode, message)


def _throttled(route: Route, _value: Any = True) -> Exception:
    return _either(route, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403, 90018, "调用接口的QPS超过限制")


def _quota_used_up(route: Route, _value: Any = True) -> Exception:
    return _either(route, "Forbidden.AccessDenied.ApiCountLimitForOrg", 403, 90020, "企业本月API调用量已用完")


def _gateway_timeout(_route: Route, _value: Any) -> Exception:
    return RawAnswer("<html><head><title>504 Gateway Time-out</title></head><body></body></html>", status=504)


def _no_permission(route: Route, value: Any) -> Exception:
    scopes = value if isinstance(value, list) else ["qyapi_robot_sendmsg"]
    detail = {"accessdenieddetail": {"requiredScopes": scopes}}
    code = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    return _either(route, code, 403, 60011, "应用尚未开通所需的权限", **detail)


def _too_fast(route: Route, _value: Any) -> Exception:
    return _either(route, "send.too.fast", 400, 410100, "发送速度太快而限流")


def _chosen(route: Route, value: Any) -> Exception:
    status, code = int(value.get("status", 400)), str(value.get("code", "unknown"))
    return _either(route, code, status, int(value.get("errcode", -1)), str(value.get("message", "")))


_BAN = '{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":""}'
_REFUSALS: dict[str, Callable[[Route, Any], Exception]] = {
    "reset": lambda _r, _v: RawAnswer("", status=200, cut=True),
    "http_504": _gateway_timeout,
    "html_body": lambda _r, _v: RawAnswer("<!DOCTYPE html><html><body>系统繁忙</body></html>", status=200),
    "ip_banned": lambda _r, _v: RawAnswer(_BAN, status=200, content_type="application/json"),
    "http_500": lambda r, _v: _either(r, "system.error", 500, -1, "系统繁忙"),
    "busy": lambda r, _v: _either(r, "system.busy", 429, 90001, "系统繁忙"),
    "throttle": _throttled,
    "throttle_global": lambda r, _v: _either(r, "Forbidden.AccessDenied.QpsLimitForApi", 403, 90002, "接口整体限流"),
    "quota_used_up": _quota_used_up,
    "no_permission": _no_permission,
    "ip_whitelist": lambda r, _v: _either(r, "Forbidden.AccessDenied.IpNotInWhiteList", 403, 60020, "IP不在白名单中"),
    "gateway_88": lambda _r, _v: OldError(
        88, "ding talk error", extra={"sub_code": "40014", "sub_msg": "不合法的access_token"}
    ),
    "send_too_fast": _too_fast,
    "answer_with": _chosen,
}
_ONLY_FOR: dict[str, Callable[[Route], bool]] = {
    "gateway_88": lambda route: route.style is Style.OLD and route.auth,
    "send_too_fast": lambda route: "/robot/" in route.rule,
    "no_permission": lambda route: route.auth,
}
