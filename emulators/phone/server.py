"""What the phones' page needs from a server: the page itself, what it is about, one feed for all phones, photos."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask, Response, jsonify, redirect, request, send_from_directory

from .bridge import bridge_routes
from .inside import Inside, Wsgi
from .photos import PHOTOS, photo_jpeg

PLATFORMS = ("wecom", "dingtalk")
STORY = ("wecom:ZhangWei", "dingtalk:user003", "dingtalk:user001", "dingtalk:user002", "wecom:ZhaoJianGuo")
LOG_LINES = 80
THUMBNAIL = 240  # as the page asks for them
# Pages of the product are framed and pictures come from anywhere; scripts and styles only from here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src * data: blob:; "
    "media-src * blob:; connect-src 'self'; frame-src *; base-uri 'none'; form-action 'none'"
)


def phone_app(
    plant: dict[str, Any],
    apps: Mapping[str, Wsgi],
    *,
    base: str,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The page at `/` and its helpers under `/phone/`.

    `plant` is the emulators' plant, `apps` maps "/wecom", "/dingtalk" and "/sms" to their WSGI apps, `base` is the
    address browsers reach this server at.
    """
    app = Flask(__name__, static_folder="static", static_url_path="/phone/static")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    inside, boot = Inside(apps), secrets.token_hex(6)
    ahead = threading.Thread(target=_draw_all, name="demo-photos", daemon=True)

    def setup() -> Response:
        """Somebody is looking: the ready-made photos will soon be wanted."""
        with suppress(RuntimeError):  # a thread starts only once
            ahead.start()
        return jsonify(_setup(plant, inside, boot=boot, base=base))

    add = app.add_url_rule
    add("/", "page", lambda: send_from_directory(str(app.static_folder), "index.html"))
    add("/favicon.ico", "icon", lambda: redirect("/phone/static/icon.svg"))
    add("/phone/setup", "setup", setup)
    add("/phone/feed", "feed", lambda: _feed(inside, boot=boot, now=clock()), methods=["POST"])
    add("/phone/board", "board", lambda: jsonify(_board(inside)))
    add("/phone/photos/<name>.jpg", "photo", lambda name: _photo(name, clock()))
    app.register_blueprint(bridge_routes(inside))
    app.after_request(_headers)
    return app


