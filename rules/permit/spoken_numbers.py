"""Plain numbers as people answer a question with them, and the force of wind; what may be several numbers is several."""

from __future__ import annotations

import re

from rules.permit.wind import beaufort
from rules.text import chinese_number, normalise

_NUMERALS = re.compile(r"[零〇一二两三四五六七八九十百千]+(?:点[零〇一二三四五六七八九]+)?")
_THOUSANDS = re.compile(r"(?<![\d.])[1-9]\d{0,2}(?:,\d{3})+(?![\d.])")
_OTHER = re.compile(r"\d{1,4}\s*[号#]|\d{1,2}:\d{2}|\d{1,2}[点时](?:\d{1,2}分?)?")
_NUMBER = re.compile(r"(?P<n>\d+(?:\.\d+)?)\s*(?P<unit>级|m/s|m(?![a-z])|米)?")
_BOUND = re.compile(r"超过|大于|高于|不止|至少|以上|多(?=级|米|m)|[>≥]")
HIGHEST = 18


def numbers_in(text: str) -> list[float]:
    """Every number of an answer, «1,500» as one; «1e9» is two."""
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", _digits(text))]


def wind_said(text: str) -> int | None:
    """«3级», «十二级», «4.5米每秒»; of several («4~5级», «3级,阵风8级») the strongest. None when that cannot be said."""
    plain = _OTHER.sub(" ", _digits(text))
    found = list(_NUMBER.finditer(plain))
    if not found or _BOUND.search(plain):
        return None
    forces, unit = [], ""
    for match in reversed(found):  # «4~5级»: the unit stands behind the last
        unit = match["unit"] or unit
        value = float(match["n"])
        by_speed = unit not in ("", "级")
        force = beaufort(value) if by_speed else value
        if force > HIGHEST or force != int(force) or (by_speed and value > 100):
            return None
        forces.append(int(force))
    return max(forces)


def _digits(text: str) -> str:
    """«十二级» as 12; «三四级», three or four, as both."""

    def number(match: re.Match[str]) -> str:
        value = chinese_number(match.group())
        return "~".join(str("零一二三四五六七八九".find(c)) for c in match.group()) if value is None else f"{value:g}"

    plain = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), normalise(text))
    return _NUMERALS.sub(number, plain)
