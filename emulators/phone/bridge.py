"""DingTalk's side of pages opened on a phone: who holds it, its sensors, and the stand-in for the JSAPI script.

WeCom's emulator has its own (`/wecom/_phone/jssdk.js`); this is the same for DingTalk: `/phone/dd.js`.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request

from ..wecom.geo import wgs84_to_gcj02
from .inside import Inside

SCRIPT = Path(__file__).with_name("static") / "dd.js"
COOKIE = "_dd_user"
DEVICE: dict[str, Any] = {
    "lat": None,
    "lon": None,
    "accuracy": 8.0,
    "permission": "granted",
    "gps": "on",
    "scan_result": "",
}


def bridge_routes(inside: Inside) -> Blueprint:
    """The routes; the devices' settings live as long as the blueprint."""
    pages = Blueprint("dd_bridge", __name__)
    devices: dict[str, dict[str, Any]] = {}
    lock = threading.Lock()

    @pages.get("/phone/dd/<user>/go")
    def go(user: str) -> Any:
        """Open `?url=` on this person's phone."""
        answer = redirect(request.args.get("url", "/"))
        answer.set_cookie(COOKIE, user, samesite="Lax")
        return answer

    @pages.get("/phone/dd.js")
    def script() -> Response:
        user = request.args.get("_user") or request.cookies.get(COOKIE) or ""
        phone = {"base": request.host_url.rstrip("/"), "user": user}
        head = f"window.__ddPhone = {json.dumps(phone)};\n".replace("</", "<\\/")
        answer = Response(head + SCRIPT.read_text("utf-8"), content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/phone/dd/<user>/code")
    def code(user: str) -> Any:
        """The single-use code of dd.requestAuthCode."""
        found = inside.post("dingtalk", f"{user}/auth_code", {})
        return jsonify(found) if found else (jsonify(reason="没有这个成员"), 404)

    @pages.post("/phone/dd/<user>/check")
    def check(user: str) -> Any:
        """Is this dd.config signed for the page that asks?"""
        found = inside.post("dingtalk", "jsapi/check", request.get_json(force=True, silent=True) or {})
        return jsonify(found or {"ok": False, "errorCode": "52013", "errorMessage": "签名校验失败"})

    @pages.route("/phone/dd/<user>/device", methods=["GET", "POST"])
    def device(user: str) -> Any:
        """What the phone's sensors say (lat/lon in WGS84, accuracy in metres); POST changes some of DEVICE's names."""
        wish = (request.get_json(force=True, silent=True) or {}) if request.method == "POST" else {}
        if set(wish) - set(DEVICE):
            return jsonify(reason=f"unknown: {sorted(set(wish) - set(DEVICE))}"), 400
        with lock:
            state = devices.setdefault(user, dict(DEVICE))
            state.update(wish)
            answer = dict(state)
        if answer["lat"] is not None and answer["lon"] is not None:
            lat, lon = wgs84_to_gcj02(float(answer["lat"]), float(answer["lon"]))
            answer["gcj02"] = {"lat": lat, "lon": lon}
        return jsonify(answer)

    @pages.after_request
    def open_to_pages(answer: Response) -> Response:
        """The product's pages live on another origin and call these from the bridge."""
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return answer

    return pages
