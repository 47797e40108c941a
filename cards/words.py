"""Small words used on every card: plant time, people, places."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from storage.models import Hazard, Person

_zone = ZoneInfo("Asia/Shanghai")


def use_zone(zone: ZoneInfo) -> None:
    """Plant time for everything that is shown; set once by wiring."""
    global _zone
    _zone = zone


def zone() -> ZoneInfo:
    return _zone


def local(at: datetime | None) -> str:
    """«11-24 14:02» in plant time; with the year when it is not this year's business."""
    if at is None:
        return "—"
    return at.astimezone(_zone).strftime("%m-%d %H:%M")


def clock_time(at: datetime) -> str:
    return at.astimezone(_zone).strftime("%H:%M")


def name_of(person: Person | None) -> str:
    return person.name if person is not None else "—"


def reporter_name(hazard: Hazard) -> str:
    """The reporter as anybody may see it."""
    return "匿名" if hazard.anonymous else name_of(hazard.reporter)


def place_of(hazard: Hazard) -> str:
    """«甲醇罐区 · P-101A 甲醇泵»."""
    parts = [
        hazard.area.name if hazard.area else "",
        f"{hazard.equipment.code} {hazard.equipment.name}" if hazard.equipment else "",
    ]
    return " · ".join(part for part in parts if part) or "位置待定"


def short(text: str, limit: int) -> str:
    """At most `limit` characters, one line."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def duration(seconds: float) -> str:
    """«3小时20分», «2天»."""
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return f"{minutes}分钟"
    if minutes < 24 * 60:
        return f"{minutes // 60}小时" + (f"{minutes % 60}分" if minutes % 60 else "")
    return f"{minutes // 1440}天" + (f"{minutes % 1440 // 60}小时" if minutes % 1440 >= 60 else "")
