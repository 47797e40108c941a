"""Groups: those the app made itself (appchat), and those that have a group robot (webhook). Both only listen."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.platforms.base import Failure, PlatformError, Sent
from bot.platforms.rates import ROBOT, Rates
from bot.platforms.wecom.client import Api
from bot.platforms.wecom.config import GroupRobot
from bot.platforms.wecom.errors import MEDIA_EXPIRED
from bot.platforms.wecom.media import Media, UploadKind, file_name, mime_of
from bot.platforms.wecom.render import ROBOT as ROBOT_LOOK
from bot.platforms.wecom.render import Renderer
from bot.platforms.wecom.text import harmless, safe_markdown, split
from cards.card import Card

ROBOT_IMAGE_BYTES = 2 * 1024 * 1024
MARKDOWN_BYTES = 2048
_CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    owner: str
    members: tuple[str, ...]


class AppGroups:
    """Groups made by this app. It needs the root department in its visible range; template cards cannot go there."""

    def __init__(self, api: Api, *, media: Media, renderer: Renderer) -> None:
        self._api, self._media, self._renderer = api, media, renderer

    def create(self, name: str, members: Sequence[str], *, owner: str = "", chat_id: str = "") -> str:
        """The new group's id. People see the group with its first message. A chat_id of ours makes a repeat safe."""
        if chat_id and not _CHAT_ID.fullmatch(chat_id):
            raise PlatformError(Failure.PERMANENT, "bad_chat_id")
        body: Json = {"name": name[:50], "userlist": list(members)}
        body |= {"owner": owner} if owner else {}
        body |= {"chatid": chat_id} if chat_id else {}
        return str(self._api.post("appchat/create", body).get("chatid") or chat_id)

    def update(
        self, chat_id: str, *, name: str = "", owner: str = "", add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        wishes = {"name": name[:50], "owner": owner, "add_user_list": list(add), "del_user_list": list(remove)}
        changed = {field: value for field, value in wishes.items() if value}
        self._api.post("appchat/update", {"chatid": chat_id, **changed}, repeatable=True)

    def get(self, chat_id: str) -> Group:
        info = self._api.get("appchat/get", chatid=chat_id).get("chat_info") or {}
        members = tuple(str(user) for user in info.get("userlist") or ())
        return Group(str(info.get("chatid", chat_id)), str(info.get("name", "")), str(info.get("owner", "")), members)

    def text(self, chat_id: str, text: str, *, markdown: bool) -> Sent:
        """Nothing tells repeats apart here: after UNKNOWN a repeat may be seen twice."""
        kind = "markdown" if markdown else "text"
        for part in _parts(text, markdown):
            self._send(chat_id, {"msgtype": kind, kind: {"content": part}})
        return Sent()

    def file(self, chat_id: str, kind: UploadKind, data: bytes, *, name: str) -> Sent:
        for fresh in (False, True):
            media_id = self._media.upload(kind, data, name=name, fresh=fresh)
            try:
                return self._send(chat_id, {"msgtype": kind, kind: {"media_id": media_id}})
            except PlatformError as error:
                if fresh or error.code != str(MEDIA_EXPIRED):
                    raise
        raise AssertionError("unreachable")

    def notice(self, chat_id: str, card: Card) -> Sent:
        content = self._renderer.markdown(card, limit_bytes=MARKDOWN_BYTES)
        return self._send(chat_id, {"msgtype": "markdown", "markdown": {"content": content}})

    def _send(self, chat_id: str, content: Json) -> Sent:
        self._api.post("appchat/send", {"chatid": chat_id, **content})
        return Sent()


class GroupRobots:
    """Robots by their name in the settings. At most 20 messages a minute each: over that, THROTTLED."""

    def __init__(self, robots: Sequence[GroupRobot], *, api: Api, rates: Rates, renderer: Renderer) -> None:
        self._keys = {robot.name: robot.key for robot in robots}
        self._api, self._rates, self._renderer = api, rates, renderer

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def text(self, name: str, text: str, *, markdown: bool) -> Sent:
        kind = "markdown" if markdown else "text"
        for part in _parts(text, markdown):
            self._send(name, {"msgtype": kind, kind: {"content": part}})
        return Sent()

    def image(self, name: str, data: bytes) -> Sent:
        """JPG or PNG up to 2 MB, in the message itself."""
        if len(data) > ROBOT_IMAGE_BYTES:
            raise PlatformError(Failure.PERMANENT, "image_too_large")
        image = {"base64": base64.b64encode(data).decode(), "md5": hashlib.md5(data).hexdigest()}
        return self._send(name, {"msgtype": "image", "image": image})

    def file(self, name: str, data: bytes, *, file: str) -> Sent:
        """Uploaded for this robot alone."""
        shown = file_name(file, "file")
        answer = self._api.upload_keyed(
            "webhook/upload_media", data, name=shown, mime=mime_of(shown), key=self._keys[name], type="file"
        )
        return self._send(name, {"msgtype": "file", "file": {"media_id": str(answer.get("media_id") or "")}})

    def notice(self, name: str, card: Card) -> Sent:
        """A text or picture notice: robots have no buttons that call back."""
        drawn = self._renderer.notice(card, ROBOT_LOOK)
        return self._send(name, {"msgtype": "template_card", "template_card": drawn})

    def _send(self, name: str, content: Json) -> Sent:
        self._rates.take([f"robot:{hashlib.sha256(self._keys[name].encode()).hexdigest()[:16]}"], ROBOT)
        self._api.post_keyed("webhook/send", content, key=self._keys[name])
        return Sent()


def _parts(text: str, markdown: bool) -> list[str]:
    parts = split((safe_markdown if markdown else harmless)(text).strip())
    if not parts[0]:
        raise PlatformError(Failure.PERMANENT, "empty_text")
    return parts
