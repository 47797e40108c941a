"""What pages opened inside DingTalk need, and the quick entries above the input box that open them."""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.platforms.dingtalk.client import ApiClient
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.oapi import OldApi
from bot.platforms.dingtalk.render import page_url
from bot.platforms.dingtalk.signatures import js_sign

JS_APIS = ("device.geolocation.get", "getLocation", "biz.util.scan", "scan", "biz.navigation.close")
_ICON_PX = 96


class Pages:
    def __init__(
        self,
        config: DingTalkConfig,
        *,
        api: ApiClient,
        oapi: OldApi,
        clock: Callable[[], datetime],
        public_url: str,
    ) -> None:
        self._config, self._api, self._oapi, self._clock = config, api, oapi, clock
        self._public_url = public_url

    def js_config(self, page: str) -> dict[str, Any]:
        """The argument of dd.config for that address, plus clientId for dd.requestAuthCode."""
        nonce, timestamp = secrets.token_hex(8), str(int(self._clock().timestamp() * 1000))
        signature = js_sign(self._api.js_ticket(), nonce, timestamp, page, self._config.js_signature)
        return {
            "agentId": self._config.agent_id,
            "corpId": self._config.corp_id,
            "clientId": self._config.client_id,
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "signature": signature,
            "type": 0,
            "jsApiList": list(JS_APIS),
        }

    def set_entries(self) -> None:
        """«位置上报» and «我的待办»: they open pages; nothing reaches the robot by them."""
        entries = (
            ("位置上报", self._config.place_page, (0x1E, 0x88, 0xE5)),
            ("我的待办", self._config.tasks_page, (0xF4, 0x8A, 0x1F)),
        )
        plugins = []
        for name, page, colour in entries:
            url = page_url(self._public_url, page)
            icon = self._oapi.upload("image", dot(colour), "icon.png")
            plugins.append({"name": name, "icon": icon, "mobileUrl": url, "pcUrl": url})
        body = {"robotCode": self._config.robot, "pluginInfoList": plugins}
        self._api.call("POST", "/v1.0/robot/plugins/set", body, repeatable=True)


def dot(colour: tuple[int, int, int], size_px: int = _ICON_PX) -> bytes:
    """A PNG: a filled circle on nothing. An entry needs an icon, and this one needs no picture file."""
    centre, radius = (size_px - 1) / 2, size_px / 2 - 4
    rows = bytearray()
    for y in range(size_px):
        rows.append(0)  # this row is not filtered
        for x in range(size_px):
            inside = (x - centre) ** 2 + (y - centre) ** 2 <= radius**2
            rows += bytes((*colour, 255 if inside else 0))
    header = struct.pack(">IIBBBBB", size_px, size_px, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body
