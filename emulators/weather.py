"""QWeather's real-time weather: `GET /v7/weather/now?location=lon,lat` with `X-QW-Api-Key`; `POST /_control` sets it.

`POST /_control` {"text": "小雨", "windScale": "5", "windSpeed": "32", "precip": "1.2", "vis": "8", "age_min": 10} changes
the weather, {"fault": "http_500" | "code_402" | "not_json", "times": 2} breaks the next calls.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request

PLACE = re.compile(r"-?\d{1,3}(\.\d{1,2})?,-?\d{1,2}(\.\d{1,2})?")  # two decimals at most
FINE = {"text": "晴", "windScale": "2", "windSpeed": "9", "precip": "0.0", "vis": "16", "temp": "12", "humidity": "40"}
FAULTS = ("http_500", "code_402", "not_json")


class WeatherEmulator:
    def __init__(self, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self.key, self.clock = key, clock
        self.weather: dict[str, Any] = dict(FINE)
        self.age_min = 10.0
        self.faults: Counter[str] = Counter()
        self.calls: list[str] = []
        self.problems: list[str] = []
        self.lock = threading.Lock()
        self.app = Flask("emulators.weather")
        self.app.json.ensure_ascii = False  # type: ignore[attr-defined]
        self.app.add_url_rule("/v7/weather/now", "now", self.now)
        self.app.add_url_rule("/_control", "control", self.control, methods=["POST"])

    def now(self) -> Any:
        """What the service would say, with the time of its observation some minutes back."""
        with self.lock:
            place = request.args.get("location", "")
            self.calls.append(place)
            if request.headers.get("X-QW-Api-Key") != self.key:
                return Response("", 401)
            if not PLACE.fullmatch(place):
                self.problems.append(f"location {place!r}")
                return Response("", 400)
            for fault in FAULTS:
                if self.faults[fault] > 0:
                    self.faults[fault] -= 1
                    return _broken(fault)
            at = datetime.fromtimestamp(self.clock(), UTC) - timedelta(minutes=self.age_min)
            seen = {"obsTime": at.isoformat(timespec="minutes"), **self.weather}
            return jsonify(
                {"code": "200", "updateTime": seen["obsTime"], "now": seen, "refer": {"sources": ["QWeather"]}}
            )

    def control(self) -> Any:
        told = request.get_json()
        with self.lock:
            if "fault" in told:
                self.faults[told["fault"]] += int(told.get("times", 1))
            self.age_min = float(told.get("age_min", self.age_min))
            self.weather |= {name: value for name, value in told.items() if name in FINE}
        return jsonify(self.weather)


def _broken(fault: str) -> Any:
    if fault == "http_500":
        return Response("", 500)
    return Response("<html>", 200) if fault == "not_json" else jsonify({"code": fault.removeprefix("code_")})
