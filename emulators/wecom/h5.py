"""Pages opened on a phone: the OAuth redirect, the JS bridge and its signature check, the device's settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, request

from .core import Core
from .directory import Directory
from .geo import wgs84_to_gcj02
from .tokens import Tokens

SCRIPT = Path(__file__).with_name("jssdk.js")
DEVICE: dict[str, Any] = {
    "lat": None,
    "lon": None,
    "accuracy": 8.0,
    "permission": "granted",
    "gps": "on",
    "scan_result": "",
    "translate_result": "",
}
LINKS = ("snsapi_base", "snsapi_userinfo", "snsapi_privateinfo")


class Pages:
    """Builds the blueprint and keeps each phone's device settings (lat/lon in WGS84, accuracy in metres)."""

    def __init__(self, core: Core, directory: Directory, tokens: Tokens) -> None:
        self.core, self.directory, self.tokens = core, directory, tokens
        self.devices: dict[str, dict[str, Any]] = {}
        self.blueprint = Blueprint("wecom_pages", __name__)
        add = self.blueprint.add_url_rule
        add("/connect/oauth2/authorize", view_func=self.authorize, methods=["GET"])
        add("/_phone/<user>/go", view_func=self.go, methods=["GET"])
        add("/_phone/jssdk.js", view_func=self.script, methods=["GET"])
        add("/_phone/jssdk/check", view_func=self.check, methods=["POST"])
        add("/_phone/<user>/device", view_func=self.device, methods=["GET", "POST"])

    # --- OAuth ---------------------------------------------------------------------------------------------------
    def go(self, user: str) -> Response:
        """Open `?url=` on this member's phone: remembers who holds it, then follows the link."""
        with self.core.lock:
            member = self._member(user)
        if member is None:
            return _page("这个成员不在企业里", 404)
        answer = redirect(request.args.get("url", "/"))
        answer.set_cookie("_user", member.userid, samesite="Lax")
        return answer  # type: ignore[return-value]

    def authorize(self) -> Response:
        """The redirect with a code, for the member holding the phone (`_user` in query or cookie)."""
        args = request.args
        with self.core.lock:
            member = self._member(args.get("_user") or request.cookies.get("_user") or "")
            if args.get("appid") != self.core.corp_id:
                return self._refuse("appid 不是这个企业")
            if args.get("response_type") != "code" or args.get("scope") not in LINKS:
                return self._refuse("response_type 或 scope 不对")
            target = urlsplit(args.get("redirect_uri", ""))
            trusted = self.core.switches["trusted_domains"]
            if not target.netloc or (trusted is not None and target.hostname not in trusted):
                return self._refuse("50001 redirect_uri 与可信域名不一致")
            if member is None:
                return _page("请在手机上打开:不知道是谁在打开这个页面", 401)
            agent = args.get("agentid")
            private = args.get("scope") == "snsapi_privateinfo"
            if private and not agent:
                return self._refuse("snsapi_privateinfo 需要 agentid")
            code = self.tokens.new_code(member.userid, agent_id=int(agent) if agent else None, private=private)
        query = [*parse_qsl(target.query, keep_blank_values=True), ("code", code), ("state", args.get("state", ""))]
        return redirect(urlunsplit(target._replace(query=urlencode(query))))  # type: ignore[return-value]

    def _refuse(self, why: str) -> Response:
        self.core.problem(f"oauth2/authorize: {why}")
        return _page(why, 200)

    def _member(self, user: str) -> Any:
        try:
            return self.directory.phone(user)
        except KeyError:
            return None

    # --- JS bridge -----------------------------------------------------------------------------------------------
    def script(self) -> Response:
        """The bridge for the member in `_user`; query values override the device's (accuracy, lat, lon, …)."""
        with self.core.lock:
            member = self._member(request.args.get("_user") or request.cookies.get("_user") or "")
        override = {name: request.args[name] for name in DEVICE if name in request.args}
        for name in ("lat", "lon", "accuracy"):
            if name in override:
                override[name] = float(override[name])  # type: ignore[assignment]
        phone = {"base": self.core.public_url, "user": member.userid if member else "", "override": override}
        head = f"window.__wecomPhone = {json.dumps(phone, ensure_ascii=False)};\n".replace("</", "<\\/")
        answer = Response(head + SCRIPT.read_text("utf-8"), content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def check(self) -> Response:
        """Is this wx.config / wx.agentConfig signed for this page?"""
        body = request.get_json(force=True)
        with self.core.lock:
            self.core.calls["jssdk/check"] += 1
            why = self._wrong(body)
            if why:
                self.core.problem(f"jssdk: {why}")
        answer = {"ok": not why, "errMsg": why or f"{body.get('kind')}:ok"}
        return Response(json.dumps(answer), content_type="application/json")

    def _wrong(self, body: dict[str, Any]) -> str:
        kind, url = str(body.get("kind")), str(body.get("url", ""))
        trusted = self.core.switches["trusted_domains"]
        if trusted is not None and urlsplit(url).hostname not in trusted:
            return "config:not match any reliable domain"
        if body.get("corpid") != self.core.corp_id:
            return "config:invalid corpid"
        agent = body.get("agentid")
        if kind == "agentConfig" and (not str(agent or "").isdigit() or int(str(agent)) not in self.tokens.by_agent):
            return "agentConfig:invalid agentid"
        good = self.tokens.signed_well(
            kind=kind,
            agent_id=int(str(agent)) if kind == "agentConfig" else None,
            nonce=str(body.get("nonceStr", "")),
            timestamp=str(body.get("timestamp", "")),
            url=url,
            sign=str(body.get("signature", "")),
        )
        return "" if good else f"{kind}:invalid signature (40093)"

    def device(self, user: str) -> Response:
        """What the phone's sensors say: GET reads, POST changes some of DEVICE's names."""
        with self.core.lock:
            member = self._member(user)
            if member is None:
                return Response(json.dumps({"reason": "没有这个成员"}), status=404, content_type="application/json")
            device = self.devices.setdefault(member.userid.lower(), dict(DEVICE))
            if request.method == "POST":
                wish = request.get_json(force=True)
                unknown = sorted(set(wish) - set(DEVICE))
                if unknown:
                    return Response(
                        json.dumps({"reason": f"unknown: {unknown}"}), status=400, content_type="application/json"
                    )
                device.update(wish)
            answer = dict(device)
        if answer["lat"] is not None and answer["lon"] is not None:
            lat, lon = wgs84_to_gcj02(float(answer["lat"]), float(answer["lon"]))
            answer["gcj02"] = {"lat": lat, "lon": lon}
        return Response(json.dumps(answer, ensure_ascii=False), content_type="application/json")


def _page(text: str, status: int) -> Response:
    body = f'<!doctype html><meta charset="utf-8"><title>企业微信</title><p>{text}</p>'
    return Response(body, status=status, content_type="text/html; charset=utf-8")
