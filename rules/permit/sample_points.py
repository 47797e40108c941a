"""Where a gas sample was taken (取样部位), as people say it, and which of several values counts.

GB 30871-2022 5.3.1 a and 6.3 b: representative samples; in big equipment and in a confined space at the top, in the middle
and at the bottom (or left, middle, right). 5.3.1 b: at an outer wall inside the equipment too, and within 10 m around.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rules.text import normalise

POINT_ZH: Mapping[str, str] = {
    "top": "上部",
    "middle": "中部",
    "bottom": "下部",
    "left": "左侧",
    "right": "右侧",
    "inside": "设备内",
    "around": "动火点周围",
    "opening": "入口",
}
POSITIONS = frozenset({"top", "middle", "bottom", "left", "right"})
"""What `sample_positions` counts (HW-A11)."""
WHOLE = ""
_KEYS = {zh: key for key, zh in POINT_ZH.items()}
_HIGH_TO_LOW, _SIDE_TO_SIDE = {"top", "middle", "bottom"}, {"left", "middle", "right"}
_INSIDE = {*POSITIONS, "inside"}
_FIRST_LOOK = {"opening", WHOLE}
OXYGEN_LOW = 19.5
"""% vol, 6.4 a; only to choose which of several values is shown and judged, the limit itself is CS-003's."""

_SEVERAL = re.compile(r"上中下|左中右|上下(?=2|两|各|都|部|层)|左右(?=2|两|各|都|侧)")
_LETTER = {"上": "top", "中": "middle", "下": "bottom", "左": "left", "右": "right", "顶": "top", "底": "bottom"}
_POINTS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("top", re.compile(r"(?:上|顶)(?:部|层|段|面|方)|[塔罐釜槽池井仓]顶")),
    ("middle", re.compile(r"中(?:部|层|段|间)")),
    ("bottom", re.compile(r"(?:下|底)(?:部|层|段|面|方)|[塔罐釜槽池井坑仓]底")),
    ("left", re.compile(r"左(?:部|侧|边|面)")),
    ("right", re.compile(r"右(?:部|侧|边|面)")),
    ("inside", re.compile(r"(?:设备|容器|塔|罐|釜|管道|管)内(?!壁)|里面")),
    ("around", re.compile(r"动火点|作业点|火点|周围|周边|外部|外面|外壁")),
    ("opening", re.compile(r"人孔|入口|进口|洞口|井口")),
)
_ALONE = re.compile(r"[上中下左右顶底]")
_LETTERS_ONLY = re.compile(r"[上中下左右顶底]{1,5}")
_BEFORE_A_GAS = re.compile(r"^[上中下左右顶底](?=可燃|氧|含氧|硫|一氧|氨|氯|苯|lel|o2|h2s|co|nh3|都|各|均|[2-9]个)")
_HOW_MANY = re.compile(r"(?:[2-9]|两|各)个?(?:取样)?(?:部位|位置|地方|测点)|[2-9两各]处")


def points_in(part: str) -> tuple[tuple[str, ...], str]:
    """(points of a piece of a sentence, the piece without the words for them); the piece is already normalised."""
    found: dict[str, None]
    if _ALONE.fullmatch(part.strip()):
        return (_LETTER[part.strip()],), ""
    part, found = part.strip(), {}
    if _BEFORE_A_GAS.match(part):
        part, found = part[1:], {_LETTER[part[0]]: None}
    for match in _SEVERAL.finditer(part):
        found |= dict.fromkeys(_LETTER[letter] for letter in match.group())
    rest = _SEVERAL.sub(" ", part)
    for key, words in _POINTS:
        if words.search(rest):
            found[key] = None
            rest = words.sub(" ", rest)
    return tuple(found), _HOW_MANY.sub(" ", rest) if found else part


def points_said(text: str) -> tuple[str, ...]:
    """The points of an answer that is nothing else («上、中、下», «罐顶和罐底»)."""
    parts = re.split(r"[,;、。\s和跟]+", normalise(text))
    found = ([_LETTER[c] for c in part] if _LETTERS_ONLY.fullmatch(part) else points_in(part)[0] for part in parts)
    return tuple(dict.fromkeys(point for points in found for point in points))


