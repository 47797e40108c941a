"""What a photo costs: CPU milliseconds of the picture pipeline, beside decoding alone in the same run."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from PIL import Image

from bench import scenes
from cards import images
from cards.images import hashes

ROUNDS = 9
PIPELINE_GOAL_MS = 150.0  # issue 2
RATIO_GOAL = 1.3  # issue 2: pipeline ÷ decoding with draft alone
# our own: a photo is prepared in the background, its reply must still come within the second
SHEET_GOAL_MS = 300.0
CODES_GOAL_MS = 300.0
HASH_GOAL_MS = 10.0
_STAMP = ("YH-20260305-0012 甲醇罐区 3号泵房", "2026-03-05 08:30 37.44167,118.50333 ±8m")


def run(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Rows {name, value, unit, goal, ok, n, note}; goal is an upper limit or None. All steps take turns in each round."""
    photo = scenes.photo_12mp()
    working = images.prepare(photo).working
    coded = _with_code(photo)
    small = Image.open(io.BytesIO(images.prepare(photo).thumbnail))
    small.load()
    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: _decode(photo),
        "pipeline": lambda: images.prepare(photo, stamp_lines=_STAMP),
        "sheet": lambda: _sheet([working]),
        "sheet3": lambda: _sheet([working] * 3),
        "codes": lambda: images.decode_codes(coded),
        "no_codes": lambda: images.decode_codes(photo),
        "hashes": lambda: hashes.of(small),
    }
    if not images.decode_codes(coded):
        raise RuntimeError("the photo with a code does not show it: the figure would be of something else")
    cpu = _cpu_ms(steps, rounds)
    ratio = median(p / d for p, d in zip(cpu["pipeline"], cpu["decode"], strict=True))
    note = f"4000×3000, {len(photo) / 2**20:.1f} MiB"
    return [
        _row("photo.decode_draft", median(cpu["decode"]), "ms CPU", None, rounds, f"{note}; Pillow draft to 1280 px"),
        _row("photo.pipeline", median(cpu["pipeline"]), "ms CPU", PIPELINE_GOAL_MS, rounds, "prepare with stamp"),
        _row("photo.pipeline_ratio", ratio, "× decode", RATIO_GOAL, rounds, "median of the rounds' ratios"),
        _row("photo.hashes", median(cpu["hashes"]), "ms CPU", HASH_GOAL_MS, rounds, "both, from the thumbnail"),
        _row("photo.codes_found", median(cpu["codes"]), "ms CPU", CODES_GOAL_MS, rounds, "a QR code in the photo"),
        _row("photo.codes_none", median(cpu["no_codes"]), "ms CPU", CODES_GOAL_MS, rounds, "none: both copies read"),
        _row("photo.side_by_side", median(cpu["sheet"]), "ms CPU", SHEET_GOAL_MS, rounds, "one pair"),
        _row("photo.side_by_side_3", median(cpu["sheet3"]), "ms CPU", SHEET_GOAL_MS, rounds, "three pairs"),
    ]


def _decode(photo: bytes) -> None:
    image = Image.open(io.BytesIO(photo), formats=["JPEG"])
    image.draft("RGB", (images.WORKING_SIDE, images.WORKING_SIDE))
    image.load()


def _sheet(photos: list[bytes]) -> bytes:
    at = datetime(2026, 3, 5, 0, 30, tzinfo=UTC)
    return images.side_by_side(
        photos,
        photos,
        number="YH-20260305-0012",
        place="甲醇罐区 3号泵房",
        before_at=at,
        after_at=at,
        description="泵出口法兰密封垫老化漏油," * 4,
        note="整改:李强",
    )


def _with_code(photo: bytes) -> bytes:
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    code = Image.open(io.BytesIO(images.qr_png("P-101A"))).convert("RGB").resize((500, 500))
    image.paste(code.rotate(11, expand=True, fillcolor="white"), (1700, 1200))
    return scenes.jpeg(image, quality=90)


def _cpu_ms(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():  # once unmeasured: fonts, tables, imports
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.process_time()
            step()
            times[name].append((time.process_time() - began) * 1000)
    return times


def _row(name: str, value: float, unit: str, goal: float | None, n: int, note: str) -> dict[str, Any]:
    ok = goal is None or value <= goal
    return {"name": name, "value": round(value, 2), "unit": unit, "goal": goal, "ok": ok, "n": n, "note": note}
