"""What a member does with the phone, turned into the messages and events WeCom would push."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from .aibot import AiBot
from .callbacks import Courier
from .core import Core
from .directory import Directory, Member
from .geo import wgs84_to_gcj02
from .groups import Groups
from .media import Media, MediaStore
from .menu import Menus
from .messages import Messages
from .presses import CardPresses, Refused
from .screens import Item, Screens


class Phones(CardPresses):
    """Every method returns the ids of the new items or callbacks. Callers hold the lock."""

    def __init__(
        self,
        core: Core,
        directory: Directory,
        screens: Screens,
        media: MediaStore,
        menus: Menus,
        messages: Messages,
        groups: Groups,
        courier: Courier,
        bot: AiBot,
    ) -> None:
        self.core, self.directory, self.screens, self.media = core, directory, screens, media
        self.menus, self.messages, self.groups, self.courier, self.bot = menus, messages, groups, courier, bot

    @property
    def agent_id(self) -> int:
        return int(self.core.settings["agent_id"])

    # --- plumbing ------------------------------------------------------------------------------------------------
    def _base(self, member: Member, msgtype: str) -> dict[str, Any]:
        return {
            "ToUserName": self.core.corp_id,
            "FromUserName": member.userid,
            "CreateTime": int(self.core.clock()),
            "MsgType": msgtype,
        }

    def _message(self, member: Member, msgtype: str, fields: dict[str, Any]) -> str:
        """Push one message with its 64-bit MsgId."""
        number = secrets.randbelow(2**62) + 2**62
        parts = self._base(member, msgtype) | fields | {"MsgId": number, "AgentID": self.agent_id}
        return self._push(member, parts)

    def _event(self, member: Member, event: str, fields: dict[str, Any], **links: Any) -> str:
        """Push one event; events carry no MsgId."""
        parts = self._base(member, "event") | {"Event": event} | fields | {"AgentID": self.agent_id}
        return self._push(member, parts, **links)

    def _push(self, member: Member, fields: dict[str, Any], **links: Any) -> str:
        return f"d{self.courier.enqueue(member.userid, fields, **links).number}"

    def _can_talk(self, member: Member) -> None:
        if not self.directory.reachable(member.userid):
            raise Refused("这个成员不在应用可见范围内")

    def _group(self, member: Member, group_id: str) -> Any:
        group = self.groups.groups.get(group_id)
        if group is None or group.hidden or member.userid.lower() not in {m.lower() for m in group.members}:
            raise Refused("没有这个群", 404)
        return group

    def _mine(self, member: Member, kind: str, **facts: Any) -> Item:
        return self.screens.add(member.userid, sender="me", chat="app", kind=kind, **facts)

    def _in_group(self, member: Member, group_id: str, **facts: Any) -> list[str]:
        """People talk among themselves; a self-built app never receives it, the 智能机器人 only what names it."""
        group = self._group(member, group_id)
        self.groups.post(group, sender=member.name, facts=facts)
        return []

    # --- messages ------------------------------------------------------------------------------------------------
    def say(self, member: Member, text: str, *, group: str | None = None, at_bot: bool = False) -> list[str]:
        """Type a text; in a group with the 智能机器人 `at_bot` puts its name before it."""
        if group:
            chat = self._group(member, group)
            heard = self.bot.hears(chat, text, at_bot=at_bot)
            self._in_group(member, group, kind="text", text=heard or text)
            return [self.bot.said(member, chat, heard)] if heard else []
        self._can_talk(member)
        item = self._mine(member, "text", text=text)
        return [item.item_id, self._message(member, "text", {"Content": text})]

    def photo(
        self,
        member: Member,
        files: Sequence[tuple[str, bytes]],
        *,
        group: str | None = None,
        caption: str = "",
        at_bot: bool = False,
    ) -> list[str]:
        """Send pictures one by one; a caption is a text of its own."""
        ids: list[str] = []
        if group:
            chat = self._group(member, group)
            urls = [self.media.url(self.media.put(data, kind="image", name=name)) for name, data in files]
            for url in urls:
                self._in_group(member, group, kind="image", image_url=url)
            heard = self.bot.hears(chat, caption, at_bot=at_bot)
            if heard:
                self._in_group(member, group, kind="text", text=heard)
                return [self.bot.said(member, chat, heard, pictures=urls)]
            return self.say(member, caption, group=group) if caption else ids
        self._can_talk(member)
        for name, data in files:
            ids += self._picture(member, name, data)
        return ids + (self.say(member, caption) if caption else [])

    def _picture(self, member: Member, name: str, data: bytes) -> list[str]:
        media = self.media.put(data, kind="image", name=name)
        item = self._mine(member, "image", image_url=self.media.url(media))
        pushed = self._message(member, "image", {"PicUrl": self.media.url(media), "MediaId": media.media_id})
        return [item.item_id, pushed]

    def voice(self, member: Member, name: str, data: bytes) -> list[str]:
        """Send a voice message; WeCom gives the sound only, never a transcription."""
        self._can_talk(member)
        media = self.media.put(data, kind="voice", name=name, content_type="audio/amr")
        item = self._mine(member, "voice", text=name, file_url=self.media.url(media))
        return [item.item_id, self._message(member, "voice", {"MediaId": media.media_id, "Format": "amr"})]

    def video(self, member: Member, name: str, data: bytes) -> list[str]:
        """Send a short film; the message carries a still picture's id too."""
        self._can_talk(member)
        media = self.media.put(data, kind="video", name=name, content_type="video/mp4")
        item = self._mine(member, "file", text=name, file_url=self.media.url(media))
        fields = {"MediaId": media.media_id, "ThumbMediaId": media.media_id}
        return [item.item_id, self._message(member, "video", fields)]

    def location(self, member: Member, lat: float, lon: float, label: str) -> list[str]:
        """Send a place (WGS84 in, the switched coordinate system out)."""
        self._can_talk(member)
        item = self._mine(member, "location", text=label, place={"lat": lat, "lon": lon, "label": label})
        return [item.item_id, self._location_message(member, lat, lon, label)]

    def _location_message(self, member: Member, lat: float, lon: float, label: str) -> str:
        x, y = self._shift(lat, lon, "location_coords")
        fields = {"Location_X": round(x, 6), "Location_Y": round(y, 6), "Scale": 16, "Label": label}
        return self._message(member, "location", fields | {"AppType": "wxwork"})

    def _shift(self, lat: float, lon: float, option: str) -> tuple[float, float]:
        return wgs84_to_gcj02(lat, lon) if self.core.switches[option] == "gcj02" else (lat, lon)

    def link(self, member: Member, body: dict[str, Any]) -> list[str]:
        """Share a link."""
        self._can_talk(member)
        title, url = str(body.get("title") or body["url"]), str(body["url"])
        item = self._mine(member, "link", text=title, links=[{"key": "link:0", "title": title, "url": url}])
        fields = {
            "Title": title,
            "Description": str(body.get("description", "")),
            "Url": url,
            "PicUrl": str(body.get("pic_url", "")),
        }
        return [item.item_id, self._message(member, "link", fields)]

    def file(self, member: Member, name: str, data: bytes) -> list[str]:
        """Send a file; whether WeCom pushes it is an open point (`file_messages`)."""
        self._can_talk(member)
        media = self.media.put(data, kind="file", name=name)
        item = self._mine(member, "file", text=name, file_url=self.media.url(media))
        if not self.core.switches["file_messages"]:
            return [item.item_id]
        return [item.item_id, self._message(member, "file", {"MediaId": media.media_id, "FileName": name})]

    def unknown(self, member: Member, msgtype: str, fields: dict[str, Any]) -> list[str]:
        """Push a message or (`msgtype` event, `fields` with Event) an event of a kind nobody has heard of."""
        self._can_talk(member)
        if msgtype == "event":
            rest = {str(k): str(v) for k, v in fields.items() if k != "Event"}
            return [self._event(member, str(fields["Event"]), rest)]
        return [self._message(member, msgtype, {str(k): str(v) for k, v in fields.items()})]

    # --- app conversation and menu ---------------------------------------------------------------------------------
    def open_app(self, member: Member, *, consent: bool, place: tuple[float, float, float] | None) -> list[str]:
        """Enter the conversation: enter_agent always, LOCATION once when agreed, switched on and known."""
        self._can_talk(member)
        ids = [self._event(member, "enter_agent", {"EventKey": ""})]
        if consent and place and self.core.switches["report_location"]:
            lat, lon = self._shift(place[0], place[1], "location_event_coords")
            fields = {"Latitude": round(lat, 6), "Longitude": round(lon, 6), "Precision": place[2]}
            ids.append(self._event(member, "LOCATION", fields | {"AppType": "wxwork"}))
        return ids

    def scan(self, member: Member, result: str, *, key: str | None, scan_type: str = "qrcode") -> list[str]:
        """Scan a code through the menu."""
        self._can_talk(member)
        leaves = self.menus.leaves(self.agent_id)
        kinds = ("scancode_waitmsg", "scancode_push")
        button = next((b for b in leaves if b["type"] in kinds and key in (None, b["key"], b["name"])), None)
        if button is None:
            raise Refused("菜单里没有这个扫码按钮", 404)
        if scan_type == "barcode":
            scan_type = str(self.core.switches["barcode_scan_type"])
        info = {"ScanType": scan_type, "ScanResult": result}
        return [self._event(member, button["type"], {"EventKey": button["key"], "ScanCodeInfo": info})]

    def menu(
        self, member: Member, key: str, *, photos: Sequence[tuple[str, bytes]] = (), body: dict[str, Any] | None = None
    ) -> tuple[list[str], str | None]:
        """Press a menu button; (ids, URL that opens)."""
        self._can_talk(member)
        body = body or {}
        button = self.menus.find(self.agent_id, key)
        if button is None:
            raise Refused("菜单里没有这个按钮", 404)
        kind = button["type"]
        if kind == "click":
            return [self._event(member, "click", {"EventKey": button["key"]})], None
        if kind == "view":
            return [self._event(member, "view", {"EventKey": button["url"]})], button["url"]
        if kind == "view_miniprogram":
            return [self._event(member, kind, {"EventKey": button["pagepath"]})], None
        if kind.startswith("scancode"):
            scan_type = str(body.get("scan_type", "qrcode"))
            return self.scan(member, str(body.get("result", "")), key=button["key"], scan_type=scan_type), None
        if kind.startswith("pic"):
            return self._menu_photos(member, button, photos), None
        return self._menu_place(member, button, body), None

    def _menu_photos(self, member: Member, button: dict[str, Any], photos: Sequence[tuple[str, bytes]]) -> list[str]:
        if not photos:
            raise Refused("没有拍照片", 400)
        sums = [{"item": {"PicMd5Sum": hashlib.md5(data).hexdigest()}} for _, data in photos]
        pictures = {"Count": len(photos), "PicList": {"item": [row["item"] for row in sums]}}
        event = {"EventKey": button["key"], "SendPicsInfo": pictures}
        first = bool(self.core.switches["pic_event_first"])
        ids = [self._event(member, button["type"], event)] if first else []
        for name, data in photos:
            ids += self._picture(member, name, data)
        return ids if first else [*ids, self._event(member, button["type"], event)]

    def _menu_place(self, member: Member, button: dict[str, Any], body: dict[str, Any]) -> list[str]:
        lat, lon, label = float(body["lat"]), float(body["lon"]), str(body.get("label", ""))
        x, y = self._shift(lat, lon, "location_coords")
        info = {
            "Location_X": f"{x:.6f}",
            "Location_Y": f"{y:.6f}",
            "Scale": "16",
            "Label": label,
            "Poiname": str(body.get("poi", "")),
        }
        fields = {"EventKey": button["key"], "SendLocationInfo": info, "AppType": "wxwork"}
        ids = [self._event(member, "location_select", fields)]
        item = self._mine(member, "location", text=label, place={"lat": lat, "lon": lon, "label": label})
        ids.append(item.item_id)
        if self.core.switches["location_select_message"]:
            ids.append(self._location_message(member, lat, lon, label))
        return ids

    # --- joining and leaving ---------------------------------------------------------------------------------------
    def leave(self, member: Member) -> list[str]:
        """Out of the app's visible range: unsubscribe."""
        self.directory.visible.discard(member.userid.lower())
        return [self._event(member, "unsubscribe", {"EventKey": ""})]

    def join(self, member: Member) -> list[str]:
        """Into the app's visible range: subscribe."""
        self.directory.visible.add(member.userid.lower())
        return [self._event(member, "subscribe", {"EventKey": ""})]

    def upload_from_page(self, name: str, data: bytes, *, kind: str) -> Media:
        """`wx.uploadImage` / `wx.uploadVoice`: the serverId is a media_id."""
        return self.media.put(data, kind=kind, name=name)
