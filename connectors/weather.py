"""Weather of the plant's place from QWeather (和风天气): `GET /v7/weather/now`, with the account's own host and key.

Source: dev.qweather.com, «实时天气» and «API 配置» (read November 2026). Figures come as text; the observation is 5 to 20
minutes old when it arrives, so its own `obsTime` counts. What is missing or cannot be read stays unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from connectors.errors import OutsideError
from rules.permit.wind import beaufort

SYSTEM = "weather"
PATH = "/v7/weather/now"
TIMEOUT_S = (3.05, 8)
RAINSTORM_MM_H = 16.0  # 暴雨 by the hour; the service's own word counts too
FOG_KM = 1.0  # 大雾 is fog below one kilometre (GB/T 27964)


@dataclass(frozen=True, slots=True)
class WeatherAccount:
    api_base: str
    key: str


@dataclass(frozen=True, slots=True)
class Observation:
    """Weather at `at`. `wind_force` by GB/T 28591; None where the service does not say."""

    at: datetime
    words: str
    wind_force: int | None
    raining_or_snowing: bool | None
    rainstorm: bool | None
    heavy_snow: bool | None
    dense_fog: bool | None

    def facts(self) -> dict[str, Any]:
        """By the names of the rule table; unknown ones left out."""
        names = ("wind_force", "raining_or_snowing", "rainstorm", "heavy_snow", "dense_fog")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class QWeather:
    """`http`: a session with a bound on the answer."""

    def __init__(self, account: WeatherAccount, http: requests.Session) -> None:
        self.account, self.http = account, http

    def now(self, *, lon: float, lat: float) -> Observation:
        """The weather at a place in WGS84 degrees. Raises OutsideError."""
        try:
            answer = self.http.get(
                self.account.api_base.rstrip("/") + PATH,
                params={"location": f"{lon:.2f},{lat:.2f}", "lang": "zh", "unit": "m"},
                headers={"X-QW-Api-Key": self.account.key},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise OutsideError(SYSTEM, type(error).__name__, permanent=False) from error
        if answer.status_code != 200:
            refused = answer.status_code in (400, 401, 403, 404)
            raise OutsideError(SYSTEM, f"http_{answer.status_code}", permanent=refused)
        try:
            body = answer.json()
        except ValueError as error:
            raise OutsideError(SYSTEM, "not_json", permanent=False) from error
        if not isinstance(body, dict) or str(body.get("code")) != "200":
            code = str(body.get("code", "?"))[:8] if isinstance(body, dict) else "?"
            raise OutsideError(SYSTEM, f"code_{code}", permanent=code in ("401", "402", "403"))
        return observation(body.get("now"))


def observation(now: Any) -> Observation:
    """The answer's `now` as facts. Raises OutsideError when it has no time."""
    found = now if isinstance(now, dict) else {}
    at = _moment(found.get("obsTime"))
    if at is None:
        raise OutsideError(SYSTEM, "no_time", permanent=False)
    words = str(found.get("text") or "")[:32]
    rain_mm = _number(found.get("precip"))
    return Observation(
        at=at,
        words=words,
        wind_force=_wind(found),
        raining_or_snowing=_either("雨" in words or "雪" in words or "雹" in words, words, rain_mm, 0.0),
        rainstorm=_either("暴雨" in words, words, rain_mm, RAINSTORM_MM_H, reached=True),
        heavy_snow=("大雪" in words or "暴雪" in words) if words else None,
        dense_fog=_fog(words, _number(found.get("vis"))),
    )


def _moment(given: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _number(given: Any) -> float | None:
    try:
        value = float(given)
    except (TypeError, ValueError):
        return None
    return value if value == value and abs(value) != float("inf") else None


def _wind(found: dict[str, Any]) -> int | None:
    """The higher of the force that is told and that of the speed (km/h)."""
    scale = [int(part) for part in re.findall(r"\d+", str(found.get("windScale") or ""))]
    speed = _number(found.get("windSpeed"))
    forces = [*scale, *([beaufort(speed / 3.6)] if speed is not None and speed >= 0 else [])]
    return max(forces, default=None)


def _either(by_words: bool, words: str, amount: float | None, limit: float, *, reached: bool = False) -> bool | None:
    """True when words or amount say so; False needs the words, the amount alone cannot rule it out."""
    if by_words or (amount is not None and (amount >= limit if reached else amount > limit)):
        return True
    return False if words else None


def _fog(words: str, visible_km: float | None) -> bool | None:
    if not words:
        return None
    if "浓雾" in words or "大雾" in words:
        return True
    return "雾" in words and visible_km is not None and visible_km < FOG_KM
