"""A decrypted WeCom callback as an Inbound. Whatever is odd in it becomes UNKNOWN."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

from bot.message import Inbound, Kind, MediaRef, Position, Press
from bot.platforms.wecom.crypto import Corrupt
from bot.platforms.wecom.render import CHOICE_KEY, NO_CHOICE
from bot.platforms.wecom.sdk import parse_message
from bot.platforms.wecom.values import ID_CHARS, LONG_CHARS, Data, as_dict, code_of, id_of, words_of

PLATFORM = "wecom"
SYSTEM = "sys"  # FromUserName of events that no person caused
# A document type could only stand before the root element, so a text that starts with the root has none.
_ROOT = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?<xml[\s>]")
_BAR_CODE = re.compile(
    r"(?:CODE_?(?:11|25|39|93|128)|EAN_?(?:8|13)|UPC_?[AE]|ITF(?:_?14)?|CODABAR|QR_?CODE|DATA_?MATRIX|PDF_?417|AZTEC),"
)
# Events whose answer may carry a passive reply; to the others WeCom shows nothing.
ANSWERED = frozenset(
    {"subscribe", "enter_agent", "location", "click", "view", "scancode_waitmsg", "template_card_menu_event"}
)


def read(xml: str) -> Data:
    """The fields of one message or event. Raises Corrupt when it is none."""
    if not _ROOT.match(xml):
        raise Corrupt("content")
    try:
        data = parse_message(xml)._data
    except (ExpatError, ValueError, KeyError, AttributeError, TypeError):
        raise Corrupt("content") from None
    data.pop("MsgId" if data.get("MsgId") == 0 else "", None)  # wechatpy writes one into what it does not know
    return dict(data)


def event_of(data: Data) -> str:
    """The event's name in lower case; "" for a message."""
    return id_of(data, "Event").lower() if id_of(data, "MsgType").lower() == "event" else ""


def can_be_answered(data: Data) -> bool:
    event = event_of(data)
    return not event or event in ANSWERED


def inbound_of(data: Data, *, now: datetime, datum: str) -> Inbound | None:
    """The Inbound of one callback; None for a menu link that was only opened. Raises Corrupt for endless nesting.

    `reply_to` holds, where the event has them: change, user, new_user (change_contact), count (photos that follow),
    answers ({question key: [option ids]} of a vote or a form).
    """
    event = event_of(data)
    if event in ("view", "view_miniprogram"):
        return None
    reader = _EVENTS.get(event) if event else _MESSAGES.get(id_of(data, "MsgType").lower())
    found = reader(data, datum) if reader else None
    sender = id_of(data, "FromUserName")
    said_nothing = sender == SYSTEM or (bool(event) and reader is None)  # kept, but there is nobody to answer
    return Inbound(
        platform=PLATFORM,
        key=_key(data, is_event=bool(event)),
        sender="" if said_nothing else sender,
        sent_at=_instant(data.get("CreateTime"), now),
        **(found or {"kind": Kind.UNKNOWN}),
    )


# -- messages


def _text(data: Data, datum: str) -> Data | None:
    return {"kind": Kind.TEXT, "text": words_of(data, "Content").strip()} if "Content" in data else None


def _media(kind: Kind, *, format: str = "") -> Callable[[Data, str], Data | None]:
    def read_media(data: Data, datum: str) -> Data | None:
        media_id = code_of(data, "MediaId")
        if not media_id:
            return None
        name = words_of(data, "FileName")[-200:] or words_of(data, "Title")[-200:]
        ending = name.rpartition(".")[2].lower()[:16] if "." in name else ""
        found = id_of(data, "Format").lower() or ending or format
        return {"kind": kind, "media": (MediaRef(media_id, kind, name=name, format=found),)}

    return read_media


def _location(data: Data, datum: str) -> Data | None:
    place = _position(data.get("Location_X"), data.get("Location_Y"), datum, label=words_of(data, "Label"))
    return {"kind": Kind.PLACE, "position": place} if place else None


def _link(data: Data, datum: str) -> Data | None:
    parts = [words_of(data, name).strip() for name in ("Title", "Description", "Url")]
    return {"kind": Kind.LINK, "text": "\n".join(part for part in parts if part)}


# -- events


def _plain(kind: Kind) -> Callable[[Data, str], Data | None]:
    return lambda data, datum: {"kind": kind}


def _click(data: Data, datum: str) -> Data | None:
    key = id_of(data, "EventKey")
    return {"kind": Kind.MENU, "menu": key} if key else None


def _reported_place(data: Data, datum: str) -> Data | None:
    accuracy_m = _number(data.get("Precision"))
    accuracy_m = accuracy_m if accuracy_m is not None and accuracy_m > 0 else None
    place = _position(data.get("Latitude"), data.get("Longitude"), datum, accuracy_m=accuracy_m, by_event=True)
    return {"kind": Kind.PLACE, "position": place} if place else None


