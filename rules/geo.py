"""Places on the map: sane positions, areas, distances, and the Chinese map offset (GCJ-02).

All positions are WGS84 degrees unless a name says gcj02. Polygons are rings of [lon, lat] pairs, as in GeoJSON;
closing the ring by repeating the first corner is allowed and not needed.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Generic, TypeVar

from rules.terms import PlaceSource

ACCURACY_LIMIT_M = 15.0  # issue 2: the location page takes a fix of 15 m or better

# WGS84 ellipsoid
_SEMI_MAJOR_M = 6_378_137.0
_ECCENTRICITY_SQ = 0.006_694_379_990_14
_MEAN_RADIUS_M = 6_371_008.8
# The Krasovsky 1940 ellipsoid, on which the GCJ-02 offset is defined
_GCJ_SEMI_MAJOR_M = 6_378_245.0
_GCJ_ECCENTRICITY_SQ = 0.006_693_421_622_965_943
# GCJ-02 is only applied inside this box (the one map services use)
_CHINA = (73.66, 3.86, 135.05, 53.55)  # west, south, east, north

Ring = Sequence[Sequence[float]]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A WGS84 position in degrees. Keyword-only: latitude and longitude are swapped too easily."""

    lat: float
    lon: float


# ---- sanity ----------------------------------------------------------------------------------------------------------


def position_problem(lat: float | None, lon: float | None) -> str | None:
    """Why a position cannot be true, as a Chinese sentence; None when it may be."""
    if lat is None or lon is None:
        return "没有收到经纬度，请重新发送位置。"
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "经纬度不是有效数字，请重新发送位置。"
    if abs(lat) > 90 or abs(lon) > 180:
        return "经纬度超出范围，请重新发送位置。"
    if abs(lat) < 1e-6 and abs(lon) < 1e-6:
        return "定位为 0,0，手机没有取到位置，请到开阔处重试。"
    return None


class FixQuality(StrEnum):
    EXACT = "exact"
    APPROXIMATE = "approximate"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FixVerdict:
    """accepted: the position may be used; message_zh is empty when there is nothing to say."""

    quality: FixQuality
    accepted: bool
    message_zh: str


def judge_accuracy(accuracy_m: float | None, *, source: PlaceSource, limit_m: float = ACCURACY_LIMIT_M) -> FixVerdict:
    """Is a fix good enough? Accuracy is the radius in metres that the device claims.

    The location page (H5) can ask the device again, so a fix worse than the limit, or of unknown accuracy, is refused
    there. Every other source is kept and called approximate: better a rough place than none.
    """
    if source in (PlaceSource.EQUIPMENT, PlaceSource.AREA_CHOICE):
        return FixVerdict(FixQuality.EXACT, True, "")
    can_retry = source is PlaceSource.H5
    if accuracy_m is None or not math.isfinite(accuracy_m) or accuracy_m < 0:
        message = "手机没有给出定位精度，请重新定位。" if can_retry else "定位精度未知，位置仅供参考。"
        return FixVerdict(FixQuality.UNKNOWN, not can_retry, message)
    if accuracy_m <= limit_m:
        return FixVerdict(FixQuality.EXACT, True, "")
    if can_retry:
        text = f"定位误差约{accuracy_m:.0f}米，要求不超过{limit_m:.0f}米。请走到开阔处、打开WLAN后重新定位。"
        return FixVerdict(FixQuality.APPROXIMATE, False, text)
    return FixVerdict(FixQuality.APPROXIMATE, True, f"定位误差约{accuracy_m:.0f}米，位置仅供参考。")


# ---- distance --------------------------------------------------------------------------------------------------------


def _metres_per_degree(lat: float) -> tuple[float, float]:
    """(metres per degree of longitude, metres per degree of latitude) on WGS84 at this latitude."""
    sin_lat = math.sin(math.radians(lat))
    w = 1.0 - _ECCENTRICITY_SQ * sin_lat * sin_lat
    prime_vertical = _SEMI_MAJOR_M / math.sqrt(w)
    meridian = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQ) / (w * math.sqrt(w))
    degree = math.pi / 180.0
    return prime_vertical * math.cos(math.radians(lat)) * degree, meridian * degree


def _lon_step(a: float, b: float) -> float:
    """b − a the short way round, so that ±180° is one line."""
    return (b - a + 180.0) % 360.0 - 180.0


