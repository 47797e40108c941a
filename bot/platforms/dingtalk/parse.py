"""A robot message of DingTalk as an Inbound. The object is the same in an HTTP body and in a stream frame's data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.message import Inbound, Kind, MediaRef
from bot.platforms.dingtalk.values import as_bool, as_code, as_dict, as_float, as_id, as_list, as_text, instant

PLATFORM = "dingtalk"
IN_GROUP = "2"
QUOTA_USED_UP = "20001"


@dataclass(frozen=True, slots=True)
class Said:
    """What a message's payload says, before the envelope is added."""

    kind: Kind
    text: str = ""
    media: tuple[MediaRef, ...] = ()


def robot_message(body: dict[str, Any], *, now: datetime) -> Inbound:
    """The Inbound of one pushed message. Never raises: what cannot be read is UNKNOWN, and is answered as such.

    `reply_to` holds: webhook and until_ms (the session webhook and its end), where (the chat it belongs to, as
    Target.key), at (whom to mention there), quotes and quotes_id (the quoted robot message's processQueryKey and the
    quoted message's id), mentioned (staff ids of other people who were @-ed).
    """
    said = _said(body)
    group = as_id(body.get("conversationId")) if as_text(body.get("conversationType")) == IN_GROUP else ""
    sender = as_id(body.get("senderStaffId"))
    return Inbound(
        platform=PLATFORM,
        key=as_id(body.get("msgId")) or _digest(body),
        sender=sender,
        kind=said.kind,
        sent_at=instant(body.get("createAt"), now),
        text=said.text,
        group=group,
        group_title=as_text(body.get("conversationTitle"))[:200] if group else "",
        media=said.media,
        sender_name=as_text(body.get("senderNick"))[:200],
        sender_union_id=as_id(body.get("senderUnionId")),
        is_platform_admin=as_bool(body.get("isAdmin")),
        reply_to=_reply_to(body, sender=sender, group=group),
    )


def _said(body: dict[str, Any]) -> Said:
    code = as_text(body.get("errorCode", body.get("errCode")))
    if code == QUOTA_USED_UP:
        return Said(Kind.QUOTA)
    kind = as_text(body.get("msgtype"))
    if kind == "text":
        return _text(as_dict(body.get("text")))
    content = as_dict(body.get("content"))
    if kind == "richText":
        return _rich_text(content, robot=as_text(body.get("chatbotUserId")))
    reader = _BY_TYPE.get(kind)
    return reader(content) if reader else Said(Kind.UNKNOWN)


def _text(text: dict[str, Any]) -> Said:
    # In a group the @name is cut away and its blank stays.
    return Said(Kind.TEXT, as_text(text.get("content")).strip()) if "content" in text else Said(Kind.UNKNOWN)


def _picture_ref(content: dict[str, Any]) -> tuple[MediaRef, ...]:
    code = as_code(content.get("downloadCode")) or as_code(content.get("pictureDownloadCode"))
    return (MediaRef(code, Kind.IMAGE),) if code else ()


def _picture(content: dict[str, Any]) -> Said:
    media = _picture_ref(content)
    return Said(Kind.IMAGE, media=media) if media else Said(Kind.UNKNOWN)


def _rich_text(content: dict[str, Any], *, robot: str) -> Said:
    """Text and pictures in one message; plain text items carry no type. A picture starts a new line of text."""
    lines, media = [""], list[MediaRef]()
    for item in as_list(content.get("richText")):
        if not isinstance(item, dict):
            continue
        found = _picture_ref(item)
        if found:
            media += found
            lines.append("")
        elif item.get("type") == "at":
            name = as_text(item.get("atName")).lstrip("@")
            lines[-1] += f"@{name} " if name and as_text(item.get("atUserId")) != robot else ""
        else:
            lines[-1] += as_text(item.get("text"))
    text = "\n".join(line.strip() for line in lines if line.strip())
    if not text and not media:
        return Said(Kind.UNKNOWN)
    return Said(Kind.IMAGE if media else Kind.TEXT, text, tuple(media))


def _voice(content: dict[str, Any]) -> Said:
    code, duration_ms = as_code(content.get("downloadCode")), as_float(content.get("duration"))
    media = (MediaRef(code, Kind.VOICE, seconds=None if duration_ms is None else duration_ms / 1000),) if code else ()
    text = as_text(content.get("recognition")).strip()
    return Said(Kind.VOICE, text, media) if media or text else Said(Kind.UNKNOWN)


def _video(content: dict[str, Any]) -> Said:
    code, raw = as_code(content.get("downloadCode")), content.get("duration")
    seconds = as_float(raw)
    if seconds is not None and not isinstance(raw, str):  # a number is milliseconds, the sample's string seconds
        seconds /= 1000
    if not code:
        return Said(Kind.UNKNOWN)
    media = MediaRef(code, Kind.VIDEO, format=as_text(content.get("videoType"))[:16], seconds=seconds)
    return Said(Kind.VIDEO, media=(media,))


def _file(content: dict[str, Any]) -> Said:
    code, name = as_code(content.get("downloadCode")), as_text(content.get("fileName"))[-200:]
    if not code:
        return Said(Kind.UNKNOWN)
    ending = name.rpartition(".")[2].lower()[:16] if "." in name else ""
    return Said(Kind.FILE, media=(MediaRef(code, Kind.FILE, name=name, format=ending),))


_BY_TYPE: dict[str, Callable[[dict[str, Any]], Said]] = {
    "picture": _picture,
    "audio": _voice,
    "video": _video,
    "file": _file,
}


def _reply_to(body: dict[str, Any], *, sender: str, group: str) -> dict[str, Any]:
    quotes = as_dict(body.get("text")).get("isReplyMsg") is True or "originalMsgId" in body
    until_ms = as_float(body.get("sessionWebhookExpiredTime"))
    robot = as_text(body.get("chatbotUserId"))
    people = [as_dict(user) for user in as_list(body.get("atUsers"))]
    found: dict[str, Any] = {
        "webhook": as_code(body.get("sessionWebhook")),
        "until_ms": int(until_ms) if until_ms else 0,
        "where": f"group:{group}" if group else f"user:{sender}",
        "at": sender if group else "",
        "quotes": as_code(body.get("originalProcessQueryKey")) if quotes else "",
        "quotes_id": as_id(body.get("originalMsgId")) if quotes else "",
        "mentioned": [
            as_id(p.get("staffId")) for p in people if p.get("staffId") and as_text(p.get("dingtalkId")) != robot
        ],
    }
    return {name: value for name, value in found.items() if value}


def _digest(body: dict[str, Any]) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
