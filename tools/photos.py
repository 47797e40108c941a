"""Photographs for the smoke round, drawn: one corner of the tank farm with a missing trench cover, and put right."""

from __future__ import annotations

from PIL import Image, ImageDraw

from bench.scenes import jpeg, scene

PLACE = 23  # the seed of this corner


def uncovered() -> bytes:
    """The hazard: an open trench across the floor."""
    return jpeg(_corner(left=0, covered=False))


def covered() -> bytes:
    """The same corner an hour later, from two steps to the right: the cover is back and a barrier stands there."""
    return jpeg(_corner(left=170, covered=True))


def _corner(*, left: int, covered: bool) -> Image.Image:
    picture = scene(PLACE, width=1800, height=1200)
    pen = ImageDraw.Draw(picture)
    trench = [(620, 860), (1010, 860), (1180, 1130), (520, 1130)]
    if not covered:
        pen.polygon(trench, fill=(18, 18, 20))
        pen.line([*trench, trench[0]], fill=(120, 110, 90), width=10)
        return picture.crop((left, 0, left + 1600, 1200))
    pen.polygon(trench, fill=(132, 136, 138))
    for step in range(1, 9):
        y = 860 + step * 30
        pen.line((620 - step * 11, y, 1010 + step * 19, y), fill=(84, 88, 92), width=6)
    for x in (560, 1120):
        pen.rectangle((x, 700, x + 22, 1010), fill=(60, 60, 66))
    for part in range(8):
        colour = (214, 40, 36) if part % 2 else (245, 245, 240)
        pen.rectangle((571 + part * 70, 720, 571 + part * 70 + 70, 790), fill=colour)
    return picture.crop((left, 0, left + 1600, 1200))
