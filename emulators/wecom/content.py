"""The bodies of all message types: what is refused, what is cut, what a phone shows of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from .cards import CardRules
from .core import cut_bytes, cut_chars
from .errors import ApiError
from .media import MB, MediaStore, sniff
from .screens import markdown_links, plain_text

DIV = re.compile(r"<div[^>]*>(.*?)</div>", re.I | re.S)
BREAK = re.compile(r"<br\s*/?>", re.I)
ANY_URL = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.I)


class Contents:
    """`show(msgtype, request)` gives the facts of an Item (kind, text, image_url, …) or raises ApiError."""

    def __init__(self, media: MediaStore, rules: CardRules) -> None:
        self.media = media
        self.rules = rules

    def show(self, msgtype: str, request: dict[str, Any], *, markdown_bytes: int = 2048) -> dict[str, Any]:
        """Facts for one Item; template cards are not handled here because every copy has a life of its own."""
        body = request.get(msgtype)
        if not isinstance(body, dict):
            raise ApiError(40063, f"{msgtype} missing")
        if msgtype == "text":
            return self._text(body)
        if msgtype in ("markdown", "markdown_v2"):
            return self._markdown(body, markdown_bytes)
        if msgtype in ("image", "voice", "video", "file"):
            return self._media(msgtype, body)
        if msgtype == "textcard":
            return self._textcard(body)
        if msgtype == "news":
            return self._news(body)
        if msgtype == "mpnews":
            return self._mpnews(body)
        raise ApiError(40008)

    def _text(self, body: dict[str, Any]) -> dict[str, Any]:
        content = body.get("content")
        if not content:
            raise ApiError(44004)
        text, links = plain_text(cut_bytes(str(content), 2048))
        return {"kind": "text", "text": text, "links": links}

    def _markdown(self, body: dict[str, Any], limit: int) -> dict[str, Any]:
        content = str(body.get("content") or "")
        if not content:
            raise ApiError(44004)
        if len(content.encode()) > limit:
            raise ApiError(40058, f"markdown.content exceed max length {limit}")
        return {"kind": "markdown", "text": content, "links": markdown_links(content)}

    def _media(self, msgtype: str, body: dict[str, Any]) -> dict[str, Any]:
        media = self.media.need(body.get("media_id"), kind=msgtype)
        url = self.media.url(media)
        if msgtype == "image":
            return {"kind": "image", "image_url": url}
        if msgtype == "video":
            return {"kind": "file", "text": cut_bytes(str(body.get("title") or media.name), 128), "file_url": url}
        return {"kind": msgtype, "text": media.name, "file_url": url}

    def _textcard(self, body: dict[str, Any]) -> dict[str, Any]:
        for name in ("title", "description", "url"):
            if not body.get(name):
                raise ApiError(40058, f"textcard.{name} missing")
        if not ANY_URL.match(body["url"]):
            raise ApiError(45034, "textcard.url")
        text = DIV.sub(lambda match: match[1] + "\n", BREAK.sub("\n", str(body["description"])))
        button = cut_chars(body.get("btntxt") or "详情", 4)
        card = flat_card(title=cut_chars(body["title"], 128), body=cut_chars(text.strip(), 512))
        card["links"] = [{"key": "card", "title": button, "url": cut_bytes(body["url"], 2048)}]
        return {"kind": "card", "flat_card": card}

    def _news(self, body: dict[str, Any]) -> dict[str, Any]:
        articles = body.get("articles") or []
        if not articles:
            raise ApiError(44004)
        if len(articles) > 8:
            raise ApiError(45008)
        for row in articles:
            if not row.get("title") or not (row.get("url") or (row.get("appid") and row.get("pagepath"))):
                raise ApiError(40058, "news.articles")
            if row.get("url") and not ANY_URL.match(row["url"]):
                raise ApiError(45034, "news.url")
        first = articles[0]
        card = flat_card(
            title=cut_bytes(first["title"], 128),
            body=cut_bytes(first.get("description", ""), 512),
            picture_url=first.get("picurl") or None,
        )
        card["links"] = [
            {"key": f"article:{index}", "title": cut_bytes(row["title"], 128), "url": row["url"]}
            for index, row in enumerate(articles)
            if row.get("url")
        ]
        return {"kind": "card", "flat_card": card}

    def _mpnews(self, body: dict[str, Any]) -> dict[str, Any]:
        articles = body.get("articles") or []
        if not articles:
            raise ApiError(44004)
        if len(articles) > 8:
            raise ApiError(45008)
        first = articles[0]
        thumb = self.media.need(first.get("thumb_media_id"), kind="image")
        card = flat_card(
            title=cut_bytes(first.get("title", ""), 128),
            body=cut_bytes(first.get("digest", ""), 512),
            picture_url=self.media.url(thumb),
        )
        return {"kind": "card", "flat_card": card}

    def webhook_image(self, body: dict[str, Any]) -> dict[str, Any]:
        """The group robot's image: base64 with the MD5 of the raw bytes, JPG/PNG up to 2 MB."""
        try:
            data = base64.b64decode(str(body.get("base64", "")), validate=True)
        except binascii.Error as error:
            raise ApiError(40058, "image.base64") from error
        if hashlib.md5(data).hexdigest() != str(body.get("md5", "")).lower():
            raise ApiError(40058, "image.md5")
        if len(data) > 2 * MB:
            raise ApiError(40009)
        if sniff(data) not in ("jpg", "png"):
            raise ApiError(40123)
        media = self.media.put(data, kind="image", name="image", lasting=True)
        return {"kind": "image", "image_url": self.media.url(media)}


def flat_card(*, title: str, body: str = "", picture_url: str | None = None) -> dict[str, Any]:
    """The drawn form of a message that is no template card (textcard, news): it never changes."""
    return {
        "type": "article",
        "task_id": None,
        "title": title,
        "subtitle": "",
        "source": "",
        "colour": "grey",
        "emphasis": None,
        "quote": None,
        "facts": [],
        "body": body,
        "picture_url": picture_url,
        "links": [],
        "buttons": [],
        "selects": [],
        "menu": None,
        "note": "",
        "revision": 1,
    }
