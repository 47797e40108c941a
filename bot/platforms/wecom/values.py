"""Reading what WeCom sends without trusting its shape: whatever is not as documented counts as not given."""

from __future__ import annotations

from typing import Any

ID_CHARS = 128
LONG_CHARS = 2048

Data = dict[str, Any]


def as_dict(value: Any) -> Data:
    return value if isinstance(value, dict) else {}


def words_of(data: Data, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def id_of(data: Data, name: str) -> str:
    """An identifier; "" when it is longer than any of theirs."""
    value = words_of(data, name).strip()
    return value if len(value) <= ID_CHARS else ""


def code_of(data: Data, name: str) -> str:
    """A key, a single-use code or an address; "" when it is longer than any of theirs."""
    value = words_of(data, name).strip()
    return value if len(value) <= LONG_CHARS else ""
