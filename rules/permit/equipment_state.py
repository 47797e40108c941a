"""What the ledger's words for the state of equipment (设备状态) say. A spare pump may be started any minute: it says nothing."""

from __future__ import annotations

RUNNING, STANDBY, STOPPED, MAINTENANCE, DISMANTLED = "running", "standby", "stopped", "maintenance", "dismantled"

_WORDS: dict[str, tuple[str, ...]] = {
    RUNNING: ("运行", "运行中", "正在运行", "在用", "投用", "使用中", "在运", "运转", "正常", "生产中", "in_use", "on"),
    STANDBY: ("备用", "热备", "冷备", "热备用", "冷备用", "待机", "spare", "idle"),
    STOPPED: ("停用", "已停用", "停运", "停车", "停机", "封存", "闲置", "off", "shutdown", "out_of_service"),
    MAINTENANCE: ("检修", "检修中", "维修", "维修中", "大修", "停车检修", "停机检修", "repair"),
    DISMANTLED: ("拆除", "已拆除", "报废", "已报废", "scrapped"),
}
_STATES = {word: state for state, words in _WORDS.items() for word in (state, *words)}


def state_of(word: str) -> str | None:
    """The state that a word of a ledger means; "" for none said, None for a word that is not known."""
    plain = word.strip().lower()
    return _STATES.get(plain) if plain else ""


def is_stopped(word: str) -> bool:
    """Whether the ledger is sure that the equipment does not run (5.1.2); no other word settles it."""
    return state_of(word) in (STOPPED, MAINTENANCE, DISMANTLED)
