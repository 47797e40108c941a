"""The demo's detectors. They report like a plant's gateway, through POST /api/v1/readings, as long as the demo runs.

./anshao run python -m tools.demo_gas GT-201 40      a leak: 40 %LEL for five minutes (--minutes N for longer)
./anshao run python -m tools.demo_gas GT-201 fault   the detector reports a fault; "off": it is silent
./anshao run python -m tools.demo_gas calm           every detector as usual again
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tools import stack

NAME = "demo-gas"
WISHES = "gas.json"
USUAL = {"%LEL": 1.0, "m/s": 2.4}
STEP = {"%LEL": 0.1, "m/s": 0.2}
PAST, EVERY = timedelta(minutes=185), timedelta(minutes=5)
SENDS_EVERY_S, LOOKS_EVERY_S = 15.0, 1.0
LASTS_MIN = 5.0
CALM = "calm"


def mounted(detectors: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What reports by itself: portable meters do not."""
    return [one for one in detectors if one["kind"] != "portable"]


def usual(detector: Mapping[str, Any], at: datetime) -> float:
    """A value that moves a little, as a living sensor's does: one that never moves counts as stuck."""
    unit = str(detector["unit"])
    return round(USUAL.get(unit, 0.0) + STEP.get(unit, 0.1) * (int(at.timestamp()) // 60 % 3), 3)


def history(detectors: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The last three hours at whole five minutes, so that a demo that starts again repeats what it sent."""
    newest = datetime.fromtimestamp(now.timestamp() // 300 * 300, UTC)
    times = [newest - n * EVERY for n in range(int(PAST / EVERY), -1, -1)]
    return [row(one, at, {}) for at in times for one in mounted(detectors)]


def row(detector: Mapping[str, Any], at: datetime, wish: Mapping[str, Any]) -> dict[str, Any]:
    value = wish.get("value", usual(detector, at))
    status = wish.get("status", "ok")
    told = {"detector": detector["code"], "unit": detector["unit"], "status": status, "at": at.isoformat()}
    return {**told, "value": None if status == "fault" else value}


def now_rows(
    detectors: Iterable[Mapping[str, Any]], now: datetime, wishes: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What every detector says at this moment."""
    live = {code: wish for code, wish in wishes.items() if wish["until"] > now.timestamp()}
    return [row(d, now, live.get(d["code"], {})) for d in mounted(detectors) if not live.get(d["code"], {}).get("off")]


def wishes_in(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, dict[str, Any]] = json.loads((folder / WISHES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


class Gateway(threading.Thread):
    """Sends until `stop` is set. `post` sends one call; what it raises is written down and tried again at the next."""

    def __init__(
        self,
        folder: Path,
        detectors: Iterable[Mapping[str, Any]],
        post: Callable[[list[dict[str, Any]]], None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(name=NAME, daemon=True)
        self.folder, self.detectors, self.post, self.clock = folder, list(detectors), post, clock
        self.stop = threading.Event()

    def run(self) -> None:
        past_sent, sent_at, wishes = False, -math.inf, wishes_in(self.folder)
        while not self.stop.is_set():
            now, wished = self.clock(), wishes_in(self.folder)
            if wished != wishes or now.timestamp() - sent_at >= SENDS_EVERY_S:
                rows = now_rows(self.detectors, now, wished)
                past_sent = self._send(rows if past_sent else [*history(self.detectors, now), *rows]) or past_sent
                wishes, sent_at = wished, now.timestamp()
            self.stop.wait(LOOKS_EVERY_S)

    def _send(self, rows: list[dict[str, Any]]) -> bool:
        try:
            self.post(rows)
        except (requests.RequestException, OSError) as error:
            with (self.folder / "logs" / "gas.log").open("a", encoding="utf-8") as log:
                log.write(f"{self.clock().isoformat()} {type(error).__name__}: {error}\n")
            return False
        return True


def start(running: stack.Stack) -> Gateway:
    """The gateway of a running demo; it asks for its token itself, so that nobody waits for it."""
    client, token = stack.http(), ""

    def post(rows: list[dict[str, Any]]) -> None:
        nonlocal token
        token = token or _token(running)
        answer = client.post(
            f"{running.app_url}/api/v1/readings", json=rows, headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        answer.raise_for_status()

    (running.folder / WISHES).unlink(missing_ok=True)
    gateway = Gateway(running.folder, running.plant["detectors"], post)
    gateway.start()
    return gateway


def _token(running: stack.Stack) -> str:
    """A token of this run; the one of the last run is revoked."""
    secret = "demo-" + secrets.token_urlsafe(32)
    with stack.Console(running) as console, console.services.new_work() as work:
        old = work.people.token_named(NAME)
        if old is not None:
            old.revoked_at = work.at
            work.flush()
        work.people.add_token(NAME, hashlib.sha256(secret.encode()).hexdigest(), at=work.at).scopes = "read write"
        work.commit()
    return secret


# -- the command


def wish(folder: Path, detector: str, value: str, minutes: float, *, now: datetime) -> str:
    """Write down what a detector is to say; returns what happens now. Raises ValueError with what is wrong."""
    if not (folder / "plant.json").exists():
        raise ValueError("the demo does not run: start ./anshao demo first\n演示没有运行,请先 ./anshao demo")
    known = {
        d["code"]: d for d in mounted(json.loads((folder / "plant.json").read_text(encoding="utf-8"))["detectors"])
    }
    code = detector.upper()
    if detector == CALM:
        _write(folder, {})
        return "all detectors as usual 全部探测器恢复正常"
    if code not in known:
        raise ValueError(f"no detector {detector}; there are 没有这个探测器,有:{' '.join(known)}")
    told: dict[str, Any] = {"until": (now + timedelta(minutes=minutes)).timestamp()}
    if value in ("fault", "off"):
        told |= {"off": True} if value == "off" else {"status": "fault"}
    else:
        number = _number(value)
        if number is None:
            raise ValueError(f"{value}: a number, fault or off is wanted 请给数值、fault 或 off")
        told["value"] = number
    _write(folder, {**wishes_in(folder), code: told})
    unit = known[code]["unit"] if "value" in told else ""
    return f"{code} {value} {unit}: {minutes:g} min, then as usual {minutes:g} 分钟后恢复"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _write(folder: Path, wishes: Mapping[str, Any]) -> None:
    temporary = folder / f".{WISHES}.{os.getpid()}"
    temporary.write_text(json.dumps(wishes), encoding="utf-8")
    temporary.replace(folder / WISHES)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./anshao run python -m tools.demo_gas", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("detector", help="GT-201 …, or calm")
    parser.add_argument("value", nargs="?", default="", help="a number in its own unit, fault or off")
    parser.add_argument("--minutes", type=float, default=LASTS_MIN)
    asked = parser.parse_args()
    folder = Path(os.environ.get("ANSHAO_DATA_DIR", "") or "nowhere")
    try:
        print(wish(folder, asked.detector, asked.value, asked.minutes, now=datetime.now(UTC)))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
