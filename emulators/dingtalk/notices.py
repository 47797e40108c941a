"""Work notifications (protocol notes §2.7): errcode 0 even for people who get nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .core import Core
from .errors import OldError
from .limits import china_day
from .media import Media
from .outgoing import Content, Incomplete, action_card, need
from .routing import Call, Route, Style
from .screen import blank_card

MSG_BYTES = 2048
MAX_USERS, MAX_DEPTS, MAX_STATUS_BAR = 100, 20, 5
DAY_S = 86_400
SAME_CONTENT, TOO_MANY_TODAY = "143106", "143105"


@dataclass
class Notice:
    task_id: int
    at: float
    users: list[str]
    status_bar: bool
    items: dict[str, str] = field(default_factory=dict)
    invalid: list[str] = field(default_factory=list)
    forbidden: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)


class Notices:
    def __init__(self, core: Core, media: Media):
        self.core, self.media = core, media
        self.sent: dict[int, Notice] = {}
        self._seen_today: set[tuple[str, str, str]] = set()
        self._per_day: Counter[tuple[str, str]] = Counter()

    def routes(self) -> list[Route]:
        handlers = {
            "asyncsend_v2": self._send,
            "getsendprogress": self._progress,
            "getsendresult": self._result,
            "recall": self._recall,
            "status_bar/update": self._update_status_bar,
        }
        base = "/topapi/message/corpconversation"
        return [Route("POST", f"{base}/{name}", run, Style.OLD) for name, run in handlers.items()]

    def mark_read(self, userid: str, task_id: int) -> None:
        notice = self.sent[task_id]
        if userid in notice.items and userid not in notice.read:
            notice.read.append(userid)

    def _send(self, call: Call) -> dict[str, Any]:
        body = call.body
        self._check_agent(body)
        msg = body.get("msg")
        if not isinstance(msg, dict):
            raise OldError(40035, "不合法的参数: msg")
        raw = json.dumps(msg, ensure_ascii=False, sort_keys=True)
        if len(raw.encode()) > MSG_BYTES:
            raise OldError(40035, "消息体超过 2048 字节")
        users, by_dept = self._receivers(body)
        content, bar = self._read(msg)
        if bar and (by_dept or len(users) > MAX_STATUS_BAR):
            raise OldError(41052, "带状态栏的消息接收人不能超过 5 人")
        notice = Notice(1_000_000_000 + len(self.sent) + 1, self.core.clock(), users, bar)
        self.sent[notice.task_id] = notice
        dropped = self.core.faults.take("silent_drop", "notice")
        for userid in users:
            self._deliver(notice, userid, content, raw, dropped)
        return {"task_id": notice.task_id}

    def _deliver(self, notice: Notice, userid: str, content: Content, raw: str, dropped: Any) -> None:
        core = self.core
        if core.directory.member(userid) is None:
            notice.invalid.append(userid)
            return
        day = china_day(core.clock())
        same = (day, userid, hashlib.sha256(raw.encode()).hexdigest())
        if same in self._seen_today:
            notice.forbidden[userid] = SAME_CONTENT
        elif self._per_day[day, userid] >= core.limits.notice_per_day:
            notice.forbidden[userid] = TOO_MANY_TODAY
        if userid in notice.forbidden or dropped is True or (isinstance(dropped, list) and userid in dropped):
            core.journal.note("notice_dropped", user=userid, code=notice.forbidden.get(userid, ""))
            return
        self._seen_today.add(same)
        self._per_day[day, userid] += 1
        item = core.screens.add(userid, sender="bot", chat="notice", **content.as_item())
        item.source = {"kind": "notice", "task_id": notice.task_id}
        notice.items[userid] = item.id

    def _receivers(self, body: dict[str, Any]) -> tuple[list[str], bool]:
        if body.get("to_all_user") in (True, "true"):
            return [p.userid for p in self.core.directory.people.values() if p.active], True
        users = [user for user in str(body.get("userid_list") or "").split(",") if user]
        depts = [dept for dept in str(body.get("dept_id_list") or "").split(",") if dept]
        if not users and not depts:
            raise OldError(40035, "userid_list 和 dept_id_list 不能同时为空")
        if len(users) > MAX_USERS or len(depts) > MAX_DEPTS:
            raise OldError(40035, "接收人超过最大数量")
        for dept in depts:
            members = [p.userid for p in self.core.directory.people.values() if self._inside(p.dept_ids, dept)]
            users += members
        return list(dict.fromkeys(users)), bool(depts)

    @staticmethod
    def _inside(dept_ids: list[int], dept: str) -> bool:
        return dept == "1" or dept in {str(number) for number in dept_ids}

    def _read(self, msg: dict[str, Any]) -> tuple[Content, bool]:
        kind = msg.get("msgtype")
        if kind not in _READERS:
            raise OldError(40035, f"不支持的消息类型 {kind}")
        try:
            content = _READERS[kind](msg.get(kind) or {}, self.media)
        except Incomplete as error:
            raise OldError(40035, f"缺少参数 {kind}.{error}") from error
        return content, kind == "oa" and bool((msg["oa"] or {}).get("status_bar"))

    def _check_agent(self, body: dict[str, Any]) -> None:
        if str(body.get("agent_id")) != str(self.core.conf["agent_id"]):
            raise OldError(40056, "不合法的agentid")

    def _find(self, body: dict[str, Any], *, within_s: float, name: str = "task_id") -> Notice:
        self._check_agent(body)
        number = str(body.get(name, ""))
        notice = self.sent.get(int(number)) if number.isdigit() else None
        if notice is None or self.core.clock() - notice.at > within_s:
            raise OldError(40035, f"不合法的参数: {name}")
        return notice

    def _progress(self, call: Call) -> dict[str, Any]:
        self._find(call.body, within_s=DAY_S)
        return {"progress": {"progress_in_percent": 100, "status": 2}}

    def _result(self, call: Call) -> dict[str, Any]:
        notice = self._find(call.body, within_s=DAY_S)
        delivered = set(notice.items)
        counts = Counter(notice.forbidden.values())
        return {
            "send_result": {
                "invalid_user_id_list": notice.invalid,
                "forbidden_user_id_list": list(notice.forbidden),
                "failed_user_id_list": [],
                "read_user_id_list": notice.read,
                "unread_user_id_list": [user for user in notice.users if user in delivered and user not in notice.read],
                "invalid_dept_id_list": [],
                "forbidden_list": [
                    {"code": code, "count": counts[code], "userid": user} for user, code in notice.forbidden.items()
                ],
            }
        }

    def _recall(self, call: Call) -> dict[str, Any]:
        notice = self._find(call.body, within_s=DAY_S, name="msg_task_id")
        for userid, item_id in notice.items.items():
            item = self.core.screens.get(userid, item_id)
            if item is not None and not item.recalled:
                item.recalled = True
                self.core.screens.touch(item)
        return {}

    def _update_status_bar(self, call: Call) -> dict[str, Any]:
        notice = self._find(call.body, within_s=7 * DAY_S)
        if not notice.status_bar:
            raise OldError(40035, "该消息没有状态栏")
        value = str(call.body.get("status_value") or "")
        if not value:
            raise OldError(40035, "缺少参数 status_value")
        for userid, item_id in notice.items.items():
            item = self.core.screens.get(userid, item_id)
            if item is not None and item.card is not None:
                item.card = {**item.card, "note": value, "revision": item.card["revision"] + 1}
                self.core.screens.touch(item)
        return {}


def _text(body: dict[str, Any], _media: Media) -> Content:
    return Content("text", need(body, "content")[0])


def _markdown(body: dict[str, Any], media: Media) -> Content:
    _, text = need(body, "title", "text")
    if len(text) > 5000:
        raise Incomplete("text: more than 5000 characters")
    return Content("markdown", media.visible_markdown(text))


def _link(body: dict[str, Any], media: Media) -> Content:
    title, text, url = need(body, "title", "text", "messageUrl")
    picture = media.visible_url(str(body.get("picUrl") or ""))
    return Content(
        "link",
        title,
        card=blank_card(title=title, body=text, picture_url=picture, links=[{"title": title, "url": url}]),
    )


def _action_card(body: dict[str, Any], media: Media) -> Content:
    title, text = need(body, "title", "markdown")
    if body.get("btn_json_list"):
        buttons = [tuple(need(b, "title", "action_url")) for b in body["btn_json_list"]]
    else:
        buttons = [tuple(need(body, "single_title", "single_url"))]
    return action_card(title, text, [(b[0], b[1]) for b in buttons], media)


def _file_of(kind: str) -> Callable[[dict[str, Any], Media], Content]:
    def read(body: dict[str, Any], media: Media) -> Content:
        url = media.visible_url(need(body, "media_id")[0])
        if url is None:
            raise Incomplete("media_id")
        if kind == "image":
            return Content("image", image_url=url)
        return Content(kind, card=blank_card(links=[{"title": kind, "url": url}]))

    return read


def _oa(body: dict[str, Any], _media: Media) -> Content:
    url, form = body.get("message_url"), (body.get("body") or {}).get("form") or []
    need(body, "message_url")
    if len(form) > 6:
        raise Incomplete("body.form: more than 6")
    bar, inner = body.get("status_bar") or {}, body.get("body") or {}
    title = str(inner.get("title") or "")
    facts = [[str(row.get("key", "")), str(row.get("value", ""))] for row in form]
    links = [{"title": title or "打开", "url": url}]
    card = blank_card(
        title=title, source=str((body.get("head") or {}).get("text") or ""), facts=facts, links=links,
        body=str(inner.get("content") or ""), note=str(bar.get("status_value") or ""),
    )  # fmt: skip
    return Content("card", title, card=card)


_READERS: dict[str, Callable[[dict[str, Any], Media], Content]] = {
    "text": _text,
    "markdown": _markdown,
    "link": _link,
    "action_card": _action_card,
    "image": _file_of("image"),
    "voice": _file_of("voice"),
    "file": _file_of("file"),
    "oa": _oa,
}