def _headers(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.headers["Content-Security-Policy"] = POLICY
    if request.endpoint in ("page", "static"):
        answer.headers["Cache-Control"] = "no-cache"
    return answer


def _draw_all() -> None:
    for photo in PHOTOS:
        photo_jpeg(photo.name, width=THUMBNAIL)


# --- what there is -----------------------------------------------------------------------------------------------
def _setup(plant: dict[str, Any], inside: Inside, *, boot: str, base: str) -> dict[str, Any]:
    people = _people(plant, inside)
    known = {row["key"] for row in people}
    wished = [key for key in STORY if key in known] or [row["key"] for row in people[:4]]
    equipment = [
        {name: row.get(name) for name in ("code", "name", "kind", "area", "lat", "lon")}
        for row in plant.get("equipment", [])
    ]
    areas = [{name: row.get(name) for name in ("code", "name", "kind", "polygon")} for row in plant.get("areas", [])]
    return {
        "boot": boot, "base": base.rstrip("/"), "plant": plant.get("name", "演示工厂"), "people": people,
        "groups": _groups(inside), "areas": areas, "equipment": equipment, "default": wished,
        "photos": [{"name": p.name, "title": p.title, "words": p.words, "fixed": p.fixed} for p in PHOTOS],
        "sms": inside.has("sms"),
    }  # fmt: skip


def _people(plant: dict[str, Any], inside: Inside) -> list[dict[str, Any]]:
    """Every account of both platforms; `at` is the middle of the person's first area."""
    middles = {row["code"]: _middle(row["polygon"]) for row in plant.get("areas", []) if row.get("polygon")}
    rows = []
    for platform in PLATFORMS:
        accounts = {p[platform].lower(): p for p in plant["people"] if p.get(platform)}
        for row in inside.get(platform, "people") or []:
            person = accounts.get(row["user"].lower(), {})
            at = next((middles[code] for code in person.get("areas", []) if code in middles), None)
            rows.append(
                {
                    "key": f"{platform}:{row['user']}",
                    "platform": platform,
                    "user": row["user"],
                    "name": row["name"],
                    "title": row["title"],
                    "person": person.get("id", ""),
                    "department": person.get("department", ""),
                    "mobile": person.get("mobile", ""),
                    "at": at or next(iter(middles.values()), None),
                }
            )
    return rows


def _middle(polygon: list[list[float]]) -> dict[str, float]:
    """Middle of the corners' bounding box, from [lon, lat] corners."""
    lons, lats = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    return {"lat": round((min(lats) + max(lats)) / 2, 6), "lon": round((min(lons) + max(lons)) / 2, 6)}


def _groups(inside: Inside) -> list[dict[str, Any]]:
    return [{"platform": p, **row} for p in PLATFORMS for row in inside.get(p, "groups") or []]


# --- what happens ------------------------------------------------------------------------------------------------
def _feed(inside: Inside, *, boot: str, now: float) -> Any:
    """`{"phones": {"wecom:ZhangWei": {"after": n, "sms": n}}}` → what is new on each of them, in one answer."""
    body = request.get_json(force=True, silent=True)
    wished = body.get("phones") if isinstance(body, dict) else None
    if not isinstance(wished, dict):
        return jsonify(reason="phones is missing"), 400
    phones: dict[str, Any] = {}
    for key, seen in wished.items():
        platform, _, user = str(key).partition(":")
        screen = (
            inside.get(platform, f"{user}/screen", after=int(seen.get("after", 0))) if platform in PLATFORMS else None
        )
        if not screen:
            phones[key] = {"gone": True}
            continue
        texts = inside.get("sms", f"{user}/screen", after=int(seen.get("sms", 0))) or {"seq": 0, "items": []}
        phones[key] = {"seq": screen["seq"], "items": screen["items"], "sms_seq": texts["seq"], "sms": texts["items"]}
    menu = inside.get("wecom", "menu") or {}
    return jsonify(boot=boot, now=now, phones=phones, menu=menu.get("button", []))


def _board(inside: Inside) -> dict[str, Any]:
    """Switches, counters, problems and the log of every emulator, in one form."""
    wecom, dingtalk, sms = (inside.get(name, "faults") or {} for name in (*PLATFORMS, "sms"))
    ding_calls = inside.get("dingtalk", "calls") or {"calls": {}, "month": {}}
    lines = [{"platform": "wecom", **row} for row in inside.get("wecom", "log", last=LOG_LINES) or []]
    lines += [
        {"platform": "dingtalk", "what": row["event"], **{k: v for k, v in row.items() if k != "event"}}
        for row in inside.get("dingtalk", "log", limit=LOG_LINES) or []
    ]
    lines.sort(key=lambda row: row["at"])
    ding_active = {row["name"]: row for row in dingtalk.get("active", [])}
    return {
        "wecom": {
            "known": wecom.get("available", {}), "active": wecom.get("faults", {}),
            "calls": inside.get("wecom", "calls") or {}, "problems": inside.get("wecom", "problems") or [],
        },
        "dingtalk": {
            "known": dingtalk.get("known", {}), "active": ding_active, "calls": ding_calls["calls"],
            "month": ding_calls["month"], "problems": inside.get("dingtalk", "problems") or [],
        },
        "sms": {
            "known": dict.fromkeys(sms.get("available", []), ""), "active": sms.get("faults", {}),
            "calls": inside.get("sms", "calls") or {}, "problems": inside.get("sms", "problems") or [],
        },
        "log": lines[-LOG_LINES:],
    }  # fmt: skip


def _photo(name: str, now: float) -> Any:
    """`take` (a number), `original=1` (with the time in its EXIF), `lat` and `lon` (the place too), `width`."""
    args = request.args
    try:
        place = (float(args["lat"]), float(args["lon"])) if "lat" in args and "lon" in args else None
        at = now if args.get("original") else None
        data = photo_jpeg(name, take=int(args.get("take", 1)), at=at, place=place, width=int(args.get("width", 960)))
    except KeyError:
        return jsonify(reason="没有这张照片"), 404
    except ValueError:
        return jsonify(reason="take、lat、lon、width 是数字"), 400
    answer = Response(data, content_type="image/jpeg")
    answer.headers["Cache-Control"] = "no-store" if at else "max-age=3600"
    return answer
