"""The watermark bar: a few lines of text on a dark strip at the foot of a photo."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from cards.images.decode import QUALITY, WORKING_SIDE, to_jpeg, upright_rgb
from cards.images.text import fonts, one_line

MAX_LINES = 4
_SHADE = 90  # of 255: how much of the photo stays visible under the bar


def stamp(image: bytes, lines: Sequence[str]) -> bytes:
    """The photo as JPEG (long side at most 1280 px) with the lines in a bar at its foot; at most four lines are drawn.

    Raises PhotoRefused when the photo cannot be decoded.
    """
    photo = upright_rgb(image, WORKING_SIDE)
    draw_bar(photo, lines)
    return to_jpeg(photo, QUALITY)


def draw_bar(photo: Image.Image, lines: Sequence[str]) -> None:
    """Draw the bar onto an RGB picture, in place."""
    size = max(12, min(photo.width // 26, photo.height // 14))
    margin = size // 2
    stack = fonts()
    wrapped = [
        part
        for line in lines
        for part in stack.wrap(one_line(line), width=photo.width - 2 * margin, size=size, max_lines=2)
    ][:MAX_LINES]
    if not wrapped:
        return
    step = size * 7 // 5
    top = max(0, photo.height - step * len(wrapped) - margin)
    strip = photo.crop((0, top, photo.width, photo.height)).point([v * _SHADE // 255 for v in range(256)] * 3)
    photo.paste(strip, (0, top))
    pen = ImageDraw.Draw(photo)
    pen.rectangle((0, top, max(3, size // 6), photo.height), fill="#ffb400")
    for number, line in enumerate(wrapped):
        stack.draw(pen, (margin, top + margin // 2 + number * step), line, size=size, fill="white")
