"""Which action on a blind plate the words of a job speak of: one ticket, one plate, one action (GB 30871-2022 7.11)."""

from __future__ import annotations

import re

INSERT, REMOVE, BOTH = "insert", "remove", "both"
ACTION_ZH = {INSERT: "堵盲板", REMOVE: "抽盲板"}

_NAME = re.compile(r"盲板抽堵|抽堵盲板|抽堵")  # the name of the work says nothing about which
_REMOVE = re.compile(
    r"抽(?!风|真空|样|水|气|检|查|油|出口|液)|(?:拆|取|卸)(?:出|掉|下|除|走)?(?:这块|该|[一1]块)?盲板|盲板(?:要|先)?(?:拆|取|卸)"
)
_INSERT = re.compile(
    r"堵(?!漏|塞|头|住|丝)|(?:加装|安装|加|装|插|打|上)(?:上|入)?(?:这块|该|[一1]块)?盲板|盲板(?:要|先)?(?:加装|安装|插入)"
)


def action_in(words: str) -> str | None:
    """insert, remove or both; None when the words leave it open and it has to be asked."""
    plain = _NAME.sub("", words)
    removes, inserts = bool(_REMOVE.search(plain)), bool(_INSERT.search(plain))
    if removes and inserts:
        return BOTH
    return REMOVE if removes else INSERT if inserts else None
