"""Readings of detectors, from whatever feed: checked row by row, good rows kept, permits nearby judged at once.

Every feed (the API, Modbus, OPC UA, HJ 212) ends here, so that all of them obey the same rules on time, unit and status.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from handlers.permit import surroundings
from handlers.roll_call import triggers
from rules.geo import Point
from rules.permit import gas
from rules.text import storable
from storage.models import Detector
from storage.readings import NewReading
from storage.unit_of_work import UnitOfWork

MAX_ROWS = 5000
FUTURE = timedelta(minutes=2)  # clocks of gateway and server may differ by this much
HISTORY = timedelta(days=31)  # older than this is refused: a gateway that lost its clock, not a late delivery
STATUSES = ("ok", "fault", "calibrating", "offline", "suspect")
UNITS = {
    "%lel": "%LEL",
    "lel": "%LEL",
    "%vol": "%vol",
    "vol%": "%vol",
    "ppm": "ppm",
    "μmol/mol": "ppm",
    "umol/mol": "ppm",
    "mg/m3": "mg/m3",
    "mg/m³": "mg/m3",
    "m/s": "m/s",
    "级": "级",
}
ALERT_SHARE = 0.5  # of the strictest limit (0.2 % vol): below this a value changes no verdict by itself


@dataclass(frozen=True, slots=True)
class RowError:
    """Row `index` of the call (from 0) was left out; `why` says what to do, in Chinese."""

    index: int
    field: str
    why: str


@dataclass(slots=True)
class Taken:
    """What became of a call: `new` rows written, `known` repeats, `errors` left out, `touched` permits."""

    new: int = 0
    known: int = 0
    touched: int = 0
    errors: list[RowError] = field(default_factory=list)


Before = tuple[Any, Any, str]
"""What a detector said last before this call: time, value, status."""


class BadRow(ValueError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.field = name


def take(work: UnitOfWork, rows: Sequence[Any]) -> Taken:
    """Write the good rows `[{detector, kind, value, unit, status, at}]`; the caller commits.

    Repeats change nothing. A row is refused when its detector is unknown, its time is over 2 minutes ahead or without
    zone, its value is no finite number or its unit cannot be turned into the detector's. Late rows are kept as history.
    """
    codes = {code for row in rows if isinstance(row, Mapping) and storable(code := str(row.get("detector")))}
    detectors = work.readings.by_codes(codes)
    before = {d.id: (d.last_at, d.last_value, d.last_status) for d in detectors.values()}
    taken, good = Taken(), []
    for index, row in enumerate(rows):
        try:
            good.append(_checked(row, detectors, work.at))
        except BadRow as bad:
            taken.errors.append(RowError(index, bad.field, str(bad)))
    taken.new = work.readings.add(good, received_at=work.at)
    taken.known = len(good) - taken.new
    by_id = {d.id: d for d in detectors.values()}
    telling = {row.detector_id for row in good if _tells_something(row, by_id[row.detector_id], before, work.at)}
    fresh = [(by_id[row.detector_id], row.value) for row in _fresh(good, by_id, before, work.at)]
    danger = {d.id for d, value in fresh if value is not None and surroundings.is_danger(d, value)}
    for detector_id in sorted(telling):
        taken.touched += touch(work, by_id[detector_id], danger=detector_id in danger)
    triggers.for_readings(work, fresh)
    if taken.touched:
        work.wake.add("chat")
    return taken


def _fresh(
    rows: Sequence[NewReading], by_id: Mapping[int, Detector], before: Mapping[int, Before], at: datetime
) -> list[NewReading]:
    """The newest good row of each detector, as far as it still speaks of now: what is late only fills history."""
    newest: dict[int, NewReading] = {}
    for row in sorted(rows, key=lambda row: row.at):
        last_at = before[row.detector_id][0]
        late = last_at is not None and row.at < last_at
        if row.status == "ok" and not late and at - row.at <= timedelta(seconds=by_id[row.detector_id].max_age_s):
            newest[row.detector_id] = row
    return list(newest.values())


def touch(work: UnitOfWork, detector: Detector, *, danger: bool = False) -> int:
    """Permits in range of the detector are judged at once; a wind meter speaks for the whole plant."""
    if detector.kind == "wind":
        return work.permit_queue.touch_all(at=work.at)
    mounted = detector.lat is not None and detector.lon is not None
    point = Point(lat=detector.lat, lon=detector.lon) if mounted else None  # type: ignore[arg-type]
    return surroundings.touch(work, point, detector.area_id, danger=danger)


def _checked(row: Any, detectors: Mapping[str, Detector], now: datetime) -> NewReading:
    if not isinstance(row, Mapping):
        raise BadRow("", "每一行应是一个对象")
    detector = detectors.get(str(row.get("detector")))
    if detector is None:
        raise BadRow("detector", "台账里没有这个探测器,请先导入")
    kind = str(row.get("kind") or detector.kind)
    if kind != detector.kind:
        raise BadRow("kind", f"探测器 {detector.code} 测的是 {detector.kind},不是 {_shown(kind)}")
    at = _time(row.get("at"), now)
    status = str(row.get("status") or "ok").lower()
    if status not in STATUSES:
        raise BadRow("status", f"状态只能是 {'、'.join(STATUSES)}")
    value = row.get("value")
    if value is None:
        if status == "ok":
            raise BadRow("value", "没有数值,状态却是 ok")
        return NewReading(detector.id, kind, None, status, at)
    number = _number(value)
    return NewReading(detector.id, kind, _converted(number, row.get("unit"), detector), status, at)


def _time(given: Any, now: datetime) -> datetime:
    try:
        at = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        raise BadRow("at", "时间格式不对,应为 RFC 3339,如 2026-11-24T09:00:00+08:00") from None
    if at.tzinfo is None or at.utcoffset() is None:
        raise BadRow("at", "时间缺少时区")
    if at > now + FUTURE:
        raise BadRow("at", "时间晚于当前时间2分钟以上,请核对网关时钟")
    if at < now - HISTORY:
        raise BadRow("at", "时间早于31天,请核对网关时钟")
    return at


def _shown(given: str) -> str:
    """As it may stand in an answer."""
    return given[:24] if storable(given[:24]) else "…"


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRow("value", "数值应是数字")
    if not abs(value) <= sys.float_info.max:  # isfinite cannot be asked of an integer beyond every float
        raise BadRow("value", "数值无效(NaN 或无穷大)")
    return float(value)


def _converted(value: float, given: Any, detector: Detector) -> float:
    """The value in the detector's own unit."""
    if not isinstance(given, str) or not given.strip():
        raise BadRow("unit", f"缺少单位;探测器 {detector.code} 的单位是 {detector.unit}")
    unit = UNITS.get(given.strip().lower().replace(" ", ""))
    if unit is None:
        raise BadRow("unit", f"不认识单位 {_shown(given)}")
    if unit == detector.unit:
        return value
    try:
        found = _between(value, unit, detector)
        if not math.isfinite(found):
            raise BadRow("value", "数值无效(NaN 或无穷大)")
        return found
    except gas.BadReading as problem:
        raise BadRow("unit", f"{unit} 不能换算成 {detector.unit}:{problem}") from None


