"""A plant's training system: certificates by REST, in pages with entity tags; switches under /_control.

`GET /api/certificates?page=N` with `Authorization: Bearer …` → {"total", "items", "next"}. `POST /_control` changes one
certificate ({"number", and any of valid_until, status, passed}), adds rows, drops one, or makes the next calls fail.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from typing import Any

from flask import Flask, Response, jsonify, request

PAGE = 5
FAULTS = ("http_500", "http_429", "not_json", "half", "redirect")


class TrainingEmulator:
    """`plant["certificates"]` is what it knows at first, `plant["training"]["token"]` who may ask."""

    def __init__(self, plant: dict[str, Any], *, public_url: str = "http://127.0.0.1:8001", page: int = PAGE) -> None:
        self.public_url, self.page = public_url.rstrip("/"), page
        self.token = str(plant["training"]["token"])
        self.rows: list[Any] = [{**row, "status": "valid"} for row in plant["certificates"]]
        self.faults: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.problems: list[str] = []
        self.lock = threading.Lock()
        self.app = Flask("emulators.training")
        self.app.json.ensure_ascii = False  # type: ignore[attr-defined]
        self.app.add_url_rule("/api/certificates", "certificates", self.certificates)
        self.app.add_url_rule("/_control", "control", self.control, methods=["GET", "POST"])
        self.app.add_url_rule("/_phone/problems", "problems", lambda: jsonify(self.problems))

    def certificates(self) -> Any:
        with self.lock:
            return self._page()

    def _page(self) -> Any:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.problems.append("a call without the token")
            return jsonify({"message": "unauthorized"}), 401
        if fault := next((name for name in FAULTS if self.faults[name] > 0), ""):
            self.faults[fault] -= 1
            return self._broken(fault)
        number = request.args.get("page", "1")
        if not number.isdigit() or int(number) < 1:
            return jsonify({"message": "no such page"}), 400
        at = (int(number) - 1) * self.page
        rows = self.rows[at : at + self.page]
        more = at + self.page < len(self.rows)
        body = {
            "total": len(self.rows),
            "items": rows,
            "next": f"{self.public_url}/api/certificates?page={int(number) + 1}" if more else None,
        }
        return self._answer(body)

    def _answer(self, body: Any) -> Response:
        text = json.dumps(body, ensure_ascii=False, sort_keys=True)
        tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            self.calls["unchanged"] += 1
            return Response(status=304, headers={"ETag": tag})
        self.calls["page"] += 1
        return Response(text, mimetype="application/json", headers={"ETag": tag})

    def _broken(self, fault: str) -> Response:
        self.calls[fault] += 1
        if fault == "half":  # says there are more than it gives
            return self._answer({"total": len(self.rows) + 1, "items": [], "next": None})
        if fault == "redirect":
            return Response(status=302, headers={"Location": "http://elsewhere.test/api"})
        status = {"http_500": 500, "http_429": 429}.get(fault, 200)
        return Response("<html>login</html>", status=status)

    # -- switches

    def control(self) -> Any:
        with self.lock:
            if request.method == "POST" and (problem := self._switch(request.get_json(force=True))):
                return jsonify({"reason": problem}), 400
            return jsonify({"certificates": self.rows, "calls": dict(self.calls), "faults": dict(self.faults)})

    def _switch(self, wish: dict[str, Any]) -> str:
        if "fault" in wish:
            if wish["fault"] not in FAULTS:
                return f"one of {', '.join(FAULTS)}"
            self.faults[wish["fault"]] += int(wish.get("times", 1))
        if "add" in wish:
            self.rows.append(wish["add"])
        if "drop" in wish:
            self.rows = [row for row in self.rows if row.get("number") != wish["drop"]]
        if "number" in wish:
            found = [row for row in self.rows if isinstance(row, dict) and row.get("number") == wish["number"]]
            if not found:
                return f"no certificate {wish['number']}"
            found[0].update({name: value for name, value in wish.items() if name != "number"})
        return ""
