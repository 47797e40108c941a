"""Checks of an installation for `flask doctor`: each one is tried, and what to do stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.platforms.base import PlatformError, remedy_for

if TYPE_CHECKING:
    from bot.platforms.dingtalk.platform import DingTalk

Check = tuple[str, bool, str]


def run(dingtalk: DingTalk) -> list[Check]:
    """(what, ok, remedy in Chinese when not ok). Costs two calls of the month's quota at most."""
    config = dingtalk.config
    found = [
        _try("钉钉:应用凭证(新接口)", dingtalk.api.token),
        _try("钉钉:应用凭证(旧接口)", dingtalk.oapi.token),
        _try("钉钉:读取通讯录", lambda: next(iter(dingtalk.members()), None)),
        _try("钉钉:页面签名(JSAPI)", dingtalk.api.js_ticket),
        _set(
            "钉钉:卡片模板",
            config.card_template_id,
            "按 docs/dingtalk-card.md 建好模板,设置 ANSHAO_DINGTALK_CARD_TEMPLATE_ID",
        ),
        _set("钉钉:应用 AgentId", config.agent_id, "设置 ANSHAO_DINGTALK_AGENT_ID,否则不能发工作通知、页面不能定位"),
    ]
    if config.todo_creator:
        found.append(_try("钉钉:待办发起人的账号", lambda: dingtalk.union_id_of(config.todo_creator)))
    if config.mode == "http":
        found.append(_try("钉钉:卡片回调地址", lambda: dingtalk.cards.register_route(force=True)))
        keys = bool(config.event_token and config.event_aes_key)
        remedy = "在「事件订阅」生成 token 和 aes_key,设置 ANSHAO_DINGTALK_EVENT_TOKEN、ANSHAO_DINGTALK_EVENT_AES_KEY"
        found.append(_set("钉钉:事件订阅密钥", keys, remedy))
    return found


def _try(what: str, step: Callable[[], object]) -> Check:
    try:
        step()
    except PlatformError as error:
        return what, False, remedy_for(error)
    return what, True, ""


def _set(what: str, value: object, remedy: str) -> Check:
    return what, bool(value), "" if value else remedy
