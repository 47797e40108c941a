"""The only place that imports wechatpy: its WeCom half is `wechatpy.enterprise` in 1.8, `wechatpy.work` in later ones.

The client is bent so that it uses our session, our token storage and the configured address: upstream the token call
has a fixed host and no time-out, a refused token is fetched again without end, and every process has its own.
"""

from __future__ import annotations

import requests
from wechatpy.enterprise import WeChatClient, parse_message
from wechatpy.enterprise.crypto import PrpCrypto, WeChatCrypto
from wechatpy.enterprise.exceptions import InvalidCorpIdException
from wechatpy.exceptions import WeChatClientException

from bot.platforms.tokens import TokenKeeper
from bot.platforms.wecom.config import WeComConfig

__all__ = [
    "InvalidCorpIdException",
    "PrpCrypto",
    "SdkClient",
    "WeChatClientException",
    "WeChatCrypto",
    "parse_message",
]

TIMEOUT_S = (3.05, 8.0)
TOKEN = "token"


class SdkClient(WeChatClient):
    """`get` and `post` of wechatpy over our session; neither repeats anything by itself."""

    def __init__(self, config: WeComConfig, *, http: requests.Session, tokens: TokenKeeper) -> None:
        super().__init__(config.corp_id, config.secret, timeout=TIMEOUT_S, auto_retry=False)
        self._http: requests.Session = http
        self._tokens = tokens
        self.API_BASE_URL = config.api_base + "/cgi-bin/"

    @property
    def access_token(self) -> str:
        return self._tokens.get(TOKEN, self._ask_for_token)

    def fetch_access_token(self) -> None:
        """Never needed: `access_token` fetches what it lacks. Upstream's would call a fixed host."""
        raise NotImplementedError

    def _ask_for_token(self) -> tuple[str, int]:
        # A tuple of pairs: into a dict the base class would put the very token we are fetching.
        asked = (("corpid", self.corp_id), ("corpsecret", self.secret))
        answer = self.get("gettoken", params=asked, allow_redirects=False)
        if not isinstance(answer, dict):  # wechatpy hands an answer that is no JSON back as it came
            raise requests.exceptions.InvalidJSONError("gettoken")
        return str(answer["access_token"]), int(answer.get("expires_in") or 7200)
