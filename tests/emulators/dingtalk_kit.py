"""A small plant, a bot that can be told what to answer, and a client, all in one process on a clock set by hand."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from emulators.dingtalk import DingTalkEmulator
from emulators.wsgi import WsgiAdapter

EVENT_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
TEMPLATE = "11111111-aaaa.schema"
GROUP = "cid+a/b1=="
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def plant() -> dict[str, Any]:
    people = [("liqiang", "李强", "user001"), ("wangfang", "王芳", "user002"), ("chengang", "陈刚", "user003")]
    rows = [
        {"id": key, "name": name, "mobile": f"1380000000{n}", "title": "安全员", "role": "worker", "areas": ["JC"],
         "wecom": None, "dingtalk": userid, "unionid": f"union-{key}"}
        for n, (key, name, userid) in enumerate(people)
    ]  # fmt: skip
    rows.append({**rows[0], "id": "zhangwei", "name": "张伟", "dingtalk": None, "wecom": "ZhangWei"})
    group = {"id": GROUP, "platform": "dingtalk", "title": "储运安全群", "members": ["user001", "user002"]}
    return {
        "people": rows,
        "areas": [{"code": "JC", "name": "甲醇罐区"}],
        "equipment": [],
        "groups": [group, {"id": "wr1", "platform": "wecom", "title": "x", "members": []}],
        "dingtalk": {
            "corp_id": "dingcorp", "client_id": "dingkey", "client_secret": "demo secret", "agent_id": 2001,
            "robot_code": "dingrobot", "event_token": "demo token", "event_aes_key": EVENT_KEY,
            "robot_url": "http://bot.test/dingtalk/robot", "event_url": "http://bot.test/dingtalk/events",
            "card_template_id": TEMPLATE, "card_route_key": "anshao",
            "other_apps": [{"client_id": "dingother", "client_secret": "other secret", "robot_code": "dingrobot2"}],
        },
    }  # fmt: skip


class Clock:
    def __init__(self, now: float = 1_790_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Push:
    path: str
    query: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.raw)


@dataclass
class Bot:
    """Remembers every push; answers by path with (status, text), fixed or computed."""

    pushes: list[Push] = field(default_factory=list)
    answers: dict[str, Callable[[Push], tuple[int, str]]] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        push = Push(environ["PATH_INFO"], environ["QUERY_STRING"], headers, raw)
        self.pushes.append(push)
        status, text = self.answers.get(push.path, lambda _push: (200, ""))(push)
        start_response(f"{status} x", [("Content-Type", "application/json")])
        return [text.encode()]

    def answer(self, path: str, body: Any, status: int = 200) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[path] = lambda _push: (status, text)

    def to(self, path: str) -> list[Push]:
        return [push for push in self.pushes if push.path == path]

    def robot(self) -> list[dict[str, Any]]:
        return [push.json for push in self.to("/dingtalk/robot")]


class World:
    """One emulator with its bot, clock and a client that holds a token."""

    def __init__(self) -> None:
        self.clock, self.bot, self.session = Clock(), Bot(), requests.Session()
        self.session.trust_env = False
        self.emulator = DingTalkEmulator(
            plant(), http=self.session, clock=self.clock, background=False, public_url="http://ding.test/x"
        )
        self.session.mount("http://bot.test", WsgiAdapter(self.bot))
        self.session.mount("http://ding.test/x", WsgiAdapter(self.emulator.app, prefix="/x"))
        self._token = ""

    @property
    def token(self) -> str:
        if not self._token:
            body = {"appKey": "dingkey", "appSecret": "demo secret"}
            self._token = self.call("POST", "/v1.0/oauth2/accessToken", body, token="").json()["accessToken"]
        return self._token

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> Any:
        used = self.token if token is None else token
        headers = {"x-acs-dingtalk-access-token": used} if used else {}
        return self.session.request(method, f"http://ding.test/x{path}", json=body, headers=headers, **more)

    def new(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """A call of the new API that must succeed."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400, **more: Any) -> str:
        """A call of the new API that must fail; the code. Every error carries a request id."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code == status, answer.text
        assert answer.json()["requestid"] == answer.headers["x-acs-request-id"]
        return answer.json()["code"]

    def old(self, path: str, body: Any = None, *, method: str = "POST", **more: Any) -> dict[str, Any]:
        """A call of the old API: always HTTP 200, the errcode tells."""
        join = "&" if "?" in path else "?"
        answer = self.call(method, f"{path}{join}access_token={quote(self.token)}", body, token="", **more)
        assert answer.status_code == 200, answer.text
        assert answer.json()["request_id"]
        return answer.json()

    def control(self, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        answer = self.session.post(f"http://ding.test/x/_phone/{path}", json=body if body is not None else {}, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def upload_by(self, user: str, what: str, *files: bytes, status: int = 200, **fields: str) -> Any:
        parts = [("file", (f"f{n}.jpg", io.BytesIO(data), "image/jpeg")) for n, data in enumerate(files)]
        url = f"http://ding.test/x/_phone/{user}/{what}"
        answer = self.session.post(url, files=parts, data=fields)
        assert answer.status_code == status, answer.text
        return answer.json()

    def read(self, path: str) -> Any:
        return self.session.get(f"http://ding.test/x/_phone/{path}").json()

    def screen(self, user: str, after: int = 0) -> list[dict[str, Any]]:
        return self.read(f"{user}/screen?after={after}")["items"]

    def tick(self) -> int:
        return self.emulator.tick()

    def said(self, user: str, text: str, **more: Any) -> dict[str, Any]:
        """The push a person's words become."""
        self.control(f"{user}/say", {"text": text, **more})
        self.tick()
        return self.bot.robot()[-1]

    def problems(self) -> list[str]:
        return self.emulator.expect_nothing_unexpected()


def rows(*entries: Any) -> str:
    return json.dumps(list(entries), ensure_ascii=False)


def card_params(**changes: str) -> dict[str, str]:
    button = {"text": "确认", "action": "confirm", "style": "primary", "kind": "request", "url": ""}
    params = {
        "title": "隐患 YH-0001", "subtitle": "一级红", "color": "red", "facts": rows({"k": "区域", "v": "罐区"}),
        "body": "泵密封漏油", "picture": "", "note": "", "state": "assigned", "revision": "1", "buttons": rows(button),
        "selects": "[]", "link_url": "", "link_text": "",
    }  # fmt: skip
    return {**params, **changes}


def card_body(spaces: str = "dtv1.card//IM_ROBOT.user001", **changes: Any) -> dict[str, Any]:
    body = {
        "cardTemplateId": TEMPLATE, "outTrackId": "case-1", "callbackType": "HTTP", "callbackRouteKey": "anshao",
        "cardData": {"cardParamMap": card_params()}, "openSpaceId": spaces,
        "imGroupOpenSpaceModel": {"supportForward": False}, "imRobotOpenSpaceModel": {"supportForward": False},
        "imGroupOpenDeliverModel": {"robotCode": "dingrobot"}, "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
    }  # fmt: skip
    return {**body, **changes}
