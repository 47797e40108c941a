"""What people do with their phones: say, photograph, record, share; each becomes an item and, if meant for it, a push."""

from __future__ import annotations

from typing import Any

from .core import Core
from .inbound import CANNOT_RECEIVE, Inbound
from .media import Blob
from .people import Group, Person
from .screen import Item, blank_card


class Refused(Exception):
    """The phone cannot do that; the text says why."""

    def __init__(self, reason: str, status: int = 409):
        super().__init__(reason)
        self.reason, self.status = reason, status


class Talk:
    """The caller holds the emulator's lock."""

    def __init__(self, core: Core, inbound: Inbound):
        self.core, self.inbound = core, inbound

    def group(self, person: Person, group_id: str | None) -> Group | None:
        if not group_id:
            return None
        group = self.core.directory.groups.get(group_id)
        if group is None or person.userid not in group.members:
            raise Refused("not a member of this group", 404)
        return group

    def say(self, person: Person, group: Group | None, text: str, *, at_bot: bool, quote: Item | None) -> list[str]:
        payload: dict[str, Any] = {"msgtype": "text", "text": {"content": f" {text}" if group else text}}
        if quote is not None:
            payload["text"] |= {"isReplyMsg": True, "repliedMsg": self._quoted(quote)}
            payload["originalMsgId"] = quote.source.get("msg_id", quote.id)
            if quote.source.get("kind") == "sent":
                payload["originalProcessQueryKey"] = quote.source["key"]
        return self._send(person, group, payload, at_bot=at_bot, kind="text", text=text)

    def photos(
        self, person: Person, group: Group | None, blobs: list[Blob], caption: str, *, at_bot: bool
    ) -> list[str]:
        """One bare photo in the 1:1 chat is a `picture`; with words, several, or in a group it is `richText`."""
        first_url = self.inbound.media.blob_url(blobs[0].id)
        if group is None and len(blobs) == 1 and not caption:
            payload = {"msgtype": "picture", "content": self.inbound.picture(blobs[0])}
        else:
            parts: list[dict[str, Any]] = [{"text": caption}] if caption else []
            parts += [{"type": "picture", **self.inbound.picture(blob)} for blob in blobs]
            payload = {"msgtype": "richText", "content": {"richText": parts}}
        urls = [self.inbound.media.blob_url(blob.id) for blob in blobs]
        card = (
            blank_card(body=caption, links=[{"title": "图片", "url": url} for url in urls]) if len(blobs) > 1 else None
        )
        shown = {"kind": "image", "text": caption, "image_url": first_url, "card": card}
        return self._send(person, group, payload, at_bot=at_bot, **shown)

    def voice(self, person: Person, blob: Blob, *, recognition: str, duration_ms: int) -> list[str]:
        if self.core.faults.take("no_recognition", "robot") is not None:
            recognition = ""
        content = {"duration": duration_ms, **self.inbound.file_code(blob), "recognition": recognition}
        return self._send_file(person, blob, {"msgtype": "audio", "content": content}, kind="voice", text=recognition)

    def video(self, person: Person, blob: Blob, *, duration_ms: int) -> list[str]:
        content = {"duration": duration_ms, **self.inbound.file_code(blob), "videoType": "mp4"}
        return self._send_file(person, blob, {"msgtype": "video", "content": content}, kind="file", text=blob.name)

    def file(self, person: Person, blob: Blob) -> list[str]:
        content = {**self.inbound.file_code(blob), "fileName": blob.name, "spaceId": "0", "fileId": "0"}
        return self._send_file(person, blob, {"msgtype": "file", "content": content}, kind="file", text=blob.name)

    def unreceivable(self, person: Person, *, kind: str, text: str, card: dict[str, Any] | None = None) -> list[str]:
        """A location, a shared link, a name card …: the robot is only told that something came."""
        payload = {"msgtype": "unknownMsgType", "content": {"unknownMsgType": CANNOT_RECEIVE}}
        return self._send(person, None, payload, at_bot=True, kind=kind, text=text, card=card)

    def raw(self, person: Person, group: Group | None, payload: dict[str, Any]) -> list[str]:
        """Any payload at all, for kinds that are only seen in the field."""
        return self._send(person, group, payload, at_bot=True, kind="text", text=f"[{payload['msgtype']}]")

    def _send_file(self, person: Person, blob: Blob, payload: dict[str, Any], *, kind: str, text: str) -> list[str]:
        url = self.inbound.media.blob_url(blob.id)
        card = blank_card(title=blob.name, links=[{"title": blob.name or kind, "url": url}])
        return self._send(person, None, payload, at_bot=True, kind=kind, text=text, card=card)

    def _send(
        self, person: Person, group: Group | None, payload: dict[str, Any], *, at_bot: bool, **shown: Any
    ) -> list[str]:
        chat = f"group:{group.id}" if group else "app"
        item = self.core.screens.add(person.userid, sender="me", chat=chat, **shown)
        item.source = {"kind": "said", "payload": payload, "sender_id": person.sender_id}
        for other in group.members if group else []:
            if other != person.userid:
                self.core.screens.add(other, sender=person.name, chat=chat, **shown).source = dict(item.source)
        if group is not None and (not at_bot or not group.has_robot):
            return [item.id]
        body = self.inbound.message(person, group, payload)
        item.source["msg_id"] = body["msgId"]
        self.inbound.send(body)
        return [item.id]

    def _quoted(self, item: Item) -> dict[str, Any]:
        said = item.source.get("payload")
        created = int(item.at * 1000)
        if said is None:
            return {
                "msgType": "text" if item.kind == "text" else "interactiveCard" if item.kind == "card" else item.kind,
                "msgId": item.source.get("key", item.id), "createdAt": created, "content": {"text": item.text},
                "senderId": "$:LWCP_v1:$" + self.core.conf["client_id"],
            }  # fmt: skip
        content = {"text": said["text"]["content"]} if said["msgtype"] == "text" else said.get("content", {})
        return {
            "msgType": said["msgtype"], "msgId": item.source.get("msg_id", item.id), "createdAt": created,
            "senderId": item.source["sender_id"], "content": content,
        }  # fmt: skip
