"""What the data of a packet mean: which factor is which detector, which value counts, what a data flag says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.readings.hj212.frame import Packet
from connectors.readings.points import Scale, worst
from connectors.readings.source import Sample, Status

REALTIME, MINUTE = "2011", "2051"
# the field that is taken, first choice first: of a minute its highest value, because an average hides a peak
FIELDS = {REALTIME: ("Rtd",), MINUTE: ("Max", "Avg")}
# data flags, HJ 212-2017 table 8: T (over the range) is a true high value, the others are no valid data
OVER_RANGE = "T"
FLAGS = {
    "N": Status.OK,
    OVER_RANGE: Status.OK,
    "F": Status.OFFLINE,
    "B": Status.OFFLINE,
    "D": Status.FAULT,
    "M": Status.CALIBRATING,
    "C": Status.CALIBRATING,
    "S": Status.SUSPECT,
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of one logger: its code (a24088) is this detector."""

    code: str
    detector: str
    kind: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class Device:
    mn: str
    password: str
    factors: Mapping[str, Factor]
    zone: ZoneInfo
    modbus_crc: bool = False


class NoTime(ValueError):
    """The packet has no DataTime that can be read."""


def data_time(text: str, zone: ZoneInfo) -> datetime:
    """`YYYYMMDDhhmmss` in the logger's zone. Raises NoTime."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError as error:
        raise NoTime(text[:14]) from error


def samples(packet: Packet, device: Device, *, at: datetime) -> tuple[list[Sample], int]:
    """(samples of the factors the file names, number of others). `at`: the packet's DataTime."""
    found, unknown = [], 0
    for group in packet.groups:
        for code in dict.fromkeys(key.partition("-")[0] for key in group if "-" in key):
            factor = device.factors.get(code)
            if factor is None:
                unknown += 1
                continue
            found.append(_sample(factor, group, FIELDS[packet.cn], at))
    return found, unknown


def _sample(factor: Factor, group: Mapping[str, str], fields: Sequence[str], at: datetime) -> Sample:
    text = next((group[f"{factor.code}-{name}"] for name in fields if f"{factor.code}-{name}" in group), "")
    flag = group.get(f"{factor.code}-Flag", "N").upper()
    said = FLAGS.get(flag, Status.SUSPECT)
    try:
        raw = float(text)
    except ValueError:
        raw = math.nan
    value, sound = (factor.scale.read_capped if flag == OVER_RANGE else factor.scale.read)(raw)
    status = said if said is not Status.OK else sound
    return Sample(factor.detector, value, factor.scale.unit, worst(status, sound), at, factor.kind)
