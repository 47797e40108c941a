"""Checks of an installation for `flask doctor`: each one is tried, and what to do stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.platforms.base import PlatformError, remedy_for

if TYPE_CHECKING:
    from bot.platforms.wecom.platform import WeCom

Check = tuple[str, bool, str]


def run(wecom: WeCom) -> list[Check]:
    """(what, ok, remedy in Chinese when not ok). Changes nothing on the platform."""
    agent = str(wecom.config.agent_id)
    public = wecom.public_url.startswith("https://")
    return [
        _try("企业微信:应用凭证", wecom.api.token),
        _try("企业微信:应用 AgentId", lambda: wecom.api.get("menu/get", agentid=agent), fine=("46003",)),
        _try("企业微信:读取通讯录", lambda: next(iter(wecom.members()), None)),
        _try("企业微信:页面签名(JS-SDK)", lambda: wecom.js_config(wecom.public_url + "/h5/")),
        (
            "企业微信:对外地址",
            public,
            "" if public else "ANSHAO_PUBLIC_URL 要用 https 域名,并设为应用的可信域名,否则手机页面不能登录和定位",
        ),
    ]


def _try(what: str, step: Callable[[], object], *, fine: tuple[str, ...] = ()) -> Check:
    try:
        step()
    except PlatformError as error:
        if error.code not in fine:
            return what, False, remedy_for(error)
    return what, True, ""
