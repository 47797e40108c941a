"""A plant with many people, and the reports they send: each names equipment of its own, so no two are the same hazard."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from time import time
from typing import Any

import requests
from PIL import Image

AREAS = 40
REPORTERS = 60
FIRST_CODE = 1000
SIZE = (1280, 960)
TIMEOUT_S = 30.0


def enlarge(plant: dict[str, Any], *, equipment: int) -> None:
    """Add areas with a team leader each, reporters on both platforms, and equipment that reports can name."""
    shape = plant["areas"][0]["polygon"]
    for n in range(AREAS):
        moved = [[round(lon + 0.01 * (n + 1), 7), lat] for lon, lat in shape]
        plant["areas"].append(
            {
                "code": f"QY{n:02d}", "name": f"试验{n:02d}区", "kind": "process_unit", "workshop": f"试验{n:02d}车间",
                "medium": [], "ignition": [], "zone": "none", "polygon": moved,
            }
        )  # fmt: skip
        plant["people"].append(_person(f"leader{n:02d}", f"班长{n:02d}", n, role="team_leader", area=f"QY{n:02d}"))
    for n in range(REPORTERS):
        plant["people"].append(_person(f"crowd{n:03d}", f"工人{n:03d}", n + AREAS, role="worker", area=None))
    for n in range(equipment):
        lon, lat = plant["areas"][-AREAS + n % AREAS]["polygon"][0]
        plant["equipment"].append(
            {
                "code": code_of(n), "name": f"{n}号照明配电箱", "kind": "instrument", "area": f"QY{n % AREAS:02d}",
                "medium": None, "lat": lat, "lon": lon, "state": "running", "ignition": False,
            }
        )  # fmt: skip


def _person(key: str, name: str, number: int, *, role: str, area: str | None) -> dict[str, Any]:
    on_wecom = number % 2 == 0
    return {
        "id": key, "name": name, "mobile": f"139{number:08d}", "title": "操作工", "role": role,
        "roles": [{"role": role, "area": area}], "areas": [area] if area else [], "department": "试验车间",
        "team": "试验班", "wecom": f"W{key}" if on_wecom else None, "dingtalk": None if on_wecom else f"d{key}",
        "unionid": f"union-{key}", "certificates": [],
    }  # fmt: skip


def code_of(number: int) -> str:
    return f"LX-{FIRST_CODE + number}"


@dataclass(frozen=True, slots=True)
class Report:
    """One report somebody sent. `code` occurs in its words and in no other report."""

    code: str
    platform: str
    user: str
    red: bool
    at: float


class Crowd:
    """Sends reports from the phones of the reporters, in turn."""

    def __init__(self, phones_url: str, plant: dict[str, Any]) -> None:
        self.url = phones_url
        self.people = [p for p in plant["people"] if p["id"].startswith("crowd")]
        self.sent: list[Report] = []
        self._numbers: Iterator[int] = count()
        self.http = requests.Session()
        self.http.trust_env = False

    def report(self, *, platform: str = "", red: bool = False, photo: bool = True) -> Report:
        """One report: a picture and words on DingTalk in one message, on WeCom in two; a red one is words only."""
        number = next(self._numbers)
        able = [p for p in self.people if not platform or p[platform]]
        person = able[number % len(able)]
        chosen = platform or ("wecom" if person["wecom"] else "dingtalk")
        code = code_of(number)
        words = f"{code} 着火了" if red else f"{code} 照明不足,灯坏一片"
        sent = Report(code, chosen, person[chosen], red, time())
        phone = f"{self.url}/{chosen}/_phone/{person[chosen]}"
        self.sent.append(sent)
        if red or not photo:
            self._post(f"{phone}/say", json={"text": words})
        elif chosen == "dingtalk":
            self._post(f"{phone}/photo", files=_file(number), data={"caption": words})
        else:
            self._post(f"{phone}/photo", files=_file(number))
            self._post(f"{phone}/say", json={"text": words})
        return sent

    def _post(self, url: str, **body: Any) -> None:
        self.http.post(url, timeout=TIMEOUT_S, **body).raise_for_status()


def _file(number: int) -> dict[str, Any]:
    return {"file": ("photo.jpg", photo(number), "image/jpeg")}


def photo(number: int) -> bytes:
    """A picture of 1280 × 960 that looks like no other number's: large patches, so that its hash is its own, and grain."""
    seeded = random.Random(number)
    patches = Image.new("RGB", (12, 9))
    patches.putdata([tuple(seeded.randbytes(3)) for _ in range(12 * 9)])
    out = io.BytesIO()
    Image.blend(patches.resize(SIZE, Image.Resampling.BICUBIC), _grain(), 0.15).save(out, "JPEG", quality=80)
    return out.getvalue()


@cache
def _grain() -> Image.Image:
    return Image.effect_noise(SIZE, 40).convert("RGB")
