"""Access tokens, JSAPI tickets and log-in codes (protocol notes §5.1, 5.3, 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import Core
from .errors import ApiError, OldError
from .ids import new_hex
from .people import App
from .routing import Call, Meter, Route, Style
from .signing import jsapi_digests


@dataclass
class Token:
    client_id: str
    expires_at: float


@dataclass
class Ticket:
    value: str
    created_at: float
    expires_at: float


@dataclass
class AuthCode:
    userid: str
    expires_at: float


class Tokens:
    """Asking again while a token lives returns the same one, renewed; the three calls share it."""

    def __init__(self, core: Core):
        self.core = core
        self._tokens: dict[str, Token] = {}
        self._tickets: dict[str, Ticket] = {}
        self._codes: dict[str, AuthCode] = {}

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/gettoken", self._old_token, Style.OLD, auth=False, meter=Meter.FREE),
            Route("POST", "/v1.0/oauth2/accessToken", self._new_token, auth=False, meter=Meter.FREE),
            Route("POST", "/v1.0/oauth2/<corp_id>/token", self._newest_token, auth=False, meter=Meter.FREE),
            Route("POST", "/v1.0/oauth2/jsapiTickets", self._new_ticket, meter=Meter.FREE),
            Route("GET", "/get_jsapi_ticket", self._old_ticket, Style.OLD, meter=Meter.FREE),
            Route("POST", "/topapi/v2/user/getuserinfo", self._user_info, Style.OLD, meter=Meter.FREE),
        ]

    def owner(self, token: str) -> str | None:
        """The client id a live token belongs to."""
        found = self._tokens.get(token)
        if found is None or found.expires_at <= self.core.clock():
            return None
        return found.client_id

    def forget(self, token: str) -> None:
        self._tokens.pop(token, None)

    def new_auth_code(self, userid: str) -> str:
        """What dd.requestAuthCode hands to a page this person opened."""
        code = new_hex(16)
        self._codes[code] = AuthCode(userid, self.core.clock() + self.core.limits.auth_code_ttl_s)
        return code

    def check_jsapi(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the client does in dd.config: `{"ok": true, "algorithm"}` or `{"ok": false, "errorCode", …}`.

        body: corpId, agentId, timeStamp, nonceStr, signature, url (the address the browser shows).
        """
        if body.get("corpId") != self.core.conf["corp_id"]:
            return {"ok": False, "errorCode": "52010", "errorMessage": "corpId 不存在"}
        if str(body.get("agentId")) != str(self.core.conf["agent_id"]):
            return {"ok": False, "errorCode": "52019", "errorMessage": "agentId 不匹配"}
        ticket = self._tickets.get(self.core.conf["client_id"])
        if ticket is None or ticket.expires_at <= self.core.clock():
            return {"ok": False, "errorCode": "52011", "errorMessage": "jsapi ticket 读取失败"}
        digests = jsapi_digests(ticket.value, str(body["nonceStr"]), str(body["timeStamp"]), str(body["url"]))
        if body.get("signature") == digests["sha256"]:
            return {"ok": True, "algorithm": "sha256"}
        if body.get("signature") == digests["sha1"] and self.core.faults.take("jsapi_sha1"):
            return {"ok": True, "algorithm": "sha1"}
        return {"ok": False, "errorCode": "52013", "errorMessage": "签名校验失败"}

    def _issue(self, app: App) -> tuple[str, int]:
        now, ttl = self.core.clock(), self.core.limits.token_ttl_s
        for value, token in self._tokens.items():
            if token.client_id == app.client_id and token.expires_at > now:
                token.expires_at = now + ttl
                return value, int(ttl)
        value = new_hex(16)
        self._tokens[value] = Token(app.client_id, now + ttl)
        return value, int(ttl)

    def _app(self, client_id: Any, secret: Any) -> App | None:
        app = self.core.directory.apps.get(str(client_id))
        return app if app is not None and app.client_secret == secret else None

    def _old_token(self, call: Call) -> dict[str, Any]:
        app = self._app(call.query.get("appkey"), call.query.get("appsecret"))
        if app is None:
            raise OldError(40089, "不合法的corpid或corpsecret")
        value, ttl = self._issue(app)
        return {"access_token": value, "expires_in": ttl}

    def _new_token(self, call: Call) -> dict[str, Any]:
        if not call.body:
            raise ApiError("MissingBody", "body is mandatory")
        app = self._app(call.body.get("appKey"), call.body.get("appSecret"))
        if app is None:
            raise ApiError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        value, ttl = self._issue(app)
        return {"accessToken": value, "expireIn": ttl}

    def _newest_token(self, call: Call) -> dict[str, Any]:
        if call.args["corp_id"] != self.core.conf["corp_id"] or call.body.get("grant_type") != "client_credentials":
            raise ApiError("invalid.client", "corpId 或 grant_type 不正确")
        app = self._app(call.body.get("client_id"), call.body.get("client_secret"))
        if app is None:
            raise ApiError("unauthorized.client", "client_id 或 client_secret 不正确", status=401)
        value, ttl = self._issue(app)
        return {"access_token": value, "expires_in": ttl}

    def _ticket(self, client_id: str) -> tuple[str, int]:
        now, limits = self.core.clock(), self.core.limits
        ticket = self._tickets.get(client_id)
        if ticket is None or ticket.expires_at <= now:
            ticket = Ticket(new_hex(32), now, now)
            self._tickets[client_id] = ticket
        ticket.expires_at = min(now + limits.token_ttl_s, ticket.created_at + limits.ticket_max_s)
        return ticket.value, int(ticket.expires_at - now)

    def _new_ticket(self, call: Call) -> dict[str, Any]:
        value, ttl = self._ticket(call.client_id)
        return {"jsapiTicket": value, "expireIn": ttl}

    def _old_ticket(self, call: Call) -> dict[str, Any]:
        value, ttl = self._ticket(call.client_id)
        return {"ticket": value, "expires_in": ttl}

    def _user_info(self, call: Call) -> dict[str, Any]:
        code = self._codes.pop(str(call.body.get("code", "")), None)
        person = self.core.directory.member(code.userid) if code else None
        if code is None or code.expires_at <= self.core.clock() or person is None:
            raise OldError(40078, "不存在的临时授权码")
        result = {"userid": person.userid, "unionid": person.unionid, "associated_unionid": person.unionid}
        return {"result": {**result, "name": person.name, "device_id": "emulated-phone", "sys": False, "sys_level": 0}}
