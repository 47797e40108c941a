"""Groups the app made itself (appchat) and group robots (webhook). Both only push; nothing comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .card_view import CardState
from .cards import NOTICE, CardRules
from .content import Contents
from .core import Core, Window
from .directory import Directory
from .errors import ApiError
from .media import Media, MediaStore
from .screens import Screens
from .tokens import App

CHAT_TYPES = ("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown")
HOOK_TYPES = ("text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card")


@dataclass
class Group:
    """`agent_id` is the app that made it (None: people did); hidden until the first message."""

    chatid: str
    title: str
    members: list[str]
    owner: str = ""
    agent_id: int | None = None
    webhook_key: str | None = None
    hidden: bool = False


class Groups:
    """Callers hold the lock."""

    def __init__(
        self,
        core: Core,
        directory: Directory,
        screens: Screens,
        contents: Contents,
        media: MediaStore,
        rules: CardRules,
    ) -> None:
        self.core, self.directory, self.screens = core, directory, screens
        self.contents, self.media, self.rules = contents, media, rules
        self.groups: dict[str, Group] = {}
        self._hook_media: dict[str, str] = {}
        self._window = Window()
        for row in core.plant.get("groups", []):
            if row["platform"] == "wecom":
                self.add(row["id"], row["title"], row["members"], webhook_key=row.get("webhook_key"))

    def add(self, chatid: str, title: str, members: list[str], *, webhook_key: str | None = None) -> Group:
        """A group people made, perhaps with a robot in it."""
        group = Group(chatid, title, list(members), webhook_key=webhook_key)
        self.groups[chatid] = group
        return group

    # --- appchat -------------------------------------------------------------------------------------------------
    def create(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`appchat/create`."""
        self._root(app)
        members = self._members(body.get("userlist") or [])
        if not 2 <= len(members) <= 2000:
            raise ApiError(86008)
        chatid = str(body.get("chatid") or re.sub(r"[^0-9A-Za-z]", "", self.core.fresh(32))[:32])
        if not re.fullmatch(r"[0-9A-Za-z]{1,32}", chatid) or chatid in self.groups:
            raise ApiError(86001)
        owner = str(body.get("owner") or members[0])
        if owner.lower() not in {m.lower() for m in members}:
            raise ApiError(40003, "owner")
        title = str(body.get("name") or "群聊")[:50]
        self.groups[chatid] = Group(chatid, title, members, owner, app.agent_id, hidden=True)
        return {"chatid": chatid}

    def update(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`appchat/update`."""
        group = self._own(app, body.get("chatid"))
        leaving = {str(u).lower() for u in body.get("del_user_list") or []}
        joining = self._members(body.get("add_user_list") or [])
        members = [m for m in group.members if m.lower() not in leaving]
        members += [m for m in joining if m.lower() not in {x.lower() for x in members}]
        if not 2 <= len(members) <= 2000:
            raise ApiError(86008)
        group.members = members
        if body.get("name"):
            group.title = str(body["name"])[:50]
        if body.get("owner"):
            group.owner = str(body["owner"])
        return {}

    def get(self, app: App, chatid: Any) -> dict[str, Any]:
        """`appchat/get`."""
        group = self._own(app, chatid)
        info = {"chatid": group.chatid, "name": group.title, "owner": group.owner, "userlist": group.members}
        return {"chat_info": info}

    def send(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`appchat/send`; template cards are not among its types."""
        group = self._own(app, body.get("chatid"))
        if body.get("msgtype") not in CHAT_TYPES:
            raise ApiError(40008)
        facts = self.contents.show(body["msgtype"], body)
        group.hidden = False
        self.post(group, sender="bot", facts=facts, limited=True)
        return {}

    def _members(self, userids: list[Any]) -> list[str]:
        found = []
        for userid in userids:
            member = self.directory.find(str(userid))
            if member is None:
                raise ApiError(40003, str(userid))
            found.append(member.userid)
        return found

    def _root(self, app: App) -> None:
        if not self.core.switches["root_visible"]:
            raise ApiError(48002, f"agent {app.agent_id} does not see the root department")

    def _own(self, app: App, chatid: Any) -> Group:
        self._root(app)
        group = self.groups.get(str(chatid or ""))
        if group is None:
            raise ApiError(86001)
        if group.agent_id != app.agent_id:
            raise ApiError(86003)
        return group

    # --- posting -------------------------------------------------------------------------------------------------
    def post(
        self, group: Group, *, sender: str, facts: dict[str, Any], limited: bool = False, bot_message: str = ""
    ) -> None:
        """Put a message on every member's phone; from an app at most 200 a minute to one member, rest dropped.

        `bot_message` names one of the 智能机器人, whose cards can be pressed.
        """
        now = self.core.clock()
        for user in group.members:
            if self.directory.find(user) is None:
                continue
            if limited:
                over = self._window.count(("member", user.lower()), now=now, span_s=60) >= 200
                over = over or self._window.count(("member", user.lower()), now=now, span_s=86400) >= 10000
                if over:
                    self.core.note("group.dropped_silently", user=user, group=group.chatid)
                    continue
                self._window.add(("member", user.lower()), now=now)
            own = dict(facts)
            if "raw_card" in own:
                raw = own.pop("raw_card")
                own["card"] = CardState(raw, raw.get("task_id") if bot_message else None, 0, bot_message)
            self.screens.add(user, sender=sender, chat=f"group:{group.chatid}", msgid=bot_message, **own)

    # --- group robot ---------------------------------------------------------------------------------------------
    def _hook(self, key: str | None, path: str) -> Group:
        group = next((g for g in self.groups.values() if key and g.webhook_key == key), None)
        if group is None:
            raise ApiError(93000)
        for name, code in (("robot_disabled", 93004), ("robot_removed", 93008)):
            if self.core.switches.strike(name, path=path):
                raise ApiError(code)
        return group

    def webhook_send(self, key: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """`webhook/send?key=`; 20 a minute."""
        group = self._hook(key, "webhook/send")
        msgtype = body.get("msgtype")
        if msgtype not in HOOK_TYPES:
            raise ApiError(40008)
        self._hook_rate(str(key))
        self.post(group, sender="bot", facts=self._hook_facts(str(key), msgtype, body))
        return {}

    def _hook_facts(self, key: str, msgtype: str, body: dict[str, Any]) -> dict[str, Any]:
        part = body.get(msgtype) or {}
        if msgtype == "template_card":
            if part.get("card_type") not in NOTICE:
                raise self.rules.fail("card_type")
            return {"kind": "card", "raw_card": self.rules.check(part)}
        if msgtype == "image":
            return self.contents.webhook_image(part)
        if msgtype in ("file", "voice") and self._hook_media.get(str(part.get("media_id"))) != key:
            raise ApiError(40007)
        facts = self.contents.show(msgtype, body, markdown_bytes=4096)
        for userid in part.get("mentioned_list") or []:
            member = self.directory.find(str(userid))
            facts["text"] = (
                facts.get("text", "") + f" @{'所有人' if userid == '@all' else member.name if member else userid}"
            )
        for mobile in part.get("mentioned_mobile_list") or []:
            member = next((m for m in self.directory.members.values() if m.mobile == mobile), None)
            facts["text"] = (
                facts.get("text", "") + f" @{'所有人' if mobile == '@all' else member.name if member else mobile}"
            )
        facts["text"] = re.sub(r"<@([^>]+)>", self._mention, facts.get("text", ""))
        return facts

    def _mention(self, match: re.Match[str]) -> str:
        member = self.directory.find(match[1])
        return f"@{member.name}" if member else match[0]

    def _hook_rate(self, key: str) -> None:
        now = self.core.clock()
        limit = int(self.core.switches["webhook_per_minute"])
        fixed = self.core.switches["webhook_window"] == "fixed"
        span = now % 60 + 1e-9 if fixed else 60.0
        if self._window.count(("hook", key), now=now, span_s=span) >= limit:
            raise ApiError(45009)
        self._window.add(("hook", key), now=now)

    def webhook_upload(self, key: str | None, data: bytes | None, *, kind: str, name: str) -> Media:
        """`webhook/upload_media`: a file only this robot may send."""
        self._hook(key, "webhook/upload_media")
        if kind not in ("file", "voice"):
            raise ApiError(40004)
        media = self.media.upload(data, kind=kind, name=name, content_type=None)
        self._hook_media[media.media_id] = str(key)
        return media
