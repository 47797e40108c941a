"""Events of edge terminals: kept once, and an alarm becomes a hazard that is dispatched like any other.

A machine's alarm is a suspicion: the card says what the terminal saw and asks people to look. Faces are never named.
Source: integrations reference §7 (canonical event, store-and-forward, collapse of repeats).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot import outbox
from handlers import edge_watch
from handlers.hazard import dispatch, filing, place, plans
from rules.terms import Grade, HazardState, PhotoKind, Role
from rules.text import storable
from storage.models import EdgeDevice, EdgeEvent, Hazard, HazardPhoto
from storage.unit_of_work import UnitOfWork

VIA = "edge"
MAX_EVENTS = 100
FUTURE = timedelta(minutes=2)
HISTORY = timedelta(days=31)
LATE = timedelta(minutes=10)  # older than this is looked at by a person, not by sirens
QUIET = timedelta(seconds=120)  # repeats within this are the same incident and say nothing new
LEVELS = ("info", "warning", "alarm")
MIN_CONFIDENCE = 0.5  # below this an event is kept and nobody is called


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event of this kind means when it is an alarm: its words, and the grade it has at least; None: no case."""

    zh: str
    grade: Grade | None = None


KINDS = {
    "flame": Kind("发现明火", Grade.RED),
    "smoke": Kind("发现烟雾", Grade.RED),
    "gas": Kind("气体浓度报警", Grade.RED),
    "intrusion": Kind("有人进入禁止区域", Grade.ORANGE),
    "no_helmet": Kind("有人未戴安全帽", Grade.YELLOW),
    "face_unknown": Kind("出现未登记的人"),
    "face_known": Kind("人员经过"),
    "device_status": Kind("终端状态"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Event `index` of the call (from 0) was left out; `why` says what to do, in Chinese."""

    index: int
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event. number: the hazard that it opened or belongs to."""

    event_id: str
    outcome: str  # recorded, opened, joined, late, duplicate
    number: str = ""


@dataclass(slots=True)
class Outcome:
    taken: list[Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class BadEvent(ValueError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.field = name


@dataclass(frozen=True, slots=True)
class Event:
    """A checked event."""

    key: str
    kind: str
    level: str
    channel: str
    at: datetime
    confidence: float | None
    words: str
    facts: dict[str, Any]
    photos: tuple[str, ...]  # SHA-256 of stored pictures

    @property
    def is_alarm(self) -> bool:
        sure = self.confidence is None or self.confidence >= MIN_CONFIDENCE
        return self.level == "alarm" and sure and KINDS[self.kind].grade is not None


def take(
    work: UnitOfWork, device: EdgeDevice, rows: Sequence[Any], *, zone: ZoneInfo, photos: Mapping[int, Sequence[str]]
) -> Outcome:
    """Keep the events of one call, oldest first whatever their order; the caller commits.

    `photos`: index of the event → SHA-256 of its stored pictures. Times without zone are plant time.
    """
    outcome, good = Outcome(), []
    for index, row in enumerate(rows):
        try:
            good.append(_checked(device, row, work.at, zone=zone, photos=tuple(photos.get(index, ()))))
        except BadEvent as bad:
            outcome.refused.append(Refused(index, bad.field, str(bad)))
    for event in sorted(good, key=lambda e: e.at):
        outcome.taken.append(_one(work, device, event))
    edge_watch.heard(work, device)
    device.last_seen_at = work.at
    return outcome


def _one(work: UnitOfWork, device: EdgeDevice, event: Event) -> Taken:
    known = work.edge.event(device.id, event.key)
    if known is not None:
        number = work.hazards.get(known.hazard_id).number if known.hazard_id is not None else ""
        return Taken(event.key, "duplicate", number or "")
    if event.kind == "device_status":
        device.last_status = event.words[:16] or "online"
    row = EdgeEvent(
        device=device,
        key=event.key,
        kind=event.kind,
        level=event.level,
        channel=event.channel,
        occurred_at=event.at,
        received_at=work.at,
        facts=event.facts,
        photo_sha=event.photos[0] if event.photos else "",
    )
    hazard, row.outcome = _case(work, device, event) if event.is_alarm else (None, "recorded")
    row.hazard_id = hazard.id if hazard is not None else None
    work.db.add(row)
    work.flush()
    return Taken(event.key, row.outcome, (hazard.number or "") if hazard is not None else "")


def _case(work: UnitOfWork, device: EdgeDevice, event: Event) -> tuple[Hazard | None, str]:
    """The hazard of an alarm: a new one, or the open one it repeats. A late alarm goes to a person instead.

    After a quiet time it is silent only while people are being called for the case anyhow: once somebody has confirmed,
    is mending or says it is mended, nobody would come any more, so it is dispatched as a case of its own.
    """
    found, late = work.edge.open_case(device.id, event.kind, event.channel), work.at - event.at > LATE
    before: Hazard | None = None
    if found is not None:
        before, again = work.hazards.get(found[0].id, lock=True), event.at - found[1] > QUIET
        if not again or late or _is_called_for(work, before):
            _add_photos(work, before, event)
            if again:
                _note_repeat(work, before, device, event)
            return before, "joined"
    if late:
        _tell_late(work, device, event)
        return None, "late"
    hazard = _open(work, device, event, before=before)
    if before is not None:
        _note_repeat(work, before, device, event, then=f",另立 {hazard.number}")
    return hazard, "opened"


def _is_called_for(work: UnitOfWork, hazard: Hazard) -> bool:
    """Whether nobody has confirmed it yet and its ladder has somebody left to call."""
    if hazard.confirmed_at is not None or HazardState(hazard.state) not in plans.CONFIRMABLE:
        return False
    steps = work.ladder.of("hazard", hazard.id, generation=hazard.generation)
    return any(s.ladder == "confirm" and s.taken_at is None and s.called_off_at is None for s in steps)


def _open(work: UnitOfWork, device: EdgeDevice, event: Event, *, before: Hazard | None) -> Hazard:
    hazard = filing.open_draft(work, by=None, at=work.at)
    hazard.description = _sentence(device, event)
    if before is not None:
        hazard.description += f"同一终端此前的报警 {before.number}({HazardState(before.state).zh})还没有闭环。"
    if device.equipment is not None:
        place.set_equipment(hazard, device.equipment)
    if device.area is not None:
        place.choose_area(hazard, device.area)
    place.settle(work, hazard)
    _add_photos(work, hazard, event)
    least = KINDS[event.kind].grade
    filing.file(work, hazard, by=None, via=VIA, at_least=least, why=f"终端报警“{KINDS[event.kind].zh}”")
    return hazard


def _sentence(device: EdgeDevice, event: Event) -> str:
    """«边缘终端 CAM-01(罐区摄像头)报警:发现明火,3号通道,把握93%。请现场核实。»"""
    name = f"{device.code}({device.name})" if device.name else device.code
    parts = [KINDS[event.kind].zh, event.words, _gas(event.facts.get("gas")), event.channel]
    if event.confidence is not None:
        parts.append(f"把握{event.confidence * 100:.0f}%")
    return f"边缘终端 {name}报警:{','.join(part for part in parts if part)}。请现场核实。"


def _gas(gas: Any) -> str:
    return f"{gas['kind']} {gas['value']:g} {gas['unit']}".strip() if gas else ""


def _add_photos(work: UnitOfWork, hazard: Hazard, event: Event) -> None:
    have = {photo.sha256 for photo in hazard.photos}
    for sha in event.photos:
        if sha not in have and len(have) < 9:
            have.add(sha)
            hazard.photos.append(
                HazardPhoto(
                    kind=PhotoKind.BEFORE.value,
                    sha256=sha,
                    received_at=work.at,
                    taken_at=event.at,
                    round=hazard.round,
                )
            )
    work.flush()


def _note_repeat(work: UnitOfWork, hazard: Hazard, device: EdgeDevice, event: Event, *, then: str = "") -> None:
    state = HazardState(hazard.state).value
    why = f"终端 {device.code} 再次报警:{KINDS[event.kind].zh}{then}"
    work.trail.add("hazard", hazard.id, "alarmed_again", at=work.at, from_state=state, to_state=state, why=why, via=VIA)
    dispatch.redraw(work, hazard, why)


def _tell_late(work: UnitOfWork, device: EdgeDevice, event: Event) -> None:
    """Minutes or hours old when it arrived: the safety officer looks into it, no alarm is raised."""
    area_id = device.area_id
    minutes = int((work.at - event.at).total_seconds() // 60)
    words = f"迟到的终端报警(晚了{minutes}分钟):{_sentence(device, event)}需要时请拍照上报。"
    for person in dispatch.present(work, dispatch.holders(work, Role.SAFETY_OFFICER, area_id)):
        address = outbox.address_of(person)
        if address is not None:
            outbox.say(
                work,
                address,
                words,
                purpose="edge.late",
                urgency=outbox.NORMAL,
                dedupe_key=f"edge:{device.id}:{hashlib.sha256(event.key.encode()).hexdigest()[:24]}:{person.id}",
            )


# -- reading an event


def _checked(device: EdgeDevice, row: Any, now: datetime, *, zone: ZoneInfo, photos: tuple[str, ...]) -> Event:
    if not isinstance(row, Mapping):
        raise BadEvent("", "每个事件应是一个对象")
    kind = _text(row, "type", 24)
    if kind not in KINDS:
        raise BadEvent("type", f"type 只能是 {'、'.join(KINDS)}")
    level = _text(row, "level", 16) or ("info" if KINDS[kind].grade is None else "alarm")
    if level not in LEVELS:
        raise BadEvent("level", f"level 只能是 {'、'.join(LEVELS)}")
    at = _time(row.get("occurred_at", row.get("at")), now, zone=zone)
    channel, words = _text(row, "channel", 64), " ".join(_text(row, "text", 200).split())
    confidence = _share(row.get("confidence"))
    boxes = _boxes(row.get("boxes", []))
    facts: dict[str, Any] = {"text": words, "confidence": confidence, "boxes": boxes, "gas": _gas_of(row.get("gas"))}
    facts["face"] = _face(row.get("face"))
    key = _text(row, "event_id", 128) or _digest(device, kind, channel, at, boxes)
    return Event(
        key=key,
        kind=kind,
        level=level,
        channel=channel,
        at=at,
        confidence=confidence,
        words=words,
        facts={name: value for name, value in facts.items() if value not in (None, "", [])},
        photos=photos,
    )


def _text(row: Mapping[str, Any], name: str, limit: int) -> str:
    value = row.get(name, "")
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit or not storable(value):
        raise BadEvent(name, f"{name} 应是最多{limit}字的文字")
    return value.strip()


def _time(given: Any, now: datetime, *, zone: ZoneInfo) -> datetime:
    """RFC 3339, or seconds, milliseconds or microseconds since 1970 by their size; without zone it is plant time."""
    try:
        if isinstance(given, bool) or given is None:
            raise ValueError
        if isinstance(given, (int, float)):
            power = next(p for p in (1, 1_000, 1_000_000) if given / p < 100_000_000_000)
            at = datetime.fromtimestamp(given / power, tz=zone)
        else:
            at = datetime.fromisoformat(str(given))
            at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError, StopIteration):
        raise BadEvent("occurred_at", "时间格式不对,应为 RFC 3339,如 2026-11-24T09:00:00+08:00") from None
    if at > now + FUTURE:
        raise BadEvent("occurred_at", "时间晚于当前时间2分钟以上,请核对终端时钟")
    if at < now - HISTORY:
        raise BadEvent("occurred_at", "时间早于31天,请核对终端时钟")
    return at


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise BadEvent("confidence", "confidence 应是0到1之间的数")
    return float(value)


def _boxes(given: Any) -> list[list[float]]:
    """[x, y, width, height], each 0 to 1."""
    if not isinstance(given, list) or len(given) > 50:
        raise BadEvent("boxes", "boxes 应是最多50个 [x, y, w, h]")
    for box in given:
        fits = isinstance(box, list) and len(box) == 4
        if not fits or any(isinstance(n, bool) or not isinstance(n, (int, float)) or not 0 <= n <= 1 for n in box):
            raise BadEvent("boxes", "boxes 里每个框应是4个0到1之间的数:x, y, w, h")
    return [[float(n) for n in box] for box in given]


def _gas_of(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    value = given.get("value") if isinstance(given, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise BadEvent("gas", "gas 应有 value(数字)、unit 和 kind")
    return {"value": float(value), "unit": _text(given, "unit", 16), "kind": _text(given, "kind", 24)}


def _face(given: Any) -> dict[str, Any] | None:
    """Only the person's number and the score: pictures of faces and templates are not kept (PIPL)."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadEvent("face", "face 应是一个对象:person_no、score")
    return {"person_no": _text(given, "person_no", 64), "score": _share(given.get("score"))}


def _digest(device: EdgeDevice, kind: str, channel: str, at: datetime, boxes: list[list[float]]) -> str:
    """Of a terminal that numbers nothing: the same kind, channel, second and place in the picture is the same event."""
    first = [round(n, 2) for n in boxes[0]] if boxes else []
    said = f"{device.code}\n{kind}\n{channel}\n{round(at.timestamp())}\n{first}"
    return f"digest:{hashlib.sha256(said.encode()).hexdigest()}"