def _chosen_place(data: Data, datum: str) -> Data | None:
    info = as_dict(data.get("SendLocationInfo"))
    label = " ".join(part for part in (words_of(info, "Label").strip(), words_of(info, "Poiname").strip()) if part)
    place = _position(info.get("Location_X"), info.get("Location_Y"), datum, label=label)
    return {"kind": Kind.PLACE, "position": place, "menu": id_of(data, "EventKey")} if place else None


def _scan(data: Data, datum: str) -> Data | None:
    result = words_of(as_dict(data.get("ScanCodeInfo")), "ScanResult").strip()[:LONG_CHARS]
    if not result:
        return None
    return {"kind": Kind.SCAN, "scanned": _BAR_CODE.sub("", result, count=1) if _BAR_CODE.match(result) else result} | {
        "menu": id_of(data, "EventKey")
    }


def _photos(data: Data, datum: str) -> Data | None:
    count = _number(as_dict(data.get("SendPicsInfo")).get("Count"))
    return {"kind": Kind.PHOTOS_COMING, "menu": id_of(data, "EventKey"), "reply_to": {"count": int(count or 0)}}


def _press(data: Data, datum: str) -> Data | None:
    action = code_of(data, "EventKey")
    if not action:
        return None
    answers = _answers(data)
    chosen = answers.get(CHOICE_KEY) or next(iter(answers.values()), [])
    press = Press(
        action=action,
        choice=",".join(option for option in chosen if option != NO_CHOICE),
        card_ref=id_of(data, "TaskId"),
        response_code=code_of(data, "ResponseCode"),
    )
    return {"kind": Kind.PRESS, "press": press, "reply_to": {"answers": answers} if len(answers) > 1 else {}}


def _answers(data: Data) -> dict[str, list[str]]:
    """Question key → option ids. One child of a list arrives as itself, several as a list."""
    answers = {}
    for item in _list(as_dict(data.get("SelectedItems")).get("SelectedItem")):
        key = code_of(as_dict(item), "QuestionKey")
        options = _list(as_dict(as_dict(item).get("OptionIds")).get("OptionId"))
        if key:
            answers[key] = [str(option)[:ID_CHARS] for option in options if isinstance(option, str)]
    return answers


def _directory_change(data: Data, datum: str) -> Data | None:
    found = {"change": id_of(data, "ChangeType"), "user": id_of(data, "UserID"), "new_user": id_of(data, "NewUserID")}
    return {"kind": Kind.ORG_CHANGED, "reply_to": {name: value for name, value in found.items() if value}}


_MESSAGES: dict[str, Callable[[Data, str], Data | None]] = {
    "text": _text,
    "image": _media(Kind.IMAGE),
    "voice": _media(Kind.VOICE, format="amr"),
    "video": _media(Kind.VIDEO, format="mp4"),
    "shortvideo": _media(Kind.VIDEO, format="mp4"),
    "file": _media(Kind.FILE),
    "location": _location,
    "link": _link,
}
_EVENTS: dict[str, Callable[[Data, str], Data | None]] = {
    "subscribe": _plain(Kind.JOINED),
    "unsubscribe": _plain(Kind.LEFT),
    "enter_agent": _plain(Kind.ENTERED),
    "location": _reported_place,
    "click": _click,
    "scancode_waitmsg": _scan,
    "scancode_push": _scan,
    "pic_sysphoto": _photos,
    "pic_photo_or_album": _photos,
    "pic_weixin": _photos,
    "location_select": _chosen_place,
    "template_card_event": _press,
    "template_card_menu_event": _press,
    "change_contact": _directory_change,
}


# -- values


def _key(data: Data, *, is_event: bool) -> str:
    """What a repeated delivery shares. Events have no id and whole seconds: everything they say is taken together."""
    number = id_of(data, "MsgId")
    if not is_event and number:
        return number
    told = {name: value for name, value in data.items() if name not in ("ToUserName", "AgentID")}
    try:
        text = json.dumps(told, sort_keys=True)
    except RecursionError:
        raise Corrupt("depth") from None
    return "event:" + hashlib.sha256(text.encode()).hexdigest()[:40]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _number(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _position(lat: Any, lon: Any, datum: str, **more: Any) -> Position | None:
    x, y = _number(lat), _number(lon)
    if x is None or y is None or abs(x) > 90 or abs(y) > 180:
        return None
    return Position(lat=x, lon=y, datum=datum, **more)


def _instant(seconds: Any, otherwise: datetime) -> datetime:
    number = _number(seconds)
    if number is None or not 0 < number < 4102444800:  # the year 2100
        return otherwise
    return datetime.fromtimestamp(number, UTC)