def words_of(points: Iterable[str]) -> str:
    """«上部、中部»; words that are no known point stay as they were said."""
    return "、".join(POINT_ZH.get(point, point) for point in points)


def positions(words: Iterable[str]) -> list[str]:
    """The values of `sample_positions` that these kept words («上部、中部») stand for."""
    return sorted({_KEYS[word] for text in words for word in text.split("、") if _KEYS.get(word) in POSITIONS})


def measured_inside(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a combustible value was taken inside the equipment (5.3.1 b)."""
    return any(row["gas"] == "combustible" and _points(row) & _INSIDE for row in rows)


# -- several values of one gas


def same_units(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether each gas was told in one unit; only then can its values be held against each other."""
    units: dict[str, set[str]] = {}
    for row in rows:
        units.setdefault(str(row["gas"]), set()).add(str(row["unit"]))
    return all(len(told) == 1 for told in units.values())


def worst(rows: Sequence[Mapping[str, Any]], *, work: str) -> Mapping[str, Any]:
    """The value of one gas at several points that decides: the highest; oxygen too low for people goes before (6.4 a)."""
    low, high = min(rows, key=_value), max(rows, key=_value)
    return low if low["gas"] == "o2" and work == "confined_space" and _value(low) < OXYGEN_LOW else high


def standing(tests: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(number of the test, value) of every value that still stands, of the values of all tests, newest test first.

    A value stands until the same point is measured again: a sample from the middle says nothing of the top. Top, middle
    and bottom together stand for the whole inside; a value of which nobody said where it was taken for everything before.
    """
    measured: dict[str, set[str]] = {}
    for number, values in enumerate(tests):
        now: dict[str, set[str]] = {}
        for row in values:
            gas, points = str(row["gas"]), _points(row)
            done = measured.setdefault(gas, set())
            now.setdefault(gas, set()).update(points)
            if WHOLE not in done and not points <= done:
                yield number, row
        for gas, points in now.items():
            measured[gas] |= points | (_INSIDE if points >= _HIGH_TO_LOW or points >= _SIDE_TO_SIDE else set())


def counting(tests: Iterable[Sequence[Mapping[str, Any]]], *, work: str) -> dict[str, Mapping[str, Any]]:
    """Of the values of all tests, newest test first, the one that counts for each gas: the worst that still stands.

    A gas told in another unit than its newest value is not held against it.
    """
    newest: dict[str, list[Mapping[str, Any]]] = {}
    for _, row in standing(tests):
        kept = newest.setdefault(str(row["gas"]), [])
        if not kept or kept[0]["unit"] == row["unit"]:
            kept.append(row)
    return {gas: worst(kept, work=work) for gas, kept in newest.items()}


def oldest(tests: Sequence[tuple[datetime, Sequence[Mapping[str, Any]]]]) -> dict[str, tuple[datetime, str]]:
    """For each gas the time its sample counts from, with the point: the oldest of the values that still stand.

    `tests` newest first, each with its time. The 30 minutes of 5.3.1 c and 6.3 a hold for every point: a fresh sample
    from one does not make that of another younger. The entrance, and a sample that nobody said the place of, are only
    a first look: anything measured since stands for them.
    """
    found: dict[str, tuple[datetime, str]] = {}
    for number, row in standing([values for _, values in tests]):
        gas, (at, _) = str(row["gas"]), tests[number]
        if gas not in found or (at < found[gas][0] and not _points(row) <= _FIRST_LOOK):
            found[gas] = at, str(row.get("point", ""))
    return found


def _points(row: Mapping[str, Any]) -> set[str]:
    """The points of a kept value. Words that name no known point are a point of their own, no words are any."""
    words = str(row.get("point", "")).split("、")
    return {_KEYS.get(word, word) for word in words}


def _value(row: Mapping[str, Any]) -> float:
    return float(row["value"])
