"""sessionWebhook replies and group webhook robots (protocol notes §2.2, 2.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .core import Core
from .errors import OldError
from .ids import new_hex
from .media import Media
from .outgoing import Content, read_webhook
from .robot import Robot
from .routing import Call, Meter, Route, Style
from .signing import hmac_sign

SIGN_WINDOW_MS = 3_600_000


@dataclass(frozen=True)
class Session:
    id: str
    userid: str
    group_id: str | None
    expires_at: float
    url: str


@dataclass
class GroupWebhook:
    """A custom robot a group's owner added by hand. secret '' = no signature asked for."""

    token: str
    group_id: str
    secret: str = ""
    keywords: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class Sessions:
    def __init__(self, core: Core, media: Media, robot: Robot):
        self.core, self.media, self.robot = core, media, robot
        self._sessions: dict[str, Session] = {}
        self.webhooks: dict[str, GroupWebhook] = {}
        for raw in core.conf.get("webhooks", []):
            self.add_webhook(raw["group"], raw.get("secret", ""), raw.get("keywords", []), token=raw["token"])

    def routes(self) -> list[Route]:
        handlers = {"/robot/sendBySession": self._reply, "/robot/send": self._send_webhook}
        return [
            Route("POST", rule, run, Style.OLD, auth=False, meter=Meter.WEBHOOK, limited=False)
            for rule, run in handlers.items()
        ]

    def open(self, userid: str, group_id: str | None) -> Session:
        number = new_hex(16)
        url = f"{self.core.public_url}/robot/sendBySession?session={number}"
        session = Session(number, userid, group_id, self.core.clock() + self.core.limits.session_ttl_s, url)
        self._sessions[number] = session
        return session

    def show(self, number: str, content: Content) -> None:
        session = self._sessions[number]
        code = self.core.own_app.robot_code
        members = list(self.core.directory.groups[session.group_id].members) if session.group_id else [session.userid]
        self.robot.show(members, content, group_id=session.group_id, robot_code=code)

    def add_webhook(self, group_id: str, secret: str, keywords: list[str], *, token: str = "") -> GroupWebhook:
        hook = GroupWebhook(token or new_hex(32), group_id, secret, list(keywords))
        self.webhooks[hook.token] = hook
        return hook

    def _reply(self, call: Call) -> dict[str, Any]:
        session = self._sessions.get(call.query.get("session", ""))
        gone = self.core.faults.take("session_gone") is not None
        if session is None or gone or session.expires_at <= self.core.clock():
            raise OldError(300001, "session 不存在")
        self._check_month()
        content = read_webhook(call.body, self.media)
        if content is not None:
            self.show(session.id, content)
        return {}

    def _send_webhook(self, call: Call) -> dict[str, Any]:
        hook = self.webhooks.get(call.query.get("access_token", ""))
        if hook is None:
            raise OldError(400101, "access_token 不存在")
        self._check_security(hook, call)
        if not self.core.meters.webhook_allowed(hook.token):
            raise OldError(410100, "发送速度太快而限流")
        self._check_month()
        content = read_webhook(call.body, self.media)
        once = str(call.body.get("msgUuid") or "")
        if content is None or (once and once in hook.seen):
            return {}
        hook.seen.add(once)
        if hook.group_id not in self.core.directory.groups:
            raise OldError(400013, "群已被解散")
        members = list(self.core.directory.groups[hook.group_id].members)
        self.robot.show(members, content, group_id=hook.group_id, robot_code="webhook")
        return {}

    def _check_security(self, hook: GroupWebhook, call: Call) -> None:
        if hook.secret:
            timestamp, sign = call.query.get("timestamp", ""), call.query.get("sign", "")
            if not timestamp.isdigit() or abs(self.core.now_ms() - int(timestamp)) > SIGN_WINDOW_MS:
                raise OldError(310000, "invalid timestamp")
            if hmac_sign(timestamp, hook.secret) not in (sign, unquote(sign)):
                raise OldError(310000, "sign not match")
        if hook.keywords and not any(word in str(call.body) for word in hook.keywords):
            raise OldError(310000, "keywords not in content")

    def _check_month(self) -> None:
        if not self.core.meters.webhook_left():
            raise OldError(90020, "企业本月 Webhook 调用量已用完")
