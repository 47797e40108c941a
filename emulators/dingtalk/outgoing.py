"""Messages the bot sends: validation per type, and what the person's phone then shows (protocol notes §2.2–2.4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

from .errors import ApiError, OldError
from .media import Media
from .screen import blank_card, markdown_links, url_button

Body = dict[str, Any]
MSG_PARAM_BYTES = 15_000
MAX_AT = 50


@dataclass(frozen=True)
class Content:
    """A message as a phone shows it."""

    kind: str
    text: str = ""
    image_url: str | None = None
    card: dict[str, Any] | None = None

    def as_item(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "image_url": self.image_url, "card": self.card}


class Incomplete(Exception):
    """A required field is missing or has the wrong type."""


def need(body: Any, *names: str) -> list[str]:
    """The named non-empty strings of a body; raises Incomplete naming the first one missing."""
    found = []
    for name in names:
        value = body.get(name) if isinstance(body, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise Incomplete(name)
        found.append(value)
    return found


def _need_url(body: Any, *names: str) -> list[str]:
    urls = need(body, *names)
    for name, url in zip(names, urls, strict=True):
        if urlparse(url).scheme not in ("http", "https", "dingtalk", "dtmd"):
            raise Incomplete(f"{name} is no address")
    return urls


def _text(body: Body, _media: Media) -> Content:
    return Content("text", need(body, "content")[0])


def _markdown(body: Body, media: Media) -> Content:
    title, text = need(body, "title", "text")
    shown = media.visible_markdown(text)
    links = markdown_links(shown)
    return Content("markdown", shown, card=blank_card(title=title, body=shown, links=links) if links else None)


def _link(body: Body, media: Media) -> Content:
    title, text = need(body, "title", "text")
    url = _need_url(body, "messageUrl")[0]
    picture = media.visible_url(str(body.get("picUrl") or ""))
    card = blank_card(title=title, body=text, picture_url=picture, links=[{"title": title, "url": url}])
    return Content("link", title, card=card)


def action_card(title: str, text: str, buttons: list[tuple[str, str]], media: Media) -> Content:
    shown = media.visible_markdown(text)
    pressable = [url_button(label, url, key=str(number)) for number, (label, url) in enumerate(buttons)]
    card = blank_card(title=title, body=shown, buttons=pressable, links=markdown_links(shown))
    return Content("card", title, card=card)


def _webhook_action_card(body: Body, media: Media) -> Content:
    title, text = need(body, "title", "text")
    if body.get("btns"):
        buttons = [(need(b, "title")[0], _need_url(b, "actionURL")[0]) for b in body["btns"]]
    else:
        buttons = [(need(body, "singleTitle")[0], _need_url(body, "singleURL")[0])]
    return action_card(title, text, buttons, media)


def _feed_card(body: Body, media: Media) -> Content:
    links = body.get("links")
    if not isinstance(links, list) or not links:
        raise Incomplete("links")
    shown = [{"title": need(row, "title")[0], "url": _need_url(row, "messageURL")[0]} for row in links]
    picture = media.visible_url(need(links[0], "picURL")[0])
    return Content(
        "card", shown[0]["title"], card=blank_card(title=shown[0]["title"], links=shown, picture_url=picture)
    )


_WEBHOOK: dict[str, Callable[[Body, Media], Content]] = {
    "text": _text,
    "markdown": _markdown,
    "link": _link,
    "actionCard": _webhook_action_card,
    "feedCard": _feed_card,
}


def read_webhook(body: Body, media: Media) -> Content | None:
    """A message in the webhook shapes; None for `empty`. Raises OldError 400105 or 40035."""
    kind = body.get("msgtype")
    if kind == "empty":
        return None
    if kind not in _WEBHOOK:
        raise OldError(400105, f"不支持的消息类型 {kind}")
    at = body.get("at") or {}
    if len(at.get("atUserIds") or []) + len(at.get("atMobiles") or []) > MAX_AT:
        raise OldError(40035, "@ 的人数超过 50")
    try:
        return _WEBHOOK[kind](body.get(kind) or {}, media)
    except Incomplete as error:
        raise OldError(40035, f"缺少参数 {kind}.{error}") from error


def _image(param: Body, media: Media) -> Content:
    return Content("image", image_url=media.visible_url(need(param, "photoURL")[0]))


def _numbered_card(count: int) -> Callable[[Body, Media], Content]:
    def read(param: Body, media: Media) -> Content:
        title, text = need(param, "title", "text")
        numbers = range(1, count + 1)
        buttons = [(need(param, f"actionTitle{n}")[0], _need_url(param, f"actionURL{n}")[0]) for n in numbers]
        return action_card(title, text, buttons, media)

    return read


def _single_card(param: Body, media: Media) -> Content:
    title, text, label = need(param, "title", "text", "singleTitle")
    return action_card(title, text, [(label, _need_url(param, "singleURL")[0])], media)


def _pair_card(param: Body, media: Media) -> Content:
    title, text = need(param, "title", "text")
    buttons = [(need(param, f"buttonTitle{n}")[0], _need_url(param, f"buttonUrl{n}")[0]) for n in (1, 2)]
    return action_card(title, text, buttons, media)


def _media_message(kind: str, *names: str) -> Callable[[Body, Media], Content]:
    def read(param: Body, media: Media) -> Content:
        values = need(param, *names)
        url = media.visible_url(values[0])
        if url is None:
            raise Incomplete(names[0])
        shown = str(param.get("fileName") or "")
        return Content(kind, shown, card=blank_card(title=shown, links=[{"title": shown or kind, "url": url}]))

    return read


_ROBOT: dict[str, Callable[[Body, Media], Content]] = {
    "sampleText": _text,
    "sampleMarkdown": _markdown,
    "sampleImageMsg": _image,
    "sampleLink": _link,
    "sampleActionCard": _single_card,
    **{f"sampleActionCard{count}": _numbered_card(count) for count in (2, 3, 4, 5)},
    "sampleActionCard6": _pair_card,
    "sampleAudio": _media_message("voice", "mediaId", "duration"),
    "sampleFile": _media_message("file", "mediaId", "fileName", "fileType"),
    "sampleVideo": _media_message("file", "videoMediaId", "videoType", "picMediaId", "duration"),
}


def read_robot(body: Body, media: Media) -> Content:
    """A message in the msgKey/msgParam shape. msgParam must be a JSON text, not an object. Raises ApiError."""
    key, param = body.get("msgKey"), body.get("msgParam")
    if not key:
        raise ApiError("invalidParameter.msgKey.empty", "msgKey 不能为空")
    if key not in _ROBOT:
        raise ApiError("invalidParameter.msgKey.invalid", "msgKey 无效")
    if not isinstance(param, str):
        raise ApiError("invalidParameter.msgParam.invalid", "msgParam 必须是 JSON 字符串")
    if len(param.encode()) > MSG_PARAM_BYTES:
        raise ApiError("invalidParameter.msgParam.tooLong", "msgParam 超过长度限制")
    try:
        return _ROBOT[key](json.loads(param), media)
    except (ValueError, Incomplete) as error:
        raise ApiError("invalidParameter.msgParam.invalid", f"msgParam 无效: {error}") from error
