"""Cleaning of what people type or a recogniser wrote, and the cutting of it into words."""

from __future__ import annotations

import functools
import re
import unicodedata

import rjieba

# A spoken question is a sentence or two; more than this adds time and noise, not meaning.
MAX_CHARS = 240

_TRADITIONAL = str.maketrans(
    "馬達機電軸邊響聲聽發熱燙壓閥門風葉輪齒變減聯軸轉動開關漏氣蒸鍋爐釜攪離乾燥機碎鐵繩鋼車剎滑輸帶偏塵製結冰氨塔係個嗰點樣會話",
    "马达机电轴边响声听发热烫压阀门风叶轮齿变减联轴转动开关漏气蒸锅炉釜搅离干燥机碎铁绳钢车刹滑输带偏尘制结冰氨塔系个嗰点样会话",
)
_LONG_SOUND = re.compile(r"(?<=[一-鿿])[—\-~～…·.。]{1,}")
_EQUIPMENT_NUMBER = re.compile(r"[a-z]{0,3}-?\d+[a-z]?(?:#|号)?|[一二三四五六七八九十]号")
_NOT_TEXT = re.compile(r"[^0-9a-z一-鿿]+")
_MANY = re.compile(r"(.)\1{3,}")
_REPEATED = re.compile(r"(.{2,12}?)\1{2,}")
# «那嘎达» is a place, not a noise.
_OVER_THERE = re.compile(r"(?<=[那这])(嘎达|嘎哒|嘎瘩|旮沓|旮旯|旮瘩|疙瘩|圪塔|噶哒|哈哈)")
_ERHUA = re.compile(r"(?<=[一-鿿])儿(?!子|童|女)")


def clean(raw: str, *, limit: int = MAX_CHARS) -> str:
    """Lower-case, half-width, one blank between phrases, no emoji, at most `limit` characters."""
    text = unicodedata.normalize("NFKC", raw[: limit * 4]).lower().translate(_TRADITIONAL)
    text = _LONG_SOUND.sub(" ", text)
    text = _EQUIPMENT_NUMBER.sub(" ", text)
    text = _OVER_THERE.sub("边", _ERHUA.sub("", text))
    text = _MANY.sub(r"\1\1\1", text)
    text = _REPEATED.sub(r"\1\1", _NOT_TEXT.sub(" ", text))
    return text.strip()[:limit]


@functools.cache
def _cutter() -> rjieba.Jieba:
    return rjieba.Jieba()


def teach(words: list[str]) -> None:
    """Make the cutter keep these plant words whole."""
    cutter = _cutter()
    for word in words:
        cutter.add_word(word, None, "n")


def cut(text: str) -> list[str]:
    """Words of a cleaned text, in order; blanks are left out."""
    return [word for word in _cutter().cut(text) if not word.isspace()]


def tagged(text: str) -> list[tuple[str, str]]:
    """(word, part of speech) of a cleaned text."""
    return [(word, tag) for word, tag in _cutter().tag(text) if not word.isspace()]


@functools.lru_cache(maxsize=50_000)
def is_word(text: str) -> bool:
    """Whether the general dictionary knows this as a word (plant words were taught later and count too)."""
    return _cutter().has_word(text)


def bigrams(text: str) -> list[str]:
    """Pairs of neighbouring characters inside each phrase."""
    pairs: list[str] = []
    for phrase in text.split():
        pairs.extend(phrase[i : i + 2] for i in range(len(phrase) - 1))
    return pairs