def _between(value: float, unit: str, detector: Detector) -> float:
    medium = gas.find_medium(detector.medium) if detector.medium else None
    wanted = detector.unit
    if detector.kind == "combustible" and wanted in ("%LEL", "%vol", "ppm"):
        lel = medium.lel_vol if medium else None
        vol = gas.to_vol(value, unit, lel_vol=lel)
        if wanted == "%vol":
            return vol
        if wanted == "ppm":
            return vol * 10_000
        if lel is None:
            raise gas.BadReading("没有介质的爆炸下限")
        return round(vol / lel * 100, 9)
    if wanted in ("ppm", "mg/m3") and unit in ("ppm", "mg/m3"):
        known = medium or gas.find_medium(detector.kind)
        if known is None or known.molar_mass is None:
            raise gas.BadReading("没有介质的摩尔质量")
        factor = known.molar_mass / gas.MOLAR_VOLUME_20C
        return value * factor if wanted == "mg/m3" else value / factor
    if {wanted, unit} == {"%vol", "ppm"}:
        return value * 10_000 if wanted == "ppm" else value / 10_000
    raise gas.BadReading("量不同")


def _tells_something(row: NewReading, detector: Detector, before: Mapping[int, Before], now: datetime) -> bool:
    """Whether a permit nearby could come out differently because of this row.

    What merely repeats a healthy low value is not judged: the clock does that when the value grows old (judge_at).
    """
    last_at, last_value, last_status = before[row.detector_id]
    if now - row.at > surroundings.LOOK_BACK:
        return False
    if row.status != "ok" or last_status not in ("", "ok"):
        return True
    if last_at is None or row.at - last_at > timedelta(seconds=detector.max_age_s):
        return True
    if detector.kind == "wind":
        return (row.value or 0) >= surroundings.WIND_TELLS_M_S or (last_value or 0) >= surroundings.WIND_TELLS_M_S
    if detector.kind != "combustible":
        bad_air = surroundings.is_bad_air  # nothing else is looked at: oxygen may move within its limits
        return bad_air(detector, row.value or 0.0) or (last_value is not None and bad_air(detector, last_value))
    return surroundings.vol(detector, row.value or 0.0) >= ALERT_SHARE * surroundings.STRICTEST_VOL
