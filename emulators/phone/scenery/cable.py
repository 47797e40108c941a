"""A supply cable along a wall: torn down to the copper, or replaced and in a conduit."""

from __future__ import annotations

import math

from .canvas import Canvas, Colour, Point, lit

RUBBER: Colour = (48, 48, 52)
COPPER: Colour = (206, 116, 52)


def cable(*, fixed: bool) -> Canvas:
    canvas = Canvas(53)
    _wall(canvas)
    _cabinet(canvas)
    path = [_at(k / 120) for k in range(121)]
    canvas.soft([*[(x + 12, y + 30) for x, y in path], *[(x + 12, y + 64) for x, y in reversed(path)]],
                (0, 0, 0), 0.5, blur=10)  # fmt: skip
    if fixed:
        _conduit(canvas, path)
    else:
        _rope(canvas, path, RUBBER, 27)
        _damage(canvas)
    for share in (0.06, 0.86):
        _clip(canvas, *_at(share))
    return canvas


def _at(share: float) -> Point:
    """The middle of the cable, 0 … 1 from left to right."""
    return -20 + 1000 * share, 404 + 46 * math.sin(share * 4.6) - 30 * share


def _wall(canvas: Canvas) -> None:
    canvas.surface([(0, 0), (960, 0), (960, 640), (0, 640)], (196, 190, 178), (160, 154, 144), wear=0.3, grain=22)
    for y in range(40, 640, 74):
        canvas.line([(0, y), (960, y + 3)], (142, 136, 126), 2.5)
        for x in range(-60 + (y % 2) * 70, 960, 170):
            canvas.line([(x, y), (x, y + 74)], (142, 136, 126), 2.5)
    canvas.soft([(380, 420), (640, 420), (600, 620), (420, 620)], (108, 92, 74), 0.32, blur=34)
    canvas.surface([(0, 630), (960, 636), (960, 720), (0, 720)], (120, 118, 112), (84, 82, 78), wear=0.3, grain=24)


def _cabinet(canvas: Canvas) -> None:
    canvas.soft([(650, 60), (930, 60), (940, 330), (660, 330)], (0, 0, 0), 0.5, blur=14)
    canvas.surface([(640, 44), (910, 44), (910, 306), (640, 306)], (170, 176, 178), (132, 138, 140), wear=0.14, grain=8)
    canvas.line([(652, 56), (898, 56), (898, 294), (652, 294), (652, 56)], (110, 114, 116), 3)
    canvas.poly([(776, 100), (824, 182), (728, 182)], (30, 30, 30))
    canvas.poly([(776, 110), (815, 177), (737, 177)], (242, 198, 36))
    canvas.poly([(780, 124), (764, 152), (775, 152), (768, 172), (790, 144), (778, 144), (786, 124)], (30, 30, 30))
    canvas.box(880, 150, 892, 196, (70, 72, 74), radius=3)
    for x, colour in ((700, (206, 60, 46)), (736, (60, 150, 84)), (772, (226, 176, 40))):
        canvas.oval(x, 238, 13, 13, lit(colour, 0.6))
        canvas.oval(x, 236, 10, 10, colour)
        canvas.oval(x - 3, 232, 3, 3, (255, 240, 230))


def _rope(canvas: Canvas, path: list[Point], colour: Colour, radius: float) -> None:
    """A round cable: from the dark outside to the light inside."""
    for share, shade, up in ((1.0, 0.5, 0.0), (0.82, 0.85, 0.1), (0.55, 1.25, 0.24), (0.22, 2.1, 0.42)):
        moved = [(x, y - radius * up) for x, y in path]
        canvas.line(moved, lit(colour, shade), 2 * radius * share)


def _damage(canvas: Canvas) -> None:
    """Between 0.40 and 0.60 the sheath is gone: cores, strands, torn edges, scorch marks."""
    canvas.soft(canvas.ragged(*_at(0.5), 170, 84), (36, 30, 26), 0.5, blur=22)
    inside = [_at(0.40 + k * 0.002) for k in range(101)]
    _rope(canvas, inside, (34, 30, 28), 25)
    for offset, colour in ((-15, (150, 60, 44)), (15, (52, 84, 150))):
        for part in (slice(0, 30), slice(74, 101)):
            _rope(canvas, [(x, y + offset) for x, y in inside[part]], colour, 8)
    for strand in range(15):
        spread = (strand - 7) * 2.9
        wave, bend = canvas.random.uniform(0.5, 2.4), canvas.random.uniform(-7, 7)
        points = []
        for k, (x, y) in enumerate(inside[18:84]):
            t = k / 65
            points.append((x, y + spread * (1 + 0.5 * math.sin(math.pi * t)) + bend * math.sin(t * 3.1 * wave)))
        canvas.line(points, lit(COPPER, canvas.random.uniform(0.55, 0.8)), 4.4)
        canvas.line([(x, y - 1) for x, y in points], lit(COPPER, canvas.random.uniform(1.0, 1.35)), 1.8)
    for k in range(9):  # strands that stand out
        x, y = _at(0.44 + 0.014 * k)
        side = -1 if k % 2 else 1
        tip = (x + canvas.random.uniform(-26, 30), y + side * canvas.random.uniform(34, 62))
        canvas.line([(x, y + side * 14), ((x + tip[0]) / 2, y + side * 34), tip], lit(COPPER, 1.2), 1.8)
    for share, way in ((0.405, 1), (0.60, -1)):
        x, y = _at(share)
        torn = [(x - way * 40, y - 27)]
        torn += [(x + way * canvas.random.uniform(-8, 26), y - 27 + 54 * k / 9) for k in range(10)]
        torn += [(x - way * 40, y + 27)]
        canvas.poly(torn, (40, 40, 44))
        canvas.line(torn[1:-1], (112, 110, 108), 2.5)
        canvas.soft(
            [(x - way * 40, y - 18), (x, y - 18), (x, y - 10), (x - way * 40, y - 10)], (170, 170, 176), 0.5, blur=3
        )


def _conduit(canvas: Canvas, path: list[Point]) -> None:
    grey: Colour = (178, 182, 184)
    _rope(canvas, path, (96, 98, 100), 34)
    for k in range(241):
        share = k / 240
        if 0.1 < share < 0.82:
            x, y = _at(share)
            slope = 46 * 4.6 * math.cos(share * 4.6) / 1000 - 0.03
            rib = [(x + slope * 32, y - 33), (x - slope * 32, y + 33)]
            canvas.line(rib, lit(grey, 0.55 if k % 2 else 1.05), 2.6)
    shine = [(x, y - 16) for x, y in path[12:99]]
    canvas.soft([*shine, *[(x, y + 8) for x, y in reversed(shine)]], (255, 255, 255), 0.5, blur=4)
    for share in (0.1, 0.82):
        x, y = _at(share)
        canvas.tube(x - 20, y - 40, x + 20, y + 40, (60, 62, 66), shine=0.35)


def _clip(canvas: Canvas, x: float, y: float) -> None:
    canvas.tube(x - 11, y - 38, x + 11, y + 38, (150, 152, 152), shine=0.6)
    canvas.box(x - 14, y - 60, x + 14, y - 36, (140, 142, 142), radius=3)
    canvas.nut(x, y - 49, 8, (180, 180, 178))
