"""Spoken numbers to digits and one normal form for matching."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "幺": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_TENS = {"十": 10, "百": 100, "千": 1000}
_UNITS = "米|m|号|#|%|公斤|千克|吨|公里|千米|摄氏度|层|楼|个点|毫米|厘米|分钟|小时"
_WHOLE = r"[零〇一二两三四五六七八九十百千万幺]+"
_DECIMALS = r"点[零〇一二三四五六七八九幺]+(?![十百半分刻])"
_SPOKEN_PERCENT = re.compile(rf"百分之({_WHOLE}(?:{_DECIMALS})?|\d+(?:\.\d+)?)")
_SPOKEN_DECIMAL = re.compile(rf"(?<![差有早快慢轻])({_WHOLE}{_DECIMALS})(?!号)")
_SPOKEN_WITH_UNIT = re.compile(rf"({_WHOLE})(?=\s*(?:{_UNITS}))")


def chinese_number(text: str) -> float | None:
    """«二十点八» → 20.8, «一百零五» → 105, «三零一» → 301; None when it is not one number («三四»)."""
    whole, _, decimals = text.partition("点")
    value = _whole_number(whole)
    if value is None or (decimals and any(c not in _DIGITS for c in decimals)) or text.endswith("点"):
        return None
    return float(f"{value}.{''.join(str(_DIGITS[c]) for c in decimals) or 0}")


def _whole_number(text: str) -> int | None:
    if not text or any(c not in _DIGITS and c not in _TENS and c != "万" for c in text):
        return None
    if not any(c in _TENS or c == "万" for c in text):
        if len(text) == 2 and "零" not in text and "〇" not in text:
            return None  # «三四米» means three or four
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = 0
    digit: int | None = None
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _TENS:
            section += (1 if digit is None else digit) * _TENS[c]
            digit = None
        else:
            total += (section + (digit or 0)) * 10_000
            section, digit = 0, None
    return total + section + (digit or 0)


def _spoken_numbers(text: str) -> str:
    def as_number(match: re.Match[str], *, tail: str = "") -> str:
        spoken = match.group(1)
        value = float(spoken) if spoken[0].isascii() else chinese_number(spoken)
        return match.group(0) if value is None else f"{value:g}{tail}"

    text = _SPOKEN_PERCENT.sub(lambda m: as_number(m, tail="%"), text)
    text = _SPOKEN_DECIMAL.sub(as_number, text)
    return _SPOKEN_WITH_UNIT.sub(as_number, text)


_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\ufe0f\u00ad\x00-\x08\x0b-\x1f]")
_DASHES = re.compile("[\u2010-\u2015\u2212\uff0d\u30fc]")
_PLUS_NUMBER = [
    (re.compile(r"\s+"), " "),
    (re.compile(r"(\d)\s*(?:#|号)(?!\d)\s*"), r"\1号"),
    (re.compile(r"(?<![\w#])#\s*(\d{1,3})(?!\d)(?:号)?"), r"\1号"),
    (re.compile(r"(\d)\s*毫米"), r"\1mm"),
    (re.compile(r"(\d)\s*厘米"), r"\1cm"),
    (re.compile(r"(\d)\s*(?:公里|千米)"), r"\1km"),
    (re.compile(r"(\d)\s*(?:米|m(?![a-z]))"), r"\1m"),
    (re.compile(r"(\d)\s*(?:公斤|千克)"), r"\1kg"),
    (re.compile(r"(\d)\s+%"), r"\1%"),
]


def normalise(text: str) -> str:
    """Half-width, lower case, one kind of dash and space, numbers as digits, «3#/3号/三号» → «3号», 米 → m."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    text = _DASHES.sub("-", text)
    if any(c in text for c in "零〇一二两三四五六七八九十百千幺"):
        text = _spoken_numbers(text)
    for pattern, plain in _PLUS_NUMBER:
        text = pattern.sub(plain, text)
    return text.strip()


def storable(text: str) -> bool:
    """Whether every database takes it: no NUL, no half of a surrogate pair (JSON may write either as an escape)."""
    return "\x00" not in text and not _HALF_PAIR.search(text)


_HALF_PAIR = re.compile("[\ud800-\udfff]")


def same_negation(text: str) -> str:
    """All the ways to say "not" (没有、无、不、忘了…) as 「未」, so that one phrase matches them all."""
    return _NEGATIONS.sub("未", text)


_NEGATIONS = re.compile("没有|木有|没得|忘了|忘记|没|冇|无|不|忘(?=戴|带|系|关|挂|盖)")
