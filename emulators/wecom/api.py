"""The server API under /cgi-bin/: one table of paths, one way to answer errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from ..wsgi import RESET_HEADER, SLOW_HEADER
from .aibot import AiBot
from .contacts import contact_routes
from .core import Core, Window
from .directory import Directory
from .errors import ApiError, error_body
from .groups import Groups
from .media import MediaStore
from .menu import Menus
from .messages import Messages
from .tokens import App, Tokens


@dataclass
class Call:
    """One API call. `app` is None on the few paths that need no token."""

    app: App | None
    body: dict[str, Any]

    @property
    def caller(self) -> App:
        if self.app is None:
            raise ApiError(41001)
        return self.app

    def arg(self, name: str) -> str:
        return str(request.args.get(name, ""))


Handler = Callable[[Call], Any]
NO_TOKEN = {"gettoken", "webhook/send", "webhook/upload_media", "aibot/response"}


class Api:
    """Builds the blueprint. Every call runs under the lock; nothing here does HTTP."""

    def __init__(
        self,
        core: Core,
        directory: Directory,
        tokens: Tokens,
        messages: Messages,
        media: MediaStore,
        menus: Menus,
        groups: Groups,
        bot: AiBot,
    ) -> None:
        self.core, self.directory, self.tokens = core, directory, tokens
        self.messages, self.media, self.menus, self.groups, self.bot = messages, media, menus, groups, bot
        self._window = Window()
        self._blocked: dict[str, float] = {}
        self.routes: dict[tuple[str, str], Handler] = self._routes()
        self.blueprint = Blueprint("wecom_api", __name__)
        self.blueprint.add_url_rule("/cgi-bin/<path:path>", view_func=self.handle, methods=["GET", "POST"])

    def _routes(self) -> dict[tuple[str, str], Handler]:
        tokens, messages, groups, menus = self.tokens, self.messages, self.groups, self.menus
        return {
            ("GET", "gettoken"): lambda c: tokens.get_token(c.arg("corpid"), c.arg("corpsecret")),
            ("POST", "message/send"): lambda c: messages.send(c.caller, c.body),
            ("POST", "message/recall"): lambda c: messages.recall(c.caller, c.body),
            ("POST", "message/update_template_card"): lambda c: messages.update(c.caller, c.body),
            ("POST", "media/upload"): self._upload,
            ("POST", "media/uploadimg"): self._upload_image,
            ("GET", "media/get"): self._get_media,
            ("GET", "media/get/jssdk"): self._get_media,
            ("POST", "appchat/create"): lambda c: groups.create(c.caller, c.body),
            ("POST", "appchat/update"): lambda c: groups.update(c.caller, c.body),
            ("GET", "appchat/get"): lambda c: groups.get(c.caller, c.arg("chatid")),
            ("POST", "appchat/send"): lambda c: groups.send(c.caller, c.body),
            ("POST", "webhook/send"): lambda c: groups.webhook_send(c.arg("key"), c.body),
            ("POST", "webhook/upload_media"): self._upload_hook,
            ("POST", "aibot/response"): lambda c: self.bot.respond(c.arg("response_code"), c.body),
            ("POST", "menu/create"): lambda c: menus.create(tokens.own_agent(c.caller, c.arg("agentid")), c.body),
            ("GET", "menu/get"): lambda c: menus.get(tokens.own_agent(c.caller, c.arg("agentid"))),
            ("GET", "menu/delete"): lambda c: menus.delete(tokens.own_agent(c.caller, c.arg("agentid"))),
            ("GET", "get_jsapi_ticket"): lambda c: tokens.ticket(c.caller, kind="corp"),
            ("GET", "ticket/get"): self._app_ticket,
            ("GET", "getcallbackip"): lambda c: {"ip_list": ["127.0.0.1", "127.0.0.0/8"]},
            ("GET", "get_api_domain_ip"): lambda c: {"ip_list": ["127.0.0.1", "127.0.0.0/8"]},
            **contact_routes(self.core, self.directory, tokens),
        }

    # --- one call ------------------------------------------------------------------------------------------------
    def handle(self, path: str) -> Response:
        """Count, strike faults, check token and limits, answer. Errors keep HTTP 200."""
        with self.core.lock:
            self.core.calls[path] += 1
            early = self._broken(path)
        if early is not None:
            return early
        wrong_json = False
        with self.core.lock:
            try:
                body, wrong_json = self._body()
                answer = self._dispatch(path, body, wrong_json)
            except ApiError as error:
                self.core.note("api.refused", path=path, errcode=error.code, detail=error.detail)
                answer = _json(error_body(error, ip=self._ip(), wrong_json=wrong_json))
            slow_s = self._slowness(path)
        if slow_s:
            answer.headers[SLOW_HEADER] = str(slow_s)
            if self.core.background:
                time.sleep(slow_s)
        return answer

    def _dispatch(self, path: str, body: dict[str, Any], wrong_json: bool) -> Response:
        handler = self.routes.get((request.method, path))
        if handler is None:
            known = any(p == path for _, p in self.routes)
            self.core.problem(f"{request.method} {path}: {'wrong method' if known else 'unknown path'}")
            raise ApiError(-1 if not known else 43001, "no such api")
        if wrong_json:
            self.core.problem(f"{path}: the body is not JSON")
            raise ApiError(40035)
        app = self._who(path)
        self._strike(path)
        self._base_limits(path)
        try:
            answer = handler(Call(app, body))
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            self.core.problem(f"{path}: malformed request ({error!r})")
            raise ApiError(40035) from error
        if isinstance(answer, Response):
            return answer
        return _json({"errcode": 0, "errmsg": "ok", **answer})

    def _who(self, path: str) -> App | None:
        switches = self.core.switches
        allowed = switches["trusted_ips"]
        if path in NO_TOKEN:
            return None
        value = request.args.get("access_token")
        if switches.strike("token_invalid", path=path):
            raise ApiError(40014)
        if switches.strike("token_expired", path=path):
            self.tokens.check(value)
            self.tokens.expire(value)
        app = self.tokens.check(value)
        if allowed is not None and self._ip() not in allowed:
            raise ApiError(60020)
        return app

    def _strike(self, path: str) -> None:
        """Errors that every path may answer, also those that need no token."""
        switches = self.core.switches
        for name, code in (("busy", -1), ("throttle", 45009), ("concurrency", 45033)):
            if switches.strike(name, path=path):
                raise ApiError(code)
        explicit = switches.strike("api_error", path=path)
        if explicit is not None:
            raise ApiError(int(explicit))

    def _base_limits(self, path: str) -> None:
        """One API per corp: 10 000 a minute, then 60 s of 45009; 150 000 an hour, then 60 minutes."""
        if path in ("message/send", "gettoken") or path.startswith("webhook/"):
            return
        now = self.core.clock()
        if self._blocked.get(path, 0.0) > now:
            raise ApiError(45009)
        for span, option in ((60.0, "api_per_minute"), (3600.0, "api_per_hour")):
            if self._window.count(path, now=now, span_s=span) >= int(self.core.switches[option]):
                self._blocked[path] = now + span
                raise ApiError(45009)
        self._window.add(path, now=now, keep_s=3600.0)

    def _body(self) -> tuple[dict[str, Any], bool]:
        """(JSON object, whether it was broken); parsed whatever the Content-Type says."""
        if request.method != "POST" or (request.mimetype or "").startswith("multipart/"):
            return {}, False
        try:
            raw = request.get_data(cache=True)
        except RequestEntityTooLarge as error:
            raise ApiError(45001, "request too large") from error
        if not raw:
            return {}, False
        try:
            body = json.loads(raw)
        except ValueError:
            return {}, True
        return (body, False) if isinstance(body, dict) else ({}, True)

    def _broken(self, path: str) -> Response | None:
        """Faults that answer before anything is done."""
        switches = self.core.switches
        if switches.strike("http_500", path=path):
            return Response(b"", status=500)
        if switches.strike("html_body", path=path):
            return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html")
        if switches.strike("reset", path=path):
            return _cut_off()
        return None

    def _slowness(self, path: str) -> float:
        late = self.core.switches.strike("timeout_but_delivered", path=path)
        slow = self.core.switches.strike("slow_api_s", path=path)
        return max(30.0 if late is True else float(late or 0), float(slow or 0))

    @staticmethod
    def _ip() -> str:
        return request.remote_addr or "127.0.0.1"

    # --- routes with a body of their own -----------------------------------------------------------------------------
    def _file(self) -> tuple[bytes | None, str, str | None]:
        part = request.files.get("media")
        if part is None:
            self.core.problem("upload without a part named media")
            return None, "", None
        return part.read(), part.filename or "file", part.mimetype

    def _upload(self, call: Call) -> dict[str, Any]:
        data, name, mime = self._file()
        media = self.media.upload(data, kind=call.arg("type"), name=name, content_type=mime)
        return {"type": media.kind, "media_id": media.media_id, "created_at": str(int(media.created))}

    def _upload_image(self, call: Call) -> dict[str, Any]:
        data, name, _ = self._file()
        return {"url": self.media.upload_image(data, name)}

    def _upload_hook(self, call: Call) -> dict[str, Any]:
        data, name, _ = self._file()
        media = self.groups.webhook_upload(call.arg("key"), data, kind=call.arg("type"), name=name)
        return {"type": media.kind, "media_id": media.media_id, "created_at": str(int(media.created))}

    def _get_media(self, call: Call) -> Response:
        return self.media.answer(self.media.need(call.arg("media_id")), request.headers.get("Range"))

    def _app_ticket(self, call: Call) -> dict[str, Any]:
        if call.arg("type") != "agent_config":
            raise ApiError(40058, "type")
        return self.tokens.ticket(call.caller, kind="agent_config")


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), content_type="application/json; charset=UTF-8")


def _cut_off() -> Response:
    """Promise more than is sent: a real server then drops the connection, the test transport raises."""
    return Response(iter([b"{"]), headers={"Content-Length": "1000", RESET_HEADER: "1"})
