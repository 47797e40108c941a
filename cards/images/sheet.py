"""The before/after picture of a rectification, made to be read on a phone: 1080 px wide, large Chinese text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from cards.images.decode import to_jpeg, upright_rgb
from cards.images.text import fonts, one_line

WIDTH = 1080
MARGIN = 28
GAP = 16
MAX_PAIRS = 3
MAX_BYTES = 1_000_000
QUALITIES = (86, 78, 68, 55, 40)
PLANT_TIME = ZoneInfo("Asia/Shanghai")

INK, GREY, PAPER, EMPTY = "#1d2733", "#66727f", "#ffffff", "#eceff2"
HEAD, HEAD_SOFT = "#14324f", "#c3d2e0"
BEFORE, AFTER = "#d4380d", "#23803c"
_TALLEST = 1.34  # height ÷ width of a photo's place; a phone's upright photo just fits
_LANDSCAPE = 1.15  # width ÷ height from which a single pair is set one above the other, at full width


@dataclass(frozen=True, slots=True)
class _Side:
    photo: Image.Image | None
    label: str
    colour: str
    at: str


def side_by_side(
    before: Sequence[bytes] | bytes,
    after: Sequence[bytes] | bytes,
    *,
    number: str,
    place: str,
    before_at: datetime | None,
    after_at: datetime | None,
    description: str = "",
    note: str = "",
    zone: ZoneInfo = PLANT_TIME,
) -> bytes:
    """One JPEG of at most 1 MB with up to three pairs of photos: 整改前 beside 整改后, times in plant time.

    One pair of landscape photos is set one above the other so that each gets the full width. A missing photo leaves an
    empty place that says so. description and note are wrapped to four and two lines. Photos are shown whole.

    Raises PhotoRefused when a photo cannot be decoded, ValueError for a time without zone.
    """
    befores, afters = _listed(before)[:MAX_PAIRS], _listed(after)[:MAX_PAIRS]
    rows = max(1, len(befores), len(afters))
    stacked = rows == 1
    pairs = []
    for row in range(rows):
        sides = (
            _side(befores, row, "整改前", BEFORE, _when(before_at, zone)),
            _side(afters, row, "整改后", AFTER, _when(after_at, zone)),
        )
        stacked = stacked and all(s.photo is None or s.photo.width >= _LANDSCAPE * s.photo.height for s in sides)
        pairs.append(sides)
    stacked = stacked and any(side.photo for side in pairs[0])
    head = _head(number, place)
    body = [_stacked(pairs[0])] if stacked else [_beside(pair) for pair in pairs]
    foot = _foot(description, note)
    return _fitting(_column([head, *body, foot]))


def _listed(photos: Sequence[bytes] | bytes) -> list[bytes]:
    return [photos] if isinstance(photos, bytes) else list(photos)


def _side(photos: list[bytes], row: int, label: str, colour: str, at: str) -> _Side:
    photo = upright_rgb(photos[row], WIDTH) if row < len(photos) else None
    return _Side(photo, label, colour, at)


def _when(at: datetime | None, zone: ZoneInfo) -> str:
    if at is None:
        return "时间未知"
    if at.tzinfo is None:
        raise ValueError("a time without zone cannot be shown in plant time")
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _head(number: str, place: str) -> Image.Image:
    stack = fonts()
    places = stack.wrap(one_line(place) or "位置未知", width=WIDTH - 2 * MARGIN, size=38, max_lines=2)
    strip = Image.new("RGB", (WIDTH, 118 + 52 * len(places)), HEAD)
    pen = ImageDraw.Draw(strip)
    title = stack.wrap(f"隐患 {one_line(number)}", width=WIDTH - 2 * MARGIN - 190, size=54, max_lines=1)[0]
    stack.draw(pen, (MARGIN, 24), title, size=54, fill="white", bold=True)
    stack.draw(pen, (WIDTH - MARGIN - stack.width("整改对比", 38), 36), "整改对比", size=38, fill=HEAD_SOFT)
    for line, text in enumerate(places):
        stack.draw(pen, (MARGIN, 98 + 52 * line), text, size=38, fill=HEAD_SOFT)
    return strip


def _beside(pair: tuple[_Side, _Side]) -> Image.Image:
    width = (WIDTH - 2 * MARGIN - GAP) // 2
    height = max(_height(side, width) for side in pair)
    strip = Image.new("RGB", (WIDTH, height + 58 + GAP), PAPER)
    for index, side in enumerate(pair):
        _place(strip, side, MARGIN + index * (width + GAP), GAP, width, height, size=34)
    return strip


def _stacked(pair: tuple[_Side, _Side]) -> Image.Image:
    width = WIDTH - 2 * MARGIN
    heights = [_height(side, width) for side in pair]
    strip = Image.new("RGB", (WIDTH, sum(heights) + 2 * (58 + GAP)), PAPER)
    top = GAP
    for side, height in zip(pair, heights, strict=True):
        _place(strip, side, MARGIN, top, width, height, size=40)
        top += height + 58 + GAP
    return strip


def _height(side: _Side, width: int) -> int:
    if side.photo is None:
        return width // 3
    return min(round(width * _TALLEST), round(width * side.photo.height / side.photo.width))


def _place(strip: Image.Image, side: _Side, left: int, top: int, width: int, height: int, *, size: int) -> None:
    """One photo whole in its place, its label on the upper left corner, its time below."""
    stack, pen = fonts(), ImageDraw.Draw(strip)
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=EMPTY)
    if side.photo is None:
        text = f"没有{side.label}照片"
        stack.draw(
            pen, (left + (width - stack.width(text, size)) / 2, top + height / 2 - size / 2), text, size=size, fill=GREY
        )
    else:
        scale = min(width / side.photo.width, height / side.photo.height)
        fit = max(1, round(side.photo.width * scale)), max(1, round(side.photo.height * scale))
        shown = side.photo.resize(fit, Image.Resampling.BICUBIC, reducing_gap=2.0)
        strip.paste(shown, (left + (width - fit[0]) // 2, top + (height - fit[1]) // 2))
    tag = round(stack.width(side.label, size)) + size
    pen.rectangle((left, top, left + tag, top + size * 8 // 5), fill=side.colour)
    stack.draw(pen, (left + size // 2, top + size // 5), side.label, size=size, fill="white", bold=True)
    pen.rectangle((left, top + height, left + width - 1, top + height + 5), fill=side.colour)
    if side.photo is not None:
        stack.draw(pen, (left, top + height + 11), side.at, size=34, fill=INK)


def _foot(description: str, note: str) -> Image.Image:
    stack, width = fonts(), WIDTH - 2 * MARGIN
    told = stack.wrap(one_line(description), width=width, size=40, max_lines=4)
    noted = stack.wrap(one_line(note), width=width, size=34, max_lines=2)
    strip = Image.new("RGB", (WIDTH, 20 + 58 * len(told) + 50 * len(noted) + 24), PAPER)
    pen = ImageDraw.Draw(strip)
    for line, text in enumerate(told):
        stack.draw(pen, (MARGIN, 10 + 58 * line), text, size=40, fill=INK)
    for line, text in enumerate(noted):
        stack.draw(pen, (MARGIN, 10 + 58 * len(told) + 50 * line), text, size=34, fill=GREY)
    return strip


def _column(strips: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (WIDTH, sum(strip.height for strip in strips)), PAPER)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def _fitting(sheet: Image.Image) -> bytes:
    """JPEG of at most 1 MB: less quality first, then fewer pixels."""
    for quality in QUALITIES:
        data = to_jpeg(sheet, quality)
        if len(data) <= MAX_BYTES:
            return data
    while len(data) > MAX_BYTES:
        sheet = sheet.resize((sheet.width * 4 // 5, sheet.height * 4 // 5), Image.Resampling.BICUBIC)
        data = to_jpeg(sheet, QUALITIES[-1])
    return data
