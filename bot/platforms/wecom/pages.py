"""Pages opened inside WeCom: where to sign in, and what the JS bridge wants before it starts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.platforms.wecom.client import Api
from bot.platforms.wecom.config import WeComConfig

JS_APIS = ("getLocation", "scanQRCode", "chooseImage", "uploadImage", "getLocalImgData", "closeWindow")


def js_sign(*, ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """SHA-1 over the four named values in this order, raw; `url` counts up to its fragment (#90506)."""
    bare = url.split("#", 1)[0]
    return hashlib.sha1(f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={bare}".encode()).hexdigest()


class Pages:
    def __init__(self, config: WeComConfig, *, api: Api, clock: Callable[[], datetime]) -> None:
        self._config, self._api, self._clock = config, api, clock

    def sign_in_url(self, page_url: str, state: str) -> str:
        """Comes back to `page_url` with ?code=&state=; silent inside WeCom. Keep `state` under 128 bytes."""
        query = urlencode(
            {
                "appid": self._config.corp_id,
                "redirect_uri": page_url,
                "response_type": "code",
                "scope": "snsapi_base",
                "state": state,
                "agentid": self._config.agent_id,
            }
        )
        return f"{self._config.oauth_base}/connect/oauth2/authorize?{query}#wechat_redirect"

    def js_config(self, page_url: str) -> dict[str, Any]:
        """`config` for wx.config, `agentConfig` for wx.agentConfig: signed for that address, with different tickets."""
        config = self._config
        corp = self._signed(self._api.ticket("corp_ticket", "get_jsapi_ticket"), page_url)
        app = self._signed(self._api.ticket("app_ticket", "ticket/get", type="agent_config"), page_url)
        apis = list(JS_APIS)
        return {
            "config": {"beta": True, "debug": False, "appId": config.corp_id, "jsApiList": apis, **corp},
            "agentConfig": {"corpid": config.corp_id, "agentid": config.agent_id, "jsApiList": apis, **app},
        }

    def _signed(self, ticket: str, url: str) -> dict[str, Any]:
        nonce, timestamp = secrets.token_hex(8), str(int(self._clock().timestamp()))
        signature = js_sign(ticket=ticket, nonce=nonce, timestamp=timestamp, url=url)
        return {"timestamp": int(timestamp), "nonceStr": nonce, "signature": signature}
