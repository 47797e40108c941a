"""What a message brings to a report: pictures, a code, a position, a place or a machine named in words, the sentence."""

from __future__ import annotations

import re

from bot.message import Kind
from bot.turn import Turn
from handlers import spoken
from handlers.hazard import place
from rules import text as words
from rules.terms import PhotoKind, PlaceSource
from storage.models import Hazard, HazardPhoto

MAX_PHOTOS = 9
MAX_WORDS = 2000
ANONYMOUSLY = re.compile(r"(?:我?(?:[想要能]|可以)+)?匿名(?:上报|举报|报)?(?:一下|[吗么])?[\s::,,。??]*")
COURTESY = (
    "好",
    "好的",
    "好嘞",
    "行",
    "嗯",
    "嗯嗯",
    "收到",
    "知道了",
    "谢谢",
    "谢谢您",
    "辛苦了",
    "ok",
    "OK",
    "稍等",
    "等一下",
    "马上",
)
NO_PHOTO = ("没有照片", "没法拍照", "不方便拍照", "无照片")


def absorb(turn: Turn, hazard: Hazard) -> list[str]:
    """Take in what the message brings; returns the Chinese reasons for what could not be used."""
    refusals = [f.refused for f in turn.fetched if f.refused]
    if turn.message.kind is Kind.VOICE and not turn.text:
        refusals.append("语音没有转成文字(录音已保存),请打字说一句")
    room = MAX_PHOTOS - len(hazard.photos)
    images = [f for f in turn.fetched if f.kind == "image" and f.sha256]
    if len(images) > room:
        refusals.append(f"一条隐患最多{MAX_PHOTOS}张照片,多出的没有收")
    add_photos(turn, hazard, PhotoKind.BEFORE, limit=room)
    for fetched in images:
        for code in fetched.codes:
            _scanned(turn, hazard, code, quiet=True)
    refusals += take_place(turn, hazard)
    message = turn.message
    if turn.text and message.kind in (Kind.TEXT, Kind.VOICE, Kind.IMAGE):
        refusals += _words(turn, hazard)
    return refusals


def take_place(turn: Turn, hazard: Hazard) -> list[str]:
    """Take in a scanned code, a location, the client's silent position, a place named in words."""
    message, refusals = turn.message, []
    if message.scanned:
        refusals += _scanned(turn, hazard, message.scanned)
    if message.position is not None and not message.position.by_event:
        problem = place.add_position(
            hazard,
            PlaceSource.LOCATION_MESSAGE,
            place.to_point(message.position),
            accuracy_m=message.position.accuracy_m,
            at=message.sent_at,
            label=message.position.label,
        )
        refusals += [problem] if problem else []
    place.add_silent_position(hazard, turn.account, at=turn.at, datum="gcj02")
    if turn.text:
        area = place.area_named(turn.work, turn.text)
        if area is not None:
            place.choose_area(hazard, area)
        refusals += _equipment_in(turn, hazard, turn.text)
    return refusals


def add_photos(turn: Turn, hazard: Hazard, kind: PhotoKind, *, limit: int = MAX_PHOTOS) -> int:
    """Bind the message's pictures to the hazard; the same file twice counts once. Returns how many were added."""
    added = 0
    have = {p.sha256 for p in hazard.photos if p.kind == kind.value and p.round == hazard.round and not p.dropped}
    for fetched in turn.fetched:
        if fetched.kind != "image" or not fetched.sha256 or fetched.sha256 in have or added >= limit:
            continue
        media = turn.work.media.get(fetched.sha256)
        exif = media.facts.get("exif", {}) if media is not None else {}
        hazard.photos.append(
            HazardPhoto(
                kind=kind.value,
                sha256=fetched.sha256,
                by_id=turn.person.id,
                received_at=turn.at,
                taken_at=media.taken_at if media is not None else None,
                lat=exif.get("lat"),
                lon=exif.get("lon"),
                round=hazard.round,
            )
        )
        have.add(fetched.sha256)
        added += 1
        if kind is PhotoKind.BEFORE and exif.get("lat") is not None:
            point = place.Point(lat=exif["lat"], lon=exif["lon"])
            place.add_position(hazard, PlaceSource.EXIF, point, accuracy_m=exif.get("accuracy_m"), at=turn.at)
    turn.work.flush()
    return added


def _scanned(turn: Turn, hazard: Hazard, code: str, *, quiet: bool = False) -> list[str]:
    """A code from a plate: the equipment's number, or a link that ends in it."""
    equipment = turn.work.plant.equipment_by_code(code.rsplit("/", 1)[-1].rsplit("=", 1)[-1])
    if equipment is not None:
        place.set_equipment(hazard, equipment)
        return []
    return [] if quiet else [f"台账里没有“{code[:20]}”这个设备码,请核对或直接说位置"]


def _words(turn: Turn, hazard: Hazard) -> list[str]:
    """The sentence: kept as it was said; place names and equipment numbers in it are used."""
    text = turn.text
    if asked := ANONYMOUSLY.match(text):
        hazard.anonymous = True
        text = text[asked.end() :]
    if text in NO_PHOTO:
        turn.data["no_photo"] = True
        return []
    if text.rstrip("。.!！~") in COURTESY:
        return []
    area = place.area_named(turn.work, text)
    if area is not None and (text == area.name or text.upper() == area.code.upper()):
        return []  # only the place was named
    refusals: list[str] = []
    problem = words.content_problem(text, max_chars=MAX_WORDS)
    if problem is words.ContentProblem.TOO_LONG:
        refusals.append(f"描述太长,只留了前{MAX_WORDS}字")
        text = text[:MAX_WORDS]
    elif problem is not None:
        return refusals if not text else [*refusals, "没看懂这条,请用一句话说说哪里有什么问题"]
    if text and (heard := spoken.heard_wrong(turn)) and heard in hazard.description:
        hazard.description = hazard.description.replace(heard, spoken.typed(turn), 1)[:MAX_WORDS]
        spoken.settled(turn)
    elif text and text not in hazard.description:
        hazard.description = f"{hazard.description}\n{text}".strip()[:MAX_WORDS]
    return refusals


def _equipment_in(turn: Turn, hazard: Hazard, text: str) -> list[str]:
    for mention in words.equipment_codes(text):
        equipment = turn.work.plant.equipment_by_code(mention.code)
        if equipment is not None:
            place.set_equipment(hazard, equipment)
            return []
    named = [m.code for m in words.equipment_codes(text) if "-" in m.code]
    return [f"台账里没有 {named[0]},先按文字记下,请核对位号"] if named else []
