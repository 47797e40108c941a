"""The media that one field of a ledger names: «甲醇、水» are two, «甲醇(99.9%)» is one, «1,3-丁二烯» too."""

from __future__ import annotations

import re

from rules.permit.gas import find_medium

NO_GAS = frozenset({"蒸汽", "水", "循环水", "脱盐水", "氮气", "空气", "仪表风"})
"""Nothing to measure; too little oxygen is asked for apart from what is in the air."""

_BETWEEN = re.compile(r"[、，;；/+＋&|()（）\[\]]|,(?![0-9A-Za-z]-)|\s+")
_AND = re.compile(r"[和与及]")
_AMOUNT = re.compile(r"(浓度|含量|纯度)?[≥≤>＞<＜约~]*\d+(\.\d+)?([-~～]\d+(\.\d+)?)?([%％‰]|ppm|wt%|vol%)")
_NOTE = re.compile(r"(常温|低温|高温|常压|带压)?(液|气|固)?[态相体]?|工业级|优等品|一等品")
_SOME = re.compile(r"^(含有|含|微量|少量|部分)+")


def media_names(text: str) -> list[str]:
    """Names of media in the order of the text, each once; what is unknown stays a name of its own."""
    if _is_known(text.strip()):
        return [text.strip()]
    found: list[str] = []
    for piece in _BETWEEN.split(text):
        name = _SOME.sub("", _AMOUNT.sub("", piece)).strip()
        if name and (_is_known(name) or not _NOTE.fullmatch(name)):
            found += _and_apart(name)
    return list(dict.fromkeys(found)) or [text.strip()]


def _and_apart(name: str) -> list[str]:
    """«甲醇和水» are two, «饱和蒸汽» is one: taken apart where every part is known."""
    parts = [part for part in _AND.split(name) if part]
    return parts if not _is_known(name) and all(map(_is_known, parts)) else [name]


def _is_known(name: str) -> bool:
    return name in NO_GAS or find_medium(name) is not None