def distance_m(a: Point, b: Point) -> float:
    """Distance in metres: millimetre-true within a plant (local plane), 0.5 % beyond 20 km (sphere)."""
    per_lon, per_lat = _metres_per_degree((a.lat + b.lat) / 2)
    d = math.hypot(_lon_step(a.lon, b.lon) * per_lon, (b.lat - a.lat) * per_lat)
    if d < 20_000:
        return d
    half_lat = math.radians(b.lat - a.lat) / 2
    half_lon = math.radians(_lon_step(a.lon, b.lon)) / 2
    h = math.sin(half_lat) ** 2
    h += math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat)) * math.sin(half_lon) ** 2
    return 2 * _MEAN_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def metres_from(here: Point) -> Callable[[float, float], float]:
    """Distance in metres of (latitude, longitude) from here, as `distance_m` has it for places of one plant."""
    per_lon, per_lat = _metres_per_degree(here.lat)
    lat, lon, hypot = here.lat, here.lon, math.hypot
    return lambda there_lat, there_lon: hypot(_lon_step(lon, there_lon) * per_lon, (there_lat - lat) * per_lat)


def _edges(ring: Ring) -> Iterable[tuple[Sequence[float], Sequence[float]]]:
    return zip(ring, (*ring[1:], ring[0]), strict=True)


def polygon_problem(ring: Ring) -> str | None:
    """Why a ring is not an area, as a Chinese sentence; None when it is one."""
    if any(len(corner) < 2 or position_problem(corner[1], corner[0]) for corner in ring):
        return "区域边界里有无效的经纬度，格式是 [经度, 纬度]。"
    if len({(corner[0], corner[1]) for corner in ring}) < 3:
        return "区域边界至少要三个不同的点。"
    return None


def in_polygon(point: Point, ring: Ring) -> bool:
    """Inside or on the edge (within a millimetre). Even–odd rule, so a bow-tie's lobes both count."""
    if len(ring) < 3:
        return False
    inside = False
    for (x1, y1, *_), (x2, y2, *_) in _edges(ring):
        if (y1 > point.lat) != (y2 > point.lat):
            crossing = x1 + (point.lat - y1) / (y2 - y1) * (x2 - x1)
            if point.lon < crossing:
                inside = not inside
    return inside or distance_to_edge_m(point, ring) < 0.001


def distance_to_edge_m(point: Point, ring: Ring) -> float:
    """Metres from a point to the nearest edge of a ring, inside or out; infinity for an empty ring."""
    per_lon, per_lat = _metres_per_degree(point.lat)
    best = math.inf
    for (x1, y1, *_), (x2, y2, *_) in _edges(ring) if ring else ():
        ax, ay = _lon_step(point.lon, x1) * per_lon, (y1 - point.lat) * per_lat
        bx, by = _lon_step(point.lon, x2) * per_lon, (y2 - point.lat) * per_lat
        dx, dy = bx - ax, by - ay
        length_sq = dx * dx + dy * dy
        t = 0.0 if length_sq == 0 else max(0.0, min(1.0, -(ax * dx + ay * dy) / length_sq))
        best = min(best, math.hypot(ax + t * dx, ay + t * dy))
    return best


def distance_to_polygon_m(point: Point, ring: Ring) -> float:
    """Metres from a point to an area; 0 inside it or on its edge."""
    return 0.0 if in_polygon(point, ring) else distance_to_edge_m(point, ring)


# ---- GCJ-02 ----------------------------------------------------------------------------------------------------------


def _in_china(point: Point) -> bool:
    west, south, east, north = _CHINA
    return west <= point.lon <= east and south <= point.lat <= north


def _waves(value: float, *terms: tuple[float, float]) -> float:
    """Sum of amplitude × sin(frequency × π × value), scaled by 2/3 as the offset defines it."""
    return sum(amplitude * math.sin(frequency * math.pi * value) for amplitude, frequency in terms) * 2.0 / 3.0


def _gcj_offset(point: Point) -> tuple[float, float]:
    """(latitude, longitude) degrees that GCJ-02 adds at a WGS84 position."""
    x, y = point.lon - 105.0, point.lat - 35.0
    root = math.sqrt(abs(x))
    both = _waves(x, (20.0, 6.0), (20.0, 2.0))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += both + _waves(y, (20.0, 1.0), (40.0, 1 / 3)) + _waves(y, (160.0, 1 / 12), (320.0, 1 / 30))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += both + _waves(x, (20.0, 1.0), (40.0, 1 / 3)) + _waves(x, (150.0, 1 / 12), (300.0, 1 / 30))
    lat_rad = math.radians(point.lat)
    w = 1.0 - _GCJ_ECCENTRICITY_SQ * math.sin(lat_rad) ** 2
    meridian = _GCJ_SEMI_MAJOR_M * (1.0 - _GCJ_ECCENTRICITY_SQ) / (w * math.sqrt(w))
    parallel = _GCJ_SEMI_MAJOR_M / math.sqrt(w) * math.cos(lat_rad)
    return math.degrees(north / meridian), math.degrees(east / parallel)


