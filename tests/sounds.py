"""Recordings for tests, made by a real encoder: tones, noise and silence as AMR-NB, the way WeCom sends voice."""

from __future__ import annotations

import io
import math
import random
from array import array

import av

RATE_HZ = 8000


def amr(seconds: float, *, kind: str = "tone", seed: int = 1) -> bytes:
    """An AMR-NB file at 12.2 kbit/s. `kind`: tone (differs by seed), noise, silence (digital zero)."""
    return _encode(_samples(seconds, kind, seed), "amr", "libopencore_amrnb", RATE_HZ, bit_rate=12200)


def wav(seconds: float, *, kind: str = "tone", seed: int = 1) -> bytes:
    return _encode(_samples(seconds, kind, seed), "wav", "pcm_s16le", RATE_HZ, bit_rate=None)


def _samples(seconds: float, kind: str, seed: int) -> array:
    count, chance = round(seconds * RATE_HZ), random.Random(seed)
    if kind == "silence":
        return array("h", [0]) * count
    if kind == "noise":
        return array("h", (chance.randrange(-12000, 12000) for _ in range(count)))
    step = 2 * math.pi * (200 + 37 * seed) / RATE_HZ
    return array("h", (round(9000 * math.sin(step * n)) for n in range(count)))


def _encode(samples: array, container: str, codec: str, rate: int, *, bit_rate: int | None) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        if bit_rate:
            stream.bit_rate = bit_rate
        for at in range(0, len(samples), 160):
            part = samples[at : at + 160]
            part.extend([0] * (160 - len(part)))
            frame = av.AudioFrame(format="s16", layout="mono", samples=160)
            frame.sample_rate, frame.pts = rate, at
            frame.planes[0].update(
                part.tobytes()[: frame.planes[0].buffer_size].ljust(frame.planes[0].buffer_size, b"\0")
            )
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)
    return out.getvalue()
