"""What came in, in neutral words: a platform's callback becomes an `Inbound` before anything else sees it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    PLACE = "place"  # a position: location message, LOCATION event, location_select
    LINK = "link"
    SCAN = "scan"  # a QR or bar code read by the client
    PRESS = "press"  # a button on one of our cards
    MENU = "menu"  # an entry of the app's menu
    PHOTOS_COMING = "photos_coming"  # WeCom pic_* event: the photos follow as messages of their own
    ENTERED = "entered"  # the person opened the chat
    JOINED = "joined"  # the person came into the app's visible range
    LEFT = "left"
    ORG_CHANGED = "org_changed"  # directory change event
    QUOTA = "quota"  # DingTalk 20001: something was said, but the month's quota hides what
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A picture, voice or file still lying on the platform. `id` is its media_id or downloadCode; it expires."""

    id: str
    kind: Kind
    name: str = ""
    format: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A position as the platform gave it. `datum` is "gcj02" or "wgs84"; accuracy in metres when the device told."""

    lat: float
    lon: float
    datum: str = "gcj02"
    accuracy_m: float | None = None
    label: str = ""
    by_event: bool = False  # LOCATION event (silent), not something the person sent


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed card button. `action` is `feature.verb:id`; `choice` the picked option of the card's select, if any."""

    action: str
    choice: str = ""
    card_ref: str = ""  # WeCom task_id, DingTalk outTrackId
    response_code: str = ""  # WeCom: one more update of the card


REQUIRED = ("platform", "key", "sender", "kind", "sent_at")


@dataclass(frozen=True, slots=True)
class Inbound:
    platform: str
    key: str  # unique within the platform: the message is handled once
    sender: str  # platform user id; "" when the platform does not tell
    kind: Kind
    sent_at: datetime
    text: str = ""
    group: str = ""  # conversation id of the group; "" in the 1:1 chat
    group_title: str = ""
    media: tuple[MediaRef, ...] = ()
    position: Position | None = None
    scanned: str = ""
    press: Press | None = None
    menu: str = ""
    sender_name: str = ""
    sender_union_id: str = ""
    is_platform_admin: bool = False
    reply_to: dict[str, Any] = field(default_factory=dict)  # session webhook and such

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name in self.__slots__:  # asdict() would copy everything in depth, at every callback
            value = getattr(self, name)
            if name in REQUIRED or value not in ("", None, (), {}, False):
                out[name] = asdict(value) if isinstance(value, (Position, Press)) else value
        if self.media:
            out["media"] = [asdict(media) for media in self.media]
        out["sent_at"] = self.sent_at.astimezone(UTC).isoformat()
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Inbound:
        data = dict(data)
        data["kind"] = Kind(data["kind"])
        data["sent_at"] = datetime.fromisoformat(data["sent_at"])
        data["media"] = tuple(MediaRef(**{**m, "kind": Kind(m["kind"])}) for m in data.get("media", ()))
        data["position"] = Position(**data["position"]) if data.get("position") else None
        data["press"] = Press(**data["press"]) if data.get("press") else None
        return cls(**data)

    def with_text(self, text: str) -> Inbound:
        return replace(self, text=text)
