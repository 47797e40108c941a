"""A WeCom emulator on a virtual clock, a tiny product that records callbacks, and short-hands for both sides."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from flask import Flask, Response, request

from emulators.demo_plant import demo_plant, demo_secrets
from emulators.wecom import WeComEmulator, crypto
from emulators.wsgi import WsgiAdapter

JPG = b"\xff\xd8\xff\xe0" + b"picture" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20


class World:
    """Both sides of the wire. `answer(xml) -> body | Response` is what the product replies to a callback."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.received: list[ElementTree.Element] = []
        self.texts: list[str] = []
        self.envelopes: list[dict[str, str]] = []
        self.answer: Callable[[ElementTree.Element], Any] = lambda xml: ""
        self.echo: Callable[[str], Any] = lambda plain: plain
        self.http = requests.Session()
        self.http.trust_env = False
        self.plant = demo_plant(public_url="http://app.test", secrets=demo_secrets())
        self.plant["wecom"]["apps"] = [{"agent_id": 1000009, "secret": "other-secret"}]
        self.http.mount("http://app.test", WsgiAdapter(self._product()))
        self.emulator = WeComEmulator(
            self.plant, http=self.http, clock=lambda: self.now, background=False, public_url="http://wecom.test"
        )
        self.http.mount("http://wecom.test", WsgiAdapter(self.emulator.app))
        self.settings = self.plant["wecom"]
        self.keys = crypto.Keys(self.settings["token"], self.settings["aes_key"], self.settings["corp_id"])
        self.agent = int(self.settings["agent_id"])
        self._token: str | None = None

    def _product(self) -> Flask:
        app = Flask("product")

        @app.get("/wecom/callback")
        def check() -> Any:
            args = request.args
            crypto.check_signature(self.keys, args["msg_signature"], args["timestamp"], args["nonce"], args["echostr"])
            return self.echo(crypto.decrypt(self.keys, args["echostr"]))

        @app.post("/wecom/callback")
        def take() -> Any:
            encrypted = ElementTree.fromstring(request.get_data()).findtext("Encrypt") or ""
            self.envelopes.append({**request.args.to_dict(), "encrypted": encrypted})
            try:
                crypto.check_signature(
                    self.keys,
                    request.args["msg_signature"],
                    request.args["timestamp"],
                    request.args["nonce"],
                    encrypted,
                )
                plain = crypto.decrypt(self.keys, encrypted)
            except (crypto.BadEnvelope, UnicodeDecodeError):
                return Response("bad", status=403)
            self.texts.append(plain)
            xml = ElementTree.fromstring(plain)
            self.received.append(xml)
            return self.answer(xml)

        return app

    # --- the product's side --------------------------------------------------------------------------------------
    @property
    def token(self) -> str:
        if self._token is None:
            self._token = self.fetch_token()["access_token"]
        return self._token

    def fetch_token(self, **override: str) -> dict[str, Any]:
        args = {"corpid": self.settings["corp_id"], "corpsecret": self.settings["secret"], **override}
        return self.http.get("http://wecom.test/cgi-bin/gettoken", params=args).json()

    def api(self, path: str, body: Any = None, **params: Any) -> dict[str, Any]:
        params.setdefault("access_token", self.token)
        url = f"http://wecom.test/cgi-bin/{path}"
        if body is None:
            return self.http.get(url, params=params).json()
        return self.http.post(url, params=params, json=body).json()

    def send(self, msgtype: str, body: Any, to: str = "ZhangWei", **extra: Any) -> dict[str, Any]:
        request_body = {"touser": to, "agentid": self.agent, "msgtype": msgtype, msgtype: body, **extra}
        return self.api("message/send", request_body)

    def upload(self, data: bytes = JPG, kind: str = "image", name: str = "a.jpg", part: str = "media") -> Any:
        params = {"access_token": self.token, "type": kind}
        files = {part: (name, io.BytesIO(data))}
        return self.http.post("http://wecom.test/cgi-bin/media/upload", params=params, files=files).json()

    def reply(self, inner: str, **override: str) -> str:
        """A passive reply envelope around `inner`."""
        encrypted = crypto.encrypt(self.keys, inner)
        sign = crypto.signature(self.keys.token, "1800000000", "77", encrypted)
        parts = {"Encrypt": encrypted, "MsgSignature": sign, "TimeStamp": "1800000000", "Nonce": "77", **override}
        return "<xml>" + "".join(f"<{k}>{v}</{k}>" for k, v in parts.items()) + "</xml>"

    def passive(self, kind: str, inner: str, to: str = "ZhangWei") -> str:
        corp = self.settings["corp_id"]
        return self.reply(
            f"<xml><ToUserName>{to}</ToUserName><FromUserName>{corp}</FromUserName>"
            f"<CreateTime>1</CreateTime><MsgType>{kind}</MsgType>{inner}</xml>"
        )

    # --- the phone's side ----------------------------------------------------------------------------------------
    def phone(self, user: str, action: str, body: Any = None, files: Any = None, data: Any = None) -> requests.Response:
        url = f"http://wecom.test/_phone/{user}/{action}"
        if files is not None:
            return self.http.post(url, files=files, data=data)
        return self.http.post(url, json=body or {})

    def control(self, path: str, body: Any = None) -> Any:
        url = f"http://wecom.test/_phone/{path}"
        return (self.http.get(url) if body is None else self.http.post(url, json=body)).json()

    def screen(self, user: str = "ZhangWei", after: int = 0) -> list[dict[str, Any]]:
        return self.control(f"{user}/screen?after={after}")["items"]

    def last(self, user: str = "ZhangWei") -> dict[str, Any]:
        return self.screen(user)[-1]

    def fault(self, **switches: Any) -> None:
        assert "faults" in self.control("faults", switches)

    def tick(self, seconds: float = 0.0) -> int:
        self.now += seconds
        return self.emulator.tick()

    @property
    def problems(self) -> list[str]:
        return self.emulator.expect_nothing_unexpected()


def button_card(task_id: str = "t1", **extra: Any) -> dict[str, Any]:
    return {
        "card_type": "button_interaction",
        "task_id": task_id,
        "main_title": {"title": "隐患 YH-0001"},
        "button_list": [
            {"text": "确认", "style": 1, "key": "ok"},
            {"text": "看图", "type": 1, "url": "http://app.test/h5"},
        ],
        **extra,
    }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def card() -> Callable[..., dict[str, Any]]:
    return button_card


@pytest.fixture
def jpg() -> bytes:
    return JPG