def wgs84_to_gcj02(point: Point) -> Point:
    """The position as Chinese maps (WeCom and DingTalk location messages, Amap, Tencent) write it."""
    if not _in_china(point):
        return point
    dlat, dlon = _gcj_offset(point)
    return Point(lat=point.lat + dlat, lon=point.lon + dlon)


def gcj02_to_wgs84(point: Point) -> Point:
    """The true position behind a GCJ-02 one, to better than a centimetre inside China.

    The offset has no closed inverse; it changes slowly, so a few rounds of "guess, push, correct" settle it.
    """
    if not _in_china(point):
        return point
    guess = point
    for _ in range(6):
        dlat, dlon = _gcj_offset(guess)
        guess = Point(lat=point.lat - dlat, lon=point.lon - dlon)
    return guess


# ---- areas -----------------------------------------------------------------------------------------------------------


Box = tuple[float, float, float, float]  # west, south, east, north in degrees


class AreaIndex(Generic[Key]):
    """Which areas a point lies in. Boxes are tried first, so hundreds of areas cost microseconds."""

    def __init__(self, areas: Iterable[tuple[Key, Ring]]) -> None:
        """areas: (key, ring of [lon, lat]). Raises ValueError with the reason for a ring that is not an area."""
        found: list[tuple[Key, Ring, Box, float]] = []
        for key, ring in areas:
            if problem := polygon_problem(ring):
                raise ValueError(problem)
            lons, lats = [corner[0] for corner in ring], [corner[1] for corner in ring]
            box = (min(lons), min(lats), max(lons), max(lats))
            found.append((key, ring, box, _surface(ring)))
        found.sort(key=itemgetter(3))
        self._areas = [(key, ring, box, rank) for rank, (key, ring, box, _) in enumerate(found)]
        self._areas.sort(key=lambda area: area[2][0])  # from west to east; the rank says which is smaller
        self._lefts = [box[0] for _, _, box, _ in self._areas]
        self._widest = max((box[2] - box[0] for _, _, box, _ in self._areas), default=0.0)

    def __len__(self) -> int:
        return len(self._areas)

    def containing(self, point: Point) -> list[Key]:
        """Keys of the areas that hold the point, the smallest area first (a pump house inside a workshop)."""
        here = _around(point, 0.0)
        found = [
            (rank, key)
            for key, ring, box, rank in self._beside(here)
            if _overlap(here, box) and in_polygon(point, ring)
        ]
        return [key for _, key in sorted(found, key=itemgetter(0))]

    def near(
        self, point: Point, *, within_m: float, limit: int = 5, wanted: Callable[[Key], bool] = lambda key: True
    ) -> list[tuple[Key, float]]:
        """(key, metres) of areas no farther than within_m, nearest first, then smallest; 0 m means inside."""
        here = _around(point, within_m)
        found = [
            (d, rank, key)
            for key, ring, box, rank in self._beside(here)
            if _overlap(here, box) and wanted(key) and (d := distance_to_polygon_m(point, ring)) <= within_m
        ]
        return [(key, d) for d, _, key in sorted(found, key=itemgetter(0, 1))[:limit]]

    def _beside(self, here: Box) -> Sequence[tuple[Key, Ring, Box, int]]:
        """Areas that may reach into the box by where they lie from west to east."""
        return self._areas[bisect_left(self._lefts, here[0] - self._widest) : bisect_right(self._lefts, here[2])]


def _surface(ring: Ring) -> float:
    """Comparable size (square degrees), enough to order areas of one plant."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in _edges(ring))) / 2


def _around(point: Point, within_m: float) -> Box:
    """The box around the point that holds all that is no farther than that."""
    per_lon, per_lat = _metres_per_degree(min(abs(point.lat), 89.0))
    pad_lon, pad_lat = (within_m + 0.01) / per_lon * 1.01, (within_m + 0.01) / per_lat * 1.01
    return point.lon - pad_lon, point.lat - pad_lat, point.lon + pad_lon, point.lat + pad_lat


def _overlap(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
