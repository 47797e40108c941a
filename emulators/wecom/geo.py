"""WGS84 to GCJ-02, the shifted grid that Chinese clients report in. Good to about a metre."""

from __future__ import annotations

import math

A = 6378245.0
EE = 0.00669342162296594323


def wgs84_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """(lat, lon) on the shifted grid; outside mainland China unchanged."""
    if not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    phi = math.radians(lat)
    magic = 1 - EE * math.sin(phi) ** 2
    d_lat = math.degrees(_north(x, y) / ((A * (1 - EE)) / (magic * math.sqrt(magic))))
    d_lon = math.degrees(_east(x, y) / (A / math.sqrt(magic) * math.cos(phi)))
    return lat + d_lat, lon + d_lon


def _wave(value: float) -> float:
    return (20 * math.sin(6 * value * math.pi) + 20 * math.sin(2 * value * math.pi)) * 2 / 3


def _north(x: float, y: float) -> float:
    total = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + _wave(x)
    total += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    return total + (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3


def _east(x: float, y: float) -> float:
    total = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + _wave(x)
    total += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    return total + (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
